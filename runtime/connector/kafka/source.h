// Source and table reader of one topic. See runtime/engine/source.h for what is asked of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/fetcher.h"
#include "runtime/connector/kafka/sole_copy.h"
#include "runtime/engine/source.h"
#include "runtime/engine/start_policy.h"

namespace weir::kafka {

struct SourceOptions {
  std::string topic;
  uint32_t line = 0;
  bool table = false;      // read outside the group, by as many copies as there are
  bool group_member = false;
  bool resumed = false;    // of group members: partitions are read from Resume on
  bool own = false;        // rows of the pipeline's own
  StartPolicy start;       // of partitions that nobody has a position of
  bool check_keys = false;  // records must be in the partition that murmur2 gives their key
};

class KafkaSource final : public Source {
 public:
  // `sole` is null for tables and group members.
  KafkaSource(SourceOptions options, std::shared_ptr<Connection> connection, std::shared_ptr<Reader> reader,
              std::shared_ptr<SoleCopy> sole);
  ~KafkaSource() override;

  Status Partitions(int64_t wait_ns_max, int32_t* count) override;
  Status Open(const std::vector<int32_t>& mine, SourceEvents* events) override;
  Status Poll(std::unique_ptr<Batch>* batch) override;
  void Hold(int32_t partition, bool held) override;
  PartitionStatus Tell(int32_t partition) override;
  Status Recognise(int32_t partition, const Position& position) override;
  Status Resume(int32_t partition, int64_t offset) override;
  std::string Identity(int32_t partition) override;  // the topic's id
  void Commit(const std::vector<std::pair<int32_t, Position>>& positions) override;
  Status Ends(int64_t wait_ns_max, std::vector<int64_t>* ends) override;
  void Close() override;

  const std::string& topic() const { return options_.topic; }

  // From the reader, on the worker's thread. `committed` holds the group's offsets of the whole topic by partition.
  Status Assigned(const std::vector<int32_t>& partitions, const std::vector<int64_t>& committed);
  void Revoked(const std::vector<int32_t>& partitions, bool lost);

 private:
  struct Slot {
    int32_t partition = 0;
    std::unique_ptr<Feed> feed;  // null: assigned, not resumed yet
    bool held = false;
    int64_t resume_at = -1;     // with the next poll
    bool commit_start = false;  // what its start policy came to is still to be committed
    uint32_t keys_checked = 0;
    int32_t leader_epoch = -1;  // as the connection knows it
  };

  Slot* Find(int32_t partition);
  void IndexSlots();
  Status Warm(int64_t wait_ns_max);
  Status Start(const std::vector<int32_t>& partitions, const std::vector<int64_t>& committed);
  // `later`: as `start` says, and not at the beginning of each.
  void TellBegins(size_t without, size_t partitions, bool later);
  Status Prepare(const std::vector<int32_t>& partitions);
  Status StartFeeds(const std::vector<Fetcher::Start>& starts);
  Status StartResumed();
  void Stop(const std::vector<int32_t>& partitions);
  void StopFeeds(std::vector<std::unique_ptr<Feed>> feeds);
  Status CheckKeys(Slot* slot, const Batch& batch) const;

  SourceOptions options_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Reader> reader_;
  std::shared_ptr<SoleCopy> sole_;
  SourceEvents* events_ = nullptr;
  std::vector<int32_t> mine_;
  bool open_ = false;
  bool started_ = false;
  bool warm_ = false;
  bool resumed_ = false;  // partitions are to be started with the next poll
  int32_t partitions_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<Feed>> to_stop_;
  std::vector<int32_t> slot_of_;  // by partition: index into slots_, -1 none
  size_t turn_ = 0;
};

}  // namespace weir::kafka
