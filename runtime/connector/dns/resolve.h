// From a host's name to its addresses, in a static executable: no NSS modules, nothing but the files /etc/hosts and
// /etc/resolv.conf where they exist, and the network.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::dns {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  // `10.0.0.5`, `fd00::5`: without the port.
  std::string Text() const;
  void SetPort(uint16_t port);
};

struct Resolved {
  std::vector<Address> addresses;  // to be tried in this order; empty: failed
  int64_t ttl_ns = 0;              // how long they may be kept; 0: unknown
  std::string error;               // why there are none: "no such host"
};

// Addresses written as numbers, in square brackets or not. False: it is a name.
bool ParseAddress(const std::string& text, Address* address);

// One question: numbers, then /etc/hosts, then DNS; `localhost` needs neither. Names found in DNS never lead to
// link-local, multicast or unspecified addresses (169.254.169.254 and its kind); such answers are an error that says so.
//
// Runs on the caller's event loop: Start, then Process whenever one of Watches is ready or NextTimeoutMs have passed, until
// done() is true. /etc/resolv.conf is read anew by each. One thread.
class Query {
 public:
  struct Watch {
    int fd;
    bool read, write;
  };
  // `wait_ms_max` bounds the whole.
  Query(const std::string& host, int wait_ms_max);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool done() const;
  const Resolved& result() const;
  std::vector<Watch> Watches() const;
  int NextTimeoutMs() const;
  // Serves whatever is ready, and time-outs.
  void Process();
  // Ends the question; the result is an error.
  void Cancel(const std::string& why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Asks and waits. Any thread, several at a time.
Resolved Resolve(const std::string& host, int wait_ms_max);

}  // namespace weir::dns
