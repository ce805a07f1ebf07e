#include "runtime/connector/kafka/sink.h"

namespace weir::kafka {

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

Status KafkaSink::Write(const OutputBuffer& outputs, std::vector<Refused>* refused) {
  RecordMaker maker(outputs, limits_, clock_);
  for (uint32_t i = 0; i < outputs.records.size(); ++i) {
    const OutputRecord& output = outputs.records[i];
    if (std::string why = WhyNot(topic_, limits_, outputs, output); __builtin_expect(!why.empty(), 0)) {
      refused->push_back({i, std::move(why)});
      continue;
    }
    Status status = writer_->Send(handle_.get(), maker.Make(output), output.ticket);
    if (!status.ok()) return status;
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
