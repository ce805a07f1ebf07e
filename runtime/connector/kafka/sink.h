// Sink that writes to a topic. See runtime/engine/sink.h for what is asked of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/writer.h"
#include "runtime/engine/clock.h"
#include "runtime/engine/sink.h"

namespace weir::kafka {

class KafkaSink final : public Sink {
 public:
  KafkaSink(std::string name, std::string topic, std::shared_ptr<Connection> connection, std::shared_ptr<Writer> writer,
            Clock* clock);
  ~KafkaSink() override;

  Status Open(const SinkPosition& committed) override;
  Status Write(const OutputBuffer& outputs, std::vector<Refused>* refused) override;
  bool Full() override { return writer_->Full(); }
  Status Poll() override { return writer_->Poll(); }
  void Flush() override { writer_->Flush(); }
  bool store_backed() const override { return false; }
  void TakeRefused(std::vector<RefusedLater>* refused) override;
  void Close() override;

  const std::string& topic() const { return topic_; }
  const std::string& name() const { return name_; }
  // From the writer: what the topic accepts, and a record the broker refused.
  void SetLimits(const TopicLimits& limits) { limits_ = limits; }
  Status MakeTopic(rd_kafka_t* producer);
  void AddRefused(RefusedLater refused) { refused_.push_back(std::move(refused)); }

 private:
  std::string name_;
  std::string topic_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Writer> writer_;
  Clock* clock_;
  TopicLimits limits_;
  Topic handle_;
  std::vector<RefusedLater> refused_;
};

}  // namespace weir::kafka
