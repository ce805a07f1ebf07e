#include "tests/servers/broker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace weir_test {

std::string SourceRoot() { return WEIR_SOURCE_ROOT; }

BrokerHarness::BrokerHarness(const std::string& script, const std::vector<std::string>& arguments) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  std::string harness = SourceRoot() + "/tests/servers/" + script;
  std::vector<char*> command = {const_cast<char*>("python3"), harness.data()};
  for (const std::string& argument : arguments) command.push_back(const_cast<char*>(argument.c_str()));
  command.push_back(nullptr);
  pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    // The harness ends when its input does; should we be killed, the kernel tells it.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    dup2(to[0], 0);
    dup2(from[1], 1);
    execvp(command[0], command.data());
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  in_ = to[1];
  out_ = from[0];
  std::string line = ReadLine();
  if (line.rfind("ready ", 0) != 0) throw std::runtime_error("the Kafka broker did not start: " + line);
  bootstrap_ = line.substr(6);
}

BrokerHarness::~BrokerHarness() {
  close(in_);
  close(out_);
  int status;
  waitpid(pid_, &status, 0);
}

std::string BrokerHarness::ReadLine() {
  std::string line;
  for (char c; read(out_, &c, 1) == 1;) {
    if (c == '\n') return line;
    line.push_back(c);
  }
  return line.empty() ? "(the harness ended)" : line;
}

std::string BrokerHarness::Tell(const std::string& command, const std::string& answer) {
  std::string line = command + "\n";
  if (write(in_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("harness gone");
  line = ReadLine();
  if (line.rfind(answer, 0) != 0 || line.rfind("error ", 0) == 0) throw std::runtime_error(command + ": " + line);
  return line.substr(answer.size());
}

}  // namespace weir_test
