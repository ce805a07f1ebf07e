// The pool: who waits, who connects, who is idle, who is being answered.
#include "runtime/connector/http/http_client.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "runtime/connector/http/http_target.h"
#include "runtime/core/hash.h"
#include "runtime/core/time.h"

namespace weir::http {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kEventsMax = 512;
constexpr int64_t kIdleMaxNs = 55 * kNsPerSecond;         // most services close after 60 s or later
constexpr int64_t kIdleSweepNs = 10 * kNsPerSecond;
constexpr int64_t kConnectSweepNs = 50 * kNsPerMs;
constexpr int64_t kReopenPauseNs = 250 * kNsPerMs;
constexpr int64_t kAddressesMinNs = kNsPerSecond;
constexpr int64_t kAddressesMaxNs = 30 * kNsPerSecond;
constexpr int kResolveWaitMs = 10'000;

// What an epoll event belongs to: a connection's index and generation, or one of these.
constexpr uint64_t kTimerTag = ~0ull;
constexpr uint64_t kQueryTag = ~1ull;

}  // namespace

void HttpClient::Waiting::Add(Request* r) {
  r->previous = last;
  r->next = nullptr;
  (last != nullptr ? last->next : first) = r;
  last = r;
  ++size;
}

void HttpClient::Waiting::AddFront(Request* r) {
  r->next = first;
  r->previous = nullptr;
  (first != nullptr ? first->previous : last) = r;
  first = r;
  ++size;
}

void HttpClient::Waiting::Remove(Request* r) {
  (r->previous != nullptr ? r->previous->next : first) = r->next;
  (r->next != nullptr ? r->next->previous : last) = r->previous;
  r->previous = r->next = nullptr;
  --size;
}

HttpClient::HttpClient(Options options) : options_(std::move(options)), settings_(options_.settings), in_(kReadBytes) {
  connections_max_ = options_.connections_max;
  if (settings_.connections != 0) connections_max_ = (settings_.connections + options_.workers - 1) / options_.workers;
  connections_max_ = std::clamp(connections_max_, 1, kConnectionsMax);
  get_begin_ = "GET " + settings_.prefix;
  post_begin_ = "POST " + settings_.prefix;
  head_end_ = " HTTP/1.1\r\n" + settings_.head;
}

HttpClient::~HttpClient() { Close(); }

// ---- Open, close, check ----------------------------------------------------------------------------------------------

Status HttpClient::Open(LookupAnswers* answers) {
  answers_ = answers;
  if (settings_.tls) {
    tls_.emplace();
    Status status = tls_->Open(settings_);
    if (!status.ok()) return status;
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll_ < 0 || timer_ < 0) return Status::FromErrno(errno, "setting up connections to " + settings_.origin);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kTimerTag;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  options_.loop->Watch(epoll_, [this] { ProcessEvents(); });
  closed_ = false;
  return Status();
}

void HttpClient::Close() {
  if (epoll_ < 0) return;
  closed_ = true;
  options_.loop->Forget(epoll_);
  for (auto& c : all_) {
    if (c->state == Connection::kClosed) continue;
    if (c->request != nullptr) FreeRequest(c->request);
    CloseConnection(c.get(), false);
  }
  for (Waiting* list : {&waiting_, &waiting_fresh_}) {
    while (list->first != nullptr) {
      Request* r = list->first;
      list->Remove(r);
      FreeRequest(r);
    }
  }
  query_.reset();
  query_watches_.clear();
  close(timer_);
  close(epoll_);
  epoll_ = timer_ = -1;
}

