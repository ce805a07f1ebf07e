// Any answer at all, read by Boost.Beast piece by piece: chunked, without a length, interim, late in its head.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/core/str.h"

namespace weir::http {

class SlowAnswer {
 public:
  enum class State : uint8_t { kMore, kDone, kFailed };

  SlowAnswer(uint32_t head_max, uint32_t body_max);
  ~SlowAnswer();

  // Takes all bytes.
  State Feed(Str bytes);
  // The connection has ended; where no length was given, so has the answer.
  State FeedEnd();

  // kDone:
  int status() const;
  bool keep_alive() const;
  std::string TakeBody();
  std::string retry_after() const;
  std::string location() const;
  // Bytes behind the answer: nobody asked for them.
  bool has_rest() const;
  // kFailed: "its body is larger than 1048576 bytes", "it is not HTTP: bad version".
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::http
