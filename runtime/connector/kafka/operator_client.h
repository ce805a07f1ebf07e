// What the operator's commands (runtime/operate) ask of one Kafka connection and do there, while no copy of the pipeline
// need be running. Every call blocks, up to half a minute or as stated; all on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/topics.h"
#include "runtime/core/status.h"
#include "runtime/engine/batch.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/topic_access.h"
#include "runtime/program/program.h"

namespace weir::kafka {

class Connection;
class TransactionalProducer;

// A partition's readable records: [begin, end). With an open transaction `end` is where that began.
struct OffsetRange {
  int64_t begin = 0;
  int64_t end = 0;
};

class OperatorClient {
 public:
  // `settings` and `group` are the operator's, as for KafkaConnector. `pipeline` gives the group where nobody names one.
  static Status Make(const ConnectionSpec& connection, const Properties& settings, const std::string& group,
                     const std::string& pipeline, Log* log, Clock* clock, std::unique_ptr<OperatorClient>* out);
  ~OperatorClient();

  const std::string& group() const;
  const std::string& brokers() const;

  // ---- Topics ----
  // kNotFound: there is no such topic.
  Status Partitions(const std::string& topic, int32_t* count);
  // All of them.
  std::unique_ptr<TopicAccess> Topics() const;
  Status Ranges(const std::string& topic, std::vector<OffsetRange>* ranges);
  // By partition: the first record that is not older, or the end.
  Status Times(const std::string& topic, int64_t time_ns, std::vector<int64_t>* offsets);
  // Waits until no transaction is open in the partition (a copy that died may have left one), and gives its end.
  Status SettledEnd(const std::string& topic, int32_t partition, int64_t* end);
  // The committed records of [begin, end), in offset order. The visitor's `*stop` ends it early.
  using Visitor = std::function<Status(const Message& message, bool* stop)>;
  Status Read(const std::string& topic, int32_t partition, OffsetRange range, const Visitor& visitor);
  // Those that are not there are no error.
  Status DeleteTopics(const std::vector<std::string>& topics);
  // A compacted topic of one partition that keeps what commands note. Missing, it is made, or with `create` false an error
  // that holds the command.
  Status OpenNotes(const std::string& topic, bool create);

  // ---- Group ----
  // "client weir-x-member-0 at /10.0.0.1": who is in it, by whatever name.
  Status Members(std::vector<std::string>* members);
  // How long a member that died stays in it.
  int64_t session_timeout_ns() const;
  // By partition, for all of the topic. Waits for offsets that a transaction holds.
  Status Committed(const std::string& topic, std::vector<GroupOffset>* offsets);
  struct Move {
    std::string topic;
    int32_t partition = 0;
    GroupOffset to;
  };
  // Both only while the group has no members: the broker refuses else.
  Status Commit(const std::vector<Move>& moves);
  Status Forget(const std::vector<Move>& offsets);

  // ---- One transaction at a time ----
  // Gets ready to write to these topics. `purpose` is in the transactional id: what an earlier process of the same purpose
  // has open is aborted, and it can commit nothing more. kExists from any call below: a later one did that to this.
  Status Fence(const std::string& purpose, const std::vector<std::string>& topics);
  Status Begin();
  // Into the topic with this number of those of Fence; partition -1: the key decides. kLimit: the topic can never take
  // the record, and nothing was sent.
  Status Send(size_t topic, int32_t partition, const OutputBuffer& outputs, const OutputRecord& record);
  Status SendOffsets(const std::vector<Move>& moves);
  // kTimeout: nobody can say whether it was committed.
  Status EndTransaction();
  // After a failure of one of them: aborts what is open and gives `why` back, or kExists where a later process had fenced
  // this one, which the broker may first call something else.
  Status GiveUp(Status why);

  // The partition that Kafka's producers give a key.
  static int32_t PartitionOf(Str key, int32_t partitions);

 private:
  OperatorClient() = default;

  struct Target;

  std::shared_ptr<Connection> connection_;
  std::string pipeline_;
  Log* log_ = nullptr;
  Clock* clock_ = nullptr;
  std::unique_ptr<TransactionalProducer> producer_;
  std::vector<Target> targets_;
  std::string refused_;  // why the broker refused a record of this transaction
};

}  // namespace weir::kafka
