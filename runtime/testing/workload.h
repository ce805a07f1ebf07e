// What happens to a simulated pipeline from outside: records of its sources and tables, and the answers of its lookups'
// services. All of it follows from a seed, and the answers from the request alone, so that a run in which everything goes
// wrong can be compared with one in which nothing does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/program/program.h"
#include "runtime/testing/json_value.h"
#include "runtime/testing/memory_record.h"
#include "runtime/testing/memory_world.h"
#include "runtime/testing/pipeline_shape.h"

namespace weir {

// A header of every record of a source: "trades/2/5" is record 5 of its partition 2. Outputs carry their record's headers.
inline constexpr const char* kOriginHeader = "weir.simulated";

struct WorkloadOptions {
  uint64_t seed = 1;
  int records = 40;          // of each source, about
  // Nothing that a pipeline may stop at: bytes that cannot be decoded, late records, services that fail.
  bool mild = false;
  bool hanging_answers = true;  // some requests, or their first attempts, are never answered
};

class Workload {
 public:
  // All outlive it. Feeds of the program's tests are material for its records.
  Workload(const Program& program, const PipelineShape& shape, const WorkloadOptions& options);

  struct Input {
    std::string source, topic;
    std::vector<std::vector<MemoryRecord>> partitions;
  };
  const std::vector<Input>& inputs() const { return inputs_; }  // of the sources that are no exchange's
  // By the table's name.
  const std::map<std::string, std::vector<MemoryRecord>>& tables() const { return tables_; }
  // What a service says to one attempt. Without a delay.
  ScriptedAnswer Answer(int lookup, const LookupRequest& request) const;
  // The record that an output came from; null: it says nothing of one.
  const MemoryRecord* Origin(const MemoryRecord& output) const;
  size_t records() const;

 private:
  struct Maker;

  const Program& program_;
  const PipelineShape& shape_;
  WorkloadOptions options_;
  std::shared_ptr<const std::map<std::string, std::vector<JsonValue>>> fed_;
  std::vector<Input> inputs_;
  std::map<std::string, std::vector<MemoryRecord>> tables_;
};

// The address of a source's or sink's topic; its name stands for one that a param without a value leaves empty.
std::string TopicOf(const std::string& address, const std::string& name);
// The value of the origin header; empty: there is none.
std::string OriginOf(const MemoryRecord& record);

}  // namespace weir
