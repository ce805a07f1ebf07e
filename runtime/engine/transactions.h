// What the commit protocol asks of a system with transactions (Kafka): one transactional producer per worker, the
// changelogs of its tasks, and the offsets that its group has committed. The protocol itself, which call follows which,
// is in transactional_commit.h; nothing here decides anything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/core/str.h"
#include "runtime/engine/sink.h"

namespace weir {

// How a call ended.
enum class TransactionOutcome : uint8_t {
  kOk,
  kAgain,    // not done yet and nothing lost: the same call again goes on with it
  kAbort,    // this transaction cannot be committed: Abort it, and read again from what is committed; the producer stays
  kRestart,  // the producer was fenced, or nobody can say how the transaction ended: Drop, Fence, and recover all tasks
  kFailed,   // trying again does not cure it
};

struct TransactionResult {
  TransactionOutcome outcome = TransactionOutcome::kOk;
  Status status;  // why, unless kOk
  uint32_t line = 0;  // of the .weir file: what could not be done; 0: nothing in particular
  bool ok() const { return outcome == TransactionOutcome::kOk; }
};

// Membership of the consumer group as it was when asked. `bytes` is the connector's own form of it.
struct GroupToken {
  int32_t generation = -1;
  std::string member;
  std::string bytes;
  bool valid() const { return generation >= 0 && !member.empty(); }
};

// Whether state belongs to a committed offset, as whoever committed it noted: with kNone all that is not finished lies above.
enum class OffsetState : uint8_t { kUnknown, kNone, kSome };

// A partition of a source (index into Program::sources), and the offset of the record to be read next; -1: none.
struct SourceOffset {
  int source = 0;
  int32_t partition = 0;
  int64_t offset = -1;
  OffsetState state = OffsetState::kUnknown;  // to be noted with it
};

enum class Isolation : uint8_t { kReadCommitted, kReadUncommitted };

class Transactions {
 public:
  virtual ~Transactions() = default;

  // ---- Building thread ----
  // Contacts the system: topics of sinks and their limits. Makes the changelogs of these stages (index into
  // Program::stages) where they are missing, with as many partitions as `partitions` says, and checks those that exist.
  // kNotFound: the operator lets nothing be made, and something is missing, of OpenRekeys too.
  struct Changelog {
    int stage = 0;
    int32_t partitions = 0;
    bool grows = false;  // the state does not depend on where keys lie: partitions may be added to what exists
  };
  virtual Status Open(const std::vector<Changelog>& changelogs, int64_t wait_ns_max) = 0;
  // Before Open: makes the topics that exchanges (index into Program::exchanges) write to, where they are missing, with
  // so many partitions, and says how many each has: those that exist keep theirs.
  struct Rekey {
    int exchange = 0;
    int32_t partitions = 0;
  };
  virtual Status OpenRekeys(std::vector<Rekey>* rekeys, int64_t wait_ns_max) {
    return rekeys->empty() ? Status() : Status::Invalid("re-keying is not possible here");
  }

  // Instead of both, for `check`: looks at the same topics and makes and changes nothing. `rekeys` as for OpenRekeys;
  // `changelogs` says what follows from how many partitions those have or will get.
  struct OwnTopic {
    std::string topic;
    std::string purpose;      // "which holds the state of `trades`"
    int32_t partitions = 0;   // that it has, or that it needs
    bool there = false;
    std::string command;      // that makes it as it must be, or larger; empty: nothing is missing
    std::string warning;      // of settings that cost something
    std::string problem;      // why a start would fail
  };
  using ChangelogsOf = std::function<std::vector<Changelog>(const std::vector<Rekey>&)>;
  virtual Status LookAtTopics(std::vector<Rekey>* rekeys, const ChangelogsOf& changelogs, int64_t wait_ns_max,
                              std::vector<OwnTopic>* out) {
    return Status();
  }

