// main() of what `weir test` and `weir simulate` link: runs the pipeline's test blocks and says how they went, or with
// --simulate in front what is in simulate_main.h.
//
//   --filter TEXT    only tests whose names contain TEXT
//   --update FILE    writes what should stand in place of `expect … exactly` that failed, a JSON object per line:
//                    {"line": of the expectation, "text": as a literal of the language, "records": [as JSON]}
//   --set, WEIR_…    params, as of the pipeline itself; those without a default are zero or empty
//
// Exit code 0 when all tests passed, 1 otherwise.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/engine/exit_code.h"
#include "runtime/program/program.h"
#include "runtime/program/settings.h"
#include "runtime/testing/simulate_main.h"
#include "runtime/testing/test_run.h"

namespace weir {

namespace {

std::string UpdateLine(const TestFailure& failure) {
  std::string text = "[", records = "[";
  for (const JsonValue& record : failure.records) {
    text += (text.size() > 1 ? ",\n" : "\n") + std::string("    ") + FormatLiteral(record);
    records += (records.size() > 1 ? ", " : "") + FormatJson(record);
  }
  text += failure.records.empty() ? "]" : ",\n  ]";
  JsonValue quoted;
  quoted.kind = JsonValue::kString;
  quoted.text = text;
  return fmt::format("{{\"line\": {}, \"text\": {}, \"records\": {}]}}\n", failure.line, FormatJson(quoted), records);
}

}  // namespace

int TestMain(const Compiled& compiled, int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--simulate") == 0) return SimulateMain(compiled, argc - 1, argv + 1);
  std::string filter, update;
  SettingSources sources = ProcessSources(0, argv, 0);
  sources.flags.clear();
  sources.environment.clear();  // a test is the same everywhere
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (flag == "--filter" && i + 1 < argc) {
      filter = argv[++i];
    } else if (flag == "--update" && i + 1 < argc) {
      update = argv[++i];
    } else {
      sources.flags.push_back(flag);
    }
  }
  Settings settings(compiled);
  settings.Load(sources);
  settings.FillMissing();
  compiled.load_params(settings);
  Program program;
  compiled.build(&program);

  size_t run = 0, failed = 0;
  std::string updates;
  for (const TestSpec& test : program.tests) {
    if (test.name.find(filter) == std::string::npos) continue;
    ++run;
    TestResult result = RunTest(program, test);
    if (result.ok()) {
      fmt::print("{}:{}: ok: {}\n", compiled.file, test.line, test.name);
      continue;
    }
    ++failed;
    fmt::print("{}:{}: FAILED: {}\n", compiled.file, test.line, test.name);
    for (const TestFailure& failure : result.failures) {
      for (size_t i = 0; i < failure.lines.size(); ++i) {
        if (i == 0) {
          fmt::print("  {}:{}: {}\n", compiled.file, failure.line, failure.lines[i]);
        } else {
          fmt::print("  {}\n", failure.lines[i]);
        }
      }
      if (failure.expectation) updates += UpdateLine(failure);
    }
  }
  if (run == 0 && !filter.empty()) {
    fmt::print("{}: no test is called like `{}`\n", compiled.file, filter);
  } else {
    fmt::print("{}: {} {}, {} failed\n", compiled.file, run, run == 1 ? "test" : "tests", failed);
  }
  if (!update.empty()) {
    std::FILE* file = std::fopen(update.c_str(), "w");
    if (file == nullptr || std::fwrite(updates.data(), 1, updates.size(), file) != updates.size() ||
        std::fclose(file) != 0) {
      fmt::print(stderr, "cannot write {}: {}\n", update, std::strerror(errno));
      return 1;
    }
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace weir
