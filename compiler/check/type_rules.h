// compiler/check/type_rules.h — What the language says about types alone: which convert without
// loss, what two of them have in common, what arithmetic makes of them. No diagnostics here.
#pragma once

#include <optional>
#include <string>

#include "compiler/check/typed.h"

namespace weirc::check {

using typed::RecordDef;
using typed::Type;
using typed::TypeKind;
using typed::TypeTable;

inline bool IsInt(const Type* t) { return t->Is(TypeKind::kInt32) || t->Is(TypeKind::kInt64); }
inline bool IsDecimal(const Type* t) { return t->Is(TypeKind::kDecimal); }
inline bool IsFloat(const Type* t) { return t->Is(TypeKind::kFloat64); }
inline bool IsNumber(const Type* t) { return IsInt(t) || IsDecimal(t) || IsFloat(t); }
inline bool IsOptional(const Type* t) { return t->Is(TypeKind::kOptional); }
inline bool IsError(const Type* t) { return t->Is(TypeKind::kError); }
// True of Error and of what is made of it: list<Error>, Error? and so on.
bool HasError(const Type* t);

// T of T?, else the type itself.
inline const Type* Present(const Type* t) { return IsOptional(t) ? t->element : t; }

// Decimal digits that hold every value of an integer type: 10 or 19.
inline int DigitsOfInt(const Type* t) { return t->Is(TypeKind::kInt32) ? 10 : 19; }

// The same type, units aside.
bool SameButUnit(const Type* a, const Type* b);

// How a value of type `from` becomes one of type `to`.
enum class Fit {
  kSame,
  kLossless,      // an implicit conversion exists
  kNarrowing,     // both are numbers, but `to` does not hold every value of `from`
  kOptionalUsed,  // would fit if it were not optional
  kMixed,         // a decimal or int64 and a float
  kUnits,         // would fit but for the unit
  kNone,
};
Fit FitOf(const Type* from, const Type* to);

// The smallest type both convert to without loss; null when there is none.
const Type* CommonType(TypeTable& types, const Type* a, const Type* b);

// An integer type as the decimal that holds it; decimals stay.
const Type* AsDecimal(TypeTable& types, const Type* t);

// Results of arithmetic on two decimals. `overflows`: the exact result may need more than 38
// digits.
struct DecimalResult {
  const Type* type = nullptr;  // null: the scale would be above 38
  bool overflows = false;
};
DecimalResult AddDecimals(TypeTable& types, const Type* a, const Type* b);
DecimalResult MultiplyDecimals(TypeTable& types, const Type* a, const Type* b);
DecimalResult DivideDecimals(TypeTable& types, const Type* a, const Type* b);
DecimalResult RemainderDecimals(TypeTable& types, const Type* a, const Type* b);

// May stand in `key:`, `by`, `on` and `order key`: equal values have equal bytes.
bool IsKeyType(const Type* t);
// Has a text of its own, so may stand in "…{x}…".
bool HasText(const Type* t);
bool IsOrdered(const Type* t);     // < <= > >=
bool IsComparable(const Type* t);  // == !=

// "a `string`", "an `int64`"
std::string WithArticle(const Type* t);

}  // namespace weirc::check
