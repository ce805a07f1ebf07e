// The real Kafka brokers of kafka_broker.py and late_broker.py for tests in C++. One broker per object; gone when that is,
// or when the test's process is, however it ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir_test {

// A harness of this folder that is told things, one line each way.
class BrokerHarness {
 public:
  BrokerHarness(const BrokerHarness&) = delete;
  BrokerHarness& operator=(const BrokerHarness&) = delete;
  const std::string& bootstrap() const { return bootstrap_; }

 protected:
  // Starts it and waits until the broker answers; throws std::runtime_error with the broker's log when it does not.
  BrokerHarness(const std::string& script, const std::vector<std::string>& arguments);
  ~BrokerHarness();
  // What it answers behind `answer`; throws std::runtime_error when it answers something else.
  std::string Tell(const std::string& command, const std::string& answer);

 private:
  std::string ReadLine();

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string bootstrap_;
};

class Broker : public BrokerHarness {
 public:
  Broker() : BrokerHarness("kafka_broker.py", {}) {}
  void Stop() { Tell("stop", "stopped"); }   // SIGTERM
  void Kill() { Tell("kill", "killed"); }    // SIGKILL
  void Start() { Tell("start", "ready"); }   // same directory, same port
};

// A broker that makes transactional requests late. `request` is Kafka's name of it: EndTxn, TxnOffsetCommit, …
class LateBroker : public BrokerHarness {
 public:
  // `transaction_version`: level of the broker's feature transaction.version.
  explicit LateBroker(int transaction_version)
      : BrokerHarness("late_broker.py", {"--feature", "transaction.version=" + std::to_string(transaction_version)}) {}
  // The next one does not arrive: its connection breaks, and the client sends it again.
  void Hold(const std::string& request) { Tell("hold " + request, "armed"); }
  // It arrives now, behind its copy that has been answered; what the broker answers, `none` where it was executed.
  std::string Deliver() { return Tell("deliver", "delivered "); }
  // How many arrived so far.
  int64_t Count(const std::string& request) { return std::stoll(Tell("count " + request, "")); }
};

// The repository's root, where harnesses are found from.
std::string SourceRoot();

}  // namespace weir_test
