#include "tests/run/run_file.h"

#include <cctype>
#include <charconv>
#include <cstdio>

namespace run {

namespace {

std::string_view Trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

// Takes the last word off a line when it is `name=value`, with spaces in front of it.
bool TakeOption(std::string_view* line, std::string* name, std::string* value) {
  std::string_view rest = Trim(*line);
  size_t space = rest.find_last_of(" \t");
  if (space == std::string_view::npos) return false;
  std::string_view word = rest.substr(space + 1);
  size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  std::string_view left = word.substr(0, equals), right = word.substr(equals + 1);
  for (char c : left) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') return false;
  }
  if (left != "key" && left != "at" && left != "after" && left != "lost" && left != "busy" && !left.starts_with("header."))
    return false;
  if (right.size() >= 2 && right.front() == '"' && right.back() == '"') right = right.substr(1, right.size() - 2);
  *name = left;
  *value = right;
  *line = Trim(rest.substr(0, space));
  return true;
}

bool FromHex(std::string_view text, std::string* out) {
  int half = -1;
  for (char c : text) {
    if (c == ' ') continue;
    if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
    int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 0x20) - 'a' + 10;
    if (half < 0) {
      half = digit;
    } else {
      out->push_back(static_cast<char>(half * 16 + digit));
      half = -1;
    }
  }
  return half < 0;
}

std::string ParseRecord(std::string_view line, RunRecord* record) {
  std::string name, value;
  while (TakeOption(&line, &name, &value)) {
    if (name == "key") {
      record->has_key = true;
      record->key = value;
    } else if (name == "at") {
      record->has_time = true;
      if (!ParseDurationText(value, &record->time_ns)) return "`at=` wants a duration since 1970: `at=1500ms`";
    } else if (name.starts_with("header.")) {
      record->headers[name.substr(7)] = value;
    } else {
      return "a record has no `" + name + "=`";
    }
  }
  if (line == "tombstone") {
    record->has_value = false;
  } else if (line.starts_with("hex ")) {
    if (!FromHex(line.substr(4), &record->value)) return "`hex` wants pairs of hexadecimal digits";
  } else {
    record->value = line;
  }
  return "";
}

// JSON without the white space between its tokens, as the arguments of a lookup are compared.
std::string WithoutSpaces(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"' && (i == 0 || json[i - 1] != '\\')) quoted = !quoted;
    if (quoted || !std::isspace(static_cast<unsigned char>(json[i]))) out.push_back(json[i]);
  }
  return out;
}

std::string ParseService(std::string_view line, ServiceLine* out) {
  std::string name, value;
  while (TakeOption(&line, &name, &value)) {
    if (name == "after") {
      if (!ParseDurationText(value, &out->after_ns)) return "`after=` wants a duration";
    } else if (name == "lost" || name == "busy") {
      int& count = name == "lost" ? out->lost : out->busy;
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
      if (error != std::errc() || *end != 0) return "`" + name + "=` wants a number of attempts";
    } else {
      return "an answer has no `" + name + "=`";
    }
  }
  size_t arrow = line.find("->");
  if (arrow == std::string_view::npos) return "expected `arguments -> answer`";
  std::string_view arguments = Trim(line.substr(0, arrow)), answer = Trim(line.substr(arrow + 2));
  if (arguments != "*") out->arguments = "[" + WithoutSpaces(arguments) + "]";
  auto reason = [&](std::string_view word) {
    std::string_view text = Trim(answer.substr(word.size()));
    if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    return std::string(text);
  };
  if (answer == "missing") {
    out->says = Says::kMissing;
  } else if (answer == "timeout") {
    out->says = Says::kTimeout;
  } else if (answer.starts_with("rejected")) {
    out->says = Says::kRejected;
    out->text = reason("rejected");
  } else if (answer.starts_with("error")) {
    out->says = Says::kError;
    out->text = reason("error");
  } else {
    out->says = Says::kFound;
    out->text = answer;
  }
  return "";
}

std::string ReadHead(std::string_view program, RunFile* file) {
  size_t end = program.find('\n');
  if (!program.starts_with("// ") || end == std::string_view::npos) return "the first line must say why this test exists";
  file->why = program.substr(3, end - 3);
  std::string_view second = program.substr(end + 1);
  second = second.substr(0, second.find('\n'));
  if (!second.starts_with("// test: ")) return "";
  file->recover = second.find("recover") != std::string_view::npos;
  file->recover_transactions = file->recover && second.find("recover on the store") == std::string_view::npos;
  file->random = second.find("random") != std::string_view::npos;
  return "";
}

