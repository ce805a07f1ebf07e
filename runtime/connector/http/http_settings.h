// What a pipeline's `connection … = http { … }` says, checked and ready for use.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/core/status.h"
#include "runtime/program/program.h"

namespace weir::http {

struct Settings {
  std::string connection;      // its name in the pipeline
  uint32_t line = 0;           // where it is declared
  bool tls = false;
  std::string host;            // name or number, without brackets
  uint16_t port = 0;
  std::string origin;          // "http://host:port", for messages: never with credentials
  std::string prefix;          // path of the base URL, put before each target; "" or "/v1"
  std::string head;            // header lines of every request: Host, User-Agent, Accept, the declared ones
  int connections = 0;         // of all workers together; 0: as many as may be in flight
  int64_t connect_timeout_ns = 3'000'000'000;
  uint32_t body_max = 1 << 20;   // of an answer, in bytes
  uint32_t head_max = 64 << 10;
  std::string ca;              // file with the authorities to trust; empty: the system's
};

inline constexpr int kConnectionsMax = 1024;  // of one worker

// Reads a connection's block:
//   url               http(s)://host[:port][/path]. Required.
//   token             sent as `Authorization: Bearer …`
//   user, password    sent as `Authorization: Basic …`
//   authorization     sent as it is
//   headers.<Name>    sent with every request
//   connections       how many are kept open at most, by all workers together
//   connect_timeout   for one address, in nanoseconds
//   answer_max        bytes of an answer's body
//   ca                file with the authorities to trust (PEM)
// Invalid: a message that names the connection, its line, the entry and what to write instead; never a secret.
Status ReadSettings(const ConnectionSpec& connection, Settings* settings);

}  // namespace weir::http