Status HttpClient::Check(int64_t wait_ns_max) {
  int64_t end = options_.clock->MonoNs() + wait_ns_max;
  auto left_ms = [&] { return static_cast<int>(std::max<int64_t>((end - options_.clock->MonoNs()) / kNsPerMs, 1)); };
  const std::string where = "connection `" + settings_.connection + "` (line " + std::to_string(settings_.line) + "): ";
  std::optional<TlsContext> tls;
  if (settings_.tls) {
    tls.emplace();
    Status status = tls->Open(settings_);
    if (!status.ok()) return status;
  }
  dns::Resolved found = dns::Resolve(settings_.host, left_ms());
  if (found.addresses.empty()) {
    return Status::NotFound(where + "the host name `" + settings_.host + "` leads nowhere: " + found.error);
  }
  std::string why;
  for (dns::Address& address : found.addresses) {
    address.SetPort(settings_.port);
    Socket socket;
    Socket::Result result = socket.Connect(address, settings_, tls ? &*tls : nullptr);
    int64_t address_end = std::min(end, options_.clock->MonoNs() + settings_.connect_timeout_ns);
    while (result == Socket::Result::kAgain && options_.clock->MonoNs() < address_end) {
      pollfd p{socket.fd(), static_cast<short>(socket.wants_write() ? POLLOUT : POLLIN), 0};
      int64_t wait = (address_end - options_.clock->MonoNs()) / kNsPerMs;
      if (poll(&p, 1, static_cast<int>(std::clamp<int64_t>(wait, 1, 1000))) > 0) result = socket.Continue();
    }
    if (result == Socket::Result::kOk) return Status();
    if (!why.empty()) why += "; ";
    why += address.Text() + ": " + (result == Socket::Result::kAgain ? "no answer in time" : socket.error());
  }
  return Status::Unavailable(where + "cannot connect to " + settings_.origin + " (" + why + ")");
}

// ---- Requests --------------------------------------------------------------------------------------------------------

void HttpClient::Ask(std::span<const LookupRequest> requests) {
  for (const LookupRequest& wire : requests) {
    Request* r = requests_.Take();
    *r = Request();
    r->wire = wire;
    r->request_id_hash = HashInt(wire.request_id);
    by_request_id_.Insert(r);
    if (!GoodTarget(wire.target) || !GoodHeaderText(wire.id) || (wire.verb != Str("GET") && wire.verb != Str("POST"))) {
      LookupAnswer answer;
      answer.outcome = Outcome::kRejected;
      answer.reason = "not sent to " + settings_.origin + ": the arguments would make a path with a `.` or `..` in it, or no path";
      Answer(r, std::move(answer));
      continue;
    }
    if (!idle_.empty()) {
      Connection* c = idle_.back();
      RemoveIdle(c);
      Dispatch(c, r);
    } else {
      waiting_.Add(r);
    }
  }
  OpenMore();
  ArmNext();
}

void HttpClient::Forget(RequestId request_id, uint16_t attempt) {
  Request* r = Find(request_id);
  if (r == nullptr || r->wire.attempt != attempt) return;
  Connection* c = r->connection;
  if (c == nullptr) {
    (r->fresh ? waiting_fresh_ : waiting_).Remove(r);
  } else {
    // Its answer may still come: nothing else can use this connection.
    c->request = nullptr;
    CloseConnection(c, true);
  }
  FreeRequest(r);
  OpenMore();
  ArmNext();
}

HttpClient::Request* HttpClient::Find(RequestId request_id) {
  return by_request_id_.Find(HashInt(request_id), [request_id](const Request* r) { return r->wire.request_id == request_id; });
}

void HttpClient::FreeRequest(Request* r) {
  by_request_id_.Erase(r);
  requests_.Give(r);
}

void HttpClient::Answer(Request* r, LookupAnswer answer) {
  answer.request_id = r->wire.request_id;
  answer.incarnation = r->wire.incarnation;
  answer.attempt = r->wire.attempt;
  FreeRequest(r);
  answers_->Push(std::move(answer));
}

// The request could not be carried out; another try may succeed.
void HttpClient::Fail(Request* r, const std::string& reason) {
  LookupAnswer answer;
  answer.outcome = Outcome::kError;
  answer.transient = true;
  answer.reason = reason;
  Answer(r, std::move(answer));
}

