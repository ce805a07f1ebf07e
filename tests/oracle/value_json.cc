// JSON of the slow evaluator. Reading goes through nlohmann-json's event interface, because it hands over a number's
// text and every key, repeated ones too; nothing of runtime/ is used.
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/oracle/value.h"

namespace oracle {

using weirc::typed::Field;
using weirc::typed::RecordDef;
using weirc::typed::Type;
using weirc::typed::TypeKind;

namespace {

// A document as it was written.
struct Node {
  enum Kind { kNull, kBool, kNumber, kString, kArray, kObject } kind = kNull;
  bool boolean = false;
  std::string text;  // numbers and strings
  std::vector<Node> items;
  std::vector<std::string> names;
};

struct Reader : nlohmann::json_sax<nlohmann::json> {
  Node root;
  std::vector<Node*> open;
  std::string error;
  bool Add(Node node) {
    if (open.empty()) {
      root = std::move(node);
    } else {
      open.back()->items.push_back(std::move(node));
    }
    return true;
  }
  bool Open(Node::Kind kind) {
    Node node;
    node.kind = kind;
    Add(std::move(node));
    open.push_back(open.empty() ? &root : &open.back()->items.back());
    if (open.size() > 64) { error = "nested too deeply"; return false; }
    return true;
  }
  bool null() override { return Add({}); }
  bool boolean(bool b) override { Node n; n.kind = Node::kBool; n.boolean = b; return Add(n); }
  bool Numeral(std::string text) { Node n; n.kind = Node::kNumber; n.text = std::move(text); return Add(n); }
  bool number_integer(number_integer_t v) override { return Numeral(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return Numeral(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& text) override { return Numeral(text); }
  bool string(string_t& s) override { Node n; n.kind = Node::kString; n.text = s; return Add(n); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Node::kObject); }
  bool end_object() override { open.pop_back(); return true; }
  bool start_array(std::size_t) override { return Open(Node::kArray); }
  bool end_array() override { open.pop_back(); return true; }
  bool key(string_t& s) override { open.back()->names.push_back(s); return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    if (error.empty()) error = e.what();
    return false;
  }
};

// Exact value of a decimal numeral at `scale`; fails when digits would be lost.
Big ReadDecimal(const std::string& text, int scale) {
  size_t i = 0;
  bool negative = i < text.size() && text[i] == '-';
  if (negative) ++i;
  Big digits = 0;
  long long exponent = scale;
  size_t count = 0;
  bool point = false;
  for (; i < text.size() && (isdigit(static_cast<unsigned char>(text[i])) || (text[i] == '.' && !point)); ++i) {
    if (text[i] == '.') { point = true; continue; }
    if (++count > 120) throw Failure("too many digits");
    digits = digits * 10 + (text[i] - '0');
    if (point) --exponent;
  }
  if (count == 0) throw Failure("`" + text + "` is no number");
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    long long e = 0;
    const char* from = text.data() + i + 1;
    if (*from == '+') ++from;
    auto [end, error] = std::from_chars(from, text.data() + text.size(), e);
    if (error != std::errc() || e > 400 || e < -400) {
      if (digits == 0) return 0;
      throw Failure("exponent out of range");
    }
    exponent += e;
    i = static_cast<size_t>(end - text.data());
  }
  if (i != text.size()) throw Failure("`" + text + "` is no number");
  if (exponent >= 0) {
    if (exponent > 100 && digits != 0) throw Failure("out of range");
    digits *= Pow10(static_cast<int>(exponent > 100 ? 0 : exponent));
  } else {
    for (long long n = exponent; n < 0; ++n) {
      if (digits % 10 != 0) throw Failure("more digits than the type has");
      digits /= 10;
    }
  }
  return negative ? -digits : digits;
}

long long ReadInteger(const std::string& text) {
  long long n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) throw Failure("`" + text + "` is no integer that fits");
  return n;
}

long long DaysOf(long long year, int month, int day) {
  long long days = 0;
  auto leap = [](long long y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
  for (long long y = 1970; y < year; ++y) days += leap(y) ? 366 : 365;
  for (long long y = year; y < 1970; ++y) days -= leap(y) ? 366 : 365;
  const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1]) throw Failure("no such day");
  for (int m = 1; m < month; ++m) days += lengths[m - 1];
  return days + day - 1;
}