  // Before Open: whether a stage's changelog is there, made by an earlier version of the pipeline that needed it.
  virtual Status ChangelogExists(int stage, int64_t wait_ns_max, bool* exists) {
    *exists = false;
    return Status();
  }

  // Of a stage's changelog, after Open.
  struct ChangelogFacts {
    std::string id;                        // of this topic, never of another one of its name; empty: not known
    int64_t removals_kept_ms = INT64_MAX;  // how long removed keys are remembered
  };
  virtual ChangelogFacts Facts(int stage) { return {}; }

  // ---- Worker's thread ----
  virtual GroupToken Group() = 0;
  // Which of these records the target can never take (index and reason): they are left out of the epoch.
  virtual void Check(int sink, const OutputBuffer& outputs, std::vector<Sink::Refused>* refused) = 0;

  // ---- Commit thread, which may wait in them for up to a few hundred milliseconds ----
  // Makes the producer if there is none, and fences every earlier one of the same identity: what those left open is
  // aborted when it returns kOk.
  virtual TransactionResult Fence() = 0;
  // Destroys the producer; the next Fence makes a new one.
  virtual void Drop() = 0;
  virtual TransactionResult Begin() = 0;
  virtual TransactionResult Write(int sink, const OutputBuffer& outputs) = 0;
  // One change of a task's state; a null `value` removes the key.
  virtual TransactionResult WriteChange(int stage, int32_t partition, Str key, const Str* value) = 0;
  // One row, or a watermark, on its way through an exchange.
  virtual TransactionResult WriteRow(int exchange, int32_t partition, Str value) {
    return {TransactionOutcome::kFailed, Status::Invalid("re-keying is not possible here")};
  }
  // Until everything written is acknowledged.
  virtual TransactionResult Flush() = 0;
  // After Flush, until the next Begin: the offset behind the last change that this transaction wrote for a task; -1: nobody
  // knows.
  virtual int64_t ChangesEnd(int stage, int32_t partition) { return -1; }
  virtual TransactionResult SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) = 0;
  virtual TransactionResult Commit() = 0;
  virtual TransactionResult Abort() = 0;
  // A produce or transactional request of this producer had no answer (time-out, disconnect): the broker may still
  // execute it, in a later transaction too. Only a new producer keeps it out.
  virtual bool unanswered() const = 0;
  // For how long a transaction may be open: after that it is aborted, whoever works on it. Any thread.
  virtual int64_t open_ns_max() const = 0;

  // What lies before these offsets of an exchange's topic was read by its only reader: it may be deleted, and is asked for without waiting.
  virtual void TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) {}

  // ---- Recovery, commit thread ----
  // A recovery begins: answers to questions of an earlier one that was given up are too old.
  virtual void BeginRecovery() {}
  // What the group has committed, by partition, for all partitions of a source; -1: nothing. `then`: how many partitions
  // the source had when the first of them was committed, 0 when that is not known. Waits for offsets that a transaction
  // still holds. `states` are noted with them.
  virtual TransactionResult Committed(int source, std::vector<int64_t>* offsets, std::vector<OffsetState>* states,
                                      int32_t* then) = 0;
  // Where a source without committed offsets begins: its earliest record, or, with `later`, where its StartPolicy says.
  virtual TransactionResult StartOf(int source, int32_t partition, bool later, int64_t* offset) = 0;
  // The end of a stage's changelog partition.
  virtual TransactionResult ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) = 0;
  // Reads committed records of a changelog partition from `*at` on and moves `*at`, until it has reached `end`; markers
  // and aborted records are passed. A null value removes the key. kAgain until then.
  using Change = std::function<Status(Str key, const Str* value)>;
  virtual TransactionResult Replay(int stage, int32_t partition, int64_t end, int64_t* at, const Change& change) = 0;

  // Worker's thread, after the commit thread ended. Whatever is open is left to be aborted.
  virtual void Close() = 0;
};

}  // namespace weir
