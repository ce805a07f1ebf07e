// One question to the broker by way of librdkafka's admin interface: its options, the queue its answer comes on, and the
// answer.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/connector/kafka/client.h"

namespace weir::kafka {

class Request {
 public:
  // Without an answer after `wait_ns_max` it is given up.
  Request(Client& client, rd_kafka_admin_op_t operation, int64_t wait_ns_max);

  rd_kafka_AdminOptions_t* options() { return options_.get(); }
  rd_kafka_queue_t* queue() { return queue_.get(); }

  // Waits for the answer. A broker that cannot be reached is told from one that refuses.
  Status Wait(const std::string& what);
  // Waits so long at most. True: it is over, and Result says how.
  bool Poll(int wait_ms);
  Status Result(const std::string& what);

  // The answer, once there is one.
  rd_kafka_event_t* event() { return event_.get(); }

 private:
  Client& client_;
  int wait_ms_;
  int64_t end_ns_;
  AdminOptions options_;
  Queue queue_;
  Event event_;
};

}  // namespace weir::kafka
