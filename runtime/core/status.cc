// Words for failures.
#include "runtime/core/status.h"

#include <cerrno>
#include <cstring>

namespace weir {

const char* StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "ok";
    case StatusCode::kInvalid: return "invalid";
    case StatusCode::kNotFound: return "not found";
    case StatusCode::kExists: return "exists";
    case StatusCode::kDenied: return "denied";
    case StatusCode::kUnavailable: return "unavailable";
    case StatusCode::kTimeout: return "timed out";
    case StatusCode::kCancelled: return "cancelled";
    case StatusCode::kCorrupt: return "corrupt";
    case StatusCode::kLimit: return "over a limit";
    case StatusCode::kIo: return "input or output failed";
    case StatusCode::kInternal: return "internal error";
  }
  return "unknown";
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  return std::string(StatusCodeName(code_)) + ": " + message_;
}

Status Status::Within(const std::string& where) const {
  if (ok()) return *this;
  return Status(code_, where + ": " + message_);
}

Status Status::FromErrno(int error_number, const std::string& what) {
  StatusCode code = StatusCode::kIo;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: code = StatusCode::kNotFound; break;
    case EEXIST: code = StatusCode::kExists; break;
    case EACCES:
    case EPERM:
    case EROFS: code = StatusCode::kDenied; break;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH: code = StatusCode::kUnavailable; break;
    case ETIMEDOUT: code = StatusCode::kTimeout; break;
    case ECANCELED: code = StatusCode::kCancelled; break;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG: code = StatusCode::kInvalid; break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: code = StatusCode::kLimit; break;
    default: break;
  }
  char text[256];
  return Status(code, what + ": " + strerror_r(error_number, text, sizeof text));
}

}  // namespace weir
