// The system's clocks.
#pragma once

#include <time.h>

#include "runtime/engine/clock.h"

namespace weir {

class SystemClock : public Clock {
 public:
  int64_t WallNs() override { return Read(CLOCK_REALTIME); }
  int64_t MonoNs() override { return Read(CLOCK_MONOTONIC); }

 private:
  static int64_t Read(clockid_t id) {
    timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
  }
};

}  // namespace weir
