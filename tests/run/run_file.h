// A run program: a pipeline with its inputs, what its lookups' services say, and what comes out, in one file.
//
//   // Why this test exists.                        the first line says so
//   // test: run, recover, random                   what is done with it; without this line: run, recover. `recover on the
//                                                   store`: not on transactions
//   pipeline p version 1
//   …
//   --- params
//   limit = 10                                      text as `--set` takes it
//   --- input trades                                of a source, partition 0; `--- input trades/1` is partition 1
//   {"id": 1}      key=A at=1500ms                  a line is a record; key, time and header.NAME stand behind it
//   hex ff fe                                       any bytes
//   --- table instruments
//   {"symbol": "A"}
//   tombstone      key=A                            the row is gone
//   --- lookup account
//   "a1" -> {"name": "Ada"}   after=50ms lost=1     arguments as JSON; how long, and what became of the first attempts
//   "a2" -> missing
//   "a3" -> rejected "no such account"
//   * -> error "out of order"                       everybody else
//   --- expect                                      all below is written by `weir_run --update`
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace run {

struct RunRecord {
  std::string value;
  bool has_value = true;
  std::string key;
  bool has_key = false;
  bool has_time = false;
  int64_t time_ns = 0;
  std::map<std::string, std::string> headers;
};

enum class Says { kFound, kMissing, kTimeout, kRejected, kError };

// What a service answers to some arguments.
struct ServiceLine {
  std::string arguments;      // a JSON array without white space; empty: whatever they are
  Says says = Says::kMissing;
  std::string text;           // found: JSON; rejected and error: the reason
  int64_t after_ns = 0;
  int lost = 0;               // so many first attempts get no answer
  int busy = 0;               // and so many after them are told to come again
};

struct RunFile {
  std::string path;
  std::string name;           // of the file and of the pipeline
  std::string why;            // the first line
  bool recover = true, random = false;
  bool recover_transactions = true;  // `recover on the store`: a topic has no end, at which the last windows would close
  std::string program;
  std::map<std::string, std::string> params;
  std::map<std::string, std::vector<std::vector<RunRecord>>> inputs;  // by source, then partition
  std::map<std::string, std::vector<RunRecord>> tables;
  std::map<std::string, std::vector<ServiceLine>> services;
  std::string head;           // the file without what is expected
  std::string expected;
  // What is wrong with the file's form, with its line; empty when nothing is.
  std::string problem;
};

RunFile ParseRunFile(const std::string& path, std::string_view text);

// A record as input and expected sections have it.
std::string RecordText(const RunRecord& record);

// `1h30m`, `250ms`.
bool ParseDurationText(std::string_view text, int64_t* ns);

}  // namespace run
