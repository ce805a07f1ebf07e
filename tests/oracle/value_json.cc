// JSON of the slow evaluator: RFC 8259 read character by character into a tree, then looked at as the type says. Nothing
// of runtime/ is used.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>

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

constexpr int kDepthMax = 64;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Node Document() {
    Node node = Any(0);
    Space();
    if (at_ != text_.size()) throw Failure("something follows the value");
    return node;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Digit() const { return Peek() >= '0' && Peek() <= '9'; }
  void Space() {
    while (at_ < text_.size() && std::strchr(" \n\r\t", text_[at_]) != nullptr && text_[at_] != '\0') ++at_;
  }
  void Want(char c) {
    if (at_ >= text_.size() || text_[at_] != c) throw Failure(std::string("expected `") + c + "`");
    ++at_;
  }
  bool Word(const char* word) {
    if (text_.compare(at_, std::strlen(word), word) != 0) return false;
    at_ += std::strlen(word);
    return true;
  }

  Node Any(int depth) {
    Space();
    Node node;
    switch (Peek()) {
      case '{': case '[': {
        if (depth == kDepthMax) throw Failure("nested too deeply");
        bool object = text_[at_++] == '{';
        char close = object ? '}' : ']';
        node.kind = object ? Node::kObject : Node::kArray;
        Space();
        if (Peek() == close) { ++at_; return node; }
        for (;;) {
          if (object) {
            Space();
            node.names.push_back(String());
            Space();
            Want(':');
          }
          node.items.push_back(Any(depth + 1));
          Space();
          if (Peek() == close) { ++at_; return node; }
          Want(',');
        }
      }
      case '"': node.kind = Node::kString; node.text = String(); return node;
      case 't': case 'f':
        node.kind = Node::kBool;
        node.boolean = Word("true");
        if (!node.boolean && !Word("false")) throw Failure("no value");
        return node;
      case 'n':
        if (!Word("null")) throw Failure("no value");
        return node;
      default: node.kind = Node::kNumber; node.text = Number(); return node;
    }
  }

  std::string Number() {
    size_t from = at_;
    auto digits = [this] {
      if (!Digit()) throw Failure("expected a digit");
      while (Digit()) ++at_;
    };
    if (Peek() == '-') ++at_;
    if (Peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (Peek() == '.') { ++at_; digits(); }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      digits();
    }
    return text_.substr(from, at_ - from);
  }

  unsigned Hex4() {
    unsigned unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!isxdigit(static_cast<unsigned char>(Peek()))) throw Failure("expected four hexadecimal digits");
      unit = unit * 16 + static_cast<unsigned>(isdigit(Peek()) ? Peek() - '0' : (Peek() | 0x20) - 'a' + 10);
    }
    return unit;
  }

  std::string String() {
    Want('"');
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) throw Failure("a string without end");
      unsigned char c = static_cast<unsigned char>(text_[at_++]);
      if (c == '"') break;
      if (c < 0x20) throw Failure("a control character in a string");
      if (c != '\\') { out.push_back(static_cast<char>(c)); continue; }
      char escape = Peek();
      ++at_;
      static const std::string from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
      if (escape == 'u') {
        unsigned code = Hex4();
        if (code >= 0xdc00 && code < 0xe000) throw Failure("half a surrogate pair");
        if (code >= 0xd800 && code < 0xdc00) {
          if (!Word("\\u")) throw Failure("half a surrogate pair");
          unsigned low = Hex4();
          if (low < 0xdc00 || low >= 0xe000) throw Failure("half a surrogate pair");
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        if (code < 0x80) {
          out.push_back(static_cast<char>(code));
        } else {
          int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
          static const unsigned heads[] = {0, 0xc0, 0xe0, 0xf0};
          out.push_back(static_cast<char>(heads[more] | code >> (6 * more)));
          while (more-- > 0) out.push_back(static_cast<char>(0x80 | (code >> (6 * more) & 0x3f)));
        }
        continue;
      }
      size_t which = escape == '\0' ? std::string::npos : from.find(escape);
      if (which == std::string::npos) throw Failure("no escape of JSON");
      out.push_back(to[which]);
    }
    if (!ValidUtf8(out)) throw Failure("no valid UTF-8");
    return out;
  }

  const std::string& text_;
  size_t at_ = 0;
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