void HttpClient::Dispatch(Connection* c, Request* r) {
  c->state = Connection::kBusy;
  c->request = r;
  c->any_received = false;
  r->connection = c;
  const LookupRequest& wire = r->wire;
  out_.Clear();
  bool post = wire.verb == Str("POST");
  const std::string& begin = post ? post_begin_ : get_begin_;
  out_.Append(begin.data(), begin.size());
  out_.Append(wire.target);
  out_.Append(head_end_.data(), head_end_.size());
  if (post) {
    char length[24];
    char* end = std::to_chars(length, length + sizeof length, wire.body.size).ptr;
    out_.Append(Str("Content-Type: application/json\r\nContent-Length: "));
    out_.Append(length, static_cast<size_t>(end - length));
    out_.Append(Str("\r\n"));
    if (wire.id.size != 0) {
      out_.Append(Str("Idempotency-Key: "));
      out_.Append(wire.id);
      out_.Append(Str("\r\n"));
    }
  }
  out_.Append(Str("\r\n"));
  if (post) out_.Append(wire.body);
  size_t sent = 0;
  Socket::Result result = c->socket.Send(out_.data(), out_.size(), &sent);
  if (result == Socket::Result::kFailed || result == Socket::Result::kEnd) return Ended(c, true);
  if (__builtin_expect(sent < out_.size(), 0)) {
    c->unsent.assign(out_.data() + sent, out_.size() - sent);
    SetEvents(c, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
  }
}

void HttpClient::GiveWork(Connection* c) {
  if (waiting_fresh_.first != nullptr && c->answers == 0) {
    Request* r = waiting_fresh_.first;
    waiting_fresh_.Remove(r);
    return Dispatch(c, r);
  }
  if (waiting_.first != nullptr) {
    Request* r = waiting_.first;
    waiting_.Remove(r);
    return Dispatch(c, r);
  }
  if (waiting_fresh_.first != nullptr && connections_ >= connections_max_) {
    CloseConnection(c, false);  // makes room for a new one
    return OpenMore();
  }
  c->state = Connection::kIdle;
  c->since_mono_ns = options_.clock->MonoNs();
  c->idle_place = static_cast<uint32_t>(idle_.size());
  idle_.push_back(c);
}

void HttpClient::RemoveIdle(Connection* c) {
  idle_[c->idle_place] = idle_.back();
  idle_[c->idle_place]->idle_place = c->idle_place;
  idle_.pop_back();
}

// ---- Connecting ------------------------------------------------------------------------------------------------------

// As many connections under way as requests wait for one, within the bound.
void HttpClient::OpenMore() {
  if (closed_) return;
  size_t wanted = waiting_.size + waiting_fresh_.size;
  if (static_cast<size_t>(connecting_) >= wanted) return;
  while (connections_ >= connections_max_ && waiting_fresh_.first != nullptr && !idle_.empty()) {
    Connection* c = idle_.back();
    CloseConnection(c, false);
  }
  if (connections_ >= connections_max_) return;
  int64_t now = options_.clock->MonoNs();
  if (now < open_after_) return;
  if (now >= addresses_until_) return StartQuery();
  while (static_cast<size_t>(connecting_) < waiting_.size + waiting_fresh_.size && connections_ < connections_max_ &&
         now >= open_after_) {
    if (free_.empty()) {
      all_.push_back(std::make_unique<Connection>());
      all_.back()->index = static_cast<uint32_t>(all_.size() - 1);
      free_.push_back(all_.back().get());
    }
    Connection* c = free_.back();
    free_.pop_back();
    ++connections_;
    ++connecting_;
    c->state = Connection::kConnecting;
    c->answers = 0;
    c->address = preferred_ < addresses_.size() ? preferred_ : 0;
    c->addresses_tried = 0;
    c->failures.clear();
    Begin(c);
    if (addresses_until_ == INT64_MIN) return;  // it failed at once
  }
}

void HttpClient::StartQuery() {
  if (query_ != nullptr) return;
  query_ = std::make_unique<dns::Query>(settings_.host, kResolveWaitMs);
  ServeQuery();
}

void HttpClient::ServeQuery() {
  query_->Process();
  WatchQuery();
  if (!query_->done()) return;
  dns::Resolved found = query_->result();
  query_.reset();
  if (found.addresses.empty()) {
    return Unreachable("the host name `" + settings_.host + "` leads nowhere: " + found.error);
  }
  addresses_ = std::move(found.addresses);
  for (dns::Address& address : addresses_) address.SetPort(settings_.port);
  addresses_until_ = options_.clock->MonoNs() +
                     (found.ttl_ns == 0 ? kAddressesMaxNs : std::clamp(found.ttl_ns, kAddressesMinNs, kAddressesMaxNs));
  preferred_ = 0;
  OpenMore();
}

// The question's sockets, in our epoll set as they come and go.
void HttpClient::WatchQuery() {
  std::map<int, uint32_t> now;
  for (const dns::Query::Watch& w : query_->Watches()) {
    now[w.fd] = (w.read ? static_cast<uint32_t>(EPOLLIN) : 0u) | (w.write ? static_cast<uint32_t>(EPOLLOUT) : 0u);
  }
  for (const auto& [fd, events] : query_watches_) {
    if (now.count(fd) == 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);  // closed ones have left by themselves
  }
  for (const auto& [fd, events] : now) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = kQueryTag;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST) epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
  }
  query_watches_ = std::move(now);
}

