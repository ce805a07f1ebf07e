// Texts of settings: names in their three spellings, values of each kind, and what was probably meant.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/int128.h"
#include "runtime/program/program.h"

namespace weir {

// `state_dir` → `--state-dir`.
std::string FlagOf(const std::string& name);
// `state_dir` → `WEIR_STATE_DIR`.
std::string VariableOf(const std::string& name);
// `FETCH_MIN_BYTES` → `fetch.min.bytes`.
std::string KafkaPropertyOf(const std::string& variable_rest);

// "a whole number", "a duration such as 1h30m", …
std::string KindText(const ParamSpec& spec);

struct ParsedValue {
  int64_t number = 0;
  double real = 0;
  i128 decimal = 0;
  std::vector<std::string> list;
};
// False: the text is no value of this kind. Strings are always fine; lists are split at commas.
bool ParseValue(const ParamSpec& spec, const std::string& text, ParsedValue* out);

// The candidate nearest to what was written, if any is near enough; else empty.
std::string DidYouMean(const std::string& written, const std::vector<std::string>& candidates);

// "127.0.0.1:9640", "[::1]:9640", ":9640". False: no such thing.
bool ParseHostPort(const std::string& text, std::string* host, int* port);

}  // namespace weir
