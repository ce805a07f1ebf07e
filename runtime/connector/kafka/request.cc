#include "runtime/connector/kafka/request.h"

#include <algorithm>

namespace weir::kafka {
namespace {

// librdkafka gives a request up by itself; this much later nothing will come any more.
constexpr int64_t kGraceNs = 500'000'000;

}  // namespace

Request::Request(Client& client, rd_kafka_admin_op_t operation, int64_t wait_ns_max)
    : client_(client),
      wait_ms_(static_cast<int>(std::clamp<int64_t>(wait_ns_max / 1'000'000, 1, 3'600'000))),
      end_ns_(MonoNs() + int64_t{wait_ms_} * 1'000'000 + kGraceNs),
      options_(rd_kafka_AdminOptions_new(client.get(), operation)),
      queue_(rd_kafka_queue_new(client.get())) {
  char error[256];
  rd_kafka_AdminOptions_set_request_timeout(options_.get(), wait_ms_, error, sizeof error);
}

bool Request::Poll(int wait_ms) {
  if (!event_) event_.reset(rd_kafka_queue_poll(queue_.get(), wait_ms));
  // Errors of the connection come to the client's own queue, which nobody else polls at this time.
  return event_ || MonoNs() > end_ns_ || client_.refused_us();
}

Status Request::Result(const std::string& what) {
  if (!event_) return client_.Unreachable();
  rd_kafka_resp_err_t code = rd_kafka_event_error(event_.get());
  if (!code) return Status();
  if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT) return client_.Unreachable();
  const char* text = rd_kafka_event_error_string(event_.get());
  return client_.ToStatus(code, what, text ? text : "");
}

Status Request::Wait(const std::string& what) {
  while (!Poll(100)) {
  }
  return Result(what);
}

}  // namespace weir::kafka
