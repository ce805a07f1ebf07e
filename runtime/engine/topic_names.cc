#include "runtime/engine/topic_names.h"

#include <string_view>

namespace weir {

namespace {

constexpr std::string_view kChangelog = ".changelog", kRekey = ".rekey";

// Kafka allows letters, digits, '.', '_' and '-', 249 in all.
std::string Allowed(std::string name) {
  for (char& c : name) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!fine) c = '-';
  }
  return name;
}

std::string TopicName(const std::string& pipeline, const std::string& of, std::string_view what) {
  return Allowed(pipeline + "." + of).append(what);
}

}  // namespace

std::string ChangelogTopic(const Program& program, int stage) {
  return TopicName(program.name, program.stages[stage].name, kChangelog);
}

std::string RekeyTopic(const Program& program, int exchange) {
  return TopicName(program.name, program.steps[program.exchanges[exchange].step].name, kRekey);
}

bool ReadOwnTopicName(const Program& program, const std::string& topic, OwnTopicName* out) {
  const std::string head = Allowed(program.name + ".");
  out->rekey = topic.ends_with(kRekey);
  const std::string_view tail = out->rekey ? kRekey : kChangelog;
  if (!topic.starts_with(head) || !topic.ends_with(tail) || topic.size() <= head.size() + tail.size()) return false;
  out->of = topic.substr(head.size(), topic.size() - head.size() - tail.size());
  return true;
}

std::string TopicOf(const Program& program, const OwnTopicName& name) {
  return TopicName(program.name, name.of, name.rekey ? kRekey : kChangelog);
}

std::string ReplayedTopic(const Program& program) { return TopicName(program.name, "dead-letters", ".replayed"); }

}  // namespace weir
