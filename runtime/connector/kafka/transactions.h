// A worker's transactions on one Kafka connection. See runtime/engine/transactions.h for what is asked of it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/internal_topics.h"
#include "runtime/connector/kafka/questions.h"
#include "runtime/connector/kafka/replay.h"
#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/sink_record.h"
#include "runtime/connector/kafka/transactional_producer.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/transactions.h"
#include "runtime/program/program.h"

namespace weir::kafka {

// Records that a broker refused through their own fault, by what is in them. The refusal costs the transaction, and the
// same records come again afterwards: then they are known.
class RefusedRecords {
 public:
  // Commit thread.
  void Add(int sink, Str key, Str value, std::string reason);
  // Worker's thread; costs nothing while there are none. Empty: not one of them.
  std::string Find(int sink, Str key, Str value);

 private:
  std::atomic<bool> any_{false};
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::string> reasons_;
};

class KafkaTransactions final : public Transactions {
 public:
  // `reader` has the worker's group membership.
  KafkaTransactions(const Program* program, int worker, Clock* clock, std::shared_ptr<Connection> connection,
                    std::weak_ptr<Reader> reader);
  ~KafkaTransactions() override;

  Status OpenRekeys(std::vector<Rekey>* rekeys, int64_t wait_ns_max) override;
  Status Open(const std::vector<Changelog>& changelogs, int64_t wait_ns_max) override;
  Status LookAtTopics(std::vector<Rekey>* rekeys, const ChangelogsOf& changelogs, int64_t wait_ns_max,
                      std::vector<OwnTopic>* out) override;
  Status ChangelogExists(int stage, int64_t wait_ns_max, bool* exists) override;
  ChangelogFacts Facts(int stage) override;
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
  TransactionResult SendOffsets(const std::vector<SourceOffset>& offsets, const GroupToken& group) override;
  TransactionResult Commit() override;
  TransactionResult Abort() override;
  void TrimRekeyed(int exchange, const std::vector<std::pair<int32_t, int64_t>>& before) override;
  bool unanswered() const override { return producer_ && producer_->unanswered(); }
  int64_t open_ns_max() const override;

  void BeginRecovery() override { questions_.Clear(); }
  TransactionResult Committed(int source, std::vector<int64_t>* offsets, std::vector<OffsetState>* states,
                              int32_t* then) override;
  TransactionResult StartOf(int source, int32_t partition, bool later, int64_t* offset) override;
  TransactionResult ChangelogEnd(int stage, int32_t partition, Isolation isolation, int64_t* end) override;
  TransactionResult Replay(int stage, int32_t partition, int64_t end, int64_t* at, const Change& change) override;

  void Close() override;

 private:
  Status MakeProducer();
  InternalTopic RekeyOf(const Rekey& rekey) const;
  InternalTopic ChangelogTopicOf(const Changelog& changelog) const;
  InternalTopicRules Rules();
  // The admin client, once it is known that its brokers are new enough.
  Status Admin(int64_t wait_ns_max, Client** admin);
  const std::string& SourceTopic(int source) const;
  // Targets are the sinks, the topics of exchanges, the changelogs.
  size_t TargetOf(size_t changelog) const { return sinks_ + rekeys_.size() + changelog; }
  // Where a step is declared; stages are called by one.
  uint32_t LineOf(const std::string& step) const;
  // The changelog of a stage: its index in changelogs_; -1: it has none.
  int ChangelogOf(int stage) const;

  const Program* program_;
  const size_t sinks_;  // that are written in transactions: all, or none where outputs leave at once
  int worker_;
  Clock* clock_;
  std::shared_ptr<Connection> connection_;
  std::weak_ptr<Reader> reader_;
  // From Open on; as Program::sinks.
  std::vector<TopicLimits> limits_;
  std::vector<InternalTopic> rekeys_;      // as Program::exchanges
  std::vector<InternalTopic> changelogs_;
  std::vector<int> changelog_of_;  // by stage
  std::vector<std::string> commands_;  // that make what is missing, where the operator does it
  int64_t batch_bytes_max_ = INT64_MAX;
  RefusedRecords refused_;

  std::unique_ptr<TransactionalProducer> producer_;
  std::vector<std::unique_ptr<Request>> trims_;  // by exchange: the last deletion of rows that were read
  bool trim_failed_ = false;
  // Dropped in the middle of a call: destroyed when it has returned.
  std::vector<std::unique_ptr<TransactionalProducer>> leaving_;
  // Records of a Write that the producer had no room for: it goes on behind those that it took.
  size_t write_at_ = 0;
  std::map<int, std::vector<int64_t>> starts_;  // by source and partition: what a reset committed as its start; -1: nothing
  std::map<int, OffsetNote> notes_;  // by source: what is noted with its offsets
  Questions questions_;
  kafka::Replay replay_;
};

}  // namespace weir::kafka
