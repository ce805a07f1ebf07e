// How a call says that it went wrong.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace weir {

enum class StatusCode : uint8_t {
  kOk,
  kInvalid,      // what was given can never work: a setting, an argument, a record
  kNotFound,     // a file, a topic, a host that does not exist
  kExists,       // in the way: a file, a lock held by somebody else
  kDenied,       // no right to do it
  kUnavailable,  // not now; trying again may help
  kTimeout,
  kCancelled,
  kCorrupt,      // stored bytes that cannot be what we wrote
  kLimit,        // larger or more than allowed
  kIo,           // the disk or the system failed
  kInternal,     // our own mistake
};

// The code as a word, as logs show it: `not found`.
const char* StatusCodeName(StatusCode code);

// Success, or a code and a message for the operator: what failed (file line, host, topic or setting) and what to do.
// Must be looked at.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // `unavailable: cannot reach …`, or `ok`.
  std::string ToString() const;
  // The same failure with where it happened in front: `reading offsets: …`.
  Status Within(const std::string& where) const;

  static Status Invalid(std::string m) { return Status(StatusCode::kInvalid, std::move(m)); }
  static Status NotFound(std::string m) { return Status(StatusCode::kNotFound, std::move(m)); }
  static Status Exists(std::string m) { return Status(StatusCode::kExists, std::move(m)); }
  static Status Denied(std::string m) { return Status(StatusCode::kDenied, std::move(m)); }
  static Status Unavailable(std::string m) { return Status(StatusCode::kUnavailable, std::move(m)); }
  static Status Corrupt(std::string m) { return Status(StatusCode::kCorrupt, std::move(m)); }
  static Status Limit(std::string m) { return Status(StatusCode::kLimit, std::move(m)); }
  static Status Io(std::string m) { return Status(StatusCode::kIo, std::move(m)); }
  static Status Internal(std::string m) { return Status(StatusCode::kInternal, std::move(m)); }
  // A failed system call: `what`, the text of `error_number`, and a code that fits.
  static Status FromErrno(int error_number, const std::string& what);

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

}  // namespace weir
