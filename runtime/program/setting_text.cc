// Parsing of single settings.
#include "runtime/program/setting_text.h"

#include <algorithm>
#include <cctype>

#include "runtime/core/decimal.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"

namespace weir {
namespace {

// Edits between two words, two neighbours swapped counting as one.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string FlagOf(const std::string& name) {
  std::string flag = "--" + name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string VariableOf(const std::string& name) {
  std::string out = "WEIR_";
  for (char c : name) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string KafkaPropertyOf(const std::string& variable_rest) {
  std::string out;
  for (char c : variable_rest) out += c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string KindText(const ParamSpec& spec) {
  switch (spec.kind) {
    case ParamKind::kBool: return "true or false";
    case ParamKind::kInt64: return "a whole number";
    case ParamKind::kFloat64: return "a number";
    case ParamKind::kDecimal:
      return "a decimal(" + std::to_string(spec.precision) + ", " + std::to_string(spec.scale) + ")";
    case ParamKind::kString: return "a text";
    case ParamKind::kDuration: return "a duration such as 1h30m or 250ms";
    case ParamKind::kTimestamp: return "a timestamp such as 2026-01-02T09:00:00Z";
    case ParamKind::kDate: return "a date such as 2026-01-02";
    case ParamKind::kStringList: return "texts, separated by commas";
  }
  return "";
}

bool ParseValue(const ParamSpec& spec, const std::string& text, ParsedValue* out) {
  Str s{std::string_view(text)};
  switch (spec.kind) {
    case ParamKind::kBool:
      out->number = text == "true";
      return text == "true" || text == "false";
    case ParamKind::kInt64: return ParseInt64(s, &out->number);
    case ParamKind::kFloat64: return ParseDouble(s, &out->real);
    case ParamKind::kDecimal: return ParseDecimal(s, spec.precision, spec.scale, &out->decimal) == DecimalError::kOk;
    case ParamKind::kString: return true;
    case ParamKind::kDuration: return ParseDuration(s, &out->number);
    case ParamKind::kTimestamp: return ParseTimestamp(s, &out->number);
    case ParamKind::kDate: {
      int32_t days = 0;
      bool ok = ParseDate(s, &days);
      out->number = days;
      return ok;
    }
    case ParamKind::kStringList: {
      size_t at = 0;
      while (!text.empty()) {
        size_t comma = text.find(',', at);
        out->list.push_back(text.substr(at, comma == std::string::npos ? std::string::npos : comma - at));
        if (comma == std::string::npos) break;
        at = comma + 1;
      }
      return true;
    }
  }
  return false;
}

std::string DidYouMean(const std::string& written, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(written.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    size_t distance = Distance(written, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

bool ParseHostPort(const std::string& text, std::string* host, int* port) {
  size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  int64_t number = 0;
  std::string digits = text.substr(colon + 1);
  if (!ParseInt64(Str(std::string_view(digits)), &number) || number < 0 || number > 65535) return false;
  std::string name = text.substr(0, colon);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  } else if (name.find(':') != std::string::npos) {
    return false;
  }
  *host = name.empty() ? "0.0.0.0" : name;
  *port = static_cast<int>(number);
  return true;
}

}  // namespace weir
