#include "compiler/native/clang.h"

#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>

namespace weirc {
namespace {

// Where Clang is told to look for files that exist only in memory.
constexpr char kMemoryRoot[] = "/weir-in-memory";

// What a precompiled header and the code that uses it must agree on. The same dialect, processor and exceptions as the
// runtime's archives (cmake/weir.cmake).
std::vector<std::string> LanguageArguments() {
  return {
      "-triple", "x86_64-pc-linux-gnu", "-target-cpu", "x86-64-v2", "-std=gnu++20",
      "-fdeprecated-macro", "-fgnuc-version=4.2.1", "-fno-implicit-modules",
      "-fskip-odr-check-in-gmf", "-fcxx-exceptions", "-fexceptions",
      "-D__GCC_HAVE_DWARF2_CFI_ASM=1",
      // No fused multiply-add: an amount must come out the same on every machine.
      "-ffp-contract=off",
      "-mrelocation-model", "static", "-mframe-pointer=none", "-mconstructor-aliases",
      "-funwind-tables=2", "-ffunction-sections", "-fdata-sections", "-faddrsig",
      "-resource-dir", std::string(kMemoryRoot) + "/clang",
  };
}

template <typename Action>
bool Run(const std::vector<std::string>& arguments,
         llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files) {
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());

  clang::CompilerInstance compiler;
  auto invocation = std::make_shared<clang::CompilerInvocation>();
  clang::DiagnosticsEngine early(new clang::DiagnosticIDs, new clang::DiagnosticOptions,
                                 new clang::TextDiagnosticPrinter(
                                     llvm::errs(), new clang::DiagnosticOptions));
  if (!clang::CompilerInvocation::CreateFromArgs(*invocation, argv, early)) return false;
  compiler.setInvocation(std::move(invocation));
  compiler.createDiagnostics();
  compiler.createFileManager(std::move(files));
  Action action;
  return compiler.ExecuteAction(action) && !compiler.getDiagnostics().hasErrorOccurred();
}

void InitializeX86() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

}  // namespace

bool MakePch(const PchJob& job) {
  InitializeX86();
  std::vector<std::string> arguments = LanguageArguments();
  auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  add({"-emit-pch", "-x", "c++-header", "-O3", "-w",
       // The headers themselves go into the file: whoever uses it has none of them.
       "-fmodules-embed-all-files", "-fpch-instantiate-templates"});
  add({"-I", job.root});
  for (const std::string& define : job.defines) add({"-D", define});
  for (const std::string& dir : job.include_dirs) add({"-I", dir});
  for (const std::string& dir : job.system_dirs) add({"-internal-isystem", dir});
  if (!job.depfile.empty()) {
    add({"-dependency-file", job.depfile, "-MT", job.output, "-sys-header-deps"});
  }
  add({"-o", job.output, job.root + "/" + job.header});
  return Run<clang::GeneratePCHAction>(arguments, llvm::vfs::getRealFileSystem());
}

bool CompileToObject(const ClangJob& job) {
  InitializeX86();
  const std::string root = kMemoryRoot;
  const std::string source = root + "/" + job.source_name;
  auto memory = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  memory->addFile(source, 0, llvm::MemoryBuffer::getMemBuffer(job.source, source));
  // Generated code says #include so that it reads as C++; all of it is in the precompiled header already.
  memory->addFile(root + "/" + job.header, 0, llvm::MemoryBuffer::getMemBuffer("#pragma once\n"));
  auto files =
      llvm::makeIntrusiveRefCnt<llvm::vfs::OverlayFileSystem>(llvm::vfs::getRealFileSystem());
  files->pushOverlay(memory);

  std::vector<std::string> arguments = LanguageArguments();
  auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  add({"-emit-obj", "-x", "c++", "-w", "-ferror-limit", "19", "-main-file-name", job.source_name,
       "-disable-free", "-clear-ast-before-backend", "-disable-llvm-verifier",
       "-discard-value-names"});
  if (job.best) {
    add({"-O3", "-vectorize-loops", "-vectorize-slp"});
  } else {
    add({"-O1"});
  }
  // The headers of the precompiled header are not there to be compared with.
  add({"-fno-validate-pch", "-include-pch", job.pch, "-I", root, "-o", job.output, source});
  return Run<clang::EmitObjAction>(arguments, files);
}

}  // namespace weirc
