// The lookup peer's event loop: connections, delays and orders of answers. Its control port is lookup_peer_control.cc.
#include "tests/servers/lookup_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/servers/accounts.h"

namespace weir_test {
namespace {

// Answers due within one tick leave together: a wake-up per answer would cost more than the answer.
constexpr int64_t kTickNs = 100'000;
constexpr uint32_t kListenerSlot = 0xffffffff;
constexpr uint32_t kControlListenerSlot = 0xfffffffe;

int64_t NowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

const char* Reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

void AppendAnswer(std::string* out, int status, std::string_view body, bool close) {
  char head[160];
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n", status,
                   Reason(status), close ? "Connection: close\r\n" : "", body.size());
  out->append(head, n);
  out->append(body);
}

}  // namespace

struct LookupPeer::Connection {
  int fd = -1;
  uint32_t incarnation = 0;
  bool control = false;
  bool wants_write = false;
  uint32_t next_request = 0;
  std::string in;
  std::string out;
  std::deque<Pending> pending;  // a connection's answers leave in the order of its requests
};

LookupPeer::LookupPeer(const PeerOptions& options) : options_(options) {}

LookupPeer::~LookupPeer() {
  for (auto& connection : connections_) {
    if (connection->fd >= 0) close(connection->fd);
  }
  for (int fd : {epoll_, listener_, control_listener_}) {
    if (fd >= 0) close(fd);
  }
}

int LookupPeer::Listen(int port, int* bound) {
  // Free ports come from below the ephemeral range: see process.py, free_port.
  std::random_device device;
  for (int attempt = 0; attempt < 200; ++attempt) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int wanted = port ? port : 15000 + static_cast<int>(device() % 17000);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(fd, 4096) == 0) {
      *bound = wanted;
      return fd;
    }
    int error = errno;
    close(fd);
    if (port) {
      fprintf(stderr, "lookup_peer: cannot listen on 127.0.0.1:%d: %s\n", port, strerror(error));
      return -1;
    }
  }
  fprintf(stderr, "lookup_peer: no free port on 127.0.0.1\n");
  return -1;
}

bool LookupPeer::Open() {
  if (!options_.data_path.empty()) LoadData(options_.data_path, options_.data_key);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  listener_ = Listen(options_.port, &port_);
  control_listener_ = Listen(options_.control_port, &control_port_);
  if (listener_ < 0 || control_listener_ < 0) return false;
  WatchListener();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kControlListenerSlot;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, control_listener_, &event);
  return true;
}

void LookupPeer::LoadData(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  if (!file) {
    fprintf(stderr, "lookup_peer: cannot read %s\n", path.c_str());
    exit(1);
  }
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains(key)) {
      fprintf(stderr, "lookup_peer: %s: a line is no JSON object with \"%s\": %s\n", path.c_str(), key.c_str(),
              line.c_str());
      exit(1);
    }
    const nlohmann::json& id = row[key];
    data_[id.is_string() ? id.get<std::string>() : id.dump()] = line;
  }
}

void LookupPeer::Run() {
  std::vector<epoll_event> events(1024);
  for (;;) {
    int64_t now = NowNs();
    int64_t next = due_.empty() ? -1 : due_.top().at_ns;
    if (!group_.empty() && (next < 0 || group_since_ns_ + group_wait_ns_ < next)) {
      next = group_since_ns_ + group_wait_ns_;
    }
    timespec wait{};
    if (next > now) {
      wait.tv_sec = (next - now) / 1'000'000'000;
      wait.tv_nsec = (next - now) % 1'000'000'000;
    }
    int n = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), next < 0 ? nullptr : &wait, nullptr);
    for (int i = 0; i < n; ++i) {
      uint32_t slot = events[i].data.u32;
      if (slot == kListenerSlot) {
        Accept(listener_, false);
      } else if (slot == kControlListenerSlot) {
        Accept(control_listener_, true);
      } else if (connections_[slot]->fd >= 0) {
        if (events[i].events & EPOLLOUT) Writable(slot);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) Readable(slot);
      }
    }
    now = NowNs();
    if (!group_.empty() && now >= group_since_ns_ + group_wait_ns_) GroupFull();
    AnswerDue(now);
  }
}

