#include "runtime/engine/dead_letter.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "runtime/core/base64.h"
#include "runtime/core/hash.h"
#include "runtime/core/utf8.h"

namespace weir {

namespace {

// Names, offsets and braces beside key, headers, detail and value.
constexpr size_t kOverhead = 1024;
constexpr size_t kDetailMax = 4096;

std::string_view ReasonOf(const DeadLetter& letter) { return DeadReasonName(letter.reason); }

// The topic or file a record came from; empty for results of windows and refused outputs.
struct Origin {
  Str address;
  bool is_topic = false;
};
Origin OriginOf(const Program& program, const DeadLetter& letter) {
  uint16_t source = letter.meta->source;
  if (source & kFromWindow) return Origin();
  if (source == kNoSource) return Origin{letter.topic, letter.is_topic};
  const SourceSpec& spec = program.sources[source];
  return Origin{Str(std::string_view(spec.address)), spec.operation == "topic"};
}
bool HasOffset(const DeadLetter& letter) {
  uint16_t source = letter.meta->source;
  return !(source & kFromWindow) && (source != kNoSource || !letter.topic.empty());
}

// The source, table or window that made the record; a refused output names its sink.
Str SourceName(const Program& program, const DeadLetter& letter) {
  uint16_t source = letter.meta->source;
  if (source & kFromWindow) {
    return Str(std::string_view(program.steps[program.windows[source & ~kFromWindow].step].name));
  }
  if (source == kNoSource) return Str(std::string_view(program.steps[letter.step].name));
  return Str(std::string_view(program.sources[source].name));
}

// At most `n` bytes, not in the middle of a code point.
Str CutText(Str text, size_t n) {
  if (text.size <= n) return text;
  while (n > 0 && (static_cast<unsigned char>(text.data[n]) & 0xc0) == 0x80) --n;
  return text.Sub(0, static_cast<uint32_t>(n));
}

std::string HashText(Str bytes) {
  H128 hash = Hash128(bytes);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return text;
}

// What JSON makes of the bytes at most: six characters for a control character.
size_t EscapedSize(Str text) {
  size_t size = text.size;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      size += 5;
    } else if (c == '"' || c == '\\') {
      size += 1;
    }
  }
  return size;
}

void BytesField(JsonWriter& json, const char* name, Str bytes) {
  if (ValidUtf8(bytes)) {
    json.Field(Str(std::string_view(name)));
    json.Str(bytes);
  } else {
    std::string base64 = std::string(name) + "_base64";
    json.Field(Str(std::string_view(base64)));
    json.Bytes(bytes);
  }
}

// The longest start of `value` that takes at most `room` characters in JSON.
Str Fit(Str value, size_t room) {
  if (!ValidUtf8(value)) {
    return Base64Size(value.size) <= room ? value : value.Sub(0, static_cast<uint32_t>(room / 4 * 3));
  }
  if (EscapedSize(value) <= room) return value;
  size_t size = 0;
  uint32_t n = 0;
  for (; n < value.size; ++n) {
    unsigned char c = static_cast<unsigned char>(value[n]);
    size += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : 1;
    if (size > room) break;
  }
  return CutText(value, n);
}

