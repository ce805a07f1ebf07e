#include "runtime/engine/topic_names.h"

namespace weir {

namespace {

// Kafka allows letters, digits, '.', '_' and '-', 249 in all.
std::string TopicName(const std::string& pipeline, const std::string& of, const char* what) {
  std::string name = pipeline + "." + of;
  for (char& c : name) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!fine) c = '-';
  }
  return name + "." + what;
}

}  // namespace

std::string ChangelogTopic(const Program& program, int stage) {
  return TopicName(program.name, program.stages[stage].name, "changelog");
}

std::string RekeyTopic(const Program& program, int exchange) {
  return TopicName(program.name, program.steps[program.exchanges[exchange].step].name, "rekey");
}

std::string ReplayedTopic(const Program& program) { return TopicName(program.name, "dead-letters", "replayed"); }

}  // namespace weir
