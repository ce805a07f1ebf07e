// compiler/parse/literals.h — The values of literals, from their exact text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weirc {

// Each returns an empty reason on success, else what is wrong with the text, as a label ("no month
// has this day").

// Digits and underscores; at most 38 digits without leading zeros.
std::string ParseInt(std::string_view text, __int128* value);
// 1_000.50 → "100050", 2; 1e3 → "1", -3. At most 38 digits, exponents of at most three digits in
// sum.
std::string ParseDecimal(std::string_view text, std::string* digits, int* scale);
// 1h30m, 1.5s: units from the largest to the smallest, each at most once; up to about 292 years;
// whole nanoseconds.
std::string ParseDuration(std::string_view text, int64_t* nanoseconds);
// RFC 3339 with a zone: 2026-01-02T09:00:00.123456789Z or …+01:00; years 1678 to 2261 (about what
// 64 bits of nanoseconds hold).
std::string ParseTimestamp(std::string_view text, int64_t* nanoseconds);
// 2026-01-02; years 1 to 9999.
std::string ParseDate(std::string_view text, int32_t* days);

}  // namespace weirc
