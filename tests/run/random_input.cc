#include "tests/run/random_input.h"

#include <cstdio>

namespace run {

using namespace weirc::typed;

namespace {

constexpr int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01, where virtual time starts

}  // namespace

std::string RandomInput::Space() {
  if (Percent(92)) return "";
  static const char* const kSpaces[] = {" ", "  ", "\t", " \t ", "\r"};
  return kSpaces[Below(5)];
}

std::string RandomInput::Integer(bool wide) {
  switch (Below(12)) {
    case 0: return wide ? "9223372036854775807" : "2147483647";
    case 1: return wide ? "-9223372036854775808" : "-2147483648";
    case 2: return "0";
    case 3: return "-" + std::to_string(Below(1000));
    case 4: return Percent(faults * 5) ? (wide ? "9223372036854775808" : "2147483648") : "-1";
    case 5: return Percent(faults * 5) ? "1.0" : "7";
    case 6: return std::to_string(Below(1'000'000'000));
    default: return std::to_string(Below(300));
  }
}

std::string RandomInput::Decimal(int precision, int scale) {
  std::string text = Percent(30) ? "-" : "";
  int whole_max = precision - scale;
  if (Percent(faults)) ++whole_max;
  int whole = Percent(15) ? whole_max : static_cast<int>(Below(static_cast<uint64_t>(std::min(whole_max, 5)) + 1));
  if (whole == 0) {
    text += "0";
  } else {
    text += static_cast<char>('1' + Below(9));
    for (int i = 1; i < whole; ++i) text += static_cast<char>('0' + Below(10));
  }
  int digits = static_cast<int>(Below(static_cast<uint64_t>(scale) + 1));
  if (Percent(10)) digits = scale;
  if (digits > 0) {
    text += ".";
    for (int i = 0; i < digits; ++i) text += static_cast<char>('0' + Below(10));
    if (Percent(10)) text += "000";
    if (Percent(faults)) text += "123456789";
  }
  if (Percent(6)) text += Percent(50) ? "e0" : "E+0";
  return Percent(20) ? "\"" + text + "\"" : text;
}

std::string RandomInput::Quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    char escape[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c < 0x20 || (c < 0x7f && Percent(3))) {
      std::snprintf(escape, sizeof escape, Percent(50) ? "\\u%04x" : "\\u%04X", c);
      out += escape;
    } else if (c == '/' && Percent(30)) {
      out += "\\/";
    } else {
      out += text[i];
    }
  }
  return out + "\"";
}

std::string RandomInput::String() {
  static const char* const kTexts[] = {
      "A", "B", "C", "A", "B", "ACME", "XNYS", "", "gold", "silver", "a b", "caf\xc3\xa9", "\xe2\x82\xac" "5", "\xf0\x9f\x98\x80", "quote\"s",
      "back\\slash", "line\nbreak", "tab\there", "a/b", "zero\x01" "one", "x,y", "\xce\xa3\xce\xb1\xcf\x82", "null", "12", "-3.50", "2026-01-02"};
  if (Percent(80)) return kTexts[Below(10)];
  std::string text = kTexts[Below(26)];
  if (Percent(10)) text += std::string(Below(60), 'x');
  return text;
}

std::string RandomInput::Timestamp() {
  int64_t ms = kStartMs + static_cast<int64_t>(Below(12'000));
  if (Percent(3)) ms = static_cast<int64_t>(Below(4'000'000'000'000));
  if (Percent(60)) return std::to_string(ms);
  int64_t seconds = ms / 1000 - kStartMs / 1000;
  if (seconds < 0 || seconds > 59) return std::to_string(ms);
  char text[64];
  static const char* const kForms[] = {"\"2026-01-01T00:00:%02d.%03dZ\"", "\"2026-01-01t01:00:%02d.%03d+01:00\"",
                                       "\"2025-12-31 22:30:%02d.%03d000-01:30\"", "\"2026-01-01T00:00:%02d.%03d000000z\""};
  std::snprintf(text, sizeof text, kForms[Below(4)], static_cast<int>(seconds), static_cast<int>(ms % 1000));
  return text;
}

std::string RandomInput::ValueOf(const Type* type, int depth) {
  if (Percent(faults) && depth > 0) {
    static const char* const kOthers[] = {"null", "true", "\"x\"", "12", "{}", "[]", "1e999", "-", "nul", "\"\\ud800\"", "01", "1.", "\"2026-02-30\""};
    return kOthers[Below(13)];
  }
  char text[64];
  switch (type->kind) {
    case TypeKind::kOptional: return Percent(30) ? "null" : ValueOf(type->element, depth);
    case TypeKind::kBool: return Percent(50) ? "true" : "false";
    case TypeKind::kInt32: return Integer(false);
    case TypeKind::kInt64: return Integer(true);
    case TypeKind::kFloat64: {
      static const char* const kFloats[] = {"0", "-0", "1.5", "-2.25", "1e300", "1e-320", "0.1", "123456789012345678", "1E5", "5e-324"};
      if (Percent(60)) return std::to_string(static_cast<double>(Below(100000)) / 8);
      return kFloats[Below(10)];
    }
    case TypeKind::kDecimal: return Decimal(type->precision, type->scale);
    case TypeKind::kString: return Quoted(String());
    case TypeKind::kBytes: {
      static const char* const kBytes[] = {"", "aGk=", "AAH/", "d2Vpcg==", "aGk", "aGl=", "a-b_"};
      return Quoted(kBytes[Percent(faults * 3) ? 4 + Below(3) : Below(4)]);
    }
    case TypeKind::kTimestamp: return Timestamp();
    case TypeKind::kDuration: {
      static const char* const kDurations[] = {"0s", "1h30m", "250ms", "1.5s", "-2d", "1w", "3us7ns", "-1ns", "90m", "1x", "5"};
      return Quoted(kDurations[Percent(faults * 3) ? 9 + Below(2) : Below(9)]);
    }
    case TypeKind::kDate:
      std::snprintf(text, sizeof text, "\"%04d-%02d-%02d\"", Percent(80) ? 2026 : static_cast<int>(Below(10000)),
                    static_cast<int>(1 + Below(12)), static_cast<int>(1 + Below(Percent(faults) ? 31 : 28)));
      return text;
    case TypeKind::kEnum: return Quoted(type->enum_def->values[Below(type->enum_def->values.size())].text);
    case TypeKind::kRecord: return RecordOf(type->record, depth + 1);
    case TypeKind::kList: {
      std::string out = "[" + Space();
      for (uint64_t i = 0, n = Below(4); i < n; ++i) out += (i != 0 ? "," : "") + Space() + ValueOf(type->element, depth + 1) + Space();
      return out + "]";
    }
    case TypeKind::kMap: {
      std::string out = "{" + Space();
      for (uint64_t i = 0, n = Below(4); i < n; ++i) {
        static const char* const kKeys[] = {"a", "b", "gold", ""};
        const char* key = Percent(faults) ? "a" : kKeys[i];
        out += (i != 0 ? "," : "") + Space() + Quoted(key) + Space() + ":" + Space() + ValueOf(type->element, depth + 1);
      }
      return out + Space() + "}";
    }
    default: return "null";
  }
}

std::string RandomInput::RecordOf(const RecordDef* record, int depth) {
  std::vector<std::string> parts;
  for (const Field& field : record->fields) {
    bool may_miss = field.type->Is(TypeKind::kOptional) || field.default_value != nullptr;
    if (Percent(may_miss ? 20 : faults)) continue;
    std::string part = Quoted(field.json_name) + Space() + ":" + Space() + ValueOf(field.type, depth + 1);
    parts.push_back(part);
    if (Percent(faults)) parts.push_back(part);
  }
  if (Percent(15)) std::shuffle(parts.begin(), parts.end(), random_);
  if (Percent(8)) {
    static const char* const kExtra[] = {"\"extra\":{\"deep\":[1,2,{\"x\":null}]}", "\"more\": \"\\u00e9\"", "\"\":0", "\"n\":-1.5e-7"};
    parts.insert(parts.begin() + static_cast<long>(Below(parts.size() + 1)), kExtra[Below(4)]);
  }
  std::string out = "{";
  for (size_t i = 0; i < parts.size(); ++i) out += (i != 0 ? "," : "") + Space() + parts[i] + Space();
  return out + "}";
}

// A fault that concerns the text and not a value.
std::string RandomInput::Break(std::string json) {
  switch (Below(6)) {
    case 0: return json.substr(0, Below(json.size() + 1));
    case 1: json[Below(json.size())] = static_cast<char>(random_()); return json;
    case 2: return json + (Percent(50) ? "}" : " x");
    case 3: json.insert(Below(json.size() + 1), 1, static_cast<char>(Below(256))); return json;
    case 4: json.erase(Below(json.size()), 1); return json;
    default: {
      std::string deep;
      for (int i = 0; i < 70; ++i) deep += "[";
      return "{\"x\":" + deep;
    }
  }
}

RunInput RandomInput::Make(int records_max) {
  RunInput input = run_.input;
  for (const SourceDef& source : run_.typed().sources) {
    auto& partitions = input.sources[source.name];
    partitions.assign(1, {});
    for (uint64_t i = 0, n = Below(static_cast<uint64_t>(records_max)) + 1; i < n; ++i) {
      RunRecord record;
      if (source.endpoint.format == Format::kRaw) {
        record.value = String();
      } else {
        record.value = Space() + RecordOf(source.record) + Space();
      }
      if (Percent(faults * 2)) record.value = Break(record.value);
      if (Percent(50)) {
        record.has_key = true;
        record.key = String();
      }
      // A topic's record always has a time; lines have none.
      record.has_time = source.endpoint.operation == "topic";
      record.time_ns = (kStartMs + static_cast<int64_t>(Below(12'000))) * 1'000'000;
      partitions[0].push_back(std::move(record));
    }
  }
  return input;
}

}  // namespace run
