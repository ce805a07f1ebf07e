// The calendar, and times, dates and durations as text.
#include "runtime/core/time.h"

#include <cstring>

#include "runtime/core/int128.h"
#include "runtime/core/number_text.h"

namespace weir {
namespace {

// Two digits, or a negative number.
int TwoDigits(const char* p) {
  auto a = static_cast<unsigned>(p[0] - '0'), b = static_cast<unsigned>(p[1] - '0');
  return a > 9 || b > 9 ? -1 : static_cast<int>(a * 10 + b);
}

char* PutTwo(char* out, int v) {
  out[0] = static_cast<char>('0' + v / 10);
  out[1] = static_cast<char>('0' + v % 10);
  return out + 2;
}

bool ParseCivil(const char* p, CivilDate* out) {
  int century = TwoDigits(p), year = TwoDigits(p + 2), month = TwoDigits(p + 5), day = TwoDigits(p + 8);
  if ((century | year | month | day) < 0 || p[4] != '-' || p[7] != '-') return false;
  *out = CivilDate{century * 100 + year, month, day};
  return IsValidDate(*out);
}

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  if (month == 2) return IsLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

char* PutDate(char* out, CivilDate date) {
  int year = date.year;
  if (year < 0 || year > 9999) {
    *out++ = year < 0 ? '-' : '+';
    unsigned magnitude = year < 0 ? 0u - static_cast<unsigned>(year) : static_cast<unsigned>(year);
    char digits[kInt64TextMax];
    size_t n = FormatUint64(magnitude, digits);
    for (size_t i = n; i < 4; ++i) *out++ = '0';
    std::memcpy(out, digits, n);
    out += n;
  } else {
    out = PutTwo(out, year / 100);
    out = PutTwo(out, year % 100);
  }
  *out++ = '-';
  out = PutTwo(out, date.month);
  *out++ = '-';
  return PutTwo(out, date.day);
}

// A point and the digits of a fraction of a second, unless it is zero.
char* PutFraction(char* out, uint32_t ns) {
  if (ns == 0) return out;
  *out++ = '.';
  for (uint32_t unit = 100000000; ns != 0; unit /= 10) {
    *out++ = static_cast<char>('0' + ns / unit);
    ns %= unit;
  }
  return out;
}

bool FitsInt64(i128 v) { return v == static_cast<int64_t>(v); }

struct Unit {
  char name[3];
  int64_t ns;
};
constexpr Unit kUnits[] = {
    {"d", kNsPerDay}, {"h", kNsPerHour}, {"m", kNsPerMinute}, {"s", kNsPerSecond},
    {"ms", kNsPerMs}, {"us", kNsPerUs},  {"ns", 1},
};

// The unit at `p`, with its length, or 0.
int64_t UnitAt(const char* p, const char* end, int* size) {
  *size = 1;
  char c = *p;
  bool second = end - p >= 2 && p[1] == 's';
  if ((c == 'm' || c == 'u' || c == 'n') && second) {
    *size = 2;
    return c == 'm' ? kNsPerMs : c == 'u' ? kNsPerUs : 1;
  }
  switch (c) {
    case 's': return kNsPerSecond;
    case 'm': return kNsPerMinute;
    case 'h': return kNsPerHour;
    case 'd': return kNsPerDay;
    case 'w': return 7 * kNsPerDay;
    default: return 0;
  }
}

}  // namespace

bool IsValidDate(CivilDate date) {
  return date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= DaysInMonth(date.year, date.month);
}

// The calendar in years that start in March, so that the leap day is the last one; eras of 400 years are alike.
int32_t DaysFromCivil(CivilDate date) {
  int32_t y = date.year - (date.month <= 2 ? 1 : 0);
  int32_t era = (y >= 0 ? y : y - 399) / 400;
  int32_t year_of_era = y - era * 400;
  int32_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate CivilFromDays(int32_t days) {
  int64_t z = static_cast<int64_t>(days) + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  auto day_of_era = static_cast<int32_t>(z - era * 146097);
  int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int32_t mp = (5 * day_of_year + 2) / 153;
  int32_t day = day_of_year - (153 * mp + 2) / 5 + 1;
  int32_t month = mp < 10 ? mp + 3 : mp - 9;
  auto year = static_cast<int32_t>(year_of_era + era * 400);
  return CivilDate{year + (month <= 2 ? 1 : 0), month, day};
}

bool ParseTimestamp(Str text, int64_t* out) {
  // 2026-01-02T09:00:00Z is the shortest.
  if (text.size < 20) return false;
  const char* p = text.data;
  const char* end = p + text.size;
  CivilDate date;
  if (!ParseCivil(p, &date)) return false;
  if (p[10] != 'T' && p[10] != 't' && p[10] != ' ') return false;
  int hour = TwoDigits(p + 11), minute = TwoDigits(p + 14), second = TwoDigits(p + 17);
  if ((hour | minute | second) < 0 || p[13] != ':' || p[16] != ':') return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  p += 19;
  int64_t fraction = 0;
  if (*p == '.') {
    ++p;
    int64_t unit = 100000000;
    const char* first = p;
    for (; p != end; ++p) {
      auto digit = static_cast<unsigned>(*p - '0');
      if (digit > 9) break;
      if (unit == 0 && digit != 0) return false;
      fraction += digit * unit;
      unit /= 10;
    }
    if (p == first || p == end) return false;
  }
  int64_t offset_minutes = 0;
  if (*p == 'Z' || *p == 'z') {
    ++p;
  } else if (*p == '+' || *p == '-') {
    if (end - p < 6 || p[3] != ':') return false;
    int hours = TwoDigits(p + 1), minutes = TwoDigits(p + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
    offset_minutes = (hours * 60 + minutes) * (*p == '-' ? -1 : 1);
    p += 6;
  } else {
    return false;
  }
  if (p != end) return false;
  int64_t minutes = static_cast<int64_t>(DaysFromCivil(date)) * 1440 + hour * 60 + minute - offset_minutes;
  if (second == 60) {
    // Only the last minute of a month, in UTC, can have 61 seconds.
    int64_t next_day = minutes + 1;
    if (next_day % 1440 != 0 || CivilFromDays(static_cast<int32_t>(next_day / 1440)).day != 1) return false;
  }
  i128 ns = static_cast<i128>(minutes) * kNsPerMinute + second * kNsPerSecond + fraction;
  if (!FitsInt64(ns)) return false;
  *out = static_cast<int64_t>(ns);
  return true;
}

bool TimestampFromMilliseconds(int64_t ms, int64_t* out) { return CheckedMul(ms, kNsPerMs, out); }

int64_t TimestampToMilliseconds(int64_t ns) {
  int64_t ms = ns / kNsPerMs;
  return ns % kNsPerMs < 0 ? ms - 1 : ms;
}

size_t FormatTimestamp(int64_t ns, char* buf) {
  char* out = PutDate(buf, CivilFromDays(DateOf(ns)));
  int64_t rest = TimeOfDay(ns);
  auto seconds = static_cast<int>(rest / kNsPerSecond);
  *out++ = 'T';
  out = PutTwo(out, seconds / 3600);
  *out++ = ':';
  out = PutTwo(out, seconds / 60 % 60);
  *out++ = ':';
  out = PutTwo(out, seconds % 60);
  out = PutFraction(out, static_cast<uint32_t>(rest % kNsPerSecond));
  *out++ = 'Z';
  return static_cast<size_t>(out - buf);
}

bool ParseDate(Str text, int32_t* out) {
  CivilDate date;
  if (text.size != 10 || !ParseCivil(text.data, &date)) return false;
  *out = DaysFromCivil(date);
  return true;
}

size_t FormatDate(int32_t days, char* buf) {
  return static_cast<size_t>(PutDate(buf, CivilFromDays(days)) - buf);
}

bool ParseDuration(Str text, int64_t* out) {
  const char* p = text.begin();
  const char* end = text.end();
  bool negative = false;
  if (p != end && *p == '-') {
    negative = true;
    ++p;
  }
  if (p == end) return false;
  i128 sum = 0;
  while (p != end) {
    // At most 18 digits on each side of the point: enough for every duration there is.
    int64_t whole = 0, fraction = 0, fraction_unit = 1;
    const char* first = p;
    for (; p != end && static_cast<unsigned>(*p - '0') <= 9; ++p) {
      if (p - first >= 18) return false;
      whole = whole * 10 + (*p - '0');
    }
    if (p == first) return false;
    if (p != end && *p == '.') {
      const char* point = p++;
      for (; p != end && static_cast<unsigned>(*p - '0') <= 9; ++p) {
        if (p - point > 18) return false;
        fraction = fraction * 10 + (*p - '0');
        fraction_unit *= 10;
      }
      if (p == point + 1) return false;
    }
    if (p == end) return false;
    int size;
    int64_t unit = UnitAt(p, end, &size);
    if (unit == 0) return false;
    p += size;
    i128 part = static_cast<i128>(fraction) * unit;
    if (part % fraction_unit != 0) return false;
    sum += static_cast<i128>(whole) * unit + part / fraction_unit;
    if (sum > static_cast<i128>(INT64_MAX) + 1) return false;
  }
  if (negative) sum = -sum;
  if (!FitsInt64(sum)) return false;
  *out = static_cast<int64_t>(sum);
  return true;
}

size_t FormatDuration(int64_t ns, char* buf) {
  char* out = buf;
  uint64_t rest = Magnitude64(ns);
  if (rest == 0) {
    std::memcpy(buf, "0s", 2);
    return 2;
  }
  if (ns < 0) *out++ = '-';
  for (const Unit& unit : kUnits) {
    auto size = static_cast<uint64_t>(unit.ns);
    if (rest < size) continue;
    out += FormatUint64(rest / size, out);
    rest %= size;
    *out++ = unit.name[0];
    if (unit.name[1] != 0) *out++ = unit.name[1];
  }
  return static_cast<size_t>(out - buf);
}

}  // namespace weir
