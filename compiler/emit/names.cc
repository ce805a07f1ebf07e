// Names and literals in generated C++.
#include "compiler/emit/names.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <unordered_set>

namespace weirc::emit {

namespace {

const std::unordered_set<std::string_view>& Reserved() {
  static const std::unordered_set<std::string_view> reserved = {
#include "compiler/emit/reserved_cpp.inc"
#include "compiler/emit/reserved_macros.inc"
#include "compiler/emit/reserved_runtime.inc"
  };
  return reserved;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsPlain(std::string_view name) {
  if (name.empty() || !IsLetter(name[0]) || name.back() == '_') return false;
  if (name.starts_with("u_") || name.find("__") != std::string_view::npos) return false;
  // kName is ours; `k` alone or in front of a small letter is not.
  if (name[0] == 'k' && name.size() > 1 && name[1] >= 'A' && name[1] <= 'Z') return false;
  for (char c : name) {
    if (!IsLetter(c) && !IsDigit(c) && c != '_') return false;
  }
  return true;
}

}  // namespace

bool IsReserved(std::string_view name) { return Reserved().contains(name); }

std::string Mangle(std::string_view name) {
  return IsPlain(name) && !IsReserved(name) ? std::string(name) : Escaped(name);
}

std::string MangleMember(std::string_view name) {
  static const std::unordered_set<std::string_view> words = {
#include "compiler/emit/reserved_cpp.inc"
#include "compiler/emit/reserved_macros.inc"
      // Types of members.
      "int32_t", "int64_t", "i128", "Str", "Opt", "List", "Map", "LookupOutcome",
  };
  return IsPlain(name) && !words.contains(name) ? std::string(name) : Escaped(name);
}

std::string Escaped(std::string_view name) {
  std::string out = "u_";
  for (char c : name) {
    if (IsLetter(c) || IsDigit(c)) {
      out += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "_%02x", static_cast<unsigned char>(c));
      out += hex;
    }
  }
  return out;
}

std::string MangleParts(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return Mangle(name);
  std::string out;
  for (size_t at = 0; at <= name.size();) {
    size_t dot = std::min(name.find('.', at), name.size());
    std::string_view part = name.substr(at, dot - at);
    bool plain = std::all_of(part.begin(), part.end(), [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
    out += (out.empty() ? "" : "_") + (plain ? std::string(part) : Mangle(part));
    at = dot + 1;
  }
  return IsPlain(out) && !IsReserved(out) ? out : Mangle(out);
}

std::string Scope::Take(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !taken_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::string StringLiteral(std::string_view bytes) {
  std::string out = "\"";
  for (char c : bytes) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '?' && out.back() == '?') {
      out += "\\?";  // never a trigraph
    } else if (c >= 0x20 && c <= 0x7e) {
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      char octal[8];
      std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned char>(c));
      out += octal;
    }
  }
  return out + "\"";
}

std::string CommentText(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n' || c == '\r') break;
    out += c >= 0x20 && c <= 0x7e ? c : ' ';
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\\')) out.pop_back();
  return out;
}

namespace {

std::string Grouped(unsigned __int128 value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  if (digits.size() > 6) {
    for (size_t at = digits.size() - 3; at > 0 && at < digits.size(); at -= 3) {
      digits.insert(at, "'");
      if (at < 4) break;
    }
  }
  return digits;
}

}  // namespace

std::string IntLiteral(__int128 value) {
  if (value == INT64_MIN) return "INT64_MIN";
  if (value > INT64_MIN && value <= INT64_MAX) {
    std::string text = Grouped(static_cast<unsigned __int128>(value < 0 ? -value : value));
    return value < 0 ? "-" + text : text;
  }
  auto bits = static_cast<unsigned __int128>(value);
  char text[80];
  std::snprintf(text, sizeof text, "MakeI128(%lld, 0x%llxu)", static_cast<long long>(static_cast<int64_t>(bits >> 64)),
                static_cast<unsigned long long>(static_cast<uint64_t>(bits)));
  return text;
}

std::string DoubleLiteral(double value) {
  if (std::isnan(value)) return "__builtin_nan(\"\")";
  if (std::isinf(value)) return value < 0 ? "-__builtin_inf()" : "__builtin_inf()";
  char text[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    double back = 0;
    std::sscanf(text, "%lf", &back);
    if (std::memcmp(&back, &value, sizeof value) == 0) break;
  }
  std::string out = text;
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace weirc::emit
