// The topics that a pipeline has for itself, for the state of its stages and for rows that are re-keyed: how they must be.
// Missing ones are made, by whichever process comes first, unless the operator makes them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/connector/kafka/client.h"
#include "runtime/connector/kafka/topics.h"

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

// What the topic holds, in words: "which holds the state of `trades`".
std::string PurposeOf(const InternalTopic& topic);

// What is wrong with a topic's settings. A setting that only costs something is a warning; one by which state or rows are
// lost is a refusal. Each names the topic, the setting, both values, and the command that changes it.
struct SettingsVerdict {
  std::string refusal;  // empty: none
  std::string warning;  // empty: none
};
SettingsVerdict JudgeSettings(const Settings& connection, const InternalTopic& topic, const TopicSettings& settings);

// How OpenInternalTopics goes about it.
struct InternalTopicRules {
  // False: nothing is made or changed. The commands that make what is missing are put here, and what is missing is left
  // as it is.
  bool create = true;
  std::vector<std::string>* commands = nullptr;  // required unless `create`
  std::function<void(const std::string&)> warn;
};

// Makes or checks them, waiting `wait_ns_max` at most for all. kInvalid: one is there and is not as it must be.
Status OpenInternalTopics(Client& client, int64_t wait_ns_max, const InternalTopicRules& rules,
                          std::vector<InternalTopic>* topics);

// The command by which an operator deletes a topic.
std::string DeleteCommand(const Settings& connection, const std::string& topic);

// What an operator is told who lets nothing be made, when something is missing.
Status MissingTopics(const Settings& connection, const std::vector<std::string>& commands);

// One topic as it is, for `check`; nothing is made or changed.
struct TopicLook {
  int32_t partitions = 0;  // that it has; 0: it is not there
  std::string command;     // that makes it, or gives it the partitions that it lacks; empty: nothing is missing
  std::string warning;
};
Status LookAtInternalTopic(Client& client, int64_t wait_ns_max, InternalTopic* topic, TopicLook* look);

}  // namespace weir::kafka