void WriteJson(const Program& program, size_t bytes_max, const DeadLetter& letter, Buffer& out) {
  const Meta& meta = *letter.meta;
  const StepInfo& step = program.steps[letter.step];
  size_t begin = out.size();
  JsonWriter json(&out);
  json.BeginObject();
  json.Literal("\"pipeline\":");
  json.Str(Str(std::string_view(program.name)));
  json.Field("step");
  json.Str(Str(std::string_view(step.name)));
  json.Field("line");
  json.Int64(step.line);
  json.Field("reason");
  json.Str(Str(ReasonOf(letter)));
  if (!letter.detail.empty()) {
    Str detail = CutText(letter.detail, kDetailMax);
    BytesField(json, "detail", detail);
  }
  json.Field("source");
  json.Str(SourceName(program, letter));
  if (meta.source & kFromWindow) {
    json.Field("start");
    json.Timestamp(meta.offset);
  } else if (Origin origin = OriginOf(program, letter); !origin.address.empty()) {
    if (origin.is_topic) {
      json.Field("topic");
    } else {
      json.Field("path");
    }
    json.Str(origin.address);
  }
  if (HasOffset(letter)) {
    json.Field("partition");
    json.Int64(meta.partition);
    json.Field("offset");
    json.Int64(meta.offset);
  }
  if (meta.time_ns != kNoTime) {
    json.Field("time");
    json.Timestamp(meta.time_ns);
  }
  if (meta.has_key) {
    Str key = Fit(meta.key, bytes_max / 4);
    BytesField(json, "key", key);
    if (key.size != meta.key.size) {
      json.Field("key_size");
      json.Int64(meta.key.size);
    }
  }
  uint32_t left_out = 0;
  for (bool text : {true, false}) {  // those whose values are text, then the others
    bool first = true;
    for (uint32_t i = 0; i < meta.headers.size; ++i) {
      const Header& header = meta.headers.data[i];
      if ((!header.has_value || ValidUtf8(header.value)) != text) continue;
      if (!ValidUtf8(header.name) || EscapedSize(header.name) + header.value.size * 6 > bytes_max / 8 ||
          out.size() - begin > bytes_max / 2) {
        ++left_out;
        continue;
      }
      if (first) {
        if (text) {
          json.Field("headers");
        } else {
          json.Field("headers_base64");
        }
        json.BeginObject();
        json.Str(header.name);
        out.Append(':');
      } else {
        json.Field(header.name);
      }
      first = false;
      if (!header.has_value) {
        json.Null();
      } else if (text) {
        json.Str(header.value);
      } else {
        json.Bytes(header.value);
      }
    }
    if (!first) json.EndObject();
  }
  if (left_out != 0) {
    json.Field("headers_left_out");
    json.Int64(left_out);
  }
  if (meta.has_raw) {
    size_t used = out.size() - begin + kOverhead;
    Str value = Fit(meta.raw, bytes_max > used ? bytes_max - used : 0);
    BytesField(json, "value", value);
    if (value.size != meta.raw.size) {
      json.Field("value_size");
      json.Int64(meta.raw.size);
      json.Field("value_hash");
      std::string hash = HashText(meta.raw);
      json.Str(Str(std::string_view(hash)));
    }
  }
  json.EndObject();
}

void AddHeader(OutputBuffer& out, std::string_view name, std::string_view value, bool has_value = true) {
  OutputHeader header;
  header.name_begin = static_cast<uint32_t>(out.bytes.size());
  header.name_size = static_cast<uint32_t>(name.size());
  out.bytes.Append(name.data(), name.size());
  header.value_begin = static_cast<uint32_t>(out.bytes.size());
  header.value_size = static_cast<uint32_t>(value.size());
  header.has_value = has_value;
  out.bytes.Append(value.data(), value.size());
  out.headers.push_back(header);
}

