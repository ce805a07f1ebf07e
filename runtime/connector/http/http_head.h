// The head of a usual answer, read in one pass; whatever is not usual is left to Beast (http_slow_answer.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir::http {

// Views into the bytes that were read.
struct Head {
  int status = 0;
  uint64_t content_length = 0;
  bool keep_alive = true;
  Str retry_after;
  Str location;
  uint32_t size = 0;  // bytes up to and including the empty line
};

enum class HeadState : uint8_t {
  kComplete,  // the body is the `content_length` bytes behind it
  kShort,     // the empty line has not come yet
  kUnusual,   // chunked, without a length, an interim answer, folded or repeated lines, not HTTP at all
};

HeadState ReadHead(Str bytes, Head* head);

// `Retry-After`: seconds, or a date (as HTTP writes them) seen from `wall_ns`. 0: none, past, or nonsense.
int64_t ReadRetryAfter(Str text, int64_t wall_ns);

}  // namespace weir::http
