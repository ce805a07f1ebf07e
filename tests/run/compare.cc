#include "tests/run/compare.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/recover/output_checker.h"

namespace run {

namespace {

RunRecord RecordOf(const weir::MemoryRecord& record) {
  RunRecord out;
  out.value = record.value;
  out.has_value = record.has_value;
  out.key = record.key;
  out.has_key = record.has_key;
  out.has_time = record.time_ns != weir::kNoTime;
  out.time_ns = record.time_ns;
  for (const auto& [name, value] : record.headers) out.headers[name] = value;
  return out;
}

std::string Bytes(const nlohmann::json& letter, const char* name) {
  if (letter.contains(name)) return letter[name].get<std::string>();
  std::string base64 = std::string(name) + "_base64";
  if (!letter.contains(base64)) return "";
  weirc::typed::Type bytes;
  bytes.kind = weirc::typed::TypeKind::kBytes;
  return oracle::Decode(letter[base64].dump(), &bytes).text;
}

// "step reason origin partition offset bytes"; a window's result has its start in ns for partition and offset.
std::string DeadText(const weir::MemoryRecord& record) {
  RunRecord raw;
  std::string text;
  auto letter = nlohmann::json::parse(record.value, nullptr, false);
  bool json = letter.is_object() && letter.contains("reason") && letter.contains("pipeline");
  if (json) {
    text = letter["step"].get<std::string>() + " " + letter["reason"].get<std::string>() + " " +
           letter["source"].get<std::string>() + " ";
    if (letter.contains("start")) {
      weirc::typed::Type time;
      time.kind = weirc::typed::TypeKind::kTimestamp;
      text += oracle::Decimal(oracle::Decode(letter["start"].dump(), &time).number);
    } else {
      text += std::to_string(letter.value("partition", -1)) + " " + std::to_string(letter.value("offset", -1));
    }
    raw.value = Bytes(letter, "value");
  } else {
    std::map<std::string, std::string> headers(record.headers.begin(), record.headers.end());
    text = headers["weir.step"] + " " + headers["weir.reason"] + " " + headers["weir.source"] + " " +
           headers["weir.partition"] + " " + headers["weir.offset"];
    raw.value = record.value;
  }
  return text + " " + RecordText(raw);
}

// A table is read anew at each start, and says each time which of its rows are bad.
void DropRepeats(const RunCase& run, std::vector<std::string>* letters) {
  std::set<std::string> seen;
  std::erase_if(*letters, [&](const std::string& text) {
    for (const auto& table : run.typed().tables) {
      if (text.starts_with(table.name + " bad_input ")) return !seen.insert(text).second;
    }
    return false;
  });
}

}  // namespace

std::string ActualText(const weir::MemoryRecord& record, const ExpectedSink& sink) {
  if (sink.dead) return DeadText(record);
  RunRecord out = RecordOf(record);
  if (!sink.topic) {
    out.has_key = out.has_time = false;
    out.headers.clear();
  }
  return RecordText(out);
}

std::string CompareSink(const ExpectedSink& expected, const std::vector<std::string>& actual, bool exactly_once) {
  std::vector<std::string> wanted;
  std::map<std::string, std::set<std::string>> sequences;
  for (const ExpectedRecord& record : expected.records) {
    wanted.push_back(record.text);
    sequences[record.text].insert(record.sequence);
  }
  weir::OutputRules rules;
  rules.exactly_once = exactly_once;
  std::string wrong = weir::CheckOutput(wanted, actual, rules);
  if (wrong.starts_with("lost: ")) {
    for (const std::string& text : actual) {
      if (sequences.contains(text)) continue;
      wrong += "\ninstead there is: " + text;
      break;
    }
  }
  if (wrong.empty() && !expected.dead) {
    // Equal records of different sequences cannot be told apart: their order is not looked at.
    auto known = [&](const std::string& text) { return sequences[text].size() == 1; };
    std::vector<std::string> wanted_known, actual_known;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(wanted_known), known);
    std::copy_if(actual.begin(), actual.end(), std::back_inserter(actual_known), known);
    rules.order_key = [&](const std::string& text) { return *sequences[text].begin(); };
    wrong = weir::CheckOutput(wanted_known, actual_known, rules);
  }
  return wrong.empty() ? "" : "sink `" + expected.name + "`: " + wrong;
}

