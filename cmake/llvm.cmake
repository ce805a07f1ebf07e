# Clang 19 and lld 19 as static libraries: the target `weir_clang`.
# The archives are listed by hand, because the CMake packages of Debian mix in the shared libLLVM.
set(WEIR_LLVM /usr/lib/llvm-19 CACHE PATH "the LLVM 19 to embed")

# What an x86-64 code generator, and lld with its link-time optimiser, need of LLVM; llvm-config adds what those need.
set(components
  x86 asmparser bitreader bitwriter codegen core coverage frontenddriver frontendhlsl frontendoffloading
  frontendopenmp hipstdpar instrumentation ipo irprinter irreader linker lto mc option passes profiledata scalaropts
  support symbolize target targetparser transformutils)
execute_process(
  COMMAND ${WEIR_LLVM}/bin/llvm-config --link-static --libfiles ${components}
  OUTPUT_VARIABLE llvm_archives OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "no usable llvm-config in ${WEIR_LLVM}: run tools/setup")
endif()
separate_arguments(llvm_archives)
# Polly is a package of its own that nothing here uses; compiler/native/absent.cc stands in for its one symbol.
list(FILTER llvm_archives EXCLUDE REGEX Polly)

set(clang_archives
  clangFrontend clangDriver clangCodeGen clangSerialization clangParse clangSema clangAnalysis clangEdit clangASTMatchers
  clangAST clangAPINotes clangSupport clangLex clangBasic)
list(TRANSFORM clang_archives PREPEND ${WEIR_LLVM}/lib/lib)
list(TRANSFORM clang_archives APPEND .a)
set(lld_archives ${WEIR_LLVM}/lib/liblldELF.a ${WEIR_LLVM}/lib/liblldCommon.a)

add_library(weir_clang INTERFACE)
# System headers: LLVM's own warnings are not ours.
target_include_directories(weir_clang SYSTEM INTERFACE ${WEIR_LLVM}/include)
# LLVM is built without run-time type information and keeps its assertions off.
target_compile_options(weir_clang INTERFACE -fno-rtti -D_GNU_SOURCE -D__STDC_CONSTANT_MACROS -D__STDC_FORMAT_MACROS
  -D__STDC_LIMIT_MACROS)
target_link_libraries(weir_clang INTERFACE ${lld_archives} ${clang_archives} ${llvm_archives} weir_zstd weir_zlib)
target_link_options(weir_clang INTERFACE -Wl,--gc-sections)