// Connects to c->address.
void HttpClient::Begin(Connection* c) {
  c->since_mono_ns = options_.clock->MonoNs();
  c->events = 0;
  Socket::Result result = c->socket.Connect(addresses_[c->address], settings_, tls_ ? &*tls_ : nullptr);
  if (result == Socket::Result::kFailed || result == Socket::Result::kEnd) return ConnectFailed(c, c->socket.error());
  if (result == Socket::Result::kOk) {
    SetEvents(c, EPOLLIN | EPOLLRDHUP);
    return Connected(c);
  }
  SetEvents(c, c->socket.wants_write() ? EPOLLOUT : EPOLLIN);
}

void HttpClient::Connected(Connection* c) {
  --connecting_;
  ++connections_made_;
  preferred_ = c->address;
  if (unreachable_) {
    unreachable_ = false;
    options_.log->Write(LogLevel::kInfo, settings_.line,
                        "connection `" + settings_.connection + "`: " + settings_.origin + " can be reached again");
  }
  SetEvents(c, EPOLLIN | EPOLLRDHUP);
  GiveWork(c);
}

void HttpClient::ConnectFailed(Connection* c, const std::string& why) {
  if (!c->failures.empty()) c->failures += "; ";
  c->failures += c->address < addresses_.size() ? addresses_[c->address].Text() + ": " + why : why;
  ++c->generation;  // events of the socket that failed
  if (++c->addresses_tried < addresses_.size()) {
    c->socket.Close(true);
    c->address = (c->address + 1) % addresses_.size();
    return Begin(c);
  }
  std::string failures = std::move(c->failures);
  CloseConnection(c, true);
  Unreachable(failures);
}

// No connection can be made now. Requests wait on only if others are there to serve them.
void HttpClient::Unreachable(const std::string& why) {
  addresses_until_ = INT64_MIN;  // the next try asks for the addresses anew
  int64_t now = options_.clock->MonoNs();
  if (connections_ > 0) {
    open_after_ = now + kReopenPauseNs;
    return;
  }
  if (!unreachable_) {
    unreachable_ = true;
    options_.log->Write(LogLevel::kWarning, settings_.line,
                        "connection `" + settings_.connection + "`: cannot connect to " + settings_.origin + " (" + why + ")");
  }
  // All that wait: each of them would only find the same. Their retries make the next try.
  for (Waiting* list : {&waiting_fresh_, &waiting_}) {
    for (size_t n = list->size; n != 0 && list->first != nullptr; --n) {
      Request* r = list->first;
      list->Remove(r);
      Fail(r, "cannot connect to " + settings_.origin + " (" + why + ")");
    }
  }
}

// ---- Events ----------------------------------------------------------------------------------------------------------

void HttpClient::SetEvents(Connection* c, uint32_t events) {
  if (c->events == events) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<uint64_t>(c->generation) << 32 | c->index;
  epoll_ctl(epoll_, c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->socket.fd(), &event);
  c->events = events;
}

