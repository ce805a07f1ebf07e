// Where a pipeline's state is kept between runs: what a commit makes durable and a start reads back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/core/buffer.h"
#include "runtime/core/status.h"
#include "runtime/engine/delta.h"

namespace weir {

// One step that keeps something in the state, as the program at hand declares it.
struct StepIdentity {
  std::string name;     // by source text
  std::string what;     // for messages: "positions of a source", "windows", "pending requests of a lookup", …
  uint64_t hash = 0;    // Hash64 of the name: what state keys carry
  uint64_t schema = 0;  // of the layout; state of another schema cannot be read
};

// Whom a state belongs to.
struct StoreIdentity {
  std::string pipeline;
  int version = 1;      // of the pipeline, for messages
  std::vector<StepIdentity> steps;
};

// The layout of a store that this program writes; a newer one is refused.
inline constexpr uint32_t kStoreFormat = 1;

struct StoreStats {
  uint64_t entries = 0;
  uint64_t bytes = 0;   // used on disk
};

// Open, Load and Close on the thread that starts and ends the pipeline, Commit on one thread at a time.
class Store {
 public:
  using Visitor = std::function<Status(const DeltaEntry& entry)>;

  virtual ~Store() = default;
  // Takes the store for this process. kExists: another process has it. kInvalid: what is stored does not fit
  // `identity` (the message names the step). kCorrupt: it is damaged. kIo: the disk failed.
  virtual Status Open(const StoreIdentity& identity) = 0;
  // The entries of one kind of one step (hash of its name), by partition and then key. The views live until the visitor
  // returns. Stops at the first failure and returns it; kCorrupt when an entry is damaged.
  virtual Status Load(uint64_t step, StateKind kind, const Visitor& visitor) = 0;
  // Applies the deltas, in their order, and makes them durable: all or nothing. A failure is final: nothing may be
  // committed after it.
  virtual Status Commit(uint64_t epoch, const std::vector<const Buffer*>& deltas) = 0;
  // The number of the last committed epoch; 0 when there was none.
  virtual uint64_t epoch() const = 0;
  // Any thread.
  virtual StoreStats Stats() const = 0;
  virtual void Close() = 0;
};

// The checks that every store makes: kInvalid, with the step's name, unless the stored state can be used by `wanted`.
// `has_entries(hash)` says whether anything is stored for a step. Steps that are new to the state are fine. `afresh`: what
// the operator does to begin without state.
Status CheckIdentity(const std::string& where, const std::string& afresh, const StoreIdentity& stored,
                     const StoreIdentity& wanted,
                     const std::function<bool(uint64_t hash)>& has_entries);

inline constexpr const char* kAfreshDirectory = "start with an empty state directory";

// The stored form of an identity.
void WriteIdentity(const StoreIdentity& identity, Buffer* out);
bool ReadIdentity(Str bytes, StoreIdentity* identity);

// The key of an entry in a store: 13 bytes (step, kind, partition, each so that byte order is their order), then the
// entry's own key.
inline constexpr uint32_t kStoreKeyHead = 13;
void AppendStoreKey(uint64_t step, StateKind kind, int32_t partition, Str key, Buffer* out);
// Reads the head; the entry's own key is what follows it. False when `bytes` is too short.
bool ReadStoreKey(Str bytes, DeltaEntry* entry);

}  // namespace weir
