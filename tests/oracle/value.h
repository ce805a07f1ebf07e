// Values of the slow evaluator: one struct for everything, numbers of 512 bits so that nothing can overflow unseen.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/typed.h"

namespace oracle {

using Big = _BitInt(512);

struct Value {
  enum Kind { kNull, kBool, kNumber, kReal, kText, kList, kMap, kRecord, kOutcome } kind = kNull;
  bool boolean = false;
  Big number = 0;             // ints, unscaled decimals, ns, days, enum index; outcome: 0 found … 4 error
  double real = 0;
  std::string text;           // strings, bytes; outcome: the reason
  std::vector<Value> items;   // list, map values, record fields in order; outcome: the found value
  std::vector<std::string> names;  // map keys

  static Value Null() { return {}; }
  static Value Bool(bool b);
  static Value Number(Big n);
  static Value Real(double r);
  static Value Text(std::string s);
  bool null() const { return kind == kNull; }
};

// An expression, a decoder or an accumulator failed; the record takes its route.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Big Pow10(int n);
std::string Decimal(Big n);                       // plain decimal digits with sign
// n of scale `from` at scale `to`; to the nearest, ties to even, when digits go.
Big Rescale(Big n, int from, int to);
// n / d to the nearest, ties to even. d != 0.
Big DivideHalfEven(Big n, Big d);
// Fails when n does not fit the (non-optional) type.
void CheckRange(Big n, const weirc::typed::Type* type);

// Total order used for keys and windows: bytes for text, numbers by value.
bool Equal(const Value& a, const weirc::typed::Type* type_a, const Value& b, const weirc::typed::Type* type_b);
int Compare(const Value& a, const weirc::typed::Type* type_a, const Value& b, const weirc::typed::Type* type_b);

// Which fields of a record are looked at; the others must be well-formed JSON that occurs once, and are null.
struct Reads {
  bool all = true;
  std::map<int, Reads> fields;
};

// Reads one JSON document as a value of a record type; fails with a reason.
Value Decode(const std::string& json, const weirc::typed::Type* type);
Value DecodeRecord(const std::string& json, const weirc::typed::RecordDef* record, const Reads& reads = {});
// A constant of the language as a value.
Value FromConstant(const weirc::typed::Value& constant, const weirc::typed::Type* type);
bool ValidUtf8(const std::string& text);
// Canonical JSON text of a value, as sinks write it.
std::string Encode(const Value& value, const weirc::typed::Type* type);
std::string EncodeRecord(const Value& value, const weirc::typed::RecordDef* record);

// Text of a value as `to_string` and keys have it.
std::string Text(const Value& value, const weirc::typed::Type* type);

}  // namespace oracle
