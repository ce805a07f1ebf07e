// W3 by hand: for each trade GET /accounts/{id}, at most --in-flight at a time, output in the order of the input.
// One thread: an epoll loop over keep-alive connections, one request on each at a time; a ring holds records in order.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/bench/by_hand.h"

using namespace weir_bench;

namespace {

struct Slot {
  int64_t timestamp = 0;
  std::string key, trade, answer;
  bool done = false;
};

struct Connection {
  int fd = -1;
  size_t slot = 0;
  std::string in;
};

class Lookups {
 public:
  Lookups(int port, size_t in_flight_max) : slots_(in_flight_max), connections_(in_flight_max) {
    epoll_ = epoll_create1(0);
    for (size_t i = 0; i < in_flight_max; ++i) {
      int fd = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Die("cannot connect to the service");
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      connections_[i].fd = fd;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
      idle_.push_back(i);
    }
  }

  size_t room() const { return slots_.size() - (end_ - begin_); }
  bool empty() const { return begin_ == end_; }

  void Ask(const rd_kafka_message_t* m, std::string_view account) {
    Slot& slot = slots_[end_ % slots_.size()];
    slot.key.assign(static_cast<const char*>(m->key), m->key_len);
    slot.trade.assign(static_cast<const char*>(m->payload), m->len);
    rd_kafka_timestamp_type_t type;
    slot.timestamp = rd_kafka_message_timestamp(m, &type);
    slot.done = false;
    Connection& connection = connections_[idle_.back()];
    idle_.pop_back();
    connection.slot = end_ % slots_.size();
    char request[256];
    int n = snprintf(request, sizeof request, "GET /accounts/%.*s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     static_cast<int>(account.size()), account.data());
    if (send(connection.fd, request, n, MSG_NOSIGNAL) != n) Die("cannot send to the service");
    ++end_;
  }

  // Takes answers in; calls `each(slot)` for every record that is next in order and answered.
  template <class Each>
  void Poll(int wait_ms, Each&& each) {
    epoll_event events[256];
    int n = epoll_wait(epoll_, events, 256, wait_ms);
    for (int i = 0; i < n; ++i) Receive(events[i].data.u64);
    while (begin_ != end_ && slots_[begin_ % slots_.size()].done) {
      each(slots_[begin_ % slots_.size()]);
      ++begin_;
    }
  }

 private:
  void Receive(size_t index) {
    Connection& connection = connections_[index];
    char buffer[4096];
    ssize_t n = recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) Die("the service closed a connection");
    std::string_view bytes(buffer, n);
    if (!connection.in.empty()) {
      connection.in.append(bytes);
      bytes = connection.in;
    }
    size_t head = bytes.find("\r\n\r\n");
    size_t length_at = bytes.find("Content-Length: ");
    if (head == std::string_view::npos || length_at == std::string_view::npos) {
      connection.in.assign(bytes);
      return;
    }
    size_t length = 0;
    std::from_chars(bytes.data() + length_at + 16, bytes.data() + head, length);
    if (bytes.size() < head + 4 + length) {
      connection.in.assign(bytes);
      return;
    }
    if (!bytes.starts_with("HTTP/1.1 200")) Die("the service refused");
    Slot& slot = slots_[connection.slot];
    slot.answer.assign(bytes.substr(head + 4, length));
    slot.done = true;
    connection.in.clear();
    idle_.push_back(index);
  }

  int epoll_;
  std::vector<Slot> slots_;
  std::vector<Connection> connections_;
  std::vector<size_t> idle_;
  size_t begin_ = 0, end_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  std::string brokers = arguments.Text("brokers");
  Output output(brokers, arguments.Text("out"));
  Input input(brokers, arguments.Text("in"), arguments.Text("group"));
  Lookups lookups(static_cast<int>(arguments.Number("port")), arguments.Number("in-flight", "1000"));
  Json json, account_json;
  Writer out;
  while (!input.AtEnd() || !lookups.empty()) {
    if (!input.AtEnd() && lookups.room() > 0) {
      input.Read(lookups.empty() ? 10 : 0, lookups.room(), [&](const rd_kafka_message_t* m) {
        simdjson::ondemand::document& doc = json.Parse(m->payload, m->len);
        lookups.Ask(m, doc["account"].get_string());
      });
    }
    lookups.Poll(1, [&](const Slot& slot) {
      simdjson::ondemand::document& doc = json.Parse(slot.trade.data(), slot.trade.size());
      int64_t trade_id = doc["trade_id"].get_int64();
      std::string_view symbol = doc["symbol"].get_string();
      std::string_view price = Trimmed(doc["price"].raw_json_token());
      int64_t qty = doc["qty"].get_int64();
      std::string_view account = doc["account"].get_string();
      simdjson::ondemand::document& answer = account_json.Parse(slot.answer.data(), slot.answer.size());
      std::string_view tier = answer["tier"].get_string();
      std::string_view limit = Trimmed(answer["credit_limit"].raw_json_token());
      out.Start();
      out.Text("{\"trade_id\":");
      out.Number(trade_id);
      out.Text(",\"symbol\":\"");
      out.Text(symbol);
      out.Text("\",\"price\":");
      out.Text(price);
      out.Text(",\"qty\":");
      out.Number(qty);
      out.Text(",\"account\":\"");
      out.Text(account);
      out.Text("\",\"tier\":\"");
      out.Text(tier);
      out.Text("\",\"credit_limit\":");
      out.Text(limit);
      out.Text("}");
      output.Write(slot.key.data(), slot.key.size(), out.data(), out.size(), slot.timestamp);
    });
    output.Poll();
  }
  output.Finish();
  input.Commit();
}
