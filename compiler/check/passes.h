// compiler/check/passes.h — The checker's passes, in the order in which `Check` runs them. Each
// takes the context, adds to the typed pipeline, and reports what is wrong; none depends on an
// earlier one having found nothing.
#pragma once

#include <functional>

#include "compiler/check/block_rules.h"
#include "compiler/check/context.h"
#include "compiler/check/expr_checker.h"

namespace weirc::check {

void DeclareNames(Context& context);      // declare.cc: symbols, duplicates, imports
void CheckHeader(Context& context);       // header.cc: `pipeline … { deliver, commit }`
void CheckTypes(Context& context);        // type_decls.cc: enums, records
void CheckParams(Context& context);       // params.cc
void CheckFunctions(Context& context);    // functions.cc
void CheckConnections(Context& context);  // connections.cc
void CheckSources(Context& context);      // sources.cc
void CheckTables(Context& context);       // sources.cc
void CheckLookups(Context& context);      // lookups.cc
void CheckStreams(Context& context);      // streams.cc
void CheckSinks(Context& context);        // sinks.cc
void CheckTests(Context& context);        // tests.cc
void CheckUsage(Context& context);  // usage.cc: what is declared and never used, lost dead letters,
                                    // cycles of topics
void ReportLaterDeclarations(Context& context);  // later.cc

// ---- Shared between passes

// The type a reference names; Error after a report.
const Type* ResolveType(Context& context, const ast::TypeRef& ref);
// Every declaration of a kind in all files, in order.
template <class T>
std::vector<const T*> DeclsOf(const Context& context) {
  std::vector<const T*> decls;
  for (const auto& symbol : context.symbols) {
    if (const T* decl = As<T>(symbol->decl)) decls.push_back(decl);
  }
  return decls;
}
// The symbol of a declaration; null for one that lost its name to an earlier one.
Symbol* SymbolOf(Context& context, const ast::Decl& decl);

// Orders what depends on each other: `edges[i]` lists what i needs. What takes part in a cycle is
// reported through `on_cycle` (the way round, first = last) and comes last. Not recursive.
std::vector<int> InDependencyOrder(const std::vector<std::vector<int>>& edges,
                                   const std::function<void(const std::vector<int>&)>& on_cycle);

// ---- Endpoints: `main.topic("x")`, `ndjson("file")`, `stdin`
enum class Direction : uint8_t { kSource, kTable, kSink };
// Fills connection, operation, address and format; false after a report.
bool ReadEndpoint(Context& context, const ast::Expr& e, const ast::Block& block,
                  Direction direction, const std::string& what, typed::EndpointDef* out);
// Flattens an entry's value into properties: `kafka: { "linger.ms": 5 }` is `kafka.linger.ms`.
void ReadProperty(Context& context, const std::string& name, const ast::Expr& e, Scope& scope,
                  std::vector<typed::PropertyDef>* out);

// ---- Keys: `key: (a, b)`, `by x`, `order key x`
std::vector<const ast::Expr*> KeyParts(const ast::Expr& e);
// Each part with a type that may be a key. Empty after a report.
std::vector<ExprPtr> ReadKey(Context& context, const ast::Expr& e, Scope& scope,
                             const std::string& what);

// ---- What a stream, sink or expectation reads: `trades`, `sized.big`, `refdata.prices`
// False after a report, or when nothing can be said. `facts` is null for a dead letter.
bool ResolveInput(Context& context, const ast::StreamRef& ref, const char* reader,
                  typed::StreamInput* input, const StreamFacts** facts);

// ---- Rows
Scope StepScope(const Row& row);
// The row at a source's start.
Row SourceRow(Context& context, int source);
// A field's formula, for questions of order.
Origin OriginOf(const Context& context, const Row& row, const typed::Expr& e);

}  // namespace weirc::check
