// c-ares does the asking; this decides what is asked and which answers are believed.
#include "runtime/connector/dns/resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>

namespace weir::dns {
namespace {

int64_t MonoMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool InitOnce() {
  static const bool ok = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  return ok;
}

Address MakeAddress(const sockaddr* from, socklen_t size) {
  Address a;
  std::memcpy(&a.storage, from, size);
  a.size = size;
  return a;
}

Address Loopback(bool v6) {
  Address a;
  ParseAddress(v6 ? "::1" : "127.0.0.1", &a);
  return a;
}

bool IsLocalhost(const std::string& host) {
  std::string lower = host;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (!lower.empty() && lower.back() == '.') lower.pop_back();
  return lower == "localhost" || (lower.size() > 10 && lower.compare(lower.size() - 10, 10, ".localhost") == 0);
}

// What no name should lead to: a service on another host that answers there is not the one that was meant.
bool Suspicious(const Address& a) {
  if (a.storage.ss_family == AF_INET) {
    uint32_t ip = ntohl(reinterpret_cast<const sockaddr_in&>(a.storage).sin_addr.s_addr);
    return ip >> 16 == 0xa9fe || ip >> 28 == 0xe || ip >> 24 == 0 || ip == 0xffffffff;
  }
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6&>(a.storage).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) {
    Address inner;
    auto& v4 = reinterpret_cast<sockaddr_in&>(inner.storage);
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, ip.s6_addr + 12, 4);
    return Suspicious(inner);
  }
  return IN6_IS_ADDR_LINKLOCAL(&ip) || IN6_IS_ADDR_MULTICAST(&ip) || IN6_IS_ADDR_UNSPECIFIED(&ip);
}

const char* Reason(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA: return "no such host";
    case ARES_ETIMEOUT: return "the name server does not answer";
    case ARES_ECONNREFUSED: return "no name server (is there an /etc/resolv.conf?)";
    default: return ares_strerror(status);
  }
}

}  // namespace

std::string Address::Text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text, sizeof text);
  }
  return text;
}

void Address::SetPort(uint16_t port) {
  if (storage.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
  }
}