// RFC 3339 with digits where digits belong; the run tests' inputs use no leap seconds.
Big ReadTimestamp(const std::string& s) {
  int year, month, day, hour, minute, second, used = 0;
  if (sscanf(s.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6 ||
      used != 19 || hour > 23 || minute > 59 || second > 59)
    throw Failure("`" + s + "` is no timestamp");
  Big ns = ((static_cast<Big>(DaysOf(year, month, day)) * 24 + hour) * 60 + minute) * 60 + second;
  ns *= 1'000'000'000;
  size_t i = 19;
  if (i < s.size() && s[i] == '.') {
    long long unit = 100'000'000;
    for (++i; i < s.size() && isdigit(static_cast<unsigned char>(s[i])); ++i, unit /= 10) ns += (s[i] - '0') * unit;
  }
  std::string zone = s.substr(i);
  if (zone == "Z" || zone == "z") return ns;
  int h, m;
  if (zone.size() != 6 || sscanf(zone.c_str() + 1, "%2d:%2d", &h, &m) != 2) throw Failure("`" + s + "` has no zone");
  return ns + (zone[0] == '-' ? 1 : -1) * static_cast<Big>(h * 60 + m) * 60'000'000'000;
}

std::string FromBase64(const std::string& s) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (char c : s) {
    if (c == '=') break;
    size_t at = alphabet.find(c);
    if (at == std::string::npos) throw Failure("no base64");
    bits = bits << 6 | static_cast<unsigned>(at);
    if ((count += 6) >= 8) out.push_back(static_cast<char>(bits >> (count -= 8) & 255));
  }
  return out;
}

std::string ToBase64(const std::string& s) {
  static const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < s.size(); i += 3) {
    unsigned bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (i + j < s.size() ? static_cast<unsigned char>(s[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j) out.push_back(i + j <= s.size() ? alphabet[bits >> (18 - 6 * j) & 63] : '=');
  }
  return out;
}

Value FromNode(const Node& node, const Type* type);

Value FromObject(const Node& node, const RecordDef* record) {
  if (node.kind != Node::kObject) throw Failure("expected an object");
  Value v;
  v.kind = Value::kRecord;
  for (const Field& field : record->fields) {
    const Node* found = nullptr;
    for (size_t i = 0; i < node.names.size(); ++i) {
      if (node.names[i] != field.json_name) continue;
      if (found != nullptr) throw Failure("`" + field.json_name + "` occurs twice");
      found = &node.items[i];
    }
    if (found != nullptr) {
      v.items.push_back(FromNode(*found, field.type));
    } else if (field.default_value != nullptr) {
      throw std::logic_error("records with defaults are not part of the run tests");
    } else if (field.type->kind == TypeKind::kOptional) {
      v.items.push_back(Value::Null());
    } else {
      throw Failure("`" + field.json_name + "` is missing");
    }
  }
  return v;
}

Value FromNode(const Node& node, const Type* type) {
  auto need = [&](Node::Kind kind, const char* what) {
    if (node.kind != kind) throw Failure(std::string("expected ") + what);
  };
  switch (type->kind) {
    case TypeKind::kOptional: return node.kind == Node::kNull ? Value::Null() : FromNode(node, type->element);
    case TypeKind::kBool: need(Node::kBool, "true or false"); return Value::Bool(node.boolean);
    case TypeKind::kInt32: case TypeKind::kInt64: {
      need(Node::kNumber, "an integer");
      Big n = ReadInteger(node.text);
      CheckRange(n, type);
      return Value::Number(n);
    }
    case TypeKind::kDecimal: {
      if (node.kind != Node::kNumber && node.kind != Node::kString) throw Failure("expected a decimal");
      Big n = ReadDecimal(node.text, type->scale);
      CheckRange(n, type);
      return Value::Number(n);
    }
    case TypeKind::kFloat64: {
      need(Node::kNumber, "a number");
      double d = 0;
      auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), d);
      if (error != std::errc() || !std::isfinite(d)) throw Failure("out of range");
      return Value::Real(d);
    }
    case TypeKind::kString: need(Node::kString, "a string"); return Value::Text(node.text);
    case TypeKind::kBytes: need(Node::kString, "base64"); return Value::Text(FromBase64(node.text));
    case TypeKind::kTimestamp:
      if (node.kind == Node::kNumber) {
        Big ns = static_cast<Big>(ReadInteger(node.text)) * 1'000'000;
        CheckRange(ns, type);
        return Value::Number(ns);
      }
      need(Node::kString, "a timestamp");
      return Value::Number(ReadTimestamp(node.text));
    case TypeKind::kDate: {
      need(Node::kString, "a date");
      int y, m, d, used = 0;
      if (sscanf(node.text.c_str(), "%4d-%2d-%2d%n", &y, &m, &d, &used) != 3 || used != 10 || node.text.size() != 10)
        throw Failure("no date");
      return Value::Number(DaysOf(y, m, d));
    }
    case TypeKind::kEnum:
      need(Node::kString, "a string");
      for (size_t i = 0; i < type->enum_def->values.size(); ++i)
        if (type->enum_def->values[i].text == node.text) return Value::Number(static_cast<Big>(i));
      throw Failure("`" + node.text + "` is no " + type->enum_def->name);
    case TypeKind::kRecord: return FromObject(node, type->record);
    case TypeKind::kList: case TypeKind::kMap: {
      bool list = type->kind == TypeKind::kList;
      need(list ? Node::kArray : Node::kObject, list ? "an array" : "an object");
      Value v;
      v.kind = list ? Value::kList : Value::kMap;
      v.names = node.names;
      for (const Node& item : node.items) v.items.push_back(FromNode(item, type->element));
      return v;
    }
    default: throw std::logic_error("cannot decode " + ToString(type));
  }
}

