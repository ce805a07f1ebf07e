// What is JSON and what is not, as RFC 8259 has it: our own cases after the rules that nst/JSONTestSuite sorts parsers by
// (must accept, must refuse, may do either). Each case is skipped, read through typed calls, and cut off at every byte.
#include <catch2/catch.hpp>

#include "runtime/core/json_walk.h"

using namespace std::string_view_literals;
using weir::JsonErrorCode;
using weir_test::Exact;
using weir_test::Walk;

namespace {

struct Case {
  std::string_view text;
  const char* rule;
};

// RFC 8259 accepts these.
const Case kAccepted[] = {
    {"null", "a lone null"},
    {"true", "a lone true"},
    {"false", "a lone false"},
    {"7", "a lone digit"},
    {"-0.25", "a lone negative fraction"},
    {"\"\"", "a lone empty string"},
    {"\"weir\"", "a lone string"},
    {" \t\r\n5\n", "all four kinds of white space around a value"},
    {"[]", "an empty array"},
    {"[ \n ]", "white space in an empty array"},
    {"{}", "an empty object"},
    {"{ \t }", "white space in an empty object"},
    {"[1]", "one element"},
    {"[1,2,3]", "several elements"},
    {"[ 1 , 2 ]", "spaces around commas"},
    {"[null,1,\"1\",{},[],true,false]", "elements of all kinds"},
    {"[null,null,null]", "several nulls"},
    {"[false]", "false in an array"},
    {"[[]]", "an empty array in an array"},
    {"[[], [[]]]", "empty arrays at several depths"},
    {"[\"\"]", "an empty string in an array"},
    {"[1\n,2]", "a line break before a comma"},
    {"[]\n", "a line break at the end"},
    {" [1]", "a space in front"},
    {"[2] ", "a space behind"},
    {"{\"a\":1}", "one field"},
    {"{\"a\":1,\"b\":2}", "two fields"},
    {"{\"\":0}", "an empty name"},
    {"{\"a\":1,\"a\":2}", "a name twice is not the grammar's business"},
    {"{\"a\":null,\"a\":null}", "a name and value twice"},
    {"{\"a\\u0000b\":1}", "an escaped zero in a name"},
    {"{\"\\u0061\":1}", "an escaped letter in a name"},
    {"{\"a\" : \"b\"}", "spaces around the colon"},
    {"{\n\"a\":\n\"b\"\n}", "line breaks between all tokens"},
    {"{\"a\":{\"b\":{\"c\":[1,{\"d\":null}]}}}", "objects and arrays in each other"},
    {"{\"min\":-1.0e+28,\"max\":1.0e+28}", "large numbers with signs in the exponent"},
    {"{\"long\":\"0123456789012345678901234567890123456789\"}", "a string of forty bytes"},
    {"{\"\\u041f\":\"\\u0422\\u0435\\u043a\"}", "escapes beyond ASCII"},
    {"[0]", "zero"},
    {"[-0]", "minus zero"},
    {"[-0.0]", "minus zero with a fraction"},
    {"[0.0]", "zero with a fraction"},
    {"[-1]", "minus one"},
    {"[123]", "three digits"},
    {"[-123]", "three digits with a sign"},
    {"[1234567890123456789]", "nineteen digits"},
    {"[123.456789]", "a fraction"},
    {"[0.000000000000000000000000001]", "a long fraction"},
    {"[1e5]", "an exponent"},
    {"[1E5]", "a capital exponent"},
    {"[1e+5]", "a positive exponent"},
    {"[1E+5]", "a capital positive exponent"},
    {"[1e-5]", "a negative exponent"},
    {"[1E-5]", "a capital negative exponent"},
    {"[1.5e5]", "a fraction with an exponent"},
    {"[1.5E-05]", "leading zeros in the exponent"},
    {"[0e0]", "zero with an exponent"},
    {"[0e+1]", "zero with a positive exponent"},
    {"[0E-1]", "zero with a negative exponent"},
    {"[-1e-2]", "a sign on both"},
    {"[ 4]", "a space before a number"},
    {"[4 ]", "a space behind a number"},
    {"[\"\\\"\"]", "an escaped quote"},
    {"[\"\\\\\"]", "an escaped backslash"},
    {"[\"\\/\"]", "an escaped slash"},
    {"[\"/\"]", "a slash as it is"},
    {"[\"\\b\\f\\n\\r\\t\"]", "all short escapes"},
    {"[\"\\u0041\"]", "an escaped letter"},
    {"[\"\\u0000\"]", "an escaped zero"},
    {"[\"\\u001f\"]", "an escaped control character"},
    {"[\"\\u00e9\\u00E9\"]", "hexadecimal digits in both cases"},
    {"[\"\\u20ac\"]", "an escape of three bytes"},
    {"[\"\\ud834\\udd1e\"]", "an escaped surrogate pair"},
    {"[\"\\uD83D\\uDE39\\uD83D\\uDC8D\"]", "two surrogate pairs"},
    {"[\"\\uDBFF\\uDFFF\"]", "the last surrogate pair"},
    {"[\"\\uD800\\uDC00\"]", "the first surrogate pair"},
    {"[\"\\uFFFF\"]", "a noncharacter as an escape"},
    {"[\"\\uFDD0\"]", "another noncharacter as an escape"},
    {"[\"\\u2028\\u2029\"]", "escaped line and paragraph separators"},
    {"[\"\\\\u0000\"]", "a backslash before what looks like an escape"},
    {"[\"\\\\a\"]", "a backslash before a letter"},
    {"[\"\\\\n\"]", "a backslash before an n"},
    {"[\"\\u005C\"]", "a backslash as an escape"},
    {"[\"\\u0022\"]", "a quote as an escape"},
    {"[\"\\u000A\"]", "a line feed as an escape"},
    {"[\"\\uA66D\"]", "an escape in the middle of the plane"},
    {"[\"a/*b*/c//\"]", "what would be comments elsewhere"},
    {"[\"\x7f\"]", "the delete character as it is"},
    {"[\"a\x7f" "a\"]", "the delete character between letters"},
    {"[\"\xc3\xa9\"]", "two bytes of UTF-8"},
    {"[\"\xe2\x82\xac\"]", "three bytes of UTF-8"},
    {"[\"\xf0\x9f\x98\xb9\"]", "four bytes of UTF-8"},
    {"[\"\xc2\x80\"]", "the first code point of two bytes"},
    {"[\"\xdf\xbf\"]", "the last code point of two bytes"},
    {"[\"\xe0\xa0\x80\"]", "the first code point of three bytes"},
    {"[\"\xed\x9f\xbf\"]", "the last code point before the surrogates"},
    {"[\"\xee\x80\x80\"]", "the first code point behind the surrogates"},
    {"[\"\xef\xbf\xbf\"]", "the noncharacter U+FFFF"},
    {"[\"\xef\xbb\xbf\"]", "a byte order mark inside a string"},
    {"[\"\xf0\x90\x80\x80\"]", "the first code point of four bytes"},
    {"[\"\xf4\x8f\xbf\xbf\"]", "the last code point"},
    {"[\"\xe2\x80\xa8\xe2\x80\xa9\"]", "line and paragraph separators as they are"},
    {"[\"\xcf\x80\"]", "a Greek letter"},
    {"\"\xd0\xa2\xd0\xb5\xd0\xba\xd1\x81\xd1\x82 0123456789 \xd1\x82\xd0\xb5\xd0\xba\xd1\x81\xd1\x82\"",
     "UTF-8 and ASCII in turn over sixteen bytes"},
    {"{\"\xc3\xa9\":\"\xc3\xa9\"}", "UTF-8 in a name"},
    {"[\" \"]", "a space"},
    {"[\"new\\u000aline\"]", "an escape between letters"},
    {"[\"0123456789abcde\\n\"]", "an escape at the sixteenth byte"},
    {"[\"0123456789abcdef\\n\"]", "an escape at the seventeenth byte"},
    {"[\"0123456789abcde\xc3\xa9\"]", "a character across the sixteenth byte"},
};

// RFC 8259 refuses these.
const Case kRefused[] = {
    {"", "nothing"},
    {" ", "only white space"},
    {"\xef\xbb\xbf", "only a byte order mark"},
    {"\xef\xbb\xbf{}", "a byte order mark in front"},
    {"\xef\xbb", "half a byte order mark"},
    {"nul", "an incomplete null"},
    {"nulL", "a null in mixed case"},
    {"nulll", "a null with one letter more"},
    {"tru", "an incomplete true"},
    {"True", "a capital true"},
    {"TRUE", "an upper case true"},
    {"fals", "an incomplete false"},
    {"falsey", "a false with one letter more"},
    {"undefined", "a word of another language"},
    {"a", "a letter"},
    {"*", "a star"},
    {"<null>", "angle brackets"},
    {"'a'", "single quotes"},
    {"\xc3\xa9", "a letter beyond ASCII"},
    {"\xe2\x81\xa0", "a word joiner"},
    {"\0"sv, "a zero byte"},
    {"[\0]"sv, "a zero byte in an array"},
    {"[\f]", "a form feed"},
    {"[\v1]", "a vertical tab"},
    {"[\xc2\xa0]", "a space that does not break"},
    {"[", "an open array"},
    {"]", "an array's end without its start"},
    {"[1", "an array cut off behind a value"},
    {"[1,", "an array cut off behind a comma"},
    {"[1,]", "a comma before the end"},
    {"[1,,2]", "two commas"},
    {"[1,,]", "two commas before the end"},
    {"[,1]", "a comma in front"},
    {"[,]", "only a comma"},
    {"[1 2]", "two values without a comma"},
    {"[1 true]", "two kinds of values without a comma"},
    {"[1:2]", "a colon for a comma"},
    {"[1;2]", "a semicolon for a comma"},
    {"[\"a\" \"b\"]", "two strings without a comma"},
    {"[3[4]]", "an array behind a number"},
    {"[\"x\"]]", "one bracket too many"},
    {"[],", "a comma behind the value"},
    {"[][]", "two arrays"},
    {"[1]x", "a letter behind the value"},
    {"[1}", "the wrong bracket at the end"},
    {"[\"a\",\n4\n,1,", "an array over lines, cut off"},
    {"[{}", "an array cut off behind an object"},
    {"[{", "both open"},
    {"[\"a", "a string cut off in an array"},
    {"[\"a\"", "an array cut off behind a string"},
    {"[-]", "only a minus"},
    {"[*]", "a star in an array"},
    {"[\xff]", "a byte that is never UTF-8"},
    {"[a\xe5]", "a letter and a broken character"},
    {"[tru]", "an incomplete true in an array"},
    {"[nul]", "an incomplete null in an array"},
    {"[fals]", "an incomplete false in an array"},
    {"{", "an open object"},
    {"}", "an object's end without its start"},
    {"{\"a\"", "an object cut off behind a name"},
    {"{\"a\":", "an object cut off behind a colon"},
    {"{\"a\":1", "an object cut off behind a value"},
    {"{\"a\":1,", "an object cut off behind a comma"},
    {"{\"a\":1,}", "a comma before the end of an object"},
    {"{\"a\":1,,\"b\":2}", "two commas in an object"},
    {"{,\"a\":1}", "a comma in front of a name"},
    {"{\"a\"}", "a name alone"},
    {"{\"a\":}", "no value"},
    {"{:1}", "no name"},
    {"{\"a\" 1}", "no colon"},
    {"{\"a\",1}", "a comma for the colon"},
    {"{\"a\"::1}", "two colons"},
    {"{\"a\":1 \"b\":2}", "no comma between fields"},
    {"{\"a\":1:2}", "a colon behind the value"},
    {"{\"a\":1;\"b\":2}", "a semicolon between fields"},
    {"{a:1}", "a name without quotes"},
    {"{'a':1}", "a name in single quotes"},
    {"{1:1}", "a number for a name"},
    {"{9999E9999:1}", "a large number for a name"},
    {"{null:1}", "null for a name"},
    {"{[]:1}", "an array for a name"},
    {"{\"a\":1]", "the wrong bracket at an object's end"},
    {"{\"a\":1}}", "one brace too many"},
    {"{\"a\":1}#", "a sign behind the object"},
    {"{\"a\":1}/**/", "a comment behind the object"},
    {"{\"a\":1}//", "a line comment behind the object"},
    {"{\"a\":1}/", "half a comment"},
    {"{\"a\":/**/1}", "a comment inside"},
    {"{\"a\":tru}", "an incomplete true in an object"},
    {"{\"a\":\"b}", "a string cut off in an object"},
    {"{\"a\":\"b\",\"c\"", "an object cut off behind its second name"},
    {"{\"\xb9\":0,}", "a lone continuation byte in a name"},
    {"{\xf0\x9f\x87\xa8}", "an emoji for a field"},
    {"[++1]", "two signs"},
    {"[+1]", "a plus"},
    {"[--1]", "two minus signs"},
    {"[- 1]", "a space behind the minus"},
    {"[01]", "a leading zero"},
    {"[-01]", "a leading zero behind a minus"},
    {"[00]", "two zeros"},
    {"[012.5]", "a leading zero before a fraction"},
    {"[.5]", "no digit before the point"},
    {"[-.5]", "no digit between minus and point"},
    {"[5.]", "no digit behind the point"},
    {"[-5.]", "no digit behind the point of a negative number"},
    {"[5.e1]", "no digit between point and exponent"},
    {"[0.e1]", "no digit between the point of a zero and the exponent"},
    {"[.e1]", "no digits but the exponent's"},
    {"[1e]", "an exponent without digits"},
    {"[1E]", "a capital exponent without digits"},
    {"[1e+]", "an exponent of a sign"},
    {"[1e-]", "an exponent of a minus"},
    {"[0e]", "zero with an exponent without digits"},
    {"[0E+]", "zero with an exponent of a sign"},
    {"[0.3e]", "a fraction with an exponent without digits"},
    {"[0.3e+]", "a fraction with an exponent of a sign"},
    {"[1e5.2]", "a fraction in the exponent"},
    {"[1ee2]", "two exponents"},
    {"[1eE2]", "two exponents in both cases"},
    {"[1e+-2]", "two signs in the exponent"},
    {"[1.2.3]", "two points"},
    {"[1_000]", "an underscore"},
    {"[1 000]", "a space among digits"},
    {"[1,000]x", "a letter behind an array of what was meant as one number"},
    {"[0x1F]", "hexadecimal"},
    {"[0x]", "hexadecimal without digits"},
    {"[1a]", "a letter behind a number"},
    {"[1.5a]", "a letter behind a fraction"},
    {"[1e5a]", "a letter behind an exponent"},
    {"[-x]", "a letter behind a minus"},
    {"[NaN]", "not a number"},
    {"[-NaN]", "not a number, negative"},
    {"[Infinity]", "infinity"},
    {"[-Infinity]", "infinity, negative"},
    {"[Inf]", "infinity, short"},
    {"[1+2]", "an expression"},
    {"[\xef\xbc\x91]", "a digit of full width"},
    {"[1\xe5]", "a broken character behind a number"},
    {"[1e1\xe5]", "a broken character behind an exponent"},
    {"[0\xe5]", "a broken character behind zero"},
    {"-", "a lone minus"},
    {"-a", "a lone minus and a letter"},
    {"2@", "a sign behind a lone number"},
    {"\"", "a lone quote"},
    {"\"a", "a lone string cut off"},
    {"\"a\"b", "a letter behind a lone string"},
    {"[\"\\x00\"]", "an escape of another language"},
    {"[\"\\a\"]", "an escape that is none"},
    {"[\"\\0\"]", "an octal escape"},
    {"[\"\\'\"]", "an escaped single quote"},
    {"[\"\\U0041\"]", "a capital U"},
    {"[\"\\ \"]", "an escaped space"},
    {"[\"\\\t\"]", "an escaped tab as it is"},
    {"[\"\\\0\"]"sv, "a backslash and a zero byte"},
    {"[\"\\\xf0\x9f\x8c\x80\"]", "an escaped emoji"},
    {"[\"\\\"]", "a backslash before the closing quote"},
    {"[\"\\", "cut off behind a backslash"},
    {"[\"\\\\\\\"]", "three backslashes before the closing quote"},
    {"[\"\\u\"]", "an escape without digits"},
    {"[\"\\u00\"]", "an escape of two digits"},
    {"[\"\\u00A\"]", "an escape of three digits"},
    {"[\"\\u00G0\"]", "an escape with a letter too far"},
    {"[\"\\u+041\"]", "an escape with a sign"},
    {"[\"\\u 041\"]", "an escape with a space"},
    {"[\"\\u\xe5\"]", "an escape with a broken character"},
    {"[\\u0020\"a\"]", "an escape outside of a string"},
    {"\\u000A\"\"", "an escape in front"},
    {"[\"\x1f\"]", "the last control character as it is"},
    {"[\"\x01\"]", "a control character as it is"},
    {"[\"\0\"]"sv, "a zero byte in a string"},
    {"[\"a\nb\"]", "a line feed in a string"},
    {"[\"a\tb\"]", "a tab in a string"},
    {"[\"a\rb\"]", "a carriage return in a string"},
    {"{\"a\nb\":1}", "a line feed in a name"},
    {"[\"0123456789abcde\n\"]", "a line feed at the sixteenth byte"},
};

// RFC 8259 leaves these open; this is what we do.
const Case kOpenRefused[] = {
    {"[\"\\uD800\"]", "the first half of a surrogate pair"},
    {"[\"\\uDC00\"]", "the second half of a surrogate pair"},
    {"[\"\\uD800\\n\"]", "the first half and another escape"},
    {"[\"\\uD800abc\"]", "the first half and letters"},
    {"[\"\\uD800\\u0041\"]", "the first half and a letter's escape"},
    {"[\"\\uD800\\uD800\"]", "the first half twice"},
    {"[\"\\uDD1E\\uD834\"]", "the halves in the wrong order"},
    {"[\"\\uD834\\u\"]", "the first half and an incomplete escape"},
    {"[\"\\uD834\\uDd\"]", "the first half and half of the second"},
    {"{\"\\uDFAA\":0}", "half a surrogate pair in a name"},
    {"[\"\xff\"]", "a byte that is never UTF-8, in a string"},
    {"[\"\xfe\"]", "another one"},
    {"[\"\x80\"]", "a lone continuation byte"},
    {"[\"\xbf\"]", "the last continuation byte alone"},
    {"[\"\xc3\"]", "two bytes cut to one"},
    {"[\"\xe2\x82\"]", "three bytes cut to two"},
    {"[\"\xf0\x9f\x98\"]", "four bytes cut to three"},
    {"[\"\xe9\"]", "Latin-1"},
    {"[\"\xe0\xff\"]", "a broken second byte"},
    {"[\"\xc0\xaf\"]", "a slash in two bytes"},
    {"[\"\xc1\xbf\"]", "the last overlong of two bytes"},
    {"[\"\xe0\x80\xaf\"]", "a slash in three bytes"},
    {"[\"\xe0\x9f\xbf\"]", "the last overlong of three bytes"},
    {"[\"\xf0\x80\x80\xaf\"]", "a slash in four bytes"},
    {"[\"\xf0\x8f\xbf\xbf\"]", "the last overlong of four bytes"},
    {"[\"\xf8\x88\x80\x80\x80\"]", "five bytes"},
    {"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]", "six bytes"},
    {"[\"\xed\xa0\x80\"]", "a surrogate in UTF-8"},
    {"[\"\xed\xbf\xbf\"]", "the last surrogate in UTF-8"},
    {"[\"\xf4\x90\x80\x80\"]", "beyond the last code point"},
    {"[\"\xf5\x80\x80\x80\"]", "far beyond the last code point"},
    {"\xff\xfe[\0]\0"sv, "UTF-16, little endian"},
    {"\0[\0\"\0\"\0]"sv, "UTF-16, big endian"},
};

const Case kOpenAccepted[] = {
    {"[123123e100000]", "a number beyond every double, passed over"},
    {"[-1e+9999]", "the same, negative"},
    {"[1e-99999]", "a number smaller than every double"},
    {"[100000000000000000000]", "a whole number beyond 64 bits"},
    {"[-237462374673276894279832749832423479823246327846]", "a long negative number"},
    {"[0.4e00669999999999999999999999999999999999999999999999999999999999999999]", "a long exponent"},
};

struct Outcome {
  bool accepted;
  weir::JsonError error;
  std::string said;
};

Outcome SkipAll(std::string_view text) {
  Exact exact(text);
  weir::Arena arena;
  weir::JsonContext context(&arena);
  weir::JsonReader in(exact.str(), &context);
  bool accepted = in.Skip() && in.End();
  REQUIRE(accepted == context.ok());
  weir::Buffer said;
  if (!accepted) context.Describe(&said);
  return {accepted, context.error, std::string(said.str().view())};
}

Outcome WalkAll(std::string_view text) {
  Exact exact(text);
  weir::Arena arena;
  weir::JsonContext context(&arena);
  weir::JsonReader in(exact.str(), &context);
  std::string out;
  bool accepted = Walk(in, &out) && in.End();
  REQUIRE(accepted == context.ok());
  return {accepted, context.error, out};
}

bool IsContainerOrString(std::string_view text) {
  size_t at = text.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && (text[at] == '[' || text[at] == '{' || text[at] == '"');
}

// As a value that a record's decoder does not know, in the middle of a record.
std::string AsUnknownField(std::string_view text) {
  return "{\"a\":1,\"x\":" + std::string(text) + ",\"b\":2}";
}

}  // namespace

