// What a pipeline's records, answers and sinks look like, as its compiler wrote it down for the simulation
// (compiler/driver/pipeline_shape.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct ValueShape {
  enum Kind : unsigned char {
    kBool, kInt32, kInt64, kFloat64, kDecimal, kString, kBytes, kTimestamp, kDuration, kDate, kEnum, kRecord, kList, kMap,
    kOptional
  } kind = kString;
  int precision = 0, scale = 0;     // decimals
  std::vector<std::string> texts;   // enums: as data has them
  std::vector<ValueShape> fields;   // records
  std::shared_ptr<ValueShape> element;  // lists, maps, optionals
  std::string name;                 // of a field: as data has it
  bool may_miss = false;            // of a field
};

// A source, a table, or what a lookup answers.
struct RecordShape {
  std::string name;
  bool raw = false;                 // the one field is the whole value
  ValueShape record;
  std::vector<std::vector<std::string>> key;  // each part's path in the record
};

struct SinkShape {
  enum Order : unsigned char {
    kNone, kPartition, kPartitionAndKey, kKey, kAll
  } order = kNone;                  // records for which this is equal keep their order
  enum Compare : unsigned char { kWhole, kKeyAndTime, kNothing } compare = kWhole;
  std::string name;
  std::string why;                  // less than the whole is compared
};

struct PipelineShape {
  std::vector<RecordShape> sources, tables, lookups;
  std::vector<SinkShape> sinks;     // of records; those of dead letters are not among them
};

// False, with the reason in *error, for text that is no such description.
bool ParsePipelineShape(std::string_view text, PipelineShape* shape, std::string* error);

}  // namespace weir
