// What the two halves of the JSON benchmark share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir_bench {

struct Trade {
  int64_t trade_id = 0;
  weir::Str symbol;
  int64_t price = 0;  // decimal(18, 4)
  int64_t qty = 0;
  int32_t side = 0;
  int64_t ts = 0;
  weir::Str account;
  weir::Str venue;
};

// `text` has `size` bytes, and `room` bytes may be read.
bool DecodeWithSimdjson(const char* text, size_t size, size_t room, Trade* out);
const char* SimdjsonKernel();

}  // namespace weir_bench
