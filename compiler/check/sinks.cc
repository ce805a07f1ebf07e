// compiler/check/sinks.cc — Sinks: what goes out, where, and under which key.
#include <algorithm>
#include <map>

#include "compiler/check/stream_checker.h"

namespace weirc::check {

namespace {

void CheckSink(Context& context, const ast::SinkDecl& decl, typed::SinkDef& def) {
  def.span = decl.name.span;
  const StreamFacts* facts = nullptr;
  bool found = ResolveInput(context, decl.origin, "a sink", &def.from, &facts);
  if (decl.broken) return;
  CheckBlock(context, decl.block,
             {.what = "a sink",
              .entries = {{"format"}, {"key"}},
              .later_entries = {"mode", "partitioner", "headers", "time", "compression", "rotate",
                                "batch"}});
  bool writes = decl.target && ReadEndpoint(context, *decl.target, decl.block, Direction::kSink,
                                            def.name, &def.endpoint);
  const ast::Entry* key = decl.block.Find("key");
  const bool dead = found && def.from.kind == typed::StreamInput::kDeadletter;
  if (dead) {
    if (key != nullptr) {
      context.Report(Code::kDeadletterKey, key->name.span, "").Help("leave it out");
    }
    if (!writes) return;
    if (def.endpoint.operation == "topic") {
      // The record's own bytes, with what happened to it in headers, unless JSON is asked for.
      if (decl.block.Find("format") == nullptr) def.endpoint.format = typed::Format::kRaw;
    } else if (def.endpoint.format == typed::Format::kRaw) {
      const ast::Entry* format = decl.block.Find("format");
      context
          .Report(Code::kDeadletterFormat,
                  format != nullptr ? format->value->span : decl.target->span,
                  "a line cannot hold any bytes and say why they are here")
          .Help(def.endpoint.operation == "lines" ? "write `ndjson(…)`" : "leave `format` out");
    }
    return;
  }
  if (facts == nullptr || facts->row.record == nullptr) {
    return;
  }
  const Row& row = facts->row;
  for (const typed::Field& field : row.record->fields) {
    if (!field.type->Is(TypeKind::kOutcome)) continue;
    context
        .Report(Code::kOutcomeUsed, decl.origin.span, "`" + field.name + "` is part of its records",
                {field.name})
        .Secondary(field.span, "it comes from here")
        .Help("end the stream with a `select` that says what goes out: `match " + field.name +
              " { … }`");
    return;
  }
  if (writes && def.endpoint.format == typed::Format::kRaw) {
    bool fits =
        row.record->fields.size() == 1 &&
        (row.record->fields[0].type->Is(TypeKind::kString) ||
         row.record->fields[0].type->Is(TypeKind::kBytes) || HasError(row.record->fields[0].type));
    if (!fits) {
      const ast::Entry* format = decl.block.Find("format");
      context
          .Report(Code::kRawRecord, format != nullptr ? format->value->span : decl.target->span, "",
                  {decl.origin.stream.text})
          .Help("end the stream with `| select { text: \"…\" }`");
    }
  }
  if (key == nullptr) return;
  if (writes && def.endpoint.operation != "topic") {
    context.Report(Code::kEntryNotPossible, key->name.span, "", {"key", def.endpoint.operation})
        .Note("only records of a topic have a key");
    return;
  }
  Scope scope = StepScope(row);
  scope.what = "the key of a sink";
  def.key = ReadKey(context, *key->value, scope, "the key of a sink");
  if (def.key.empty()) return;
  std::vector<Origin> origins;
  for (const ExprPtr& part : def.key) origins.push_back(OriginOf(context, row, *part));
  CheckOrder(context, row, origins, context.Written(key->value->span), key->span,
             "sink `" + def.name + "`");
}

}  // namespace

void CheckSinks(Context& context) {
  for (const auto* decl : DeclsOf<ast::SinkDecl>(context)) {
    CheckSink(context, *decl,
              context.out.sinks[static_cast<size_t>(SymbolOf(context, *decl)->index)]);
  }
}

}  // namespace weirc::check
