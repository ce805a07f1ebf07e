// compiler/check/declare.cc — Which names exist. Later passes find everything by name, whatever the
// order in the files.
#include <algorithm>
#include <functional>

#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

std::optional<SymbolKind> KindOf(const ast::Decl& decl) {
  switch (decl.kind) {
    case ast::DeclKind::kParam: return SymbolKind::kParam;
    case ast::DeclKind::kSecret: return SymbolKind::kSecret;
    case ast::DeclKind::kConnection: return SymbolKind::kConnection;
    case ast::DeclKind::kEnum: return SymbolKind::kEnum;
    case ast::DeclKind::kRecord: return SymbolKind::kRecord;
    case ast::DeclKind::kDeadletter: return SymbolKind::kDeadletter;
    case ast::DeclKind::kSource: return SymbolKind::kSource;
    case ast::DeclKind::kTable: return SymbolKind::kTable;
    case ast::DeclKind::kLookup:
      return Cast<ast::LookupDecl>(decl).is_call ? SymbolKind::kLater : SymbolKind::kLookup;
    case ast::DeclKind::kFn: return SymbolKind::kFn;
    case ast::DeclKind::kStream: return SymbolKind::kStream;
    case ast::DeclKind::kSink: return SymbolKind::kSink;
    case ast::DeclKind::kExternLookup:
    case ast::DeclKind::kExternFn:
    case ast::DeclKind::kAggregateFn:
    case ast::DeclKind::kService: return SymbolKind::kLater;
    case ast::DeclKind::kPipeline:
    case ast::DeclKind::kImport:
    case ast::DeclKind::kTest: return std::nullopt;
  }
  return std::nullopt;
}

// Takes the next place in the pipeline's vector of the kind.
int Allocate(Context& context, Symbol& symbol) {
  typed::TypedPipeline& out = context.out;
  auto last = [](const auto& v) { return static_cast<int>(v.size()) - 1; };
  switch (symbol.kind) {
    case SymbolKind::kParam:
    case SymbolKind::kSecret:
      out.params.emplace_back();
      out.params.back().name = symbol.name;
      out.params.back().type = context.error;
      return last(out.params);
    case SymbolKind::kConnection:
      out.connections.emplace_back();
      out.connections.back().name = symbol.name;
      return last(out.connections);
    case SymbolKind::kEnum:
      out.enums.push_back(std::make_unique<typed::EnumDef>());
      out.enums.back()->name = symbol.name;
      out.enums.back()->span = symbol.span;
      return last(out.enums);
    case SymbolKind::kRecord:
      out.records.push_back(std::make_unique<RecordDef>());
      out.records.back()->name = symbol.name;
      out.records.back()->span = symbol.span;
      return last(out.records);
    case SymbolKind::kDeadletter:
      out.deadletters.push_back({symbol.name, symbol.span});
      return last(out.deadletters);
    case SymbolKind::kSource:
      out.sources.emplace_back();
      out.sources.back().name = symbol.name;
      return last(out.sources);
    case SymbolKind::kTable:
      out.tables.emplace_back();
      out.tables.back().name = symbol.name;
      return last(out.tables);
    case SymbolKind::kLookup:
      out.lookups.emplace_back();
      out.lookups.back().name = symbol.name;
      return last(out.lookups);
    case SymbolKind::kFn:
      out.fns.emplace_back();
      out.fns.back().name = symbol.name;
      return last(out.fns);
    case SymbolKind::kSink:
      out.sinks.emplace_back();
      out.sinks.back().name = symbol.name;
      return last(out.sinks);
    default: return -1;  // streams get theirs in dependency order
  }
}

bool IsTypeKind(SymbolKind kind) {
  return kind == SymbolKind::kEnum || kind == SymbolKind::kRecord;
}

