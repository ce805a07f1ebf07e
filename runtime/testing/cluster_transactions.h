// One worker's transactions on a simulated cluster: a transactional producer as librdkafka's is, which queues what is
// written, sends it in its own time, and sends again, without saying so, what had no answer. No call waits: a wait is
// kAgain, and the clock moves outside.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/connectors.h"
#include "runtime/testing/cluster_source.h"
#include "runtime/testing/memory_cluster.h"

namespace weir {

// Why a target can never take a record, or empty.
using ClusterRefusal = std::function<std::string(const std::string& topic, const MemoryRecord& record)>;

class ClusterTransactions : public Transactions {
 public:
  // `member`: null for a worker without sources of a group.
  ClusterTransactions(MemoryCluster& cluster, const ConnectorContext& context, const std::string& group,
                      const std::string& transactional_id, int64_t timeout_ns, std::shared_ptr<ClusterMember> member,
                      ClusterRefusal refuse);

  Status Open(const std::vector<Changelog>& changelogs, int64_t wait_ns_max) override;
  Status ChangelogExists(int stage, int64_t wait_ns_max, bool* exists) override;
  Status OpenRekeys(std::vector<Rekey>* rekeys, int64_t wait_ns_max) override;
  GroupToken Group() override;
  void Check(int sink, const OutputBuffer& outputs, std::vector<Sink::Refused>* refused) override;
  TransactionResult Fence() override;
  void Drop() override;
  TransactionResult Begin() override;
  TransactionResult Write(int sink, const OutputBuffer& outputs) override;
  TransactionResult WriteChange(int stage, int32_t partition, Str key, const Str* value) override;
  TransactionResult WriteRow(int exchange, int32_t partition, Str value) override;
  TransactionResult Flush() override;
  int64_t ChangesEnd(int stage, int32_t partition) override;
  ChangelogFacts Facts(int stage) override;
  TransactionResult SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) override;
  TransactionResult Commit() override;
  TransactionResult Abort() override;
  void TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) override;
  bool unanswered() const override { return unanswered_; }
  int64_t open_ns_max() const override { return timeout_ns_; }
  void BeginRecovery() override { reads_.clear(); }
  TransactionResult Committed(int source, std::vector<int64_t>* offsets, std::vector<OffsetState>* states,
                              int32_t* then) override;
  TransactionResult StartOf(int source, int32_t partition, bool latest, int64_t* offset) override;
  TransactionResult ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) override;
  TransactionResult Replay(int stage, int32_t partition, int64_t end, int64_t* at, const Change& change) override;
  void Close() override;

 private:
  // A batch on its way to its partition: the first `count` records of the queue.
  struct Sending {
    TopicPartition partition;
    size_t count = 0;
    bool uncertain = false;  // a copy of it had no answer
    std::shared_ptr<int64_t> end;  // where the log ends behind it, once it is there; -1: a copy of it was there before
  };
  struct Read {
    std::shared_ptr<ClusterCall> call;
    std::shared_ptr<std::vector<int64_t>> answer;
  };

  // The answer to the request of this name, which is sent if it was not; none: not there yet.
  std::optional<ClusterError> Ask(const std::string& what, const std::function<std::function<ClusterError()>()>& make);
  // As above for questions, any number of which may be open; `execute` fills in the answer it is given. One that was
  // asked and not taken is still there for the next who asks the same, until the producer is made anew.
  TransactionResult AskRead(const std::string& what, std::function<ClusterError(std::vector<int64_t>*)> execute,
                            std::vector<int64_t>* answer);
  TransactionResult Again();
  TransactionResult MustAbort(const std::string& why);
  TransactionResult Fatal(const std::string& why);
  // What stands in the way of a call within a transaction; kOk: nothing.
  TransactionResult Ready(bool aborting);
  // True when this call is not a repetition of one that ended with kAgain.
  bool Starts(const char* operation);
  TransactionResult Enqueue(const TopicPartition& partition, MemoryRecord record);
  // Sends what is queued. kOk: all of it is acknowledged.
  TransactionResult Pump();
  void PutOff();
  // A new epoch for this producer.
  std::optional<ClusterError> AskInit();
  void EndLocally();

  MemoryCluster& cluster_;
  const Program* program_;
  std::string group_, transactional_id_;
  int64_t timeout_ns_;
  std::shared_ptr<ClusterMember> member_;
  ClusterRefusal refuse_;

  ProducerIdentity producer_;
  bool fenced_others_ = false;    // there is a producer, and it has its id
  bool in_transaction_ = false;
  bool unanswered_ = false;
  bool bump_ = false;             // after this abort the producer takes a new epoch: nobody knows what a partition has
  std::string must_abort_, fatal_;  // why
  std::string operation_;         // the call that said kAgain

  std::shared_ptr<ClusterCall> call_;
  std::string call_what_;
  bool timed_out_ = false;        // the last Ask ended so
  int64_t retry_at_ = 0;          // nothing is asked before
  int64_t replay_wakes_at_ = 0;   // whoever waits for a replay looks again then
  std::shared_ptr<ProducerIdentity> init_;

  std::map<TopicPartition, std::deque<MemoryRecord>> queue_;
  std::optional<Sending> sending_;
  size_t write_at_ = 0;           // records of the Write under way that are queued
  std::set<TopicPartition> added_;
  std::map<TopicPartition, int64_t> ends_;  // behind what this transaction wrote; -1: not known
  bool offsets_added_ = false;
  bool asked_ = false;            // the coordinator was asked for something in this transaction
  std::map<TopicPartition, int64_t> sequences_;
  std::map<std::string, Read> reads_;
};

}  // namespace weir
