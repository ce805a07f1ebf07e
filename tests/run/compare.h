// Compares what a run put out with what the slow evaluator says.
#pragma once

#include <string>
#include <vector>

#include "tests/run/engine_run.h"
#include "tests/run/run_case.h"

namespace run {

// A sink's record as ExpectedRecord::text has it.
std::string ActualText(const weir::MemoryRecord& record, const ExpectedSink& sink);

// Of one sink. Empty when all is there, once (or at least once), nothing else, and in order.
std::string CompareSink(const ExpectedSink& expected, const std::vector<std::string>& actual, bool exactly_once);

// Everything about a run that came to its end. Empty when all is well.
std::string Compare(const RunCase& run, const Expected& expected, const RunResult& result);

// What stands below `--- expect` in the file, of a straight run that compared well.
std::string GoldenText(const RunCase& run, const Expected& expected, const RunResult& result);

}  // namespace run
