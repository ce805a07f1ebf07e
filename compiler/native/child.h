// A piece of work in a child process: what it prints and how it ends come back as values.
#pragma once

#include <functional>
#include <string>

namespace weirc {

struct ChildResult {
  int exit_code = 0;     // meaningful when signal is 0
  int signal = 0;        // what killed it
  std::string output;    // everything it wrote to stdout and stderr
  std::string error;     // the child could not be made: the kernel's word for it
  double wall_ms = 0;

  bool ok() const { return error.empty() && signal == 0 && exit_code == 0; }
};

// Runs `work` in a forked copy of this process and waits for it; `work` returns the exit code. A fork is enough to keep
// a crash there, and unlike a new program it needs no path to ourselves (an empty root has no /proc/self/exe). The
// caller has one thread: a fork copies only that one.
ChildResult RunInChild(const std::function<int()>& work);

}  // namespace weirc