TEST_CASE("JSON that RFC 8259 accepts is accepted, skipped or read") {
  for (const Case& c : kAccepted) {
    CAPTURE(c.rule, std::string(c.text));
    Outcome skipped = SkipAll(c.text);
    CAPTURE(skipped.said);
    CHECK(skipped.accepted);
    CHECK(WalkAll(c.text).accepted);
    CHECK(SkipAll(AsUnknownField(c.text)).accepted);
    // In front of other things the fast ways are taken, at the end of the text the careful ones.
    for (size_t spaces : {1, 7, 8, 15, 16, 17, 40}) {
      Outcome padded = WalkAll(std::string(c.text) + std::string(spaces, ' '));
      CHECK(padded.accepted);
      CHECK(padded.said == WalkAll(c.text).said);
    }
  }
}

TEST_CASE("JSON that RFC 8259 refuses is refused, skipped or read") {
  for (const Case& c : kRefused) {
    CAPTURE(c.rule, std::string(c.text));
    Outcome skipped = SkipAll(c.text);
    CHECK_FALSE(skipped.accepted);
    CHECK(skipped.error.offset <= c.text.size());
    CHECK_FALSE(skipped.said.empty());
    CHECK_FALSE(WalkAll(c.text).accepted);
    CHECK_FALSE(SkipAll(AsUnknownField(c.text)).accepted);
    CHECK_FALSE(WalkAll(AsUnknownField(c.text)).accepted);
    for (size_t spaces : {1, 8, 16, 40}) {
      CHECK_FALSE(SkipAll(std::string(c.text) + std::string(spaces, ' ')).accepted);
      CHECK_FALSE(WalkAll(std::string(c.text) + std::string(spaces, ' ')).accepted);
    }
  }
}

