// What a running pipeline answers over HTTP: is it alive, is it ready, what does it count, what is it. Read-only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/core/status.h"
#include "runtime/serve/metrics.h"

namespace weir {

//   GET /livez     200 while the workers turn; never depends on anything outside
//   GET /readyz    200 once tables are loaded and records flow, else 503 with the reason
//   GET /metrics   OpenMetrics, or the older Prometheus text for clients that do not ask for it
//   GET /          the plan and its counters, as text
//
// A thread of its own; a few connections at a time, small requests only, each with a time limit. Never payloads, never
// secrets: what it shows is names, numbers and the plan.
class StatusServer {
 public:
  // Called on the server's thread.
  struct Content {
    std::function<bool(std::string* why)> live;
    std::function<bool(std::string* why)> ready;
    std::function<std::string(MetricsFormat format)> metrics;
    std::function<std::string()> page;
  };
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;  // 0: a free one
    int connections_max = 16;
    int request_seconds_max = 10;
  };
  StatusServer(Options options, Content content);
  ~StatusServer();  // stops
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  // kExists: the port is taken; kInvalid: the host is no address of this machine.
  Status Start();
  void Stop();
  // After Start.
  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
