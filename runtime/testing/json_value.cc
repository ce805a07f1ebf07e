#include "runtime/testing/json_value.h"

#include "runtime/core/arena.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"

namespace weir {

namespace {

bool Fail(JsonContext& context, std::string* error) {
  Buffer what;
  context.Describe(&what);
  *error = std::string(what.str().view());
  return false;
}

// One value's text, without white space around it.
bool Parse(Arena& arena, Str text, JsonValue* value, std::string* error) {
  JsonContext context(&arena, 256);
  JsonReader in(text, &context);
  switch (text.size == 0 ? 'x' : text[0]) {
    case '{': {
      value->kind = JsonValue::kObject;
      if (!in.BeginObject()) return Fail(context, error);
      Str key;
      while (in.NextKey(&key)) {
        Str raw;
        if (!in.Raw(&raw)) return Fail(context, error);
        value->fields.push_back(JsonMember{std::string(key.view()), JsonValue()});
        if (!Parse(arena, raw, &value->fields.back().value, error)) return false;
      }
      return in.ok() && in.End() ? true : Fail(context, error);
    }
    case '[': {
      value->kind = JsonValue::kArray;
      if (!in.BeginArray()) return Fail(context, error);
      while (in.NextElement()) {
        Str raw;
        if (!in.Raw(&raw)) return Fail(context, error);
        value->items.emplace_back();
        if (!Parse(arena, raw, &value->items.back(), error)) return false;
      }
      return in.ok() && in.End() ? true : Fail(context, error);
    }
    case '"': {
      value->kind = JsonValue::kString;
      Str decoded;
      if (!in.String(&decoded) || !in.End()) return Fail(context, error);
      value->text = decoded.view();
      return true;
    }
    case 't':
    case 'f':
      value->kind = JsonValue::kBool;
      return in.Bool(&value->boolean) && in.End() ? true : Fail(context, error);
    case 'n': {
      if (!in.Null() || !in.End()) {
        *error = "no JSON";
        return false;
      }
      return true;
    }
    default: {
      value->kind = JsonValue::kNumber;
      Str raw;
      if (!in.Raw(&raw) || !in.End()) return Fail(context, error);
      value->text = raw.view();
      return true;
    }
  }
}

// A number as sign, digits without zeros at either end, and the power of ten of the last digit.
struct Number {
  bool negative = false;
  std::string digits;
  long exponent = 0;
};

Number Normalize(std::string_view text) {
  Number number;
  size_t at = 0;
  if (at < text.size() && text[at] == '-') {
    number.negative = true;
    ++at;
  }
  bool fraction = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    number.digits += text[at];
    if (fraction) --number.exponent;
  }
  if (at < text.size()) number.exponent += std::strtol(std::string(text.substr(at + 1)).c_str(), nullptr, 10);
  size_t lead = number.digits.find_first_not_of('0');
  if (lead == std::string::npos) return Number();
  number.digits.erase(0, lead);
  while (number.digits.back() == '0') {
    number.digits.pop_back();
    ++number.exponent;
  }
  return number;
}

bool PlainName(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name) {
    if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  }
  for (const char* word : {"true", "false", "null", "if", "then", "else", "match", "try", "and", "or", "not", "_"}) {
    if (name == word) return false;
  }
  return true;
}

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::Find(std::string_view field) const {
  for (const auto& [name, value] : fields) {
    if (name == field) return &value;
  }
  return nullptr;
}

bool ParseJson(std::string_view text, JsonValue* value, std::string* error) {
  Arena arena;
  JsonContext context(&arena, 256);
  JsonReader in(Str(text), &context);
  Str raw;
  *value = JsonValue();
  if (!in.Raw(&raw) || !in.End()) return Fail(context, error);
  return Parse(arena, raw, value, error);
}

std::string FormatJson(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::kNull: return "null";
    case JsonValue::kBool: return value.boolean ? "true" : "false";
    case JsonValue::kNumber: return value.text;
    case JsonValue::kString: {
      Buffer out;
      JsonWriter(&out).Str(Str(std::string_view(value.text)));
      return std::string(out.str().view());
    }
    case JsonValue::kArray: {
      std::string out = "[";
      for (const JsonValue& item : value.items) out += (out.size() > 1 ? ", " : "") + FormatJson(item);
      return out + "]";
    }
    case JsonValue::kObject: {
      std::string out = "{";
      for (const auto& [name, field] : value.fields) {
        Buffer quoted;
        JsonWriter(&quoted).Str(Str(std::string_view(name)));
        out += (out.size() > 1 ? ", " : "") + std::string(quoted.str().view()) + ": " + FormatJson(field);
      }
      return out + "}";
    }
  }
  return "";
}

std::string FormatLiteral(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::kString: {
      // As JSON, but a brace begins an interpolation and is doubled.
      std::string out;
      for (char c : FormatJson(value)) {
        out += c;
        if (c == '{') out += c;
      }
      return out;
    }
    case JsonValue::kArray: {
      std::string out = "[";
      for (const JsonValue& item : value.items) out += (out.size() > 1 ? ", " : "") + FormatLiteral(item);
      return out + "]";
    }
    case JsonValue::kObject: {
      if (value.fields.empty()) return "{}";
      std::string out = "{ ";
      for (const auto& [name, field] : value.fields) {
        out += (out.size() > 2 ? ", " : "") + (PlainName(name) ? name : "`" + name + "`") + ": " + FormatLiteral(field);
      }
      return out + " }";
    }
    default: return FormatJson(value);
  }
}

bool SameNumber(std::string_view a, std::string_view b) {
  if (a == b) return true;
  Number x = Normalize(a), y = Normalize(b);
  return x.negative == y.negative && x.digits == y.digits && x.exponent == y.exponent;
}

bool SameJson(const JsonValue& a, const JsonValue& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case JsonValue::kNull: return true;
    case JsonValue::kBool: return a.boolean == b.boolean;
    case JsonValue::kNumber: return SameNumber(a.text, b.text);
    case JsonValue::kString: return a.text == b.text;
    case JsonValue::kArray: {
      if (a.items.size() != b.items.size()) return false;
      for (size_t i = 0; i < a.items.size(); ++i) {
        if (!SameJson(a.items[i], b.items[i])) return false;
      }
      return true;
    }
    case JsonValue::kObject: {
      for (const auto* pair : {&a, &b}) {
        const JsonValue& other = pair == &a ? b : a;
        for (const auto& [name, field] : pair->fields) {
          const JsonValue* found = other.Find(name);
          if (found == nullptr ? field.kind != JsonValue::kNull : !SameJson(field, *found)) return false;
        }
      }
      return true;
    }
  }
  return false;
}

bool ContainsJson(const JsonValue& whole, const JsonValue& part) {
  if (part.kind != JsonValue::kObject || whole.kind != JsonValue::kObject) return SameJson(whole, part);
  for (const auto& [name, field] : part.fields) {
    const JsonValue* found = whole.Find(name);
    if (found == nullptr ? field.kind != JsonValue::kNull : !ContainsJson(*found, field)) return false;
  }
  return true;
}

}  // namespace weir
