// compiler/parse/literals.cc — The values of literals, from their exact text.
#include "compiler/parse/literals.h"

#include <iterator>

namespace weirc {
namespace {

constexpr size_t kDigitsMax = 38;
constexpr int kExponentMax = 400;
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void DropLeadingZeros(std::string* digits) {
  size_t zeros = digits->find_first_not_of('0');
  if (zeros == std::string::npos) zeros = digits->empty() ? 0 : digits->size() - 1;
  digits->erase(0, zeros);
}

bool IsLeapYear(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's days_from_civil).
int64_t DaysFromCivil(int year, int month, int day) {
  int64_t y = year - (month <= 2);
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

// Reads a fixed number of digits.
bool TakeNumber(std::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!IsDigit((*text)[i])) return false;
    *value = *value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

std::string TakeDate(std::string_view* text, int64_t* days) {
  int year, month, day;
  if (!TakeNumber(text, 4, &year) || !Take(text, '-') || !TakeNumber(text, 2, &month) ||
      !Take(text, '-') || !TakeNumber(text, 2, &day)) {
    return "a date is written YYYY-MM-DD";
  }
  if (year < 1) return "years start with 0001";
  if (month < 1 || month > 12) return "there are twelve months";
  if (day < 1 || day > DaysInMonth(year, month)) return "this month has no such day";
  *days = DaysFromCivil(year, month, day);
  return "";
}

}  // namespace

std::string ParseInt(std::string_view text, __int128* value) {
  std::string digits;
  for (char c : text) {
    if (IsDigit(c)) digits += c;
  }
  DropLeadingZeros(&digits);
  if (digits.size() > kDigitsMax) return "has more than 38 digits";
  *value = 0;
  for (char c : digits) *value = *value * 10 + (c - '0');
  return "";
}

std::string ParseDecimal(std::string_view text, std::string* digits, int* scale) {
  digits->clear();
  size_t i = 0;
  bool fraction = false;
  int fraction_digits = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      fraction = true;
    } else if (IsDigit(text[i])) {
      *digits += text[i];
      fraction_digits += fraction;
    }
  }
  int exponent = 0;
  if (i < text.size()) {
    ++i;
    bool negative = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    for (; i < text.size(); ++i) {
      if (exponent <= kExponentMax) exponent = exponent * 10 + (text[i] - '0');
    }
    if (exponent > kExponentMax) return negative ? "is too close to zero" : "is too large";
    if (negative) exponent = -exponent;
  }
  DropLeadingZeros(digits);
  if (digits->size() > kDigitsMax) return "has more than 38 digits";
  *scale = fraction_digits - exponent;
  if (*scale > kExponentMax) return "is too close to zero";
  if (*scale < -kExponentMax) return "is too large";
  return "";
}

std::string ParseDuration(std::string_view text, int64_t* nanoseconds) {
  struct Unit {
    std::string_view name;
    int64_t nanoseconds;
  };
  // From the largest to the smallest; longer names before those they start with.
  static constexpr Unit kUnits[] = {{"w", 7 * 86400 * kNanosecondsPerSecond},
                                    {"d", 86400 * kNanosecondsPerSecond},
                                    {"h", 3600 * kNanosecondsPerSecond},
                                    {"ms", 1'000'000},
                                    {"m", 60 * kNanosecondsPerSecond},
                                    {"s", kNanosecondsPerSecond},
                                    {"us", 1000},
                                    {"ns", 1}};
  __int128 total = 0;
  int64_t last_unit = INT64_MAX;
  while (!text.empty()) {
    std::string number;
    size_t fraction_digits = 0;
    bool fraction = false;
    size_t i = 0;
    for (; i < text.size() && (IsDigit(text[i]) || text[i] == '_' || text[i] == '.'); ++i) {
      if (text[i] == '.') fraction = true;
      if (!IsDigit(text[i])) continue;
      number += text[i];
      fraction_digits += fraction;
    }
    text.remove_prefix(i);
    const Unit* unit = nullptr;
    for (const Unit& u : kUnits) {
      if (text.starts_with(u.name)) {
        unit = &u;
        break;
      }
    }
    if (unit == nullptr) return "has a number without a unit";
    text.remove_prefix(unit->name.size());
    if (unit->nanoseconds >= last_unit)
      return "has its units out of order: the largest comes first, each once";
    last_unit = unit->nanoseconds;
    DropLeadingZeros(&number);
    if (number.size() > 19 || fraction_digits > 18)
      return number.size() > 19 ? "is longer than 292 years" : "is finer than a nanosecond";
    __int128 value = 0;
    for (char c : number) value = value * 10 + (c - '0');
    value *= unit->nanoseconds;
    for (size_t k = 0; k < fraction_digits; ++k) {
      if (value % 10 != 0) return "is finer than a nanosecond";
      value /= 10;
    }
    total += value;
    if (total > INT64_MAX) return "is longer than 292 years";
  }
  *nanoseconds = static_cast<int64_t>(total);
  return "";
}

std::string ParseTimestamp(std::string_view text, int64_t* nanoseconds) {
  int64_t days = 0;
  if (std::string reason = TakeDate(&text, &days); !reason.empty()) return reason;
  int hour, minute, second = 0;
  if (text.empty()) return "a time of day follows the date: T09:00:00Z";
  if (!Take(&text, 'T') && !Take(&text, 't') && !Take(&text, ' '))
    return "`T` stands between date and time";
  if (!TakeNumber(&text, 2, &hour) || !Take(&text, ':') || !TakeNumber(&text, 2, &minute))
    return "a time is written HH:MM:SS";
  if (Take(&text, ':') && !TakeNumber(&text, 2, &second)) return "a time is written HH:MM:SS";
  if (hour > 23) return "hours go from 00 to 23";
  if (minute > 59) return "minutes go from 00 to 59";
  if (second > 59) return "seconds go from 00 to 59";
  int64_t fraction = 0;
  if (Take(&text, '.')) {
    size_t digits = 0;
    for (; !text.empty() && IsDigit(text.front()); ++digits, text.remove_prefix(1)) {
      if (digits >= 9) return "times are exact to the nanosecond: at most nine digits";
      fraction = fraction * 10 + (text.front() - '0');
    }
    if (digits == 0) return "digits follow the point";
    for (; digits < 9; ++digits) fraction *= 10;
  }
  int offset_minutes = 0;
  if (text.empty()) return "the zone is missing: Z, or an offset such as +01:00";
  if (!Take(&text, 'Z') && !Take(&text, 'z')) {
    bool negative = text.front() == '-';
    int offset_hours, minutes;
    if (text.front() != '+' && text.front() != '-')
      return "a zone is Z, or an offset such as +01:00";
    text.remove_prefix(1);
    if (!TakeNumber(&text, 2, &offset_hours) || !Take(&text, ':') ||
        !TakeNumber(&text, 2, &minutes)) {
      return "a zone is Z, or an offset such as +01:00";
    }
    if (offset_hours > 23 || minutes > 59) return "this is no offset of a zone";
    offset_minutes = (negative ? -1 : 1) * (offset_hours * 60 + minutes);
  }
  if (!text.empty()) return "nothing follows the zone";
  __int128 seconds = static_cast<__int128>(days) * 86400 + hour * 3600 + minute * 60 + second -
                     offset_minutes * 60;
  __int128 total = seconds * kNanosecondsPerSecond + fraction;
  if (total > INT64_MAX || total < INT64_MIN) return "years go from 1678 to 2261";
  *nanoseconds = static_cast<int64_t>(total);
  return "";
}

std::string ParseDate(std::string_view text, int32_t* days) {
  int64_t value = 0;
  if (std::string reason = TakeDate(&text, &value); !reason.empty()) return reason;
  if (!text.empty()) return "nothing follows the day";
  *days = static_cast<int32_t>(value);
  return "";
}

}  // namespace weirc
