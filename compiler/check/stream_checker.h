// compiler/check/stream_checker.h — One stream: its steps in turn, and what each does to the row.
#pragma once

#include <set>
#include <string>

#include "compiler/check/passes.h"

namespace weirc::check {

class StreamChecker {
 public:
  StreamChecker(Context& context, const ast::StreamDecl& decl, typed::StreamDef& def,
                StreamFacts& facts)
      : context_(context), decl_(decl), def_(def), facts_(facts), row_(facts.row) {}

  // The origin's row stands in facts.row; afterwards the stream's own does.
  void Run();

 private:
  // streams.cc
  void ReadBlock();
  void CheckStep(size_t index);
  void Where(const ast::WhereStep& step);
  void Select(const ast::SelectStep& step);
  void Let(const ast::LetStep& step);
  void Later(const ast::Step& step);
  // joins.cc
  void Join(const ast::JoinStep& step);
  std::vector<ExprPtr> JoinKey(const ast::JoinStep& step, const typed::TableDef& table,
                               const std::string& alias, std::set<std::string>* equal);
  // lookup_step.cc
  void Lookup(const ast::LookupStep& step);
  void ReadOrder(const ast::LookupStep& step, const typed::LookupDef& lookup,
                 typed::LookupStep& out);
  void CheckOutcomes(const ast::LookupStep& step, const typed::LookupDef& lookup,
                     typed::LookupStep& out);
  // windows.cc
  void Window(const ast::WindowStep& step, const ast::AggregateStep* aggregate);
  void Aggregate(const ast::AggregateStep& step, typed::WindowAggregateStep& out,
                 const ast::WindowStep& window);

  // Puts a step at the end: names it, and says what becomes of its failures.
  void Add(std::unique_ptr<typed::Step> step, const std::string& alias, std::string_view kind,
           const RecordDef* output);
  // The row with one more field; null type: unknown. Reports a name that is taken.
  const RecordDef* Extend(const ast::Name& name, const Type* type, Span field_span);
  bool IsTaken(const ast::Name& name, const char* what);
  // An expression of a step: failures that nothing takes are reported.
  void Handle(const typed::Expr& e, std::string_view where);
  Scope RowScope();
  // A route that was not given falls to the stream's `on unhandled`.
  bool Fallback(Route& route);
  // "add `{ on late send dead }`", and how to declare the dead letter when there is none.
  std::string SendHelp(const std::string& event, bool braces) const;
  void MarkUnknown() { row_.record = nullptr; }

  Context& context_;
  const ast::StreamDecl& decl_;
  typed::StreamDef& def_;
  StreamFacts& facts_;
  Row& row_;
  std::set<std::string> aliases_;
  std::set<std::string> step_names_;
  int row_count_ = 0;
  size_t field_count_ = 0;
  const ast::Step* window_ = nullptr;  // the stream's first window
};

// Reports a step that needs its records in order behind a lookup that does not keep it. `key`: by
// which the step needs the order.
void CheckOrder(Context& context, const Row& row, const std::vector<Origin>& key,
                const std::string& key_text, Span span, const std::string& what);

}  // namespace weirc::check
