// Times by pattern: `%Y-%m-%d` and the like.
#include "stdlib/time/pattern.h"

#include <cstring>

#include "runtime/core/int128.h"
#include "runtime/core/time.h"

namespace weir::fn {
namespace {

// The fields of a time.
struct Parts {
  CivilDate date{1970, 1, 1};
  int64_t day_of_year = 0;  // 0: not said
  int64_t hour = 0, minute = 0, second = 0;
  int64_t ns = 0;
};

// How many digits a letter stands for; 0 for letters that are none of ours.
int DigitsOf(char letter) {
  switch (letter) {
    case 'Y': return 4;
    case 'm':
    case 'd':
    case 'H':
    case 'M':
    case 'S': return 2;
    case 'j':
    case 'L': return 3;
    case 'f': return 6;
    case 'N': return 9;
    default: return 0;
  }
}

int64_t ValueOf(const Parts& parts, char letter) {
  switch (letter) {
    case 'Y': return parts.date.year;
    case 'm': return parts.date.month;
    case 'd': return parts.date.day;
    case 'H': return parts.hour;
    case 'M': return parts.minute;
    case 'S': return parts.second;
    case 'j': return parts.day_of_year;
    case 'L': return parts.ns / kNsPerMs;
    case 'f': return parts.ns / kNsPerUs;
    default: return parts.ns;
  }
}

void Set(Parts* parts, char letter, int64_t value) {
  switch (letter) {
    case 'Y': parts->date.year = static_cast<int32_t>(value); break;
    case 'm': parts->date.month = static_cast<int32_t>(value); break;
    case 'd': parts->date.day = static_cast<int32_t>(value); break;
    case 'H': parts->hour = value; break;
    case 'M': parts->minute = value; break;
    case 'S': parts->second = value; break;
    case 'j': parts->day_of_year = value; break;
    case 'L': parts->ns = value * kNsPerMs; break;
    case 'f': parts->ns = value * kNsPerUs; break;
    default: parts->ns = value; break;
  }
}

// Letters that stand for others.
Str Longer(char letter) { return letter == 'F' ? Str("%Y-%m-%d") : letter == 'T' ? Str("%H:%M:%S") : Str(); }

char* PutDigits(char* out, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

char* Format(const Parts& parts, Str pattern, char* out) {
  for (uint32_t i = 0; i < pattern.size; ++i) {
    char c = pattern[i];
    if (c != '%' || i + 1 == pattern.size) {
      *out++ = c;
      continue;
    }
    char letter = pattern[++i];
    if (int digits = DigitsOf(letter); digits != 0) {
      out = PutDigits(out, ValueOf(parts, letter), digits);
    } else if (Str longer = Longer(letter); !longer.empty()) {
      out = Format(parts, longer, out);
    } else {
      if (letter != '%') *out++ = '%';
      *out++ = letter;
    }
  }
  return out;
}

// Moves `*at` behind what the pattern stands for.
bool Read(Str text, Str pattern, uint32_t* at, Parts* parts) {
  for (uint32_t i = 0; i < pattern.size; ++i) {
    char c = pattern[i];
    if (c == '%' && i + 1 < pattern.size) {
      char letter = pattern[++i];
      if (int digits = DigitsOf(letter); digits != 0) {
        int64_t value = 0;
        for (int k = 0; k < digits; ++k, ++*at) {
          if (*at >= text.size) return false;
          auto digit = static_cast<unsigned>(text[*at] - '0');
          if (digit > 9) return false;
          value = value * 10 + digit;
        }
        Set(parts, letter, value);
        continue;
      }
      if (Str longer = Longer(letter); !longer.empty()) {
        if (!Read(text, longer, at, parts)) return false;
        continue;
      }
      if (letter != '%') {
        if (*at >= text.size || text[*at] != '%') return false;
        ++*at;
      }
      c = letter;
    }
    if (*at >= text.size || text[*at] != c) return false;
    ++*at;
  }
  return true;
}

}  // namespace

Str FormatPattern(Arena& arena, int64_t time, Str pattern) {
  Parts parts;
  int32_t day = weir::DateOf(time);
  parts.date = CivilFromDays(day);
  parts.day_of_year = day - DaysFromCivil(CivilDate{parts.date.year, 1, 1}) + 1;
  int64_t rest = TimeOfDay(time);
  parts.hour = rest / kNsPerHour;
  parts.minute = rest / kNsPerMinute % 60;
  parts.second = rest / kNsPerSecond % 60;
  parts.ns = rest % kNsPerSecond;
  // Two characters of a pattern become ten at most.
  size_t room = static_cast<size_t>(pattern.size) * 5 + 1;
  char* start = arena.AllocChars(room);
  auto size = static_cast<size_t>(Format(parts, pattern, start) - start);
  arena.Shrink(start, room, size);
  return Str(start, size);
}

bool ParsePattern(Str text, Str pattern, int64_t* out) {
  Parts parts;
  uint32_t at = 0;
  if (!Read(text, pattern, &at, &parts) || at != text.size) return false;
  if (!IsValidDate(parts.date) || parts.hour > 23 || parts.minute > 59 || parts.second > 59) return false;
  int64_t day = DaysFromCivil(parts.date);
  if (parts.day_of_year != 0) {
    day = DaysFromCivil(CivilDate{parts.date.year, 1, 1}) + parts.day_of_year - 1;
    if (CivilFromDays(static_cast<int32_t>(day)).year != parts.date.year) return false;
  }
  i128 ns = static_cast<i128>(day) * kNsPerDay + parts.hour * kNsPerHour + parts.minute * kNsPerMinute +
            parts.second * kNsPerSecond + parts.ns;
  if (ns != static_cast<int64_t>(ns)) return false;
  *out = static_cast<int64_t>(ns);
  return true;
}

}  // namespace weir::fn