void LookupPeer::Accept(int listener, bool control) {
  for (;;) {
    int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint32_t slot;
    if (free_slots_.empty()) {
      slot = static_cast<uint32_t>(connections_.size());
      connections_.push_back(std::make_unique<Connection>());
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    Connection& connection = *connections_[slot];
    connection.fd = fd;
    connection.control = control;
    if (!control) ++accepted_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = slot;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void LookupPeer::Drop(uint32_t slot, bool reset) {
  Connection& connection = *connections_[slot];
  if (connection.fd < 0) return;
  if (reset) {
    linger hard{1, 0};  // close sends RST
    setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  close(connection.fd);
  in_flight_ -= connection.pending.size();
  ++connection.incarnation;
  connection.fd = -1;
  connection.wants_write = false;
  connection.in.clear();
  connection.out.clear();
  connection.pending.clear();
  free_slots_.push_back(slot);
}

void LookupPeer::Readable(uint32_t slot) {
  Connection& connection = *connections_[slot];
  char buffer[16 * 1024];
  ssize_t n = recv(connection.fd, buffer, sizeof buffer, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    Drop(slot, false);
    return;
  }
  if (n < 0) return;
  std::string_view bytes(buffer, n);
  bool copied = !connection.in.empty();
  if (copied) {
    connection.in.append(bytes);
    bytes = connection.in;
  }
  uint32_t incarnation = connection.incarnation;
  size_t at = 0;
  while (at < bytes.size()) {
    HttpRequest request;
    size_t used = 0;
    HttpParse result = ParseHttpRequest(bytes.substr(at), &request, &used);
    if (result == HttpParse::kPartial) break;
    if (result == HttpParse::kBroken) {
      Drop(slot, false);
      return;
    }
    Serve(slot, request);
    if (connection.fd < 0 || connection.incarnation != incarnation) return;
    at += used;
  }
  if (copied) {
    connection.in.erase(0, at);
  } else {
    connection.in.assign(bytes.substr(at));
  }
}

void LookupPeer::Serve(uint32_t slot, const HttpRequest& request) {
  Connection& connection = *connections_[slot];
  if (connection.control) {
    int status = 200;
    std::string body = Control(request, &status);
    std::string answer;
    AppendAnswer(&answer, status, body, false);
    if (connection.fd >= 0) Send(slot, answer);
    return;
  }
  std::string_view path = request.target.substr(0, request.target.find('?'));
  ++arrivals_;
  if (++in_flight_ > in_flight_max_) in_flight_max_ = in_flight_;
  Pending pending;
  pending.request = connection.next_request++;
  pending.close_after = request.close;
  pending.body = BodyFor(request, path, &pending.status);
  double delay_ms = options_.delay_min_ms;
  if (options_.delay_max_ms > options_.delay_min_ms) {
    delay_ms += (options_.delay_max_ms - options_.delay_min_ms) *
                (static_cast<double>(random_() >> 11) * 0x1.0p-53);
  }
  bool in_order = !hold_ && reverse_ == 0;
  for (Rule& rule : rules_) {
    bool prefix = !rule.path.empty() && rule.path.back() == '*';
    bool match = prefix ? path.starts_with(std::string_view(rule.path).substr(0, rule.path.size() - 1))
                        : path == rule.path;
    if (!match || rule.times == 0) continue;
    if (rule.times > 0) --rule.times;
    pending.action = rule.action;
    if (rule.status) {
      pending.status = rule.status;
      pending.body = rule.status == 204 ? "" : "{\"error\":\"by rule\"}";
    }
    if (rule.delay_ms >= 0) delay_ms = rule.delay_ms;
    in_order = true;
    break;
  }
  if (record_) {
    ++path_counts_[std::string(path)];
    if (!request.idempotency_key.empty()) ++key_counts_[std::string(request.idempotency_key)];
    pending.logged = log_.size();
    log_.push_back({std::string(request.method), std::string(request.target), std::string(request.idempotency_key),
                    std::string(request.body.substr(0, 4096)), pending.status, NowNs() / 1000, 0});
  }
  Action action = pending.action;
  uint32_t id = pending.request;
  connection.pending.push_back(std::move(pending));
  if (action == Action::kHang) return;
  if (in_order) {
    Schedule(slot, id, delay_ms);
  } else {
    Due due{0, arrivals_, slot, connection.incarnation, id};
    if (hold_) {
      held_.push_back(due);
    } else {
      if (group_.empty()) group_since_ns_ = NowNs();
      group_.push_back(due);
      if (group_.size() >= reverse_) GroupFull();
    }
  }
}

void LookupPeer::Schedule(uint32_t slot, uint32_t request, double delay_ms) {
  Due due{0, arrivals_, slot, connections_[slot]->incarnation, request};
  if (delay_ms <= 0) {
    MakeReady(due);
    return;
  }
  int64_t at = NowNs() + static_cast<int64_t>(delay_ms * 1e6);
  due.at_ns = (at + kTickNs - 1) / kTickNs * kTickNs;
  due_.push(due);
}

// The last that asked is answered first; the gap makes the order visible across connections.
void LookupPeer::GroupFull() {
  int64_t at = NowNs();
  for (auto due = group_.rbegin(); due != group_.rend(); ++due) {
    due->at_ns = at;
    due->order = 0;
    due_.push(*due);
    at += std::max<int64_t>(gap_ns_, 1);
  }
  group_.clear();
}

void LookupPeer::AnswerDue(int64_t now_ns) {
  while (!due_.empty() && due_.top().at_ns <= now_ns) {
    Due due = due_.top();
    due_.pop();
    MakeReady(due);
  }
}

void LookupPeer::MakeReady(const Due& due) {
  Connection& connection = *connections_[due.connection];
  if (connection.fd < 0 || connection.incarnation != due.incarnation) return;
  for (Pending& pending : connection.pending) {
    if (pending.request == due.request) pending.ready = true;
  }
  SendReady(due.connection);
}

void LookupPeer::SendReady(uint32_t slot) {
  Connection& connection = *connections_[slot];
  while (connection.fd >= 0 && !connection.pending.empty() && connection.pending.front().ready) {
    Pending pending = std::move(connection.pending.front());
    connection.pending.pop_front();
    --in_flight_;
    ++answered_;
    if (pending.logged < log_.size()) log_[pending.logged].answered_as = ++answered_logged_;
    std::string answer;
    switch (pending.action) {
      case Action::kReset: Drop(slot, true); return;
      case Action::kClose: Drop(slot, false); return;
      case Action::kGarbage:
        Send(slot, "\x16\x03\x01 this is not HTTP\r\n\r\n");
        Drop(slot, false);
        return;
      case Action::kTruncate:
        AppendAnswer(&answer, pending.status, pending.body, false);
        Send(slot, std::string_view(answer).substr(0, answer.size() - pending.body.size() / 2 - 1));
        Drop(slot, false);
        return;
      default:
        AppendAnswer(&answer, pending.status, pending.body, pending.close_after);
        if (!Send(slot, answer)) return;
        if (pending.close_after) {
          Drop(slot, false);
          return;
        }
    }
  }
}

bool LookupPeer::Send(uint32_t slot, std::string_view bytes) {
  Connection& connection = *connections_[slot];
  ssize_t n = 0;
  if (connection.out.empty()) {
    n = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) {
        Drop(slot, false);
        return false;
      }
      n = 0;
    }
  }
  if (static_cast<size_t>(n) < bytes.size()) {
    connection.out.append(bytes.substr(n));
    if (!connection.wants_write) {
      connection.wants_write = true;
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT;
      event.data.u32 = slot;
      epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
    }
  }
  return true;
}

void LookupPeer::Writable(uint32_t slot) {
  Connection& connection = *connections_[slot];
  ssize_t n = send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN) Drop(slot, false);
    return;
  }
  connection.out.erase(0, n);
  if (connection.out.empty()) {
    connection.wants_write = false;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = slot;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }
}

// The id is the last part of the path; for POST it may stand in the body under the key's name.
std::string LookupPeer::BodyFor(const HttpRequest& request, std::string_view path, int* status) {
  std::string id = PercentDecode(path.substr(path.rfind('/') + 1));
  if (request.method == "POST" && !request.body.empty()) {
    nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_object() && body.contains(options_.data_key)) {
      const nlohmann::json& value = body[options_.data_key];
      id = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  if (options_.data_path.empty()) return AccountJson(id);
  auto found = data_.find(id);
  if (found != data_.end()) return found->second;
  *status = 404;
  return "{\"error\":\"not found\"}";
}

void LookupPeer::WatchListener() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kListenerSlot;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
}

// Requests still to be answered no longer have a place in the log.
void LookupPeer::ForgetLog(Connection* connection) {
  for (Pending& pending : connection->pending) pending.logged = SIZE_MAX;
}

void LookupPeer::GoDown() {
  if (listener_ >= 0) {
    close(listener_);
    listener_ = -1;
  }
  for (uint32_t slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot]->fd >= 0 && !connections_[slot]->control) Drop(slot, true);
  }
  group_.clear();
  held_.clear();
}

}  // namespace weir_test
