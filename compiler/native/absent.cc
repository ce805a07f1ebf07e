// The parts of LLVM that Clang and lld name and Weir leaves out.
#include <llvm/Passes/PassPlugin.h>

// Polly, a loop optimiser that Debian's Clang registers always: a plugin that adds no passes.
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "Polly", "absent", [](llvm::PassBuilder&) {}};
}

// lld initialises every target LLVM was built with. Weir makes x86-64 code only and links only that one: the others are
// empty here.
#define WEIR_NO_TARGET(name)                        \
  extern "C" void LLVMInitialize##name##TargetInfo() {} \
  extern "C" void LLVMInitialize##name##Target() {}     \
  extern "C" void LLVMInitialize##name##TargetMC() {}   \
  extern "C" void LLVMInitialize##name##AsmPrinter() {} \
  extern "C" void LLVMInitialize##name##AsmParser() {}

WEIR_NO_TARGET(AArch64)
WEIR_NO_TARGET(AMDGPU)
WEIR_NO_TARGET(ARM)
WEIR_NO_TARGET(AVR)
WEIR_NO_TARGET(BPF)
WEIR_NO_TARGET(Hexagon)
WEIR_NO_TARGET(Lanai)
WEIR_NO_TARGET(LoongArch)
WEIR_NO_TARGET(M68k)
WEIR_NO_TARGET(MSP430)
WEIR_NO_TARGET(Mips)
WEIR_NO_TARGET(NVPTX)
WEIR_NO_TARGET(PowerPC)
WEIR_NO_TARGET(RISCV)
WEIR_NO_TARGET(Sparc)
WEIR_NO_TARGET(SystemZ)
WEIR_NO_TARGET(VE)
WEIR_NO_TARGET(WebAssembly)
WEIR_NO_TARGET(XCore)
WEIR_NO_TARGET(Xtensa)
