// The slow, obvious evaluator of a typed pipeline over lists: what a run must have put out. It shares nothing with
// runtime/ but the scalar functions of stdlib/, does one record after another, and answers lookups at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/oracle/evaluate.h"

namespace oracle {

// One record of an input, in the order of its partition.
struct InputRecord {
  std::string value;
  std::string key;
  bool has_key = false;
  long long timestamp_ns = 0;
  bool has_timestamp = false;
  long long offset = 0;
};

// What a lookup's service says to one request.
struct Answer {
  int outcome = 0;     // 0 found, 1 missing, 2 timeout, 3 rejected, 4 error
  std::string json;    // found
  std::string reason;  // not found
};

struct Scenario {
  std::vector<std::vector<std::vector<InputRecord>>> sources;  // [source][partition][n]
  std::vector<std::vector<InputRecord>> tables;                // [table][n], loaded before the streams start
  // Arguments as a JSON array in the order of the lookup's parameters.
  std::function<Answer(int lookup, const std::string& arguments)> answer;
  std::vector<Value> params;
};

struct Output {
  int sink = -1;
  int source = -1;
  int partition = -1;     // of the source it came from; -1: out of a window fed by several partitions
  bool has_key = false;
  std::string key;
  std::string value;      // JSON
  Big time_ns = 0;
};

struct DeadRecord {
  int deadletter = -1;
  std::string step;
  std::string reason;     // bad_input, missing_row, lookup_missing, … as DeadReasonName has them
  int source = -1;
  int partition = -1;
  long long offset = -1;
  std::string raw;
};

struct Result {
  std::vector<Output> outputs;      // per source and partition in order
  std::vector<DeadRecord> dead;
  std::vector<std::pair<std::string, std::string>> dropped;  // step and reason
  bool stopped = false;             // an `on … stop` was met; nothing after it counts
  // Records of each stream in order, as JSON: what a test's `expect` looks at. [stream]
  std::vector<std::vector<std::string>> streams;
};

Result Run(const weirc::typed::TypedPipeline& pipeline, const Scenario& scenario);

}  // namespace oracle