void HttpClient::CloseConnection(Connection* c, bool reset) {
  if (c->state == Connection::kConnecting) --connecting_;
  if (c->state == Connection::kIdle) RemoveIdle(c);
  c->socket.Close(reset);
  c->state = Connection::kClosed;
  ++c->generation;
  c->events = 0;
  c->request = nullptr;
  c->unsent.clear();
  c->partial = std::string();
  c->slow.reset();
  --connections_;
  free_.push_back(c);
}

void HttpClient::ProcessEvents() {
  if (closed_) return;
  epoll_event events[kEventsMax];
  int n = epoll_wait(epoll_, events, kEventsMax, 0);
  for (int i = 0; i < n && !closed_; ++i) {
    uint64_t tag = events[i].data.u64;
    if (tag == kTimerTag) {
      uint64_t ticks;
      [[maybe_unused]] ssize_t got = read(timer_, &ticks, sizeof ticks);
      timer_at_ = INT64_MAX;
      OnTimer();
    } else if (tag == kQueryTag) {
      if (query_ != nullptr) ServeQuery();
    } else {
      Connection* c = all_[static_cast<uint32_t>(tag)].get();
      if (c->generation == tag >> 32 && c->state != Connection::kClosed) OnEvent(c, events[i].events);
    }
  }
  ArmNext();
}

void HttpClient::OnEvent(Connection* c, uint32_t events) {
  if (c->state == Connection::kConnecting) {
    switch (c->socket.Continue()) {
      case Socket::Result::kOk: return Connected(c);
      case Socket::Result::kAgain: return SetEvents(c, c->socket.wants_write() ? EPOLLOUT : EPOLLIN);
      case Socket::Result::kEnd:
      case Socket::Result::kFailed: return ConnectFailed(c, c->socket.error());
    }
  }
  if ((events & EPOLLOUT) != 0) {
    if (!c->unsent.empty()) {
      size_t sent = 0;
      Socket::Result result = c->socket.Send(c->unsent.data(), c->unsent.size(), &sent);
      if (result == Socket::Result::kFailed || result == Socket::Result::kEnd) return Ended(c, true);
      c->unsent.erase(0, sent);
    }
    if (c->unsent.empty()) SetEvents(c, EPOLLIN | EPOLLRDHUP);
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Read(c);
}

void HttpClient::OnTimer() {
  int64_t now = options_.clock->MonoNs();
  if (query_ != nullptr) ServeQuery();
  for (size_t i = 0; i < all_.size(); ++i) {
    Connection* c = all_[i].get();
    if (c->state == Connection::kConnecting && now - c->since_mono_ns >= settings_.connect_timeout_ns) {
      char text[kDurationTextMax];
      ConnectFailed(c, "no answer within " + std::string(text, FormatDuration(settings_.connect_timeout_ns, text)));
    } else if (c->state == Connection::kIdle && now - c->since_mono_ns >= kIdleMaxNs) {
      CloseConnection(c, false);
    }
  }
  OpenMore();
}

void HttpClient::ArmNext() {
  if (closed_) return;
  int64_t now = options_.clock->MonoNs();
  int64_t at = INT64_MAX;
  if (connecting_ > 0) at = now + kConnectSweepNs;
  if (query_ != nullptr) at = std::min(at, now + std::max<int64_t>(query_->NextTimeoutMs(), 1) * kNsPerMs);
  if ((waiting_.first != nullptr || waiting_fresh_.first != nullptr) && now < open_after_) at = std::min(at, open_after_);
  if (!idle_.empty()) at = std::min(at, now + kIdleSweepNs);
  if (at < timer_at_) ArmTimer(at);
}

void HttpClient::ArmTimer(int64_t at_mono_ns) {
  timer_at_ = at_mono_ns;
  int64_t wait = std::max<int64_t>(at_mono_ns - options_.clock->MonoNs(), 1);
  itimerspec spec{};
  spec.it_value.tv_sec = wait / kNsPerSecond;
  spec.it_value.tv_nsec = wait % kNsPerSecond;
  timerfd_settime(timer_, 0, &spec, nullptr);
}

}  // namespace weir::http
