// The event loop of one worker, and the only place where a worker blocks.
#pragma once

#include <cstdint>
#include <functional>

namespace weir {

class Loop {
 public:
  virtual ~Loop() = default;
  // Runs what is ready; when nothing is, waits up to `wait_ns_max` for something (0: never waits). Worker's thread.
  virtual void Run(int64_t wait_ns_max) = 0;
  // Ends a wait early. Any thread.
  virtual void Wake() = 0;
  // Calls `ready` on the worker's thread whenever `fd` becomes readable, until Forget. `ready` must read what is there.
  virtual void Watch(int fd, std::function<void()> ready) = 0;
  virtual void Forget(int fd) = 0;
  // The boost::asio::io_context behind this loop, for connectors that do their own network IO on the worker's thread;
  // null on virtual time.
  virtual void* io_context() = 0;
};

}  // namespace weir
