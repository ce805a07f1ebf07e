// The slow, obvious evaluator of a typed pipeline over lists: what a run must have put out. It shares nothing with
// runtime/ but the scalar functions of stdlib/, does one record after another, and answers lookups at once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/oracle/evaluate.h"

namespace oracle {

// One record of an input, in the order of its partition.
struct InputRecord {
  std::string value;
  bool has_value = true;   // else it says that a table's row is gone
  std::string key;
  bool has_key = false;
  std::map<std::string, std::string> headers;
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

// What is sent to it.
struct Request {
  std::string verb, target, body;
};

struct Scenario {
  std::vector<std::vector<std::vector<InputRecord>>> sources;  // [source][partition][n]
  std::vector<std::vector<InputRecord>> tables;                // [table][n], loaded before the streams start
  // Arguments as a JSON array in the order of the lookup's parameters.
  std::function<Answer(int lookup, const std::string& arguments, const Request& request)> answer;
  std::vector<Value> params;
  // What of a record anybody reads, by index; decoders pass over the rest, whatever it is. Empty: all of it.
  std::vector<Reads> source_reads, table_reads, lookup_reads;
  // Event times above it are bad input.
  Big time_max_ns = INT64_MAX;
};

struct Output {
  int sink = -1;
  int partition = -1;     // of the source it came from; -1: out of a window fed by several partitions
  bool has_key = false;
  std::string key;
  std::string value;      // JSON
  bool has_time = false;
  Big time_ns = 0;
  std::map<std::string, std::string> headers;
  // Outputs of one sink with the same sequence come in this order in every run: a partition, or a key within it.
  std::string sequence;
};

struct DeadRecord {
  int deadletter = -1;
  std::string step;
  std::string reason;     // bad_input, missing_row, lookup_missing, … as DeadReasonName has them
  std::string origin;     // the source, table or window step that made it
  bool from_window = false;
  int partition = -1;
  long long offset = -1;  // of a window: its start in ns
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
