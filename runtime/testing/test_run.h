// One `test` block: the pipeline on virtual time, fed and asked as the block says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/program/program.h"
#include "runtime/testing/json_value.h"

namespace weir {

// An expectation that did not hold, or another thing that went wrong.
struct TestFailure {
  uint32_t line = 0;                  // in the .weir file
  std::vector<std::string> lines;     // what, one thing a line
  bool expectation = false;           // then `records` could stand in its place
  std::vector<JsonValue> records;
};

struct TestResult {
  bool ok() const { return failures.empty(); }
  std::vector<TestFailure> failures;
};

// Runs one test of the program on a world of its own.
//
// Items run in order. A feed runs until nothing can be done without time passing. `wait` lets that much time pass.
// Before an expectation, time passes until all lookups have answered or failed; no more than that, so windows close by
// later records or by `wait` (idleness). An expectation sees everything the stream put out since the test began.
TestResult RunTest(const Program& program, const TestSpec& test);

}  // namespace weir
