// compiler/check/number_text.cc — 128-bit numbers, their digits and their text.
#include "compiler/check/number_text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "compiler/base/suggest.h"

namespace weirc::check {

std::string NumberText(__int128 value) {
  if (value == 0) return "0";
  unsigned __int128 rest =
      value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string text;
  while (rest != 0) {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value < 0) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

int CountDigits(__int128 value) {
  int digits = static_cast<int>(NumberText(value).size());
  return value < 0 ? digits - 1 : digits;
}

std::optional<__int128> ScaleUp(__int128 value, int by) {
  if (value == 0) return value;
  if (CountDigits(value) + by > 38) return std::nullopt;
  for (int i = 0; i < by; ++i) value *= 10;
  return value;
}

__int128 ParseDigits(std::string_view digits) {
  __int128 value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

std::string DecimalText(__int128 unscaled, int scale) {
  std::string digits = NumberText(unscaled < 0 ? -unscaled : unscaled);
  if (static_cast<int>(digits.size()) <= scale) {
    digits.insert(0, static_cast<size_t>(scale) + 1 - digits.size(), '0');
  }
  std::string whole = digits.substr(0, digits.size() - static_cast<size_t>(scale));
  std::string fraction = digits.substr(digits.size() - static_cast<size_t>(scale));
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return (unscaled < 0 ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

std::string DurationText(__int128 ns) {
  if (ns == 0) return "0s";
  struct Unit {
    const char* name;
    int64_t ns;
  };
  constexpr Unit kUnits[] = {{"d", 86'400'000'000'000},
                             {"h", 3'600'000'000'000},
                             {"m", 60'000'000'000},
                             {"s", 1'000'000'000},
                             {"ms", 1'000'000},
                             {"us", 1'000},
                             {"ns", 1}};
  std::string text = ns < 0 ? "-" : "";
  if (ns < 0) ns = -ns;
  for (const Unit& unit : kUnits) {
    if (ns < unit.ns) continue;
    text += NumberText(ns / unit.ns) + unit.name;
    ns %= unit.ns;
  }
  return text;
}

namespace {

// Howard Hinnant's civil_from_days.
void CivilFromDays(int64_t z, int64_t* y, unsigned* m, unsigned* d) {
  z += 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  auto doe = static_cast<unsigned>(z - era * 146097);
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  *y = static_cast<int64_t>(yoe) + era * 400;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  unsigned mp = (5 * doy + 2) / 153;
  *d = doy - (153 * mp + 2) / 5 + 1;
  *m = mp < 10 ? mp + 3 : mp - 9;
  if (*m <= 2) ++*y;
}

}  // namespace

std::string DateText(int32_t days) {
  int64_t y;
  unsigned m, d;
  CivilFromDays(days, &y, &m, &d);
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02u", static_cast<long long>(y), m, d);
  return buffer;
}

std::string TimestampText(int64_t ns) {
  constexpr int64_t kDay = 86'400'000'000'000;
  int64_t days = ns / kDay;
  int64_t rest = ns % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  int64_t seconds = rest / 1'000'000'000;
  int64_t fraction = rest % 1'000'000'000;
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "T%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text = DateText(static_cast<int32_t>(days)) + buffer;
  if (fraction != 0) {
    std::snprintf(buffer, sizeof buffer, ".%09d", static_cast<int>(fraction));
    text += buffer;
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

std::string FloatText(double value) {
  char buffer[40];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end);
}

std::string OneOfNames(const std::vector<std::string>& names, std::string_view conjunction) {
  std::vector<std::string_view> views(names.begin(), names.end());
  return OneOf(std::span<const std::string_view>(views), conjunction);
}

}  // namespace weirc::check
