// The topics that a pipeline makes for itself, for the state of its stages and for rows that are re-keyed: how they must
// be. Missing ones are made, by whichever process comes first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/connector/kafka/client.h"

namespace weir::kafka {

struct InternalTopic {
  std::string topic;
  std::string stage;                    // whose state it is, or the step that re-keys
  bool rekey = false;
  bool grows = false;                   // one that exists may get more partitions
  int32_t partitions = 0;               // of one that is made; of re-keyed rows, filled in: what it has
  int64_t batch_bytes_max = 1'048'588;  // filled in: what the topic takes (max.message.bytes)
  int64_t removals_kept_ms = 86'400'000;  // filled in: see TopicLimits
  std::string id;                       // filled in, of changelogs: see TopicId
};

// Makes or checks them, waiting `wait_ns_max` at most for all. kInvalid: one is there and is not as it must be.
Status OpenInternalTopics(Client& client, int64_t wait_ns_max, std::vector<InternalTopic>* topics);

}  // namespace weir::kafka
