#include "runtime/operate/letter.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "runtime/core/arena.h"
#include "runtime/core/base64.h"
#include "runtime/core/hash.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/time.h"
#include "runtime/core/utf8.h"

namespace weir {
namespace {

constexpr char kEventTime[] = "weir.event_time";

template <class T>
bool Number(const std::string& text, T* out) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return false;
  *out = value;
  return true;
}

// Headers that the pipeline put behind the record's own.
void Say(const std::string& name, const std::string& value, Letter* letter) {
  int64_t number = -1;
  Number(value, &number);
  if (name == "weir.pipeline") letter->pipeline = value;
  if (name == "weir.step") letter->step = value;
  if (name == "weir.line" && number >= 0) letter->line = static_cast<uint32_t>(number);
  if (name == "weir.reason") letter->reason = value;
  if (name == "weir.detail") letter->detail = value;
  if (name == "weir.source") letter->source = value;
  if (name == "weir.topic") letter->origin = value;
  if (name == "weir.partition") letter->origin_partition = static_cast<int32_t>(number);
  if (name == "weir.offset") letter->origin_offset = number;
  if (name == "weir.value_size") letter->value_size = number;
  if (name == "weir.value_hash") letter->value_hash = value;
  if (name == "weir.headers_left_out") letter->headers_left_out = std::max<int64_t>(number, 1);
  int64_t ns;
  if (name == kEventTime && Number(value, &number) && TimestampFromMilliseconds(number, &ns)) letter->time_ns = ns;
}

// A mark of an earlier replay is no header of the record's own.
void TakeReplayMark(Letter* letter) {
  for (const LetterHeader& header : letter->headers) {
    if (header.name == kReplayOf) letter->replay_of = header.value;
  }
  std::erase_if(letter->headers, [](const LetterHeader& header) { return header.name == kReplayOf; });
}

bool Decoded(Str base64, std::string* out) {
  out->resize(Base64BytesMax(base64.size));
  size_t size = 0;
  if (!DecodeBase64(base64, out->data(), &size)) return false;
  out->resize(size);
  return true;
}

bool ReadHeaders(JsonReader& in, bool base64, std::vector<LetterHeader>* headers) {
  if (!in.BeginObject()) return false;
  Str name;
  while (in.NextKey(&name)) {
    LetterHeader header;
    header.name = std::string(name.view());
    Str value;
    if (in.Peek() == 'n') {
      header.has_value = false;
      if (!in.Skip()) return false;
    } else if (!in.String(&value)) {
      return false;
    } else if (!base64) {
      header.value = std::string(value.view());
    } else if (!Decoded(value, &header.value)) {
      return false;
    }
    headers->push_back(std::move(header));
  }
  return in.ok();
}

const StepInfo* FindStep(const Program& program, const std::string& name, const char* kind) {
  for (const StepInfo& step : program.steps) {
    if (step.name == name && step.kind == kind) return &step;
  }
  return nullptr;
}

bool KeepsLetters(const SinkSpec& sink) { return sink.of_deadletter && sink.operation != "stdout"; }

}  // namespace

bool ReadLetter(const Message& message, Letter* letter) {
  uint32_t own = message.headers.size;
  for (uint32_t i = 0; i < message.headers.size; ++i) {
    if (message.headers.data[i].name == Str("weir.pipeline")) own = i;
  }
  if (own == message.headers.size) return false;
  letter->time_ns = message.timestamp_ns;
  for (uint32_t i = 0; i < message.headers.size; ++i) {
    const Header& header = message.headers.data[i];
    std::string name(header.name.view()), value(header.value.view());
    if (i < own) {
      letter->headers.push_back({std::move(name), std::move(value), header.has_value});
    } else {
      Say(name, value, letter);
    }
  }
  TakeReplayMark(letter);
  letter->has_key = message.has_key;
  letter->key = std::string(message.key.view());
  letter->has_value = message.has_value;
  letter->value = std::string(message.value.view());
  return true;
}

