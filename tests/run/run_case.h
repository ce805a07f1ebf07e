// A run program, compiled twice: to C++ that is linked in here, and to the typed pipeline that the slow evaluator runs.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/check/typed.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"
#include "compiler/plan/plan.h"
#include "runtime/program/program.h"
#include "runtime/program/settings.h"
#include "tests/oracle/pipeline.h"
#include "tests/run/run_file.h"
#include "tests/run/service.h"

namespace run {

// The generated programs of this folder, in a file that the build writes.
struct LinkedProgram {
  const char* name;
  const weir::Compiled& (*compiled)();
};
extern const LinkedProgram kLinkedPrograms[];
extern const int kLinkedProgramCount;

// The stages of the compiler up to the plan that is emitted.
struct Front {
  weirc::SourceSet sources;
  weirc::Diagnostics diagnostics;
  weirc::ast::File tree;
  weirc::typed::TypedPipeline typed;
  weirc::plan::Plan plan;
};
// Null, with the diagnostics as text, when the program has errors.
std::unique_ptr<Front> CompileProgram(const std::string& name, const std::string& program, std::string* errors);

// Inputs of one run.
struct RunInput {
  std::map<std::string, std::vector<std::vector<RunRecord>>> sources;  // by name, then partition
  std::map<std::string, std::vector<RunRecord>> tables;
};

class RunCase {
 public:
  // Not ready when `problem` is not empty.
  explicit RunCase(RunFile file);

  RunFile file;
  std::string problem;
  std::unique_ptr<Front> front;
  weir::Program program;   // built with the file's params
  RunInput input;          // of the file

  const weirc::typed::TypedPipeline& typed() const { return front->typed; }
  // What the service says to these arguments.
  ServiceLine Service(const std::string& lookup, const std::string& arguments) const;
  const Policy& policy(const std::string& lookup) const { return policies_.at(lookup); }
  const std::vector<oracle::Value>& params() const { return params_; }
  const std::vector<oracle::Reads>& source_reads() const { return source_reads_; }
  const std::vector<oracle::Reads>& table_reads() const { return table_reads_; }
  const std::vector<oracle::Reads>& lookup_reads() const { return lookup_reads_; }

  // Answers that no line of the file gives; made from the arguments. Used with random inputs.
  std::function<ServiceLine(const std::string& lookup, const std::string& arguments)> make_answer;

 private:
  void ReadParams();
  void ReadPolicies();
  void ReadReads();

  std::unique_ptr<weir::Settings> settings_;
  std::vector<oracle::Value> params_;
  std::map<std::string, Policy> policies_;
  std::vector<oracle::Reads> source_reads_, table_reads_, lookup_reads_;
};

// ---- What must come out ----

struct ExpectedRecord {
  std::string text;      // as ActualText has it
  std::string sequence;  // records of one sequence keep their order
};
struct ExpectedSink {
  std::string name;
  bool dead = false, topic = false;
  std::vector<ExpectedRecord> records;
};
struct Expected {
  std::vector<ExpectedSink> sinks;                     // in the order of the pipeline
  std::map<std::pair<std::string, bool>, int> dropped;  // by step and whether it was late
  // By lookup, verb, target and body of a request: its arguments.
  std::map<std::string, std::string> requests;
  bool stopped = false;
};
Expected Expect(const RunCase& run, const RunInput& input);
std::string RequestKey(const std::string& lookup, std::string_view verb, std::string_view target, std::string_view body);

}  // namespace run