const Type* DateType() {
  static const Type type = [] { Type t; t.kind = TypeKind::kDate; return t; }();
  return &type;
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

int Digits(const std::string& s, size_t at, int count) {
  int n = 0;
  for (int i = 0; i < count; ++i) {
    char c = at + static_cast<size_t>(i) < s.size() ? s[at + static_cast<size_t>(i)] : '\0';
    if (c < '0' || c > '9') throw Failure("`" + s + "`: expected a digit");
    n = n * 10 + (c - '0');
  }
  return n;
}

char At(const std::string& s, size_t at) { return at < s.size() ? s[at] : '\0'; }

void Need(bool condition, const std::string& text) {
  if (!condition) throw Failure("`" + text + "` is not what it should be");
}

long long ReadDate(const std::string& s) {
  long long year = Digits(s, 0, 4);
  Need(At(s, 4) == '-' && At(s, 7) == '-', s);
  return DaysOf(year, Digits(s, 5, 2), Digits(s, 8, 2));
}

// RFC 3339. A leap second is the first second of the next day, and only a month ends with one.
Big ReadTimestamp(const std::string& s) {
  long long days = ReadDate(s);
  Need(At(s, 10) == 'T' || At(s, 10) == 't' || At(s, 10) == ' ', s);
  int hour = Digits(s, 11, 2), minute = Digits(s, 14, 2), second = Digits(s, 17, 2);
  Need(At(s, 13) == ':' && At(s, 16) == ':' && hour <= 23 && minute <= 59 && second <= 60, s);
  Big fraction = 0;
  size_t i = 19;
  if (At(s, i) == '.') {
    Big unit = 100'000'000;
    Digits(s, ++i, 1);
    for (; isdigit(static_cast<unsigned char>(At(s, i))); ++i, unit /= 10) {
      Need(unit != 0 || s[i] == '0', s);  // nothing is finer than a nanosecond
      fraction += (s[i] - '0') * unit;
    }
  }
  Big minutes = (static_cast<Big>(days) * 24 + hour) * 60 + minute;
  if (At(s, i) == 'Z' || At(s, i) == 'z') {
    ++i;
  } else {
    Need(At(s, i) == '+' || At(s, i) == '-', s);
    int hours = Digits(s, i + 1, 2), rest = Digits(s, i + 4, 2);
    Need(At(s, i + 3) == ':' && hours <= 23 && rest <= 59, s);
    minutes -= (s[i] == '-' ? -1 : 1) * (hours * 60 + rest);
    i += 6;
  }
  Need(i == s.size(), s);
  if (second == 60) {
    Need((minutes + 1) % 1440 == 0, s);
    Need(Text(Value::Number((minutes + 1) / 1440), DateType()).substr(8) == "01", s);
  }
  return (minutes * 60 + second) * 1'000'000'000 + fraction;
}

// Whole groups of four, padding at the end, unused bits zero.
std::string FromBase64(const std::string& s) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Need(s.size() % 4 == 0, s);
  size_t padding = 0;
  while (padding < s.size() && s[s.size() - 1 - padding] == '=') ++padding;
  Need(padding <= 2, s);
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (size_t i = 0; i + padding < s.size(); ++i) {
    size_t at = alphabet.find(s[i]);
    Need(at != std::string::npos, s);
    bits = (bits << 6 | static_cast<unsigned>(at)) & 0xffff;
    count += 6;
    if (count >= 8) out.push_back(static_cast<char>(bits >> (count -= 8) & 255));
  }
  Need((bits & ((1u << count) - 1)) == 0, s);
  return out;
}

