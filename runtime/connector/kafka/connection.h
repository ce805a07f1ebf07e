// What all sources and sinks of one Kafka connection share in a process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/connector/kafka/client.h"
#include "runtime/engine/log.h"
#include "runtime/engine/loop.h"

namespace weir::kafka {

class FormerMembers;
class Reader;
class Writer;
class SoleCopy;

class Connection {
 public:
  struct Options {
    std::string pipeline;
    std::string instance_id;  // from the state directory; empty: there is none
    bool leave = false;       // members give their places in the group up at the end
    int workers = 1;
    bool create_topics = true;  // the pipeline's own, where they are missing
    Log* log = nullptr;
  };
  Connection(Settings settings, Options options);
  ~Connection();

  const Settings& settings() const { return settings_; }
  const Options& options() const { return options_; }
  std::string ClientId(const std::string& what) const { return "weir-" + options_.pipeline + "-" + what; }

  // The client that asks questions. Any thread.
  Status Admin(Client** client);

  // What tells this process from others and, with a state directory, stays the same over restarts. Any thread.
  const std::string& Identity();

  // Before the first member of a group joins: leaves the places that an earlier run on the same state directory had in it
  // and this one does not take; see former_members.h. Building thread.
  void LeaveFormerPlaces(const Settings& settings, const std::vector<std::string>& topics);

  // A warning that every worker would give, given once. Any thread.
  void WarnOnce(const std::string& message);

  // How many partitions a topic has; remembered from the first answer on. Any thread.
  Status Partitions(const std::string& topic, int64_t wait_ns_max, int32_t* count);
  int32_t KnownPartitions(const std::string& topic);
  // Of a topic that was just made, and that other brokers may not know yet.
  void Remember(const std::string& topic, int32_t count);
  // One that is known and is none of these; empty: there is none.
  std::string TopicBeside(const std::vector<std::string>& topics);
  // Asks again: partitions may have been added.
  Status FreshPartitions(const std::string& topic, int64_t wait_ns_max, int32_t* count);
  // A topic's id as the broker says it now, empty where it does not tell; kCorrupt once it is another one than before. Any
  // thread.
  Status FreshTopicId(const std::string& topic, int64_t wait_ns_max, std::string* id);
  // The one that was asked for last; empty: none was.
  std::string KnownTopicId(const std::string& topic);

  // Of what was read of a partition: see Feed::leader_epoch. Committed with its offsets, so that a later start knows it. The
  // newest counts: one of records above an offset tells as well whether those below it are lost, an older one does not. Any
  // thread.
  void RememberLeaderEpoch(const std::string& topic, int32_t partition, int32_t leader_epoch);
  int32_t KnownLeaderEpoch(const std::string& topic, int32_t partition);

  // The reader of a worker's sources, or of its tables: those that have been read stand at their ends, and a fetch that
  // waits there for news holds up what comes behind it on the same connection. One that does not read `topic` yet, since
  // a client reads a partition once; `name` tells a second one's group from the first's. Building thread.
  Status ReaderFor(int worker, Loop* loop, bool table, const std::string& topic, const std::string& name,
                   std::shared_ptr<Reader>* out);
  // All readers of a worker's sources. Building thread.
  std::vector<std::shared_ptr<Reader>> ReadersOf(int worker, Loop* loop);
  Status WriterFor(int worker, Loop* loop, std::shared_ptr<Writer>* out);
  // The lock of a pipeline that may run only once at a time. Building thread.
  std::shared_ptr<SoleCopy> Sole();

 private:
  struct WorkerReader {
    int worker;
    Loop* loop;
    bool table;
    std::weak_ptr<Reader> reader;
  };
  struct WorkerWriter {
    int worker;
    Loop* loop;
    std::weak_ptr<Writer> writer;
  };

  Settings settings_;
  Options options_;
  std::mutex mutex_;
  std::unique_ptr<Client> admin_;
  std::map<std::string, int32_t> partitions_;
  std::map<std::string, std::string> topic_ids_;
  std::map<std::pair<std::string, int32_t>, int32_t> leader_epochs_;
  std::string identity_;
  std::set<std::string> warned_;
  std::vector<WorkerReader> readers_;
  std::vector<WorkerWriter> writers_;
  std::weak_ptr<SoleCopy> sole_;
  // By group; destroyed before the admin client, which they use.
  std::map<std::string, std::unique_ptr<FormerMembers>> former_;
};

}  // namespace weir::kafka