bool ParseAddress(const std::string& text, Address* address) {
  std::string bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  Address a;
  auto& v4 = reinterpret_cast<sockaddr_in&>(a.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(a.storage);
  if (inet_pton(AF_INET, bare.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    a.size = sizeof v4;
  } else if (inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    a.size = sizeof v6;
  } else {
    return false;
  }
  *address = a;
  return true;
}

struct Query::State {
  std::string host;
  ares_channel channel = nullptr;
  bool done = false;
  Resolved result;
  std::map<int, Watch> watches;
  int64_t end_ms = 0;

  void Finish(Resolved r) {
    if (done) return;
    done = true;
    result = std::move(r);
  }
  void Fail(const std::string& why) {
    Resolved r;
    r.error = why;
    Finish(std::move(r));
  }

  static void SocketState(void* data, ares_socket_t fd, int read, int write) {
    auto* state = static_cast<State*>(data);
    if (read == 0 && write == 0) {
      state->watches.erase(fd);
    } else {
      state->watches[fd] = Watch{fd, read != 0, write != 0};
    }
  }
  static void Found(void* data, int status, int, ares_addrinfo* info) {
    auto* state = static_cast<State*>(data);
    if (status == ARES_ECANCELLED || status == ARES_EDESTRUCTION) return;
    Resolved r;
    std::string refused;
    if (status == ARES_SUCCESS) {
      int ttl = INT32_MAX;
      for (ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
        Address a = MakeAddress(node->ai_addr, node->ai_addrlen);
        if (Suspicious(a)) {
          refused = a.Text();
          continue;
        }
        r.addresses.push_back(a);
        if (node->ai_ttl > 0) ttl = std::min(ttl, node->ai_ttl);
      }
      if (ttl != INT32_MAX) r.ttl_ns = static_cast<int64_t>(ttl) * 1'000'000'000;
    }
    if (info != nullptr) ares_freeaddrinfo(info);
    if (r.addresses.empty()) {
      r.error = !refused.empty()            ? "it leads to " + refused + ", which no service of this name may have"
                : status == ARES_SUCCESS    ? "it has no address"
                                            : Reason(status);
    }
    state->Finish(std::move(r));
  }
};

Query::Query(const std::string& host, int wait_ms_max) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.host = host;
  s.end_ms = MonoMs() + wait_ms_max;
  Address number;
  if (ParseAddress(host, &number)) {
    s.Finish(Resolved{{number}, 0, ""});
    return;
  }
  if (IsLocalhost(host)) {
    s.Finish(Resolved{{Loopback(false), Loopback(true)}, 0, ""});
    return;
  }
  if (host.empty() || host.size() > 253) {
    s.Fail("not a host name");
    return;
  }
  ares_options options{};
  char lookups[] = "fb";  // files, then DNS
  options.lookups = lookups;
  options.sock_state_cb = &State::SocketState;
  options.sock_state_cb_data = &s;
  options.timeout = 2000;
  options.tries = 3;
  int mask = ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  int status = InitOnce() ? ares_init_options(&s.channel, &options, mask) : ARES_ENOTINITIALIZED;
  if (status != ARES_SUCCESS) {
    s.Fail(ares_strerror(status));
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_ENVHOSTS;  // CARES_HOSTS may name another hosts file
  ares_getaddrinfo(s.channel, host.c_str(), nullptr, &hints, &State::Found, &s);
}

Query::~Query() {
  if (state_->channel != nullptr) ares_destroy(state_->channel);
}

bool Query::done() const { return state_->done; }
const Resolved& Query::result() const { return state_->result; }

std::vector<Query::Watch> Query::Watches() const {
  std::vector<Watch> out;
  if (state_->done) return out;
  for (const auto& [fd, watch] : state_->watches) out.push_back(watch);
  return out;
}

int Query::NextTimeoutMs() const {
  if (state_->done) return 0;
  int64_t left = std::max<int64_t>(state_->end_ms - MonoMs(), 0);
  timeval max{static_cast<time_t>(left / 1000), static_cast<suseconds_t>(left % 1000 * 1000)};
  timeval at{};
  timeval* next = ares_timeout(state_->channel, &max, &at);
  return static_cast<int>(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000);
}

void Query::Process() {
  State& s = *state_;
  if (s.done) return;
  std::vector<Watch> watches = Watches();
  std::vector<pollfd> fds;
  for (const Watch& w : watches) {
    fds.push_back({w.fd, static_cast<short>((w.read ? POLLIN : 0) | (w.write ? POLLOUT : 0)), 0});
  }
  poll(fds.data(), fds.size(), 0);
  for (const pollfd& p : fds) {
    if (s.done || p.revents == 0) continue;
    bool failed = (p.revents & (POLLERR | POLLHUP)) != 0;
    ares_process_fd(s.channel, failed || (p.revents & POLLIN) != 0 ? p.fd : ARES_SOCKET_BAD,
                    failed || (p.revents & POLLOUT) != 0 ? p.fd : ARES_SOCKET_BAD);
  }
  if (!s.done) ares_process_fd(s.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  if (!s.done && MonoMs() >= s.end_ms) Cancel("the name server does not answer");
}

void Query::Cancel(const std::string& why) { state_->Fail(why); }

Resolved Resolve(const std::string& host, int wait_ms_max) {
  Query query(host, wait_ms_max);
  while (!query.done()) {
    std::vector<pollfd> fds;
    for (const Query::Watch& w : query.Watches()) {
      fds.push_back({w.fd, static_cast<short>((w.read ? POLLIN : 0) | (w.write ? POLLOUT : 0)), 0});
    }
    poll(fds.data(), fds.size(), std::max(query.NextTimeoutMs(), 1));
    query.Process();
  }
  return query.result();
}

}  // namespace weir::dns
