// Fed: bytes as a JSON text, and a valid document made of the same bytes.
//
// Must hold, with simdjson as the judge: both accept or both refuse, and what is accepted has the same
// values. A valid document is accepted. Passing over a value says what reading it says. A record's decoder,
// with typed calls as generated code has them, gives the same whether the fast ways are open to it (more text
// follows) or not.
//
// Where the two differ on purpose:
//   - nesting: 64 levels here, 1024 there;
//   - whole numbers beyond 64 bits: refused there, read as decimals or doubles here;
//   - halves of surrogate pairs in escapes: some pass there, none here.
// Names that occur twice are alike: a map is read as it stands, and only a record's own fields must be
// single.
#include <simdjson.h>

#include <string>
#include <string_view>

#include "runtime/core/buffer.h"
#include "runtime/core/json_simdjson.h"
#include "runtime/core/json_walk.h"
#include "tests/fuzz/fuzz.h"

using weir_fuzz::Bytes;
using weir_test::AppendDouble;
using weir_test::AppendText;
using weir_test::Dump;
using weir_test::Exact;
using weir_test::Walk;

namespace {

bool HasLongNumber(const std::string& text) {
  int run = 0;
  for (char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run >= 19) return true;
  }
  return false;
}

bool HasSurrogateEscape(const std::string& text) {
  for (size_t at = text.find("\\u"); at != std::string::npos; at = text.find("\\u", at + 1)) {
    if (at + 2 < text.size() && (text[at + 2] == 'd' || text[at + 2] == 'D')) return true;
  }
  return false;
}

// True when it was accepted.
bool Agree(const std::string& text) {
  static simdjson::dom::parser parser;
  Exact exact(text);
  weir::Arena arena;
  weir::JsonContext context(&arena);
  weir::JsonReader in(exact.str(), &context);
  std::string ours, theirs;
  bool accepted = Walk(in, &ours) && in.End();
  FUZZ_CHECK(accepted == context.ok());
  weir::JsonErrorCode code = context.error.code;
  if (!accepted) {
    FUZZ_CHECK(context.error.offset <= text.size());
    weir::Buffer said;
    context.Describe(&said);
    FUZZ_CHECK(said.size() != 0);
  }

  weir::JsonContext again(&arena);
  weir::JsonReader skip(exact.str(), &again);
  bool skipped = skip.Skip() && skip.End();
  // A number that no double holds can be passed over but not read.
  FUZZ_CHECK(skipped == accepted || (skipped && code == weir::JsonErrorCode::kRange), text);

  simdjson::dom::element e;
  simdjson::error_code error = parser.parse(text).get(e);
  if (accepted != (error == simdjson::SUCCESS)) {
    bool long_number = accepted && error == simdjson::NUMBER_ERROR && HasLongNumber(text);
    bool surrogate = !accepted && code == weir::JsonErrorCode::kUtf8 && HasSurrogateEscape(text);
    bool deep = !accepted && code == weir::JsonErrorCode::kDepth;
    FUZZ_CHECK(long_number || surrogate || deep, text, simdjson::error_message(error));
  } else if (accepted) {
    Dump(e, &theirs);
    FUZZ_CHECK(ours == theirs, text, ours, theirs);
  }
  return accepted;
}

// ---- A record, as generated code decodes one ----

constexpr weir::JsonField kFieldTable[] = {"i", "d", "w", "s", "t",  "day",  "for",
                                           "b", "e", "f", "ok", "note", "raw"};
constexpr weir::JsonFields kFields(kFieldTable);
constexpr weir::EnumName kSideTable[] = {"BUY", "SELL", "a long one", ""};
constexpr weir::EnumNames kSides(kSideTable);

