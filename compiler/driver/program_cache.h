// Compiled pipelines of `weir run` and `weir test`, kept so that an unchanged file starts at once.
// They lie in $XDG_CACHE_HOME/weir/programs (or ~/.cache/weir/programs), one folder per program, the oldest removed.
#pragma once

#include <string>

#include "compiler/native/native.h"

namespace weirc {

struct CachedProgram {
  NativeResult native;  // failure, times and size; times are 0 when it was in the cache
  std::string path;     // of the executable
  bool was_there = false;
};

// Compiles `job` (whose output is ignored) unless a program of the same text, options and build of Weir is there.
// `name` becomes the file's name, which `ps` shows.
CachedProgram BuildCached(NativeJob job, const std::string& name, const Installation& weir);

}  // namespace weirc
