// Where tests and simulations stop a process in the middle.
#pragma once

namespace weir {

// Every step of the commit protocol passes a named point. Production has no Faults.
class Faults {
 public:
  virtual ~Faults() = default;
  // True: the process ends here, as a kill would end it; nothing more is written. Any thread.
  virtual bool StopAt(const char* point) = 0;
  // True: a step of the protocol named so is done wrongly. Simulations show with it that they would notice.
  virtual bool Mutated(const char* step) { return false; }
};

}  // namespace weir
