#include "runtime/operate/operator.h"

#include <algorithm>
#include <cstdarg>
#include <cstring>

#include "runtime/core/time.h"
#include "runtime/core/utf8.h"

namespace weir {

Status Operator::Client(int connection, kafka::OperatorClient** out) {
  std::unique_ptr<kafka::OperatorClient>& client = clients_[connection];
  if (!client) {
    Status status = kafka::OperatorClient::Make(program_.connections[static_cast<size_t>(connection)], options_.kafka,
                                                options_.group, program_.name, options_.log, options_.clock, &client);
    if (!status.ok()) return status;
  }
  *out = client.get();
  return Status();
}

void Operator::Print(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(options_.out, format, arguments);
  va_end(arguments);
}

void Operator::PrintTable(const std::vector<std::vector<std::string>>& rows) {
  auto width = [](const std::string& text) { return size_t{CountCodePoints(Str(std::string_view(text)))}; };
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    Print("%s\n", line.c_str());
  }
}

ExitCode Operator::Failed(ExitCode code, const std::string& message) {
  std::fflush(options_.out);
  std::fprintf(options_.errors, "error: %s\n", message.c_str());
  return code;
}

ExitCode Operator::Failed(const Status& status) {
  ExitCode code = ExitCode::kConnector;
  if (status.code() == StatusCode::kInvalid) code = ExitCode::kUsage;
  if (status.code() == StatusCode::kExists) code = ExitCode::kRefused;
  if (status.code() == StatusCode::kCorrupt) code = ExitCode::kStateMismatch;
  if (status.code() == StatusCode::kInternal) code = ExitCode::kInternal;
  return Failed(code, status.message());
}

bool Operator::Confirmed(const std::string& question, ExitCode* code) {
  *code = ExitCode::kOk;
  if (options_.dry_run) {
    Print("dry run: nothing was changed\n");
    return false;
  }
  if (options_.yes) return true;
  if (!options_.terminal) {
    *code = Failed(ExitCode::kUsage, "nobody is there to be asked: add --yes to do it, or --dry-run to see what it would do");
    return false;
  }
  Print("%s [y/N] ", question.c_str());
  std::fflush(options_.out);
  char answer[16] = "";
  if (std::fgets(answer, sizeof answer, stdin) != nullptr && (answer[0] == 'y' || answer[0] == 'Y')) return true;
  Print("nothing was changed\n");
  return false;
}

std::string Operator::At(uint32_t line) const { return line == 0 ? "" : program_.file + ":" + std::to_string(line); }

std::string Counted(uint64_t count, const std::string& what) { return std::to_string(count) + " " + what + (count == 1 ? "" : "s"); }

std::string TimeText(int64_t ns) {
  if (ns == kNoTime) return "-";
  char text[kTimestampTextMax];
  return std::string(text, FormatTimestamp(ns, text));
}

}  // namespace weir
