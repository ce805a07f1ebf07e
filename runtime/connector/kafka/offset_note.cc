#include "runtime/connector/kafka/offset_note.h"

#include <charconv>

namespace weir::kafka {
namespace {

constexpr std::string_view kHead = "weir";
constexpr std::string_view kPartitions = " partitions=";
constexpr std::string_view kTopic = " topic=";
constexpr std::string_view kStateless = " state=none", kStateful = " state=some";

// Takes `head` off the front.
bool Take(std::string_view head, std::string_view* text) {
  if (!text->starts_with(head)) return false;
  text->remove_prefix(head.size());
  return true;
}

}  // namespace

std::string ToText(const OffsetNote& note) {
  std::string text(kHead);
  if (note.partitions > 0) text.append(kPartitions).append(std::to_string(note.partitions));
  if (!note.topic_id.empty()) text.append(kTopic).append(note.topic_id);
  if (note.state == OffsetState::kNone) text.append(kStateless);
  if (note.state == OffsetState::kSome) text.append(kStateful);
  return text;
}

OffsetNote NoteOf(std::string_view text) {
  OffsetNote note;
  if (!Take(kHead, &text)) return note;
  if (Take(kPartitions, &text)) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), note.partitions);
    if (error != std::errc() || note.partitions <= 0) return OffsetNote();
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  if (Take(kTopic, &text)) {
    note.topic_id = text.substr(0, text.find(' '));
    text.remove_prefix(note.topic_id.size());
  }
  if (Take(kStateless, &text)) {
    note.state = OffsetState::kNone;
  } else if (Take(kStateful, &text)) {
    note.state = OffsetState::kSome;
  }
  // What a later version notes behind it is its own affair.
  return text.empty() || text.front() == ' ' ? note : OffsetNote();
}

std::string WithoutTopic(const std::string& text) {
  OffsetNote note = NoteOf(text);
  if (note.topic_id.empty()) return text;
  note.topic_id.clear();
  return note.partitions > 0 ? ToText(note) : "";
}

}  // namespace weir::kafka