void WriteRaw(const Program& program, size_t bytes_max, const DeadLetter& letter, OutputBuffer& out) {
  const Meta& meta = *letter.meta;
  const StepInfo& step = program.steps[letter.step];
  OutputRecord& record = out.records.back();
  if (meta.has_key) {
    record.has_key = true;
    record.key_begin = static_cast<uint32_t>(out.bytes.size());
    record.key_size = meta.key.size;
    out.bytes.Append(meta.key);
  }
  record.headers_begin = static_cast<uint32_t>(out.headers.size());
  size_t before = out.bytes.size();
  uint32_t left_out = 0;
  for (uint32_t i = 0; i < meta.headers.size; ++i) {
    const Header& header = meta.headers.data[i];
    if (out.bytes.size() - before + header.name.size + header.value.size > bytes_max / 4) {
      left_out = meta.headers.size - i;
      break;
    }
    AddHeader(out, header.name.view(), header.value.view(), header.has_value);
  }
  AddHeader(out, "weir.pipeline", program.name);
  AddHeader(out, "weir.step", step.name);
  AddHeader(out, "weir.line", std::to_string(step.line));
  AddHeader(out, "weir.reason", ReasonOf(letter));
  AddHeader(out, "weir.detail", CutText(letter.detail, kDetailMax).view());
  AddHeader(out, "weir.source", SourceName(program, letter).view());
  if (Origin origin = OriginOf(program, letter); !origin.address.empty()) {
    AddHeader(out, "weir.topic", origin.address.view());
  }
  if (HasOffset(letter)) {
    AddHeader(out, "weir.partition", std::to_string(meta.partition));
    AddHeader(out, "weir.offset", std::to_string(meta.offset));
  }
  if (left_out != 0) AddHeader(out, "weir.headers_left_out", std::to_string(left_out));
  size_t used = out.bytes.size() - before + record.key_size + kOverhead;
  size_t room = bytes_max > used ? bytes_max - used : 0;
  Str value = meta.has_raw ? meta.raw : Str();
  if (value.size > room) {
    AddHeader(out, "weir.value_size", std::to_string(value.size));
    AddHeader(out, "weir.value_hash", HashText(value));
    value = value.Sub(0, static_cast<uint32_t>(room));
  }
  record.headers_size = static_cast<uint32_t>(out.headers.size()) - record.headers_begin;
  record.value_begin = static_cast<uint32_t>(out.bytes.size());
  record.value_size = value.size;
  record.has_value = meta.has_raw;  // a tombstone stays one
  out.bytes.Append(value);
}

}  // namespace

const char* DeadReasonName(DeadReason reason) {
  switch (reason) {
    case DeadReason::kBadInput: return "bad_input";
    case DeadReason::kMissingRow: return "missing_row";
    case DeadReason::kLookupMissing: return "lookup_missing";
    case DeadReason::kLookupTimeout: return "lookup_timeout";
    case DeadReason::kLookupRejected: return "lookup_rejected";
    case DeadReason::kLookupError: return "lookup_error";
    case DeadReason::kLate: return "late";
    case DeadReason::kExpression: return "expression";
    case DeadReason::kRefusedBySink: return "refused_by_sink";
  }
  return "unknown";
}

DeadLetterForm DeadLetterFormOf(const SinkSpec& sink) {
  DeadLetterForm form;
  form.json = sink.format == Format::kJson || sink.operation != "topic";
  for (const Property& property : sink.properties) {
    if (property.name == "max_bytes") form.bytes_max = std::max(4096ull, std::strtoull(property.value.c_str(), nullptr, 10));
  }
  return form;
}

void WriteDeadLetterJson(const Program& program, const DeadLetter& letter, size_t bytes_max, Buffer* out) {
  WriteJson(program, bytes_max, letter, *out);
}

void WriteDeadLetter(const Program& program, const DeadLetterForm& form, const DeadLetter& letter, OutputBuffer& out) {
  if (!form.json) {
    WriteRaw(program, form.bytes_max, letter, out);
    return;
  }
  OutputRecord& record = out.records.back();
  if (letter.meta->has_key) {
    Str key = letter.meta->key.Sub(0, static_cast<uint32_t>(form.bytes_max / 4));
    record.has_key = true;
    record.key_begin = static_cast<uint32_t>(out.bytes.size());
    record.key_size = key.size;
    out.bytes.Append(key);
  }
  record.value_begin = static_cast<uint32_t>(out.bytes.size());
  WriteJson(program, form.bytes_max - std::min(form.bytes_max / 4, static_cast<size_t>(record.key_size)), letter, out.bytes);
  record.value_size = static_cast<uint32_t>(out.bytes.size()) - record.value_begin;
}

}  // namespace weir