bool IsBuiltinType(std::string_view name) {
  constexpr std::string_view kNames[] = {"bool",     "int32",  "int64", "float64",
                                         "decimal",  "string", "bytes", "timestamp",
                                         "duration", "date",   "list",  "map"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void Declare(Context& context, const ast::File& file, const ast::Decl& decl) {
  auto kind = KindOf(decl);
  if (!kind || !decl.name) return;
  auto symbol = std::make_unique<Symbol>();
  symbol->kind = *kind;
  symbol->name = decl.name.text;
  symbol->span = decl.name.span;
  symbol->decl = &decl;
  symbol->file = &file;
  if (IsTypeKind(*kind) && IsBuiltinType(symbol->name)) {
    context.Report(Code::kBuiltinName, symbol->span, "", {symbol->name});
    return;
  }
  auto& names = IsTypeKind(*kind) ? context.type_names : context.values;
  auto [it, added] = names.try_emplace(symbol->name, symbol.get());
  if (!added) {
    const Symbol& first = *it->second;
    bool same = first.kind == symbol->kind;
    context
        .Report(Code::kDuplicateName, symbol->span,
                same ? ""
                     : "a " + std::string(NameOf(symbol->kind)) + " and a " +
                           std::string(NameOf(first.kind)) + " share their names",
                {symbol->name})
        .Secondary(first.span, "first declared here");
    return;
  }
  symbol->index = Allocate(context, *symbol);
  context.symbols.push_back(std::move(symbol));
}

}  // namespace

Symbol* SymbolOf(Context& context, const ast::Decl& decl) {
  auto kind = KindOf(decl);
  if (!kind) return nullptr;
  auto& names = IsTypeKind(*kind) ? context.type_names : context.values;
  auto it = names.find(decl.name.text);
  return it == names.end() || it->second->decl != &decl ? nullptr : it->second;
}

void DeclareNames(Context& context) {
  for (const ast::File* file : context.files) {
    for (const ast::DeclPtr& decl : file->decls) Declare(context, *file, *decl);
  }
  // `import … as x`: what the file declares can also be called x.name.
  for (const CheckOptions::Import& import : context.options.imports) {
    if (import.decl == nullptr || import.file == nullptr || !import.decl->name) continue;
    auto space = std::make_unique<Symbol>();
    space->kind = SymbolKind::kNamespace;
    space->name = import.decl->name.text;
    space->span = import.decl->name.span;
    space->decl = import.decl;
    for (const auto& symbol : context.symbols) {
      if (symbol->file == import.file) space->members[symbol->name] = symbol.get();
    }
    auto [it, added] = context.values.try_emplace(space->name, space.get());
    if (!added) {
      context.Report(Code::kDuplicateName, space->span, "", {space->name})
          .Secondary(it->second->span, "first declared here");
      continue;
    }
    context.symbols.push_back(std::move(space));
  }
  context.deadletter_written.resize(context.out.deadletters.size());
  context.deadletter_read.resize(context.out.deadletters.size());
  context.source_read.resize(context.out.sources.size());
  context.source_facts.resize(context.out.sources.size());
  context.table_read.resize(context.out.tables.size());
  context.lookup_used.resize(context.out.lookups.size());
  context.fn_used.resize(context.out.fns.size());
}

std::vector<int> InDependencyOrder(const std::vector<std::vector<int>>& edges,
                                   const std::function<void(const std::vector<int>&)>& on_cycle) {
  enum State : uint8_t { kNew, kOpen, kDone };
  std::vector<State> state(edges.size(), kNew);
  std::vector<int> order;
  std::vector<std::pair<int, size_t>> stack;  // node, next edge
  for (size_t root = 0; root < edges.size(); ++root) {
    if (state[root] != kNew) continue;
    stack.emplace_back(static_cast<int>(root), 0);
    state[root] = kOpen;
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      const std::vector<int>& needs = edges[static_cast<size_t>(node)];
      if (next == needs.size()) {
        state[static_cast<size_t>(node)] = kDone;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      int target = needs[next++];
      State& seen = state[static_cast<size_t>(target)];
      if (seen == kNew) {
        seen = kOpen;
        stack.emplace_back(target, 0);
      } else if (seen == kOpen) {
        std::vector<int> cycle;
        auto it = std::find_if(stack.begin(), stack.end(),
                               [&](const auto& entry) { return entry.first == target; });
        for (; it != stack.end(); ++it) cycle.push_back(it->first);
        cycle.push_back(target);
        on_cycle(cycle);
      }
    }
  }
  return order;
}

}  // namespace weirc::check
