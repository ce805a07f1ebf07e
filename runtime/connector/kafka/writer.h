// Data layer of writing, at least once: one idempotent producer per worker and connection, shared by its sinks. Records
// are sent until they are acknowledged; what is on its way is bounded by the worker, which stops taking input.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/connection.h"
#include "runtime/connector/kafka/sink_record.h"
#include "runtime/connector/kafka/topics.h"
#include "runtime/engine/sink.h"
#include "runtime/engine/ticket.h"

namespace weir::kafka {

class KafkaSink;

// All calls on the worker's thread, except Add (building thread).
class Writer {
 public:
  Writer(Connection* connection, int worker, Loop* loop);
  ~Writer();

  void Add(KafkaSink* sink);
  void Remove(KafkaSink* sink);
  // Looks at the topics of all sinks (they share the size of a batch) and makes the producer, at the first call.
  Status Open();
  rd_kafka_t* get() const { return client_->get(); }

  // Copies the record, and takes its headers. Fails only for good. `ticket` is lowered when the broker has acknowledged
  // the record.
  Status Send(rd_kafka_topic_t* topic, const Record& record, Ticket* ticket);
  bool Full() const { return bytes_ >= bytes_max_ || records_ >= records_max_; }
  // Serves acknowledgements.
  Status Poll();
  void Flush();

 private:
  static void OnDelivered(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque);
  void Delivered(const rd_kafka_message_t* message);
  void SendAgain(const rd_kafka_message_t* message);
  void LowerTickets();

  Connection* connection_;
  int worker_;
  Loop* loop_;
  std::vector<KafkaSink*> sinks_;
  std::unique_ptr<Client> client_;
  Queue acknowledgements_;
  std::atomic<bool> ready_{false};
  uint64_t bytes_ = 0, records_ = 0;  // on their way
  uint64_t bytes_max_ = 32 << 20, records_max_ = 200'000;
  // Acknowledgements come in order and mostly for one ticket: it is lowered once for all of them.
  Ticket* ticket_ = nullptr;
  uint32_t ticket_count_ = 0;
  Status failed_;
  bool closing_ = false;
};

}  // namespace weir::kafka