// Whether it can stand in a line of the file.
bool IsText(std::string_view s) {
  int more = 0;
  for (char c : s) {
    auto byte = static_cast<unsigned char>(c);
    bool follows = (byte & 0xc0) == 0x80;
    if (byte < 0x20 || byte == 0x7f || byte >= 0xf8 || follows != (more > 0)) return false;
    more = follows ? more - 1 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
  }
  return more == 0;
}

}  // namespace

bool ParseDurationText(std::string_view text, int64_t* ns) {
  bool negative = text.starts_with("-");
  if (negative) text.remove_prefix(1);
  *ns = 0;
  if (text.empty()) return false;
  while (!text.empty()) {
    int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    int64_t unit = 0;
    for (auto [name, size] : {std::pair<std::string_view, int64_t>{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000},
                              {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}, {"d", 86'400'000'000'000}}) {
      if (!text.starts_with(name)) continue;
      unit = size;
      text.remove_prefix(name.size());
      break;
    }
    if (unit == 0) return false;
    *ns += number * unit;
  }
  if (negative) *ns = -*ns;
  return true;
}

RunFile ParseRunFile(const std::string& path, std::string_view text) {
  RunFile file;
  file.path = path;
  file.name = path.substr(path.rfind('/') + 1);
  file.name = file.name.substr(0, file.name.rfind('.'));
  enum { kProgram, kParams, kInput, kTable, kLookup } section = kProgram;
  std::vector<RunRecord>* records = nullptr;
  std::vector<ServiceLine>* service = nullptr;
  int number = 0;
  auto wrong = [&](const std::string& what) {
    if (file.problem.empty()) file.problem = path + ":" + std::to_string(number) + ": " + what;
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    size_t next = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line = text.substr(at, (end == std::string_view::npos ? text.size() : end) - at);
    ++number;
    if (line == "--- expect" || line.starts_with("--- expect ")) {
      file.expected = text.substr(at);
      break;
    }
    file.head += text.substr(at, next - at);
    at = next;
    if (line.starts_with("--- ")) {
      std::string_view rest = Trim(line.substr(4));
      std::string kind(rest.substr(0, rest.find(' ')));
      std::string name(Trim(rest.substr(kind.size())));
      records = nullptr;
      service = nullptr;
      if (kind == "params") {
        section = kParams;
      } else if (kind == "input") {
        section = kInput;
        size_t slash = name.find('/');
        size_t partition = slash == std::string::npos ? 0 : std::stoul(name.substr(slash + 1));
        auto& partitions = file.inputs[name.substr(0, slash)];
        if (partitions.size() <= partition) partitions.resize(partition + 1);
        records = &partitions[partition];
      } else if (kind == "table") {
        section = kTable;
        records = &file.tables[name];
      } else if (kind == "lookup") {
        section = kLookup;
        service = &file.services[name];
      } else {
        wrong("no section is called `" + kind + "`");
      }
      continue;
    }
    if (section == kProgram) {
      file.program += std::string(line) + "\n";
      continue;
    }
    if (Trim(line).empty() || line.starts_with("// ")) continue;
    std::string problem;
    if (section == kParams) {
      size_t equals = line.find('=');
      if (equals == std::string_view::npos) {
        problem = "expected `name = text`";
      } else {
        file.params[std::string(Trim(line.substr(0, equals)))] = Trim(line.substr(equals + 1));
      }
    } else if (section == kLookup) {
      service->emplace_back();
      problem = ParseService(line, &service->back());
    } else if (records != nullptr) {
      records->emplace_back();
      problem = ParseRecord(line, &records->back());
    }
    if (!problem.empty()) wrong(problem);
  }
  std::string problem = ReadHead(file.program, &file);
  number = 1;
  if (!problem.empty()) wrong(problem);
  return file;
}

std::string RecordText(const RunRecord& record) {
  std::string text = record.value;
  if (!record.has_value) {
    text = "tombstone";
  } else {
    if (!IsText(record.value)) {
      text = "hex";
      for (char c : record.value) {
        char hex[4];
        std::snprintf(hex, sizeof hex, " %02x", static_cast<unsigned char>(c));
        text += hex;
      }
    }
  }
  if (record.has_key) {
    bool quote = record.key.empty() || record.key.find_first_of(" \t\"") != std::string::npos;
    text += "  key=" + (quote ? "\"" + record.key + "\"" : record.key);
  }
  if (record.has_time) {
    bool ms = record.time_ns % 1'000'000 == 0;
    text += "  at=" + std::to_string(ms ? record.time_ns / 1'000'000 : record.time_ns) + (ms ? "ms" : "ns");
  }
  for (const auto& [name, value] : record.headers) text += "  header." + name + "=" + value;
  return text;
}

}  // namespace run
