#include "compiler/driver/embedded/input.h"

#include <nlohmann/json.hpp>

namespace weirc {
namespace {

using nlohmann::json;

json Parse(std::string_view text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

bool IsEnvelope(const json& line) {
  if (!line.is_object() || !line.contains("value")) return false;
  for (const auto& [name, value] : line.items()) {
    bool fits = name == "value" || (name == "key" && (value.is_string() || value.is_null())) ||
                (name == "headers" && value.is_object()) ||
                (name == "timestamp" && value.is_number_integer());
    if (!fits) return false;
  }
  return true;
}

std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// The member of an object in its text, exactly as it is written there: numbers keep their digits.
class MemberText : public nlohmann::json_sax<json> {
 public:
  explicit MemberText(std::string name) : name_(std::move(name)) {}
  bool number_float(number_float_t, const string_t& text) override { return Take(text); }
  bool number_integer(number_integer_t number) override { return Take(std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return Take(std::to_string(number)); }
  bool string(string_t& text) override { return Take(text); }
  bool null() override { return Nothing(); }
  bool boolean(bool truth) override { return Take(truth ? "true" : "false"); }
  bool binary(binary_t&) override { return Nothing(); }
  bool start_object(size_t) override { return ++depth_, wanted_ = false, true; }
  bool end_object() override { return --depth_, true; }
  bool start_array(size_t) override { return ++depth_, wanted_ = false, true; }
  bool end_array() override { return --depth_, true; }
  bool key(string_t& key) override {
    wanted_ = depth_ == 1 && key == name_;
    return true;
  }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

  std::optional<std::string> found;

 private:
  bool Take(const std::string& text) {
    if (wanted_) found = text;
    wanted_ = false;
    return true;
  }
  bool Nothing() { return wanted_ = false, true; }

  std::string name_;
  int depth_ = 0;
  bool wanted_ = false;
};

// The text of the field at `path` of a JSON value; nothing when it is absent, null, an object or a list.
std::optional<std::string> FieldText(const std::string& value, const std::vector<std::string>& path) {
  std::string text = value;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    json object = Parse(text);
    if (!object.is_object() || !object.contains(path[i])) return std::nullopt;
    text = object[path[i]].dump();
  }
  MemberText member(path.back());
  // A line that breaks off later has said its key all the same, as a producer would have.
  (void)json::sax_parse(text, &member);
  return member.found;
}

// Where the value of "value" stands in an envelope, as it was written.
std::string_view ValueText(std::string_view line) {
  // The envelope is known to be well formed; walk its members.
  size_t i = line.find('{') + 1;
  auto skip_string = [&] {
    for (++i; line[i] != '"'; ++i) {
      if (line[i] == '\\') ++i;
    }
    ++i;
  };
  auto skip_blank = [&] {
    while (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') ++i;
  };
  for (;;) {
    skip_blank();
    size_t name_begin = i;
    skip_string();
    std::string_view name = line.substr(name_begin, i - name_begin);
    skip_blank();
    ++i;  // the colon
    skip_blank();
    size_t begin = i;
    int depth = 0;
    while (depth > 0 || (line[i] != ',' && line[i] != '}')) {
      char c = line[i];
      if (c == '"') {
        skip_string();
        continue;
      }
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      ++i;
    }
    if (name == "\"value\"") return line.substr(begin, i - begin);
    ++i;  // the comma
  }
}

}  // namespace

std::vector<BrokerRecord> ReadInput(std::string_view ndjson,
                                    const std::vector<std::string>& key_path) {
  std::vector<BrokerRecord> records;
  while (!ndjson.empty()) {
    size_t end = ndjson.find('\n');
    std::string_view line = ndjson.substr(0, end);
    ndjson = end == std::string_view::npos ? std::string_view() : ndjson.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    BrokerRecord record;
    json parsed = Parse(line);
    if (IsEnvelope(parsed)) {
      const json& value = parsed["value"];
      if (value.is_string()) {
        record.value = value.get<std::string>();
      } else if (!value.is_null()) {
        record.value = std::string(ValueText(line));
      }
      if (parsed.contains("key") && parsed["key"].is_string()) {
        record.key = parsed["key"].get<std::string>();
      }
      if (parsed.contains("headers")) {
        for (const auto& [name, header] : parsed["headers"].items()) {
          record.headers.emplace_back(name, Text(header));
        }
      }
      if (parsed.contains("timestamp")) record.timestamp_ms = parsed["timestamp"];
    } else {
      record.value = std::string(line);
    }
    if (!record.key && record.value && !key_path.empty()) {
      record.key = FieldText(*record.value, key_path);
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::string FormatOutput(const std::string& topic, const BrokerRecord& record) {
  auto quoted = [](const std::string& text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  };
  std::string line = "{\"topic\":" + quoted(topic);
  line += ",\"key\":" + (record.key ? quoted(*record.key) : "null");
  if (!record.headers.empty()) {
    line += ",\"headers\":{";
    for (size_t i = 0; i < record.headers.size(); ++i) {
      if (i > 0) line += ',';
      line += quoted(record.headers[i].first) + ":" + quoted(record.headers[i].second);
    }
    line += '}';
  }
  line += ",\"value\":";
  if (!record.value) {
    line += "null";
  } else if (record.value->find('\n') == std::string::npos && json::accept(*record.value)) {
    line += *record.value;
  } else {
    line += quoted(*record.value);
  }
  return line + "}";
}

}  // namespace weirc
