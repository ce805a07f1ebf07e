// The real Kafka broker of kafka_broker.py for tests in C++. One broker per Broker; gone when the Broker is, or when the
// test's process is, however it ended.
#pragma once

#include <sys/types.h>

#include <string>

namespace weir_test {

class Broker {
 public:
  // Starts it and waits until it answers; throws std::runtime_error with the broker's log when it does not.
  Broker();
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  const std::string& bootstrap() const { return bootstrap_; }
  void Stop() { Tell("stop", "stopped"); }   // SIGTERM
  void Kill() { Tell("kill", "killed"); }    // SIGKILL
  void Start() { Tell("start", "ready"); }   // same directory, same port

 private:
  void Tell(const std::string& command, const std::string& answer);
  std::string ReadLine();

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string bootstrap_;
};

// The repository's root, where harnesses are found from.
std::string SourceRoot();

}  // namespace weir_test
