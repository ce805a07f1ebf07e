#include "compiler/native/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

namespace weirc {

ChildResult RunInChild(const std::function<int()>& work) {
  ChildResult result;
  auto start = std::chrono::steady_clock::now();
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) {
    result.error = std::string("pipe: ") + strerror(errno);
    return result;
  }
  fflush(nullptr);  // or the child would write our buffered text a second time
  pid_t child = fork();
  if (child < 0) {
    result.error = std::string("fork: ") + strerror(errno);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return result;
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM, SIGINT}) {
      signal(number, SIG_DFL);  // the parent's handlers are about the parent
    }
    rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(pipe_ends[1], 1);
    dup2(pipe_ends[1], 2);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    int code = work();
    fflush(nullptr);
    _exit(code);  // the destructors and exit handlers belong to the parent
  }
  close(pipe_ends[1]);
  char buffer[4096];
  for (;;) {
    ssize_t n = read(pipe_ends[0], buffer, sizeof buffer);
    if (n > 0) {
      result.output.append(buffer, n);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  close(pipe_ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else {
    result.exit_code = WEXITSTATUS(status);
  }
  result.wall_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace weirc
