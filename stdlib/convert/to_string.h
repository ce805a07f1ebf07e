// stdlib/convert/to_string.h
#pragma once

#include <cstring>

#include "runtime/core/arena.h"
#include "runtime/core/decimal.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/number_text.h"
#include "runtime/core/str.h"
#include "runtime/core/time.h"

namespace weir::fn {

// Formats into the arena and gives back what was not used.
template <class Format>
inline Str FormatInArena(Arena& arena, size_t room, Format format) {
  char* text = arena.AllocChars(room);
  size_t size = format(text);
  arena.Shrink(text, room, size);
  return Str(text, size);
}

/// fn to_string(value: string) -> string
/// The text itself.
///     to_string("a")   // "a"
inline Str StringToString(Str value) { return value; }

/// fn to_string(value: int64) -> string
/// The digits.
///     to_string(-42)   // "-42"
inline Str Int64ToString(Arena& arena, int64_t value) {
  return FormatInArena(arena, kInt64TextMax, [=](char* out) { return FormatInt64(value, out); });
}

/// fn to_string(value: float64) -> string
/// The shortest text that reads back as the same number; `NaN`, `Infinity`, `-Infinity` for those.
///     to_string(0.1)   // "0.1"
///     to_string(100.0)   // "100"
///     to_string(1e21)   // "1e+21"
inline Str Float64ToString(Arena& arena, double value) {
  return FormatInArena(arena, kDoubleTextMax, [=](char* out) { return FormatDouble(value, out); });
}

/// fn to_string(value: decimal(p, s)) -> string
/// Without zeros at the end of the fraction, so that equal values have equal texts; `to_fixed` keeps them.
///     to_string(10.50)   // "10.5"
///     to_string(1050.00)   // "1050"
inline Str DecimalToString(Arena& arena, i128 value, int s) {
  return FormatInArena(arena, kDecimalTextMax, [=](char* out) { return FormatDecimal(value, s, out); });
}

/// fn to_string(value: bool) -> string
/// `true` or `false`.
///     to_string(true)   // "true"
inline Str BoolToString(bool value) { return value ? Str("true") : Str("false"); }

/// fn to_string(value: timestamp) -> string
/// RFC 3339 in UTC with the shortest fraction.
///     to_string(t"2026-01-02T09:00:00.500Z")   // "2026-01-02T09:00:00.5Z"
inline Str TimestampToString(Arena& arena, int64_t value) {
  return FormatInArena(arena, kTimestampTextMax, [=](char* out) { return weir::FormatTimestamp(value, out); });
}

/// fn to_string(value: date) -> string
/// Year, month and day.
///     to_string(d"2026-01-02")   // "2026-01-02"
inline Str DateToString(Arena& arena, int32_t value) {
  return FormatInArena(arena, kDateTextMax, [=](char* out) { return FormatDate(value, out); });
}

/// fn to_string(value: duration) -> string
/// As durations are written in a pipeline, largest units first.
///     to_string(90m)   // "1h30m"
///     to_string(1500ms)   // "1s500ms"
inline Str DurationToString(Arena& arena, int64_t value) {
  return FormatInArena(arena, kDurationTextMax, [=](char* out) { return FormatDuration(value, out); });
}

/// fn to_string(value: enum) -> string
/// The value's name as it stands in JSON.
///     to_string(Side.B)   // "B"
template <class E>
inline Str EnumToString(E value, const EnumNames& names) {
  return names.data[static_cast<uint32_t>(value)].name;
}

}  // namespace weir::fn
