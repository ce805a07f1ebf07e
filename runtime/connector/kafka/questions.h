// Questions of a recovery that may take several calls: where partitions begin and end, and what the group has committed.
// A broker that is away is asked again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/offset_note.h"
#include "runtime/connector/kafka/request.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/engine/transactions.h"

namespace weir::kafka {

// All calls on one thread. Each waits 200 ms at most; kAgain: the same call goes on with it.
class Questions {
 public:
  explicit Questions(Connection* connection) : connection_(connection) {}

  // The group's offsets of all partitions that the topic has now; -1: none. Waits for offsets that a transaction holds.
  // Those that are only where a partition is to begin (kStartText) are in `starts` instead. `states` are noted with them.
  // `note`: what is noted with all of them, and the topic's id as it is now; kFailed (kCorrupt) when they were committed for
  // another topic of its name, with `own` as for CheckTopicId.
  TransactionResult Committed(const std::string& topic, bool own, std::vector<int64_t>* offsets,
                              std::vector<int64_t>* starts, std::vector<OffsetState>* states, OffsetNote* note);
  TransactionResult EdgeOf(const std::string& topic, int32_t partition, Edge edge, Isolation isolation,
                           int64_t* offset);
  // The first committed record that is not older than `time_ns`; the end when there is none.
  TransactionResult TimeOf(const std::string& topic, int32_t partition, int64_t time_ns, int64_t* offset);
  // Forgets what is under way. The connection must still be there.
  void Clear() { open_.clear(); }

 private:
  // A question on its way, or one to be asked (again) at a time.
  struct Open {
    std::unique_ptr<Request> request;
    int32_t partitions = 0;
    std::string topic_id;
    int64_t ask_at_ns = 0;
    int64_t missing_since_ns = 0;  // the topic is; 0: it is not
  };
  // The answer's status as an outcome: passing troubles are asked again, a little later.
  TransactionResult Over(const std::string& key, Status status);
  static void Pause(const Open& open);

  Connection* connection_;
  std::map<std::string, Open> open_;
};

}  // namespace weir::kafka
