// Strict about what it takes: one doubt, and the other parser decides.
#include "runtime/connector/http/http_head.h"

#include <cstring>

#include "runtime/core/time.h"

namespace weir::http {
namespace {

// `name` in lower case.
bool IsName(const char* at, size_t size, const char* name, size_t name_size) {
  if (size != name_size) return false;
  for (size_t i = 0; i < size; ++i) {
    char c = at[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != name[i]) return false;
  }
  return true;
}
template <size_t N>
bool IsName(const char* at, size_t size, const char (&name)[N]) {
  return IsName(at, size, name, N - 1);
}

// What a header's name may consist of (RFC 9110 token).
struct TokenChars {
  bool is[256] = {};
  constexpr TokenChars() {
    for (int c = '0'; c <= '9'; ++c) is[c] = true;
    for (int c = 'a'; c <= 'z'; ++c) is[c] = is[c - 32] = true;
    for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) is[static_cast<unsigned char>(c)] = true;
  }
};
constexpr TokenChars kToken;

// No control characters but tabs.
bool IsText(const char* from, const char* to) {
  for (; from < to; ++from) {
    unsigned char c = static_cast<unsigned char>(*from);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

bool ReadNumber(Str text, uint64_t* out) {
  if (text.size == 0 || text.size > 15) return false;
  uint64_t n = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<uint64_t>(c - '0');
  }
  *out = n;
  return true;
}

}  // namespace

HeadState ReadHead(Str bytes, Head* head) {
  const char* at = bytes.data;
  const char* end = bytes.data + bytes.size;
  // `HTTP/1.1 200`
  if (bytes.size < 16) return HeadState::kShort;
  if (std::memcmp(at, "HTTP/1.", 7) != 0 || (at[7] != '1' && at[7] != '0') || at[8] != ' ') return HeadState::kUnusual;
  int status = 0;
  for (int i = 9; i < 12; ++i) {
    if (at[i] < '0' || at[i] > '9') return HeadState::kUnusual;
    status = status * 10 + (at[i] - '0');
  }
  if ((at[12] != ' ' && at[12] != '\r') || status < 200 || status > 599) return HeadState::kUnusual;
  *head = Head();
  head->status = status;
  head->keep_alive = at[7] == '1';
  bool has_length = false, has_connection = false;
  const char* line = at + 12;
  at = static_cast<const char*>(std::memchr(at, '\n', bytes.size));
  if (at == nullptr) return HeadState::kShort;
  if (at[-1] != '\r' || !IsText(line, at - 1)) return HeadState::kUnusual;
  ++at;
  for (;;) {
    const char* line_end = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (line_end == nullptr) return HeadState::kShort;
    if (line_end == at || line_end[-1] != '\r') return HeadState::kUnusual;
    if (line_end == at + 1) {
      at = line_end + 1;
      break;
    }
    const char* colon = at;
    while (kToken.is[static_cast<unsigned char>(*colon)]) ++colon;  // ends at the line's end at the latest
    if (*colon != ':' || colon == at) return HeadState::kUnusual;  // a folded line, or no header at all
    if (!IsText(colon, line_end - 1)) return HeadState::kUnusual;
    char first = static_cast<char>(*at | 0x20);
    if (first == 'c' || first == 't' || first == 'r' || first == 'l') {
      size_t name = static_cast<size_t>(colon - at);
      const char* from = colon + 1;
      const char* to = line_end - 1;
      while (from < to && (*from == ' ' || *from == '\t')) ++from;
      while (to > from && (to[-1] == ' ' || to[-1] == '\t')) --to;
      Str value(from, static_cast<size_t>(to - from));
      if (IsName(at, name, "content-length")) {
        if (has_length || !ReadNumber(value, &head->content_length)) return HeadState::kUnusual;
        has_length = true;
      } else if (IsName(at, name, "transfer-encoding")) {
        return HeadState::kUnusual;
      } else if (IsName(at, name, "connection")) {
        if (has_connection) return HeadState::kUnusual;
        has_connection = true;
        if (IsName(value.data, value.size, "close")) {
          head->keep_alive = false;
        } else if (IsName(value.data, value.size, "keep-alive")) {
          head->keep_alive = true;
        } else {
          return HeadState::kUnusual;
        }
      } else if (IsName(at, name, "retry-after")) {
        if (head->retry_after.data == nullptr) head->retry_after = value;  // the first one counts
      } else if (IsName(at, name, "location")) {
        if (head->location.data == nullptr) head->location = value;
      }
    }
    at = line_end + 1;
  }
  bool bodiless = status == 204 || status == 304;
  if (bodiless) head->content_length = 0;
  if (!has_length && !bodiless) return HeadState::kUnusual;
  head->size = static_cast<uint32_t>(at - bytes.data);
  return HeadState::kComplete;
}

int64_t ReadRetryAfter(Str text, int64_t wall_ns) {
  uint64_t seconds;
  if (ReadNumber(text, &seconds)) {
    return seconds > 86'400 ? 86'400 * kNsPerSecond : static_cast<int64_t>(seconds) * kNsPerSecond;
  }
  // `Sun, 06 Nov 1994 08:49:37 GMT`
  if (text.size != 29 || text.Sub(25) != Str(" GMT") || text[3] != ',') return 0;
  static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int month = 0;
  for (int m = 0; m < 12; ++m) {
    if (std::memcmp(text.data + 8, kMonths + m * 3, 3) == 0) month = m + 1;
  }
  uint64_t day, year, hour, minute, second;
  if (month == 0 || !ReadNumber(text.Sub(5, 2), &day) || !ReadNumber(text.Sub(12, 4), &year) ||
      !ReadNumber(text.Sub(17, 2), &hour) || !ReadNumber(text.Sub(20, 2), &minute) ||
      !ReadNumber(text.Sub(23, 2), &second) || hour > 23 || minute > 59 || second > 60 || year < 1970 || year > 2200) {
    return 0;
  }
  CivilDate date{static_cast<int32_t>(year), month, static_cast<int32_t>(day)};
  if (!IsValidDate(date)) return 0;
  int64_t at = DaysFromCivil(date) * kNsPerDay + static_cast<int64_t>(hour) * kNsPerHour +
               static_cast<int64_t>(minute) * kNsPerMinute + static_cast<int64_t>(second) * kNsPerSecond;
  return at > wall_ns ? at - wall_ns : 0;
}

}  // namespace weir::http
