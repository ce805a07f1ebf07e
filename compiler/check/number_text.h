// compiler/check/number_text.h — 128-bit numbers, their digits and their text; names in running
// text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weirc::check {

std::string NumberText(__int128 value);
// At least 1.
int CountDigits(__int128 value);
// value × 10^by; nothing when it has more than 38 digits.
std::optional<__int128> ScaleUp(__int128 value, int by);
// At most 38 digits.
__int128 ParseDigits(std::string_view digits);
// "12.5", "0.05": exact, without trailing zeros.
std::string DecimalText(__int128 unscaled, int scale);
// "1h30m", "250ms", "0s"
std::string DurationText(__int128 nanoseconds);
// RFC 3339 with Z and the shortest exact fraction.
std::string TimestampText(int64_t nanoseconds);
// 2026-01-02
std::string DateText(int32_t days);
// The shortest text that reads back as this number.
std::string FloatText(double value);
// "`a`, `b` and `c`"
std::string OneOfNames(const std::vector<std::string>& names, std::string_view conjunction);

}  // namespace weirc::check