std::string Compare(const RunCase& run, const Expected& expected, const RunResult& result) {
  if (!result.problem.empty()) return result.problem;
  const auto& sinks = run.typed().sinks;
  if (expected.stopped) {
    if (result.code != weir::ExitCode::kStopped) return "a `stop` route should have ended it";
    // What was committed before the stop is there; nothing else.
    for (size_t i = 0; i < sinks.size(); ++i) {
      std::multiset<std::string> wanted;
      for (const ExpectedRecord& record : expected.sinks[i].records) wanted.insert(record.text);
      for (const weir::MemoryRecord& record : result.outputs[i]) {
        auto at = wanted.find(ActualText(record, expected.sinks[i]));
        if (at == wanted.end()) return "sink `" + sinks[i].name + "`: not expected: " + record.value;
        wanted.erase(at);
      }
    }
    return "";
  }
  if (result.code != weir::ExitCode::kOk) return "it ends with code " + std::to_string(static_cast<int>(result.code)) + ": " + result.message;
  for (size_t i = 0; i < sinks.size(); ++i) {
    std::vector<std::string> actual;
    for (const weir::MemoryRecord& record : result.outputs[i]) actual.push_back(ActualText(record, expected.sinks[i]));
    if (result.lives > 1 && expected.sinks[i].dead) DropRepeats(run, &actual);
    bool once = result.lives == 1 || result.transactional || (result.exactly_once && StoreBacked(sinks[i]));
    std::string wrong = CompareSink(expected.sinks[i], actual, once);
    if (!wrong.empty()) return wrong;
  }
  if (result.lives > 1) return "";
  std::map<std::string, uint64_t> dropped;
  for (const auto& [step, count] : expected.dropped) {
    if (!step.second) dropped[step.first] += static_cast<uint64_t>(count);
    auto late = result.late.find(step.first);
    if (step.second && (late == result.late.end() || late->second < static_cast<uint64_t>(count)))
      return "step `" + step.first + "` dropped " + std::to_string(count) + " late records and counted fewer";
  }
  if (dropped != result.dropped) {
    std::string text = "dropped records are counted otherwise: ";
    for (const auto& [step, count] : dropped) text += "[expected " + step + " " + std::to_string(count) + "]";
    for (const auto& [step, count] : result.dropped) text += "[counted " + step + " " + std::to_string(count) + "]";
    return text;
  }
  return "";
}

std::string GoldenText(const RunCase& run, const Expected& expected, const RunResult& result) {
  std::string text;
  for (size_t i = 0; i < expected.sinks.size(); ++i) {
    const ExpectedSink& sink = expected.sinks[i];
    if (expected.stopped) break;
    text += "--- expect " + sink.name + "\n";
    std::vector<std::string> lines;
    if (sink.dead) {
      std::vector<std::pair<std::string, std::string>> letters;
      for (const weir::MemoryRecord& record : result.outputs[i]) {
        RunRecord out = RecordOf(record);
        if (!sink.topic) out.has_key = out.has_time = false;
        letters.emplace_back(DeadText(record), RecordText(out));
      }
      std::sort(letters.begin(), letters.end());
      for (const auto& letter : letters) lines.push_back(letter.second);
    } else {
      for (const ExpectedRecord& record : sink.records) lines.push_back(record.text);
    }
    for (const std::string& line : lines) text += line + "\n";
  }
  if (!expected.dropped.empty()) {
    text += "--- expect dropped\n";
    for (const auto& [step, count] : expected.dropped)
      text += step.first + (step.second ? " late" : "") + ": " + std::to_string(count) + "\n";
  }
  if (!result.requests.empty()) {
    text += "--- expect requests\n";
    for (const auto& [request, arguments] : result.requests) text += request + "\n";
  }
  if (expected.stopped) text += "--- expect stop\n" + result.message + "\n";
  return text;
}

}  // namespace run
