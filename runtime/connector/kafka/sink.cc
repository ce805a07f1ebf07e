#include "runtime/connector/kafka/sink.h"

#include <charconv>

namespace weir::kafka {
namespace {

// Of a record in a batch, beside key, value and headers, rounded up.
constexpr int64_t kRecordOverhead = 128;

}  // namespace

KafkaSink::KafkaSink(std::string name, std::string topic, std::shared_ptr<Connection> connection,
                     std::shared_ptr<Writer> writer, Clock* clock)
    : name_(std::move(name)),
      topic_(std::move(topic)),
      connection_(std::move(connection)),
      writer_(std::move(writer)),
      clock_(clock) {
  writer_->Add(this);
}

KafkaSink::~KafkaSink() { Close(); }

Status KafkaSink::Open(const SinkPosition&) { return writer_->Open(); }

Status KafkaSink::MakeTopic(rd_kafka_t* producer) {
  rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(producer);
  rd_kafka_topic_conf_set_opaque(conf, this);
  handle_.reset(rd_kafka_topic_new(producer, topic_.c_str(), conf));
  if (handle_) return Status();
  return Status::Invalid("sink `" + name_ + "`: topic `" + topic_ + "`: " + rd_kafka_err2str(rd_kafka_last_error()));
}

std::string KafkaSink::WhyNot(const OutputRecord& record, size_t headers_bytes) const {
  int64_t bytes = int64_t{record.key_size} + record.value_size + static_cast<int64_t>(headers_bytes) + kRecordOverhead;
  if (bytes > limits_.batch_bytes_max) {
    return "topic `" + topic_ + "` takes " + std::to_string(limits_.batch_bytes_max) +
           " bytes (max.message.bytes), the record has " + std::to_string(bytes);
  }
  if (limits_.compacted && !record.has_key) return "topic `" + topic_ + "` is compacted and takes no record without a key";
  return "";
}

Status KafkaSink::Write(const OutputBuffer& outputs, std::vector<Refused>* refused) {
  const char* bytes = outputs.bytes.data();
  int64_t now_ms = -1;
  for (uint32_t i = 0; i < outputs.records.size(); ++i) {
    const OutputRecord& out = outputs.records[i];
    size_t headers_bytes = 0;
    for (uint32_t h = 0; h < out.headers_size; ++h) {
      const OutputHeader& header = outputs.headers[out.headers_begin + h];
      headers_bytes += header.name_size + header.value_size + 16;
    }
    if (std::string why = WhyNot(out, headers_bytes); __builtin_expect(!why.empty(), 0)) {
      refused->push_back({i, std::move(why)});
      continue;
    }
    Writer::Record record;
    record.key = Str(bytes + out.key_begin, out.key_size);
    record.value = Str(bytes + out.value_begin, out.value_size);
    record.has_key = out.has_key;
    record.has_value = out.has_value;
    record.ticket = out.ticket;
    bool time_in_header = false;
    if (out.time_ns != kNoTime) {
      if (now_ms < 0) now_ms = clock_->WallNs() / 1'000'000;
      int64_t ms = out.time_ns >= 0 ? out.time_ns / 1'000'000 : -1;
      // 0 would mean "now" to librdkafka.
      bool taken = ms > 0 && (limits_.before_ms_max >= now_ms || ms >= now_ms - limits_.before_ms_max) &&
                   (limits_.after_ms_max == INT64_MAX || ms <= now_ms + limits_.after_ms_max);
      record.timestamp_ms = taken ? ms : 0;
      time_in_header = !taken;
    }
    if (out.headers_size > 0 || time_in_header) {
      record.headers = rd_kafka_headers_new(out.headers_size + (time_in_header ? 1 : 0));
      for (uint32_t h = 0; h < out.headers_size; ++h) {
        const OutputHeader& header = outputs.headers[out.headers_begin + h];
        rd_kafka_header_add(record.headers, bytes + header.name_begin, header.name_size,
                            header.has_value ? bytes + header.value_begin : nullptr,
                            header.has_value ? static_cast<ssize_t>(header.value_size) : 0);
      }
      if (time_in_header) {
        char text[24];
        int64_t ms = (out.time_ns - (out.time_ns < 0 ? 999'999 : 0)) / 1'000'000;
        char* end = std::to_chars(text, text + sizeof text, ms).ptr;
        rd_kafka_header_add(record.headers, kEventTimeHeader, sizeof kEventTimeHeader - 1, text, end - text);
      }
    }
    if (Status status = writer_->Send(handle_.get(), record); !status.ok()) return status.Within("sink `" + name_ + "`");
  }
  return Status();
}

void KafkaSink::TakeRefused(std::vector<RefusedLater>* refused) {
  for (RefusedLater& r : refused_) refused->push_back(std::move(r));
  refused_.clear();
}

void KafkaSink::Close() {
  if (!writer_) return;
  writer_->Remove(this);
  handle_.reset();
  writer_.reset();
}

}  // namespace weir::kafka
