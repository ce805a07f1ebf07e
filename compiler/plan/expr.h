// Typed expressions as data: copying, walking, comparing, and their text as a pipeline author would write it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/check/typed.h"

namespace weirc::plan {

typed::ExprPtr Clone(const typed::Expr& e);
// Null stays null.
typed::ExprPtr Clone(const typed::ExprPtr& e);
std::vector<typed::ExprPtr> Clone(const std::vector<typed::ExprPtr>& list);
typed::Route Clone(const typed::Route& route);
typed::Aggregate Clone(const typed::Aggregate& aggregate);

// Calls `f` for each direct operand, left to right; absent ones are left out.
void ForEachChild(const typed::Expr& e, const std::function<void(const typed::Expr&)>& f);
// The same with the owning pointer, which `f` may replace.
void ForEachChild(typed::Expr& e, const std::function<void(typed::ExprPtr&)>& f);

// True when `f` holds for the expression or anything in it.
bool Any(const typed::Expr& e, const std::function<bool(const typed::Expr&)>& f);
bool ReadsRow(const typed::Expr& e);
// Reads field `index` of the row, or the row as a whole.
bool ReadsRowField(const typed::Expr& e, int index);

typed::ExprPtr MakeRow(const typed::Type* type);
typed::ExprPtr MakeField(typed::ExprPtr base, int field);
typed::ExprPtr MakeBool(const typed::Type* type, bool value);

// What names mean in a text.
struct TextOptions {
  const typed::TypedPipeline* typed = nullptr;
  // Texts of the row's fields; null: their names.
  const std::vector<std::string>* row = nullptr;
  // Literals carry their type and conversions are shown, so that equal texts are equal values.
  bool exact = false;
  const std::vector<typed::Aggregate>* aggregates = nullptr;  // what kAggregate means
};
// One line: "price * qty", "if a then b else c".
std::string Text(const typed::Expr& e, const TextOptions& options);
// "symbol", "(symbol, side)"; "" for none.
std::string Text(const std::vector<typed::ExprPtr>& list, const TextOptions& options);
std::string Text(const typed::Aggregate& aggregate, const TextOptions& options);
// A constant of a type: "5s", "10.5", "\"text\"".
std::string Text(const typed::Value& value, const typed::Type* type);

// "1m30s", "250ms", "0s".
std::string DurationText(int64_t ns);
// A string as the language writes it, quotes included.
std::string Quoted(std::string_view text);

}  // namespace weirc::plan
