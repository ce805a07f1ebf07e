// Timestamps, dates and durations, and their text.
//
// A timestamp is int64 nanoseconds since 1970-01-01T00:00:00Z (1677-09-21 to 2262-04-11); a duration is int64
// nanoseconds; a date is int32 days since 1970-01-01 in the proleptic Gregorian calendar. No time zones but UTC.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/core/str.h"

namespace weir {

inline constexpr int64_t kNsPerUs = 1000;
inline constexpr int64_t kNsPerMs = 1000 * kNsPerUs;
inline constexpr int64_t kNsPerSecond = 1000 * kNsPerMs;
inline constexpr int64_t kNsPerMinute = 60 * kNsPerSecond;
inline constexpr int64_t kNsPerHour = 60 * kNsPerMinute;
inline constexpr int64_t kNsPerDay = 24 * kNsPerHour;

// Room for any formatted timestamp, date or duration.
inline constexpr size_t kTimestampTextMax = 40;
inline constexpr size_t kDateTextMax = 24;
inline constexpr size_t kDurationTextMax = 64;

// RFC 3339: `2026-01-02T09:00:00.123456789+01:00`. `T` and `Z` in either case, or a space for `T`; the offset is
// required. Digits of the fraction beyond nanoseconds must be zero. A leap second (`23:59:60` UTC on the last day of a
// month) is the first second of the next day, as POSIX has it. False for anything else, and for what does not fit.
[[nodiscard]] bool ParseTimestamp(Str text, int64_t* out);
// False when it does not fit.
[[nodiscard]] bool TimestampFromMilliseconds(int64_t ms, int64_t* out);
// Rounds toward the past.
int64_t TimestampToMilliseconds(int64_t ns);

// RFC 3339 with `Z` and the shortest fraction that is exact: `2026-01-02T09:00:00.5Z`. Returns the size.
size_t FormatTimestamp(int64_t ns, char* buf);

// `2026-01-02`, years 0000 to 9999.
[[nodiscard]] bool ParseDate(Str text, int32_t* out);
// Years beyond four digits get a sign: `+12026-01-02`.
size_t FormatDate(int32_t days, char* buf);

// `1h30m`, `250ms`, `1.5s`, `-2d`: numbers with a unit (ns us ms s m h d w), added up. False when a unit is missing or
// the sum does not fit or is no whole number of nanoseconds.
[[nodiscard]] bool ParseDuration(Str text, int64_t* out);
// Largest units first, zero ones left out: `1h30m`, `1s500ms`, `0s`. Returns the size.
size_t FormatDuration(int64_t ns, char* buf);

// Calendar.
struct CivilDate {
  int32_t year;
  int32_t month;  // 1 to 12
  int32_t day;    // 1 to 31
};
int32_t DaysFromCivil(CivilDate date);
CivilDate CivilFromDays(int32_t days);
bool IsValidDate(CivilDate date);

// The day a timestamp falls in, and the time since its midnight.
inline int32_t DateOf(int64_t ns) {
  int64_t days = ns / kNsPerDay;
  return static_cast<int32_t>(ns % kNsPerDay < 0 ? days - 1 : days);
}
inline int64_t TimeOfDay(int64_t ns) {
  int64_t rest = ns % kNsPerDay;
  return rest < 0 ? rest + kNsPerDay : rest;
}

}  // namespace weir
