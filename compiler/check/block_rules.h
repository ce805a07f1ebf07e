// compiler/check/block_rules.h — What may stand in the braces behind a declaration or a step, and
// readers for entries.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/expr_checker.h"

namespace weirc::check {

// An entry that exists, and the words that may follow its value: `cache: 100_000 for 60s missing
// 5s`.
struct EntryRule {
  std::string_view name;
  std::vector<std::string_view> phrases = {};
  std::vector<std::string_view> later_phrases = {};
};

struct BlockRules {
  std::string what;  // "a source"
  std::vector<EntryRule> entries = {};
  std::vector<std::string_view> flags = {};
  std::vector<std::string_view> events = {};  // of `on`
  std::vector<std::string_view> later_entries = {};
  std::vector<std::string_view> later_flags = {};
  bool order = false;
  bool emit_later = false;  // `emit` exists here, later
  bool answers = false;
};

// What other systems call by another name: "concurrency" is "in_flight". Null for anything else.
const char* OtherNameOf(std::string_view entry);

// Reports everything in the block that has no place there.
void CheckBlock(Context& context, const ast::Block& block, const BlockRules& rules);

// The value of `name: value`, evaluated when the pipeline starts. Null when there is none, or when
// it is wrong.
class EntryReader {
 public:
  EntryReader(Context& context, const ast::Block& block, std::string what)
      : context_(context), block_(block), what_(std::move(what)) {}

  ExprPtr Duration(std::string_view name, bool may_be_zero = false);
  ExprPtr DurationValue(const ast::Expr& e, const std::string& name, bool may_be_zero);
  ExprPtr Count(std::string_view name, int64_t low, int64_t high);
  ExprPtr CountValue(const ast::Expr& e, const std::string& name, int64_t low, int64_t high);
  // The index of the word in `words`; -1 when the entry is not there or is none of them.
  int Word(std::string_view name, const std::vector<std::string_view>& words);
  std::optional<bool> Switch(std::string_view name);
  const ast::Phrase* Phrase(std::string_view entry, std::string_view word);

 private:
  Context& context_;
  const ast::Block& block_;
  std::string what_;
};

// The actions of `on EVENT …` clauses: one route for each event.
struct RouteRequest {
  std::string event;
  Route* route;
};
// What `use VALUE` may give, if anything.
struct UseRule {
  bool allowed = false;
  const Type* type = nullptr;  // the type a value must have; `null` makes it optional
  Scope* scope = nullptr;
  std::string instead;  // help when it is not allowed
};
// Fills the routes that the block declares; `failed` is timeout, rejected and error. Events named
// twice are reported.
void ReadRoutes(Context& context, const ast::Block& block,
                const std::vector<RouteRequest>& requests, const UseRule& use);
// `send NAME`: the dead letter's index, -1 after a report.
int FindDeadletter(Context& context, const ast::Name& name);
// A copy of a route without a value.
Route CopyRoute(const Route& route);

}  // namespace weirc::check
