// The time the engine sees. Production reads the system's clocks; tests and simulations turn a virtual one.
#pragma once

#include <cstdint>

namespace weir {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: nanoseconds since 1970-01-01T00:00:00Z. Any thread.
  virtual int64_t WallNs() = 0;
  // Monotonic clock for time-outs and intervals: nanoseconds since an arbitrary start. Any thread.
  virtual int64_t MonoNs() = 0;
};

}  // namespace weir