bool ReadLetter(Str json, Letter* letter) {
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(json, &context);
  if (!in.BeginObject()) return false;
  Str name;
  while (in.NextKey(&name)) {
    std::string_view field = name.view();
    Str text;
    int64_t number = 0;
    auto string = [&](std::string* to) {
      if (!in.String(&text)) return false;
      *to = std::string(text.view());
      return true;
    };
    auto integer = [&](int64_t* to) {
      if (!in.Int64(&number)) return false;
      *to = number;
      return true;
    };
    auto bytes = [&](std::string* to) { return in.String(&text) && Decoded(text, to); };
    bool ok = true;
    if (field == "pipeline") {
      ok = string(&letter->pipeline);
    } else if (field == "step") {
      ok = string(&letter->step);
    } else if (field == "line") {
      ok = integer(&number);
      letter->line = static_cast<uint32_t>(number);
    } else if (field == "reason") {
      ok = string(&letter->reason);
    } else if (field == "detail") {
      ok = string(&letter->detail);
    } else if (field == "detail_base64") {
      ok = bytes(&letter->detail);
    } else if (field == "source") {
      ok = string(&letter->source);
    } else if (field == "topic" || field == "path") {
      ok = string(&letter->origin);
    } else if (field == "partition") {
      ok = integer(&number);
      letter->origin_partition = static_cast<int32_t>(number);
    } else if (field == "offset") {
      ok = integer(&letter->origin_offset);
    } else if (field == "time") {
      ok = in.String(&text) && ParseTimestamp(text, &letter->time_ns);
    } else if (field == "key") {
      letter->has_key = ok = string(&letter->key);
    } else if (field == "key_base64") {
      letter->has_key = ok = bytes(&letter->key);
    } else if (field == "key_size") {
      ok = integer(&letter->key_size);
    } else if (field == "headers" || field == "headers_base64") {
      ok = ReadHeaders(in, field == "headers_base64", &letter->headers);
    } else if (field == "headers_left_out") {
      ok = integer(&letter->headers_left_out);
    } else if (field == "value") {
      letter->has_value = ok = string(&letter->value);
    } else if (field == "value_base64") {
      letter->has_value = ok = bytes(&letter->value);
    } else if (field == "value_size") {
      ok = integer(&letter->value_size);
    } else if (field == "value_hash") {
      ok = string(&letter->value_hash);
    } else {
      ok = in.Skip();
    }
    if (!ok) return false;
  }
  TakeReplayMark(letter);
  return in.ok() && in.End() && !letter->pipeline.empty() && !letter->reason.empty();
}

std::vector<int> LetterSinks(const Program& program) {
  std::vector<int> sinks;
  for (const DeadletterSpec& stream : program.deadletters) {
    int best = -1;
    for (int sink : stream.sinks) {
      const SinkSpec& spec = program.sinks[static_cast<size_t>(sink)];
      if (!KeepsLetters(spec)) continue;
      if (best < 0 || (spec.operation == "topic" && program.sinks[static_cast<size_t>(best)].operation != "topic")) best = sink;
    }
    if (best < 0) continue;
    // Two streams may go to one topic.
    bool known = std::any_of(sinks.begin(), sinks.end(), [&](int other) {
      const SinkSpec &a = program.sinks[static_cast<size_t>(other)], &b = program.sinks[static_cast<size_t>(best)];
      return a.address == b.address && a.operation == b.operation && a.connection == b.connection;
    });
    if (!known) sinks.push_back(best);
  }
  return sinks;
}

std::string PlaceText(const Program& program, const LetterPlace& place) {
  const SinkSpec& sink = program.sinks[static_cast<size_t>(place.sink)];
  const bool one = LetterSinks(program).size() == 1;
  std::string at = std::to_string(place.offset);
  if (sink.operation != "topic") return one ? at : sink.address + "@" + at;
  return (one ? "" : sink.address + "/") + std::to_string(place.partition) + "@" + at;
}

Status ParsePlace(const Program& program, const std::string& text, LetterPlace* place) {
  const std::vector<int> sinks = LetterSinks(program);
  size_t at = text.rfind('@');
  std::string head = at == std::string::npos ? "" : text.substr(0, at);
  if (Number(at == std::string::npos ? text : text.substr(at + 1), &place->offset) && place->offset >= 0) {
    for (int sink : sinks) {
      const SinkSpec& spec = program.sinks[static_cast<size_t>(sink)];
      place->sink = sink;
      place->partition = 0;
      if (spec.operation != "topic") {
        if (head == spec.address || (head.empty() && at == std::string::npos && sinks.size() == 1)) return Status();
        continue;
      }
      std::string partition = head;
      if (head.rfind(spec.address + "/", 0) == 0) {
        partition = head.substr(spec.address.size() + 1);
      } else if (sinks.size() != 1) {
        continue;
      }
      if (Number(partition, &place->partition) && place->partition >= 0) return Status();
    }
  }
  std::string example;
  for (int sink : sinks) {
    const SinkSpec& spec = program.sinks[static_cast<size_t>(sink)];
    example += (example.empty() ? "" : " or ") + (spec.operation == "topic" ? spec.address + "/0@17" : spec.address + "@17");
  }
  return Status::Invalid("`" + text + "` names no dead letter; write it as `list` does, such as " + example);
}

