#include "compiler/driver/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weirc {

bool ChildProcess::Start(const std::vector<std::string>& words,
                         const std::map<std::string, std::string>& environment, int stdout_fd,
                         std::string* error) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string text = *variable;
    if (!environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);

  auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
  };
  std::vector<char*> argv = pointers(words), envp = pointers(variables);

  const pid_t parent = getpid();
  int failure[2];  // closed by a successful exec; else it says why there was none
  if (pipe2(failure, O_CLOEXEC) != 0) {
    *error = std::string("cannot make a pipe: ") + strerror(errno);
    return false;
  }
  pid_ = fork();
  if (pid_ == 0) {
    // Only async-signal-safe calls: other threads may hold locks.
    setpgid(0, 0);  // Ctrl-C is ours to pass on, once
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    for (int number : {SIGINT, SIGTERM, SIGPIPE}) sigaction(number, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(stdout_fd, 1);
    execve(argv[0], argv.data(), envp.data());
    int reason = errno;
    (void)!write(failure[1], &reason, sizeof reason);
    _exit(127);
  }
  int reason = pid_ < 0 ? errno : 0;
  close(failure[1]);
  if (pid_ > 0 && read(failure[0], &reason, sizeof reason) == sizeof reason) Ended(/*wait=*/true);
  close(failure[0]);
  if (reason != 0) {
    pid_ = -1;
    code_.reset();
    *error = "cannot run " + words[0] + ": " + strerror(reason);
    return false;
  }
  return true;
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  Ended(/*wait=*/true);
}

void ChildProcess::Signal(int number) {
  if (pid_ > 0) kill(pid_, number);
}

std::optional<int> ChildProcess::Ended(bool wait) {
  if (pid_ <= 0) return code_;
  int status = 0;
  pid_t ended;
  do {
    ended = waitpid(pid_, &status, wait ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended != pid_) return std::nullopt;
  pid_ = -1;
  code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return code_;
}

}  // namespace weirc