// What was decoded, or what was wrong and where, as text.
std::string Decode(const std::string& text) {
  Exact exact(text);
  weir::Arena arena;
  weir::JsonContext context(&arena);
  weir::JsonReader in(exact.str(), &context);
  std::string out;
  auto whole = [&](bool ok, int64_t v) {
    if (ok) out += std::to_string(v) + ";";
    return ok;
  };
  auto bytes = [&](bool ok, weir::Str v) {
    if (ok) AppendText(v.view(), &out);
    return ok;
  };
  auto value = [&](int f) {
    int64_t i = 0;
    int32_t n = 0;
    weir::i128 wide = 0;
    double real = 0;
    bool flag = false;
    weir::Str s;
    switch (f) {
      case 0: return whole(in.Int64(&i), i);
      case 1: return whole(in.Decimal64(10, 4, &i), i);
      case 2:
        if (!in.Decimal128(38, 9, &wide)) return false;
        return whole(true, static_cast<int64_t>(wide >> 64)) && whole(true, static_cast<int64_t>(wide));
      case 3: return bytes(in.String(&s), s);
      case 4: return whole(in.Timestamp(&i), i);
      case 5: return whole(in.Date(&n), n);
      case 6: return whole(in.Duration(&i), i);
      case 7: return bytes(in.Bytes(&s), s);
      case 8: return whole(in.Enum(kSides, &n), n);
      case 9:
        if (!in.Float64(&real)) return false;
        AppendDouble(real, &out);
        return true;
      case 10: return whole(in.Bool(&flag), flag);
      case 11: return in.Null() || bytes(in.String(&s), s);
      default: return bytes(in.Raw(&s), s);
    }
  };
  bool ok = in.BeginObject();
  uint64_t seen = 0;
  for (int f, next = 0; ok && (f = in.NextField(kFields, next)) >= 0; next = f + 1) {
    if (f == weir::kUnknownField) {
      ok = in.Skip();
      f = next - 1;
      continue;
    }
    out += 'f' + std::to_string(f) + '=';
    ok = in.Once(&seen, kFields, f) && value(f);
  }
  ok = ok && in.ok() && in.End();
  FUZZ_CHECK(ok == context.ok(), text);
  if (ok) return out;
  FUZZ_CHECK(context.error.offset <= text.size());
  return "error " + std::to_string(static_cast<int>(context.error.code));
}

void DecodeBothWays(const std::string& text) {
  std::string careful = Decode(text);
  std::string fast = Decode(text + std::string(40, ' '));
  // What is cut off at the text's end is cut off by a space then: no JSON either way.
  if (careful.starts_with("error") && fast.starts_with("error")) return;
  FUZZ_CHECK(careful == fast, text, careful, fast);
}

// ---- A valid document made of the bytes ----

class Document {
 public:
  explicit Document(Bytes bytes) : bytes_(bytes) {}

  std::string Make() {
    Value(0);
    return out_;
  }

 private:
  void Space() {
    for (uint32_t n = bytes_.Pick(8) < 6 ? 0 : bytes_.Pick(4); n > 0; --n) out_ += " \t\r\n"[bytes_.Pick(4)];
  }
  void Text() {
    static constexpr std::string_view kPieces[] = {
        "a",        "SYM",             "0123456789abcdef", "\\n",      "\\\"",         "\\\\",
        "\\u0041",  "\\u00e9",         "\\ud83d\\ude39",   "\\/",      " ",            "\xc3\xa9",
        "\xe2\x82\xac", "\xf0\x9f\x98\xb9", "\x7f",          "\\u0000", "'",            "{}[],:"};
    out_ += '"';
    for (uint32_t n = bytes_.Pick(5); n > 0; --n) out_ += kPieces[bytes_.Pick(std::size(kPieces))];
    out_ += '"';
  }
  // Whole numbers stay within an int64, others within doubles.
  void Number() {
    if (bytes_.Pick(3) == 0) out_ += '-';
    out_ += std::to_string(bytes_.Word() >> (1 + bytes_.Pick(63)));
    if (bytes_.Pick(2) == 0) {
      out_ += '.';
      for (uint32_t n = 1 + bytes_.Pick(20); n > 0; --n) out_ += static_cast<char>('0' + bytes_.Pick(10));
    }
    if (bytes_.Pick(4) == 0) {
      out_ += "eE"[bytes_.Pick(2)];
      if (uint32_t sign = bytes_.Pick(3); sign != 0) out_ += "+-"[sign - 1];
      out_ += std::to_string(bytes_.Pick(250));
    }
  }
  void Value(int depth) {
    Space();
    switch (bytes_.Pick(depth > 40 || bytes_.empty() ? 5 : 8)) {
      case 0: out_ += "true"; break;
      case 1: out_ += "false"; break;
      case 2: out_ += "null"; break;
      case 3: Number(); break;
      case 4: Text(); break;
      case 5:
        out_ += '[';
        for (uint32_t n = bytes_.Pick(5), i = 0; i < n; ++i) {
          if (i != 0) out_ += ',';
          Value(depth + 1);
        }
        out_ += ']';
        break;
      default:
        out_ += '{';
        for (uint32_t n = bytes_.Pick(5), i = 0; i < n; ++i) {
          if (i != 0) out_ += ',';
          Space();
          if (bytes_.Pick(2) == 0) {
            out_ += '"';
            out_ += kFieldTable[bytes_.Pick(std::size(kFieldTable))].name.view();
            out_ += '"';
          } else {
            Text();
          }
          Space();
          out_ += ':';
          Value(depth + 1);
        }
        out_ += '}';
    }
    Space();
  }

  Bytes bytes_;
  std::string out_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  Agree(text);
  DecodeBothWays(text);
  std::string document = Document(Bytes(data, size)).Make();
  FUZZ_CHECK(Agree(document), document);
  DecodeBothWays(document);
  return 0;
}
