// From C++ text to a static executable, by the Clang 19 and lld 19 that are linked into this program.
// No compiler, header or linker of the machine is used: everything comes from Weir's private directory (installation.h).
#pragma once

#include <string>

#include "compiler/native/installation.h"

namespace weirc {

enum class OptLevel {
  kQuick,  // -O1: `weir run`, `weir test`; the compile counts more than the run
  kBest,   // -O3: `weir build`
};

struct NativeJob {
  std::string source;       // the whole generated C++ file
  std::string source_name;  // its name in messages: "trade_enrichment.gen.cc"
  OptLevel opt = OptLevel::kBest;
  std::string output;         // path of the executable; its folder must exist and be writable
  bool keep_objects = false;  // leave <output>.o and <output>.link beside it, so that it can be linked again
};

struct NativeResult {
  enum class Failure {
    kNone,
    kCompile,  // Clang rejected generated code, or crashed: our bug
    kLink,     // lld did: our bug, or an installation that is not whole
    kSystem,   // the file system or the kernel said no: `message` says to what
  };
  Failure failure = Failure::kNone;
  std::string message;     // what clang, lld or the kernel said
  double compile_ms = 0;   // wall clock
  double link_ms = 0;
  size_t output_bytes = 0;

  bool ok() const { return failure == Failure::kNone; }
};

// Compiles and links `job`, each in a child process of its own, so that a crash of Clang or lld is a result and not the
// end of this program (and because lld may not be called again after an error). Blocks until both are done; call it
// while this process has one thread. The output appears complete or not at all.
NativeResult CompileAndLink(const NativeJob& job, const Installation& installation);

}  // namespace weirc
