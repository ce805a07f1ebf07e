#include "runtime/connector/kafka/sink_record.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace weir::kafka {
namespace {

// Of a record in a batch, beside key, value and headers, rounded up.
constexpr int64_t kRecordOverhead = 128;
constexpr int64_t kHeaderOverhead = 16;
// What librdkafka counts on top of key and value when it fills a batch, rounded up.
constexpr int64_t kBatchOverhead = 512;
constexpr int64_t kBatchBytes = 1'000'000;

}  // namespace

std::string WhyNot(const std::string& topic, const TopicLimits& limits, const OutputBuffer& outputs,
                   const OutputRecord& record) {
  int64_t bytes = int64_t{record.key_size} + record.value_size + kRecordOverhead;
  for (uint32_t h = 0; h < record.headers_size; ++h) {
    const OutputHeader& header = outputs.headers[record.headers_begin + h];
    bytes += int64_t{header.name_size} + header.value_size + kHeaderOverhead;
  }
  if (bytes > limits.batch_bytes_max) {
    return "topic `" + topic + "` takes " + std::to_string(limits.batch_bytes_max) +
           " bytes (max.message.bytes), the record has " + std::to_string(bytes);
  }
  if (limits.compacted && !record.has_key) return "topic `" + topic + "` is compacted and takes no record without a key";
  return "";
}

bool FitsBatch(const Record& record, int64_t batch_bytes_max) {
  return static_cast<int64_t>(record.key.size + record.value.size) + kRecordOverhead <= batch_bytes_max;
}

Record RecordMaker::Make(const OutputRecord& output) {
  const char* bytes = outputs_.bytes.data();
  Record record;
  record.key = Str(bytes + output.key_begin, output.key_size);
  record.value = Str(bytes + output.value_begin, output.value_size);
  record.has_key = output.has_key;
  record.has_value = output.has_value;
  bool time_in_header = false;
  if (output.time_ns != kNoTime) {
    if (now_ms_ < 0) now_ms_ = clock_->WallNs() / 1'000'000;
    int64_t ms = output.time_ns >= 0 ? output.time_ns / 1'000'000 : -1;
    // 0 would mean "now" to librdkafka.
    bool taken = ms > 0 && (limits_.before_ms_max >= now_ms_ || ms >= now_ms_ - limits_.before_ms_max) &&
                 (limits_.after_ms_max == INT64_MAX || ms <= now_ms_ + limits_.after_ms_max);
    record.timestamp_ms = taken ? ms : 0;
    time_in_header = !taken;
  }
  if (output.headers_size == 0 && !time_in_header) return record;
  record.headers = rd_kafka_headers_new(output.headers_size + (time_in_header ? 1 : 0));
  for (uint32_t h = 0; h < output.headers_size; ++h) {
    const OutputHeader& header = outputs_.headers[output.headers_begin + h];
    rd_kafka_header_add(record.headers, bytes + header.name_begin, header.name_size,
                        header.has_value ? bytes + header.value_begin : nullptr,
                        header.has_value ? static_cast<ssize_t>(header.value_size) : 0);
  }
  if (time_in_header) {
    char text[24];
    int64_t ms = (output.time_ns - (output.time_ns < 0 ? 999'999 : 0)) / 1'000'000;
    char* end = std::to_chars(text, text + sizeof text, ms).ptr;
    rd_kafka_header_add(record.headers, kEventTimeHeader, sizeof kEventTimeHeader - 1, text, end - text);
  }
  return record;
}

Error Produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, int32_t partition, const Record& record, void* opaque) {
  rd_kafka_vu_t fields[8];
  size_t n = 0;
  auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    fields[n].vtype = type;
    return fields[n++];
  };
  add(RD_KAFKA_VTYPE_RKT).u.rkt = topic;
  add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = opaque;
  if (partition >= 0) add(RD_KAFKA_VTYPE_PARTITION).u.i32 = partition;
  // An empty string is not the same as none: it needs an address.
  static char empty = 0;
  if (record.has_key) {
    rd_kafka_vu_t& key = add(RD_KAFKA_VTYPE_KEY);
    key.u.mem.ptr = record.key.size ? const_cast<char*>(record.key.data) : &empty;
    key.u.mem.size = record.key.size;
  }
  if (record.has_value) {
    rd_kafka_vu_t& value = add(RD_KAFKA_VTYPE_VALUE);
    value.u.mem.ptr = record.value.size ? const_cast<char*>(record.value.data) : &empty;
    value.u.mem.size = record.value.size;
  }
  if (record.timestamp_ms > 0) add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms;
  if (record.headers) add(RD_KAFKA_VTYPE_HEADERS).u.headers = record.headers;
  return Error(rd_kafka_produceva(producer, fields, n));
}

bool IsRecordsFault(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return true;
    default:
      return false;
  }
}

bool FellWithAnother(const rd_kafka_message_t* message) {
  if (message->err == RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD) return true;
  const char* text = rd_kafka_message_produce_errstr(message);
  return text && strstr(text, "part of a batch");
}

std::string BatchSize(const Settings& settings, int64_t batch_bytes_max) {
  int64_t size = std::min(kBatchBytes, batch_bytes_max - kBatchOverhead);
  if (const std::string* asked = settings.Find("batch.size")) size = std::min<int64_t>(size, atoll(asked->c_str()));
  return std::to_string(std::max<int64_t>(size, 1));
}

}  // namespace weir::kafka
