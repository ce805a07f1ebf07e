// What every operator's command is given: the program, what the operator set, and clients of its Kafka connections.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/operator_client.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/exit_code.h"
#include "runtime/engine/log.h"
#include "runtime/program/program.h"

namespace weir {

class Operator {
 public:
  struct Options {
    Properties kafka;         // properties of librdkafka
    std::string group;        // empty: as the pipeline says
    std::string state_dir;
    bool create_topics = true;  // the pipeline's own, where they are missing
    bool yes = false;         // does not ask
    bool dry_run = false;     // shows what would be done, and does nothing
    Log* log = nullptr;
    Clock* clock = nullptr;
    FILE* out = stdout;
    FILE* errors = stderr;
    bool terminal = false;    // somebody is there to be asked
  };
  Operator(const Program& program, Options options) : program_(program), options_(std::move(options)) {}

  const Program& program() const { return program_; }
  const Options& options() const { return options_; }

  // The client of a Kafka connection (index into Program::connections), made at the first call.
  Status Client(int connection, kafka::OperatorClient** out);

  [[gnu::format(printf, 2, 3)]] void Print(const char* format, ...);
  // Columns as wide as they must be; the first row is the head.
  void PrintTable(const std::vector<std::vector<std::string>>& rows);
  // The message on stderr; the code as it came.
  ExitCode Failed(const Status& status);
  ExitCode Failed(ExitCode code, const std::string& message);

  // True: do it. With `dry_run` false and no word; else yes was given, or somebody at the terminal says so. Where nobody can
  // be asked, an error names --yes.
  bool Confirmed(const std::string& question, ExitCode* code);

  // "pipeline.weir:32", or empty for line 0.
  std::string At(uint32_t line) const;

 private:
  const Program& program_;
  Options options_;
  std::map<int, std::unique_ptr<kafka::OperatorClient>> clients_;
};

// "1 record", "2 records".
std::string Counted(uint64_t count, const std::string& what);
// RFC 3339, or "-" for no time.
std::string TimeText(int64_t ns);

}  // namespace weir