TEST_CASE("JSON that RFC 8259 leaves open: Unicode is strict, numbers are as long as they are") {
  for (const Case& c : kOpenRefused) {
    CAPTURE(c.rule, std::string(c.text));
    CHECK_FALSE(SkipAll(c.text).accepted);
    CHECK_FALSE(WalkAll(c.text).accepted);
  }
  for (const Case& c : kOpenAccepted) {
    CAPTURE(c.rule, std::string(c.text));
    CHECK(SkipAll(c.text).accepted);
  }
  CHECK(SkipAll("[\"\xed\xa0\x80\"]").error.code == JsonErrorCode::kUtf8);
  CHECK(SkipAll("[\"\\uD800\"]").error.code == JsonErrorCode::kUtf8);
  CHECK(WalkAll("[1e400]").error.code == JsonErrorCode::kRange);
  CHECK(WalkAll("[1e-400]").said == "[0;]");
}

TEST_CASE("A text that was cut off is refused at every byte") {
  for (const Case& c : kAccepted) {
    if (!IsContainerOrString(c.text)) continue;
    size_t end = c.text.find_last_not_of(" \t\r\n");
    for (size_t size = 0; size <= end; ++size) {
      CAPTURE(c.rule, std::string(c.text), size);
      Outcome skipped = SkipAll(c.text.substr(0, size));
      CHECK_FALSE(skipped.accepted);
      CHECK_FALSE(WalkAll(c.text.substr(0, size)).accepted);
      // Cutting inside a character or between surrogates is a matter of Unicode; everything else is a text too short.
      CHECK((skipped.error.code == JsonErrorCode::kTruncated || skipped.error.code == JsonErrorCode::kUtf8));
    }
  }
}

