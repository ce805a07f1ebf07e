// JSON as a tree, for comparing records of tests: numbers keep their text, so that decimals compare exactly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct JsonMember;

struct JsonValue {
  JsonValue();
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();

  enum Kind : unsigned char { kNull, kBool, kNumber, kString, kArray, kObject } kind = kNull;
  bool boolean = false;
  std::string text;  // of strings (decoded) and numbers (as written)
  std::vector<JsonValue> items;
  std::vector<JsonMember> fields;  // in their order

  const JsonValue* Find(std::string_view field) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// False, with what is wrong in *error, unless `text` is one JSON value.
bool ParseJson(std::string_view text, JsonValue* value, std::string* error);
// Compact, fields in their order.
std::string FormatJson(const JsonValue& value);
// As a literal of the language: `{ id: 1, name: "x" }`.
std::string FormatLiteral(const JsonValue& value);

// Exactly equal as decimals: 1050 and 1050.00 and 1.05e3 are.
bool SameNumber(std::string_view a, std::string_view b);
// Equal; a field that is null and one that is not there are the same.
bool SameJson(const JsonValue& a, const JsonValue& b);
// Every field of `part` is in `whole` with an equal value; objects inside objects likewise, lists must be equal.
bool ContainsJson(const JsonValue& whole, const JsonValue& part);

}  // namespace weir