// `1h30m`, `1.5s`, `-2d`: numbers with units, added up, a whole number of nanoseconds.
Big ReadDuration(const std::string& s) {
  static const std::pair<const char*, long long> units[] = {
      {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000},
      {"h", 3'600'000'000'000}, {"d", 86'400'000'000'000}, {"w", 604'800'000'000'000}};
  size_t i = At(s, 0) == '-' ? 1 : 0;
  Need(i < s.size(), s);
  Big sum = 0;
  while (i < s.size()) {
    Big number = 0, divisor = 1;
    Digits(s, i, 1);
    for (; isdigit(static_cast<unsigned char>(At(s, i))); ++i) number = number * 10 + (s[i] - '0');
    if (At(s, i) == '.') {
      Digits(s, ++i, 1);
      for (; isdigit(static_cast<unsigned char>(At(s, i))); ++i, divisor *= 10) number = number * 10 + (s[i] - '0');
    }
    Big unit = 0;
    size_t used = 0;
    for (const auto& [name, size] : units) {
      if (s.compare(i, std::strlen(name), name) == 0 && std::strlen(name) > used) { unit = size; used = std::strlen(name); }
    }
    Need(unit != 0 && number * unit % divisor == 0, s);
    sum += number * unit / divisor;
    i += used;
  }
  return s[0] == '-' ? -sum : sum;
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

Value InRange(Big n, const Type* type) {
  CheckRange(n, type);
  return Value::Number(n);
}

// A default: a constant, perhaps converted to the field's type.
Value FromLiteral(const weirc::typed::Expr& e) {
  using namespace weirc::typed;
  switch (e.kind) {
    case ExprKind::kLiteral: return FromConstant(As<LiteralExpr>(e).value, e.type);
    case ExprKind::kConvert: {
      const auto& convert = As<ConvertExpr>(e);
      oracle::Value v = FromLiteral(*convert.operand);
      int from = convert.operand->type->scale, to = e.type->scale;
      if (convert.conversion == Conversion::kIntToDecimal || convert.conversion == Conversion::kWidenDecimal)
        v.number = Rescale(v.number, from, to);
      if (convert.conversion == Conversion::kIntToFloat) v = Value::Real(static_cast<double>(static_cast<long long>(v.number)));
      return v;
    }
    case ExprKind::kUnary: {
      oracle::Value v = FromLiteral(*As<UnaryExpr>(e).operand);
      v.number = -v.number;
      v.real = -v.real;
      return v;
    }
    case ExprKind::kList: {
      oracle::Value v;
      v.kind = Value::kList;
      for (const ExprPtr& item : As<ListExpr>(e).elements) v.items.push_back(FromLiteral(*item));
      return v;
    }
    default: throw std::logic_error("a default of this shape is not part of the run tests");
  }
}

Value FromNode(const Node& node, const Type* type, const Reads& reads);

Value FromObject(const Node& node, const RecordDef* record, const Reads& reads) {
  if (node.kind != Node::kObject) throw Failure("expected an object");
  Value v;
  v.kind = Value::kRecord;
  for (size_t f = 0; f < record->fields.size(); ++f) {
    const Field& field = record->fields[f];
    const Node* found = nullptr;
    for (size_t i = 0; i < node.names.size(); ++i) {
      if (node.names[i] != field.json_name) continue;
      if (found != nullptr) throw Failure("`" + field.json_name + "` occurs twice");
      found = &node.items[i];
    }
    auto of = reads.fields.find(static_cast<int>(f));
    if (!reads.all && of == reads.fields.end()) {
      v.items.push_back(Value::Null());
      continue;
    }
    if (found != nullptr) {
      v.items.push_back(FromNode(*found, field.type, reads.all ? Reads() : of->second));
    } else if (field.default_value != nullptr) {
      v.items.push_back(FromLiteral(*field.default_value));
    } else if (field.type->kind == TypeKind::kOptional) {
      v.items.push_back(Value::Null());
    } else {
      throw Failure("`" + field.json_name + "` is missing");
    }
  }
  return v;
}

Value FromNode(const Node& node, const Type* type, const Reads& reads) {
  auto need = [&](Node::Kind kind, const char* what) {
    if (node.kind != kind) throw Failure(std::string("expected ") + what);
  };
  switch (type->kind) {
    case TypeKind::kOptional: return node.kind == Node::kNull ? Value::Null() : FromNode(node, type->element, reads);
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
      double d = std::strtod(node.text.c_str(), nullptr);
      if (!std::isfinite(d)) throw Failure("out of range");
      return Value::Real(d);
    }
    case TypeKind::kString: need(Node::kString, "a string"); return Value::Text(node.text);
    case TypeKind::kBytes: need(Node::kString, "base64"); return Value::Text(FromBase64(node.text));
    case TypeKind::kTimestamp:
      if (node.kind == Node::kNumber) {
        return InRange(static_cast<Big>(ReadInteger(node.text)) * 1'000'000, type);
      }
      need(Node::kString, "a timestamp");
      return InRange(ReadTimestamp(node.text), type);
    case TypeKind::kDate:
      need(Node::kString, "a date");
      Need(node.text.size() == 10, node.text);
      return Value::Number(ReadDate(node.text));
    case TypeKind::kDuration:
      need(Node::kString, "a duration");
      return InRange(ReadDuration(node.text), type);
    case TypeKind::kEnum:
      need(Node::kString, "a string");
      for (size_t i = 0; i < type->enum_def->values.size(); ++i)
        if (type->enum_def->values[i].text == node.text) return Value::Number(static_cast<Big>(i));
      throw Failure("`" + node.text + "` is no " + type->enum_def->name);
    case TypeKind::kRecord: return FromObject(node, type->record, reads);
    case TypeKind::kList: case TypeKind::kMap: {
      bool list = type->kind == TypeKind::kList;
      need(list ? Node::kArray : Node::kObject, list ? "an array" : "an object");
      Value v;
      v.kind = list ? Value::kList : Value::kMap;
      v.names = node.names;
      for (size_t i = 0; i < node.names.size(); ++i)
        for (size_t j = 0; j < i; ++j)
          if (node.names[i] == node.names[j]) throw Failure("the key `" + node.names[i] + "` occurs twice");
      for (const Node& item : node.items) v.items.push_back(FromNode(item, type->element, Reads()));
      return v;
    }
    default: throw std::logic_error("cannot decode " + ToString(type));
  }
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

Value Decode(const std::string& json, const Type* type) { return FromNode(Parser(json).Document(), type, Reads()); }
Value DecodeRecord(const std::string& json, const RecordDef* record, const Reads& reads) {
  return FromObject(Parser(json).Document(), record, reads);
}

bool ValidUtf8(const std::string& s) {
  for (size_t i = 0; i < s.size();) {
    auto c = static_cast<unsigned char>(s[i]);
    int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
    if (more < 0 || s.size() - i <= static_cast<size_t>(more)) return false;
    unsigned code = more == 0 ? c : c & (0x3fu >> more);
    for (int k = 1; k <= more; ++k) {
      auto next = static_cast<unsigned char>(s[i + static_cast<size_t>(k)]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
    if (code < least[more] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return false;
    i += static_cast<size_t>(more) + 1;
  }
  return true;
}

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
    case TypeKind::kFloat64: return std::isfinite(v.real) ? Text(v, type) : "null";
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