TEST_CASE("There are enough cases") {
  CHECK(std::size(kAccepted) + std::size(kRefused) + std::size(kOpenRefused) + std::size(kOpenAccepted) >= 150);
}

TEST_CASE("Nesting has a limit, whoever reads") {
  for (auto [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
    auto nested = [&](int depth) {
      std::string text;
      for (int i = 0; i < depth; ++i) text += open;
      text += "1";
      for (int i = 0; i < depth; ++i) text += close;
      return text;
    };
    CAPTURE(open);
    CHECK(SkipAll(nested(64)).accepted);
    CHECK(WalkAll(nested(64)).accepted);
    CHECK(SkipAll(nested(65)).error.code == JsonErrorCode::kDepth);
    CHECK(WalkAll(nested(65)).error.code == JsonErrorCode::kDepth);
    CHECK(SkipAll(nested(1000000)).error.code == JsonErrorCode::kDepth);
    CHECK(WalkAll(nested(1000000)).error.code == JsonErrorCode::kDepth);
    // What is open already counts.
    Exact exact(nested(64));
    weir::Arena arena;
    weir::JsonContext context(&arena);
    weir::JsonReader in(exact.str(), &context);
    weir::Str key;
    if (open[0] == '{') {
      REQUIRE((in.BeginObject() && in.NextKey(&key)));
    } else {
      REQUIRE((in.BeginArray() && in.NextElement()));
    }
    CHECK(in.Skip());
    weir::JsonContext deep(&arena, 1024);
    Exact thousand(nested(1024));
    weir::JsonReader patient(thousand.str(), &deep);
    CHECK((patient.Skip() && patient.End()));
  }
  CHECK(SkipAll(std::string(100000, '[')).error.code == JsonErrorCode::kDepth);
  CHECK(SkipAll("[[[[[[[[]]]]]]]],[").error.code == JsonErrorCode::kTrailing);
}
