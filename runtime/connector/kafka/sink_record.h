// From an output of the engine to a record as librdkafka takes it, and what a topic can never take. Shared by sinks that
// write at once and by transactions.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/connector/kafka/handles.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/sink.h"

namespace weir::kafka {

// The header that carries the event time (epoch milliseconds) of a record whose time the topic does not take.
inline constexpr char kEventTimeHeader[] = "weir.event_time";

struct Record {
  Str key, value;
  bool has_key = false, has_value = true;
  int64_t timestamp_ms = 0;               // 0: now
  rd_kafka_headers_t* headers = nullptr;  // Produce takes it when it succeeds
};

// Empty, or why the topic can never take this record.
std::string WhyNot(const std::string& topic, const TopicLimits& limits, const OutputBuffer& outputs,
                   const OutputRecord& record);

// A record without headers fits a topic that takes batches of so many bytes.
bool FitsBatch(const Record& record, int64_t batch_bytes_max);

// Turns the outputs of one buffer into records; the wall clock is read once for all of them.
class RecordMaker {
 public:
  RecordMaker(const OutputBuffer& outputs, const TopicLimits& limits, Clock* clock)
      : outputs_(outputs), limits_(limits), clock_(clock) {}
  Record Make(const OutputRecord& output);

 private:
  const OutputBuffer& outputs_;
  const TopicLimits& limits_;
  Clock* clock_;
  int64_t now_ms_ = -1;
};

// Hands a copy of the record to the producer. `partition` -1: its key decides. `opaque` comes back with the delivery
// report.
Error Produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, int32_t partition, const Record& record, void* opaque);

// A delivery report's error: the broker refused this record and would refuse it again, while others are fine.
bool IsRecordsFault(rd_kafka_resp_err_t code);

// Nothing is wrong with this record, but another one of its batch was refused, and all of the batch with it. librdkafka
// has a code for that (__INVALID_DIFFERENT_RECORD), but leaves it out when a single record of the batch was at fault:
// then all have that one's code, and only a text tells them apart.
bool FellWithAnother(const rd_kafka_message_t* message);

// The batch size of a producer whose tightest topic takes batches of `batch_bytes_max`: a broker refuses a batch that is
// too large with every record in it.
std::string BatchSize(const Settings& settings, int64_t batch_bytes_max);

}  // namespace weir::kafka
