// What the lookup runtime asks of a connector that answers requests (HTTP now; MongoDB, PostgreSQL, Redis later).
// Retry, order, time-outs, cache, coalescing and recovery live in runtime/lookup, not here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "runtime/core/status.h"
#include "runtime/core/str.h"

namespace weir {

// How a request ended. `failed` in the language is timeout, rejected or error.
enum class Outcome : uint8_t { kFound, kMissing, kTimeout, kRejected, kError };

// Names a request inside the lookup runtime: lookup_flight.h says how. Connectors hand it back and look at it as a whole.
using RequestId = uint64_t;

// One attempt of one request, rendered by generated code. The bytes live until Forget or the answer.
struct LookupRequest {
  RequestId request_id = 0;
  uint32_t incarnation = 0;  // of the worker's lookup runtime; answers of an older one are dropped
  uint16_t attempt = 0;      // 1 for the first
  int64_t deadline_mono_ns = 0;  // when this attempt has timed out; the runtime enforces it, a connector may use it
  Str verb;                  // "GET", "POST"
  Str target;                // HTTP: path and query, already percent-encoded
  Str body;                  // HTTP: JSON, empty for GET
  Str id;                    // the row's id in hex, sent as Idempotency-Key
  Str unmade;                // why it cannot be made (a sum that overflows): it ends as `error`, and nobody is asked
  Str args;                  // the encoded arguments it was rendered from: what stubs of tests look at
};

// What a connector found out about one attempt.
struct LookupAnswer {
  RequestId request_id = 0;
  uint32_t incarnation = 0;
  uint16_t attempt = 0;
  Outcome outcome = Outcome::kError;
  bool transient = false;          // worth another attempt (connection refused or reset, 429, 502, 503, 504, …)
  int64_t retry_after_ns = 0;      // the service asked to wait this long, 0: it did not
  std::string body;                // found: the answer's bytes
  std::string reason;              // not found: for dead letters and logs: "HTTP 503 from http://host:1234/accounts/a1"
};

// Where answers go. Any thread; never blocks.
class LookupAnswers {
 public:
  virtual ~LookupAnswers() = default;
  virtual void Push(LookupAnswer answer) = 0;
};

// One worker's client of one connection. Calls on the worker's thread. Each request gets exactly one answer unless it
// was forgotten; an answer may be pushed before Ask returns.
class LookupConnector {
 public:
  virtual ~LookupConnector() = default;
  virtual Status Open(LookupAnswers* answers) = 0;
  // Sends the requests; never blocks. More than the connection can carry at once waits inside, in order.
  virtual void Ask(std::span<const LookupRequest> requests) = 0;
  // The runtime no longer waits for this attempt (time-out, shut-down): its bytes go away after this call, an answer
  // that comes all the same is ignored.
  virtual void Forget(RequestId request_id, uint16_t attempt) = 0;
  // Used by the produced binary's `check`: connects and says what is wrong, with host and port.
  virtual Status Check(int64_t wait_ns_max) = 0;
  virtual void Close() = 0;
};

}  // namespace weir