Node Parse(const std::string& json) {
  Reader reader;
  if (!nlohmann::json::sax_parse(json, &reader)) throw Failure(reader.error);
  return std::move(reader.root);
}

std::string Quote(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char buffer[8];
          snprintf(buffer, sizeof buffer, "\\u%04x", c);
          out += buffer;
        } else {
          out.push_back(c);
        }
    }
  }
  return out + "\"";
}

}  // namespace

Value Decode(const std::string& json, const Type* type) { return FromNode(Parse(json), type); }
Value DecodeRecord(const std::string& json, const RecordDef* record) { return FromObject(Parse(json), record); }

std::string Encode(const Value& v, const Type* type) {
  if (v.null()) return "null";
  switch (type->kind) {
    case TypeKind::kOptional: return Encode(v, type->element);
    case TypeKind::kString: case TypeKind::kTimestamp: case TypeKind::kDate: case TypeKind::kDuration: case TypeKind::kEnum:
      return Quote(Text(v, type));
    case TypeKind::kBytes: return Quote(ToBase64(v.text));
    case TypeKind::kRecord: return EncodeRecord(v, type->record);
    case TypeKind::kList: case TypeKind::kMap: {
      bool list = type->kind == TypeKind::kList;
      std::string out = list ? "[" : "{";
      for (size_t i = 0; i < v.items.size(); ++i) {
        if (i != 0) out += ",";
        if (!list) out += Quote(v.names[i]) + ":";
        out += Encode(v.items[i], type->element);
      }
      return out + (list ? "]" : "}");
    }
    default: return Text(v, type);
  }
}

std::string EncodeRecord(const Value& v, const RecordDef* record) {
  std::string out = "{";
  for (size_t i = 0; i < record->fields.size(); ++i) {
    if (i != 0) out += ",";
    const Field& field = record->fields[i];
    out += Quote(field.json_name.empty() ? field.name : field.json_name) + ":" + Encode(v.items[i], field.type);
  }
  return out + "}";
}

}  // namespace oracle