std::string OriginText(const Letter& letter) {
  if (letter.origin.empty() || letter.origin_offset < 0) return "";
  std::string partition = letter.origin_partition >= 0 ? "/" + std::to_string(letter.origin_partition) : "";
  return letter.origin + partition + "@" + std::to_string(letter.origin_offset);
}

std::string RecordHash(const Letter& letter) {
  // Sizes keep (key "a", value "bc") from being (key "ab", value "c").
  std::string all = (letter.has_key ? std::to_string(letter.key.size()) : "-") + " " +
                    (letter.has_value ? std::to_string(letter.value.size()) : "-") + " " + letter.key + letter.value;
  H128 hash = Hash128(Str(std::string_view(all)));
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return text;
}

std::string WhyNotReplay(const Program& program, const Letter& letter, int* source) {
  *source = -1;
  auto cut = [](const char* what, int64_t whole, size_t kept) {
    return "its " + std::string(what) + " was cut: " + std::to_string(kept) + " of " + std::to_string(whole) +
           " bytes are here" ;
  };
  if (letter.value_size >= 0) return cut("value", letter.value_size, letter.value.size());
  if (letter.key_size >= 0) return cut("key", letter.key_size, letter.key.size());
  if (letter.headers_left_out > 0) return std::to_string(letter.headers_left_out) + " of its headers were cut";
  if (FindStep(program, letter.source, "window") != nullptr) {
    return "it is a result of the window `" + letter.source + "`, not a record of a topic";
  }
  if (letter.origin_offset < 0 || letter.origin.empty()) {
    return "it does not say which record it was" + (letter.source.empty() ? "" : " (`" + letter.source + "`)");
  }
  for (const TableSpec& table : program.tables) {
    if (table.name != letter.source) continue;
    return "it is a row of the table `" + table.name + "`: sent again it could replace a newer one of its key; write the " +
           "mended row to topic " + table.address + " instead";
  }
  for (size_t i = 0; i < program.sources.size(); ++i) {
    const SourceSpec& spec = program.sources[i];
    if (spec.name != letter.source || spec.exchange >= 0) continue;
    if (spec.operation != "topic") return "its source `" + spec.name + "` reads " + spec.operation + ", which nothing can be sent to";
    if (spec.address != letter.origin) {
      return "it came from topic " + letter.origin + ", and the source `" + spec.name + "` now reads " + spec.address;
    }
    *source = static_cast<int>(i);
    return "";
  }
  return "the pipeline has no source `" + letter.source + "` any more";
}

// ---- For people -------------------------------------------------------------------------------------------------------

namespace {

void AppendSafe(Str text, bool keep_lines, const std::string& indent, std::string* out) {
  const char* at = text.data;
  const char* end = at + text.size;
  while (at < end) {
    const char* begin = at;
    uint32_t c = DecodeCodePoint(&at);
    char escaped[16];
    if (c == '\n' && keep_lines) {
      *out += "\n" + indent;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      *out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c));
      *out += escaped;
    } else if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {  // they turn the line around
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      *out += escaped;
    } else {
      out->append(begin, static_cast<size_t>(at - begin));
    }
  }
}

}  // namespace

std::string SafeBytes(Str bytes, size_t bytes_max, const std::string& indent) {
  size_t shown = std::min<size_t>(bytes.size, bytes_max);
  std::string out;
  if (ValidUtf8(bytes)) {
    while (shown > 0 && shown < bytes.size && (static_cast<unsigned char>(bytes.data[shown]) & 0xc0) == 0x80) --shown;
    out = indent;
    AppendSafe(bytes.Sub(0, static_cast<uint32_t>(shown)), true, indent, &out);
    out += "\n";
  } else {
    for (size_t at = 0; at < shown; at += 16) {
      char text[24];
      std::snprintf(text, sizeof text, "%06zx ", at);
      std::string line = indent + text, letters;
      for (size_t i = at; i < at + 16; ++i) {
        if (i >= shown) {
          line += "   ";
          continue;
        }
        unsigned char c = static_cast<unsigned char>(bytes.data[i]);
        std::snprintf(text, sizeof text, " %02x", c);
        line += text;
        letters += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
      }
      out += line + "  " + letters + "\n";
    }
  }
  if (shown < bytes.size) out += indent + "… " + std::to_string(bytes.size - shown) + " more bytes\n";
  return out;
}

std::string SafeLine(Str text, size_t width) {
  std::string out;
  if (ValidUtf8(text)) {
    AppendSafe(text, false, "", &out);
  } else {
    out = "(" + std::to_string(text.size) + " bytes)";
  }
  uint32_t n = static_cast<uint32_t>(width);
  Str all{std::string_view(out)};
  if (CountCodePoints(all) <= n) return out;
  return out.substr(0, CodePointOffset(all, n - 1)) + "…";
}

}  // namespace weir
