// A pipeline as a child process of `weir run --embedded` and `weir test`.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weirc {

class ChildProcess {
 public:
  // Starts words[0] with these words as its arguments, our environment and `environment` on top. Its standard input is
  // empty; its standard output goes where `stdout_fd` does. It is in a process group of its own, so a terminal's Ctrl-C
  // reaches us only, and it is killed when the calling thread ends. False with the reason in `error`.
  bool Start(const std::vector<std::string>& words,
             const std::map<std::string, std::string>& environment, int stdout_fd,
             std::string* error);
  // Kills it if it still runs.
  ~ChildProcess();

  bool running() const { return pid_ > 0; }
  void Signal(int number);
  // Its exit code, or 128 and the signal that ended it, once it has ended. `wait`: until then.
  std::optional<int> Ended(bool wait);

 private:
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace weirc
