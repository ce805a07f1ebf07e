#include "runtime/connector/http/http_target.h"

namespace weir::http {

namespace {

// A segment `.` or `..`, written plainly or as %2e: services take it for a way out of the path that was meant.
bool IsDots(const char* at, const char* end) {
  int dots = 0;
  while (at < end) {
    if (*at == '.') {
      ++at;
    } else if (end - at >= 3 && at[0] == '%' && at[1] == '2' && (at[2] | 0x20) == 'e') {
      at += 3;
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

}  // namespace

bool GoodTarget(Str target) {
  if (target.size == 0 || target[0] != '/') return false;
  const char* segment = target.begin() + 1;
  bool in_path = true;
  for (const char* at = segment; at < target.end(); ++at) {
    if (static_cast<unsigned char>(*at) <= 0x20 || static_cast<unsigned char>(*at) >= 0x7f) return false;
    if (!in_path || (*at != '/' && *at != '?')) continue;
    if (IsDots(segment, at)) return false;
    segment = at + 1;
    in_path = *at == '/';
  }
  return !in_path || !IsDots(segment, target.end());
}

bool GoodHeaderText(Str text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) return false;
  }
  return true;
}

}  // namespace weir::http
