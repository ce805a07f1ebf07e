// How tests look at the records of a stream.
#pragma once

#include "runtime/core/str.h"

namespace weir {

// Called on the worker's thread.
class Taps {
 public:
  virtual ~Taps() = default;
  virtual bool Wanted(int tap) = 0;
  // One record of the stream Program::taps[tap], as a JSON object.
  virtual void Record(int tap, Str json) = 0;
};

}  // namespace weir
