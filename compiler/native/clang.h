// The embedded Clang. Nothing else includes its headers but clang.cc.
#pragma once

#include <string>
#include <vector>

namespace weirc {

struct PchJob {
  std::string header;                     // runtime/program/generated.h, as generated code includes it
  std::string root;                       // the folder that include path is relative to
  std::vector<std::string> include_dirs;  // of third parties
  std::vector<std::string> system_dirs;   // of the C and C++ libraries
  std::vector<std::string> defines;
  std::string output;
  std::string depfile;  // for the build system, or ""
};

// Precompiles the header that generated code includes, with every header it includes embedded in the result. Runs in
// this process; messages go to stderr. Returns false if there was an error.
bool MakePch(const PchJob& job);

struct ClangJob {
  std::string source;       // C++ text
  std::string source_name;  // for messages; no such file needs to exist
  std::string header;       // the #include that `pch` stands for
  std::string pch;
  bool best = false;        // -O3, else -O1
  std::string output;       // the object file
};

// Compiles C++ text to an object file. Runs in this process; messages go to stderr. Returns false on an error.
bool CompileToObject(const ClangJob& job);

}  // namespace weirc
