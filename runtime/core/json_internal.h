// What the .cc files of the JSON reader share.
#pragma once

#include "runtime/core/json_reader.h"

namespace weir::json {

inline bool IsDigit(char c) { return static_cast<unsigned>(c - '0') <= 9; }

// Reads a string at `p`, which is behind its opening quote; returns behind the closing one, or null.
const char* ReadString(JsonContext* c, const char* p, Str* out);
// Passes over one; as above.
const char* SkipString(JsonContext* c, const char* p);
// Passes over a number, as the grammar has it. What follows is for the caller.
const char* SkipNumber(JsonContext* c, const char* p);

// Syntax, or the text's end where `expected` should be. These return null.
[[gnu::cold]] const char* FailSyntax(JsonContext* c, const char* at, const char* expected);
// What stands at `at` should have been `expected`, a type: says type, syntax or truncation.
[[gnu::cold]] const char* FailValue(JsonContext* c, const char* at, const char* expected);
// What follows a value is none of `expected`.
[[gnu::cold]] const char* FailDelimiter(JsonContext* c, const char* at, const char* expected);

}  // namespace weir::json
