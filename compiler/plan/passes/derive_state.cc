// Layout hashes, and which rows keep their record's bytes.
#include "compiler/plan/passes/derive_state.h"

#include <utility>

#include "compiler/plan/expr.h"
#include "compiler/plan/graph.h"
#include "compiler/plan/live.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::plan {

using namespace typed;

namespace {

// Whether this record, from this node on, may become a dead letter that shows its bytes.
bool MaySend(const Plan& plan, int id) {
  const Node& node = plan.node(id);
  bool sends = false;
  bool fallible = IsFallible(node) || node.Is<SinkOp>();  // what a sink refuses goes the same way
  ForEachRoute(node, [&](const Route& route) {
    if (&route == &node.on_error && !fallible) return;
    sends = sends || route.kind == Route::kSend;
  });
  if (sends) return true;
  if (node.Is<WindowOp>()) return false;  // a window's result has no bytes of its own
  for (int output : node.outputs) {
    if (MaySend(plan, output)) return true;
  }
  return false;
}

bool MaySendBehind(const Plan& plan, const Node& node) {
  for (int output : node.outputs) {
    if (MaySend(plan, output)) return true;
  }
  return false;
}

// Whether a record that takes this route shows itself before those in front of it: as a dead letter, which would be there
// twice when it is read again; or by ending the pipeline, at each start before those in front of it are finished, so that
// `skip` never gets to it.
bool Overtakes(const Route& route) { return route.kind == Route::kSend || route.kind == Route::kStop; }

// On the way to a node and in it, but for what becomes of a lookup's answer.
bool OvertakesItself(const Node& node) {
  bool overtakes = Overtakes(node.on_error) && IsFallible(node);
  if (node.Is<TableJoinOp>()) overtakes = overtakes || Overtakes(node.As<TableJoinOp>().on_missing);
  return overtakes;
}

bool OvertakesByOutcome(const Node& lookup) {
  const LookupOp& op = lookup.As<LookupOp>();
  return Overtakes(op.on_missing) || Overtakes(op.on_timeout) || Overtakes(op.on_rejected) || Overtakes(op.on_error_outcome);
}

// See Stage::rereads. Up to the last lookup there is one way, on which every lookup keeps the order and nothing overtakes;
// what the last lookup lets go on comes in the order of the input, whatever becomes of it. A step that made several records
// of one would have to be behind the last lookup: part of them may have gone on when the others still wait.
bool Rereads(const Plan& plan, size_t stage) {
  const Node& feeder = plan.node(plan.stages[stage].feeder);
  if (!feeder.Is<SourceOp>()) return false;
  size_t lookups = 0;
  for (int id : plan.order) {
    const Node& node = plan.node(id);
    if (node.stage != static_cast<int>(stage) || node.dead) continue;
    if (node.Is<WindowOp>() || node.Is<ExchangeOp>()) return false;
    lookups += node.Is<LookupOp>() ? 1 : 0;
  }
  const Node* node = &feeder;
  bool overtakes = Overtakes(plan.typed->sources[static_cast<size_t>(feeder.As<SourceOp>().source)].on_bad);
  for (size_t passed = 0; passed < lookups;) {
    if (!node->dead) overtakes = overtakes || OvertakesItself(*node);
    if (node->Is<LookupOp>() && !node->dead) {
      const LookupOp& op = node->As<LookupOp>();
      bool sync = plan.typed->lookups[static_cast<size_t>(op.lookup)].sync;
      if (overtakes || (op.order != OrderMode::kInput && !sync)) return false;
      if (++passed == lookups) return true;
      overtakes = OvertakesByOutcome(*node);
    }
    if (node->outputs.size() != 1) return false;
    node = &plan.node(node->outputs.front());
  }
  return false;  // nothing waits, and nothing is kept
}

}  // namespace

Live PendingLive(const Node& lookup) {
  Live live;
  int added = static_cast<int>(lookup.output_row->fields.size()) - 1;
  for (int i = 0; i < added; ++i) {
    if (const Live* field = lookup.live.Field(i)) live.fields[i] = *field;
  }
  ForEachRoute(lookup, [&](const Route& route) {
    if (route.kind == Route::kUse && route.use) AddUses(*route.use, &live);
  });
  return live;
}

uint64_t LayoutHash(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

std::string LayoutText(const RecordDef& record, const Live& live) {
  std::string out = "{";
  for (size_t i = 0; i < record.fields.size(); ++i) {
    const Live* field = live.Field(static_cast<int>(i));
    if (field == nullptr) continue;
    if (out.size() > 1) out += ",";
    out += record.fields[i].name + ":" + LayoutText(record.fields[i].type, *field);
  }
  return out + "}";
}

std::string LayoutText(const Type* type, const Live& live) {
  switch (type->kind) {
    case TypeKind::kRecord: return LayoutText(*type->record, live);
    case TypeKind::kOptional: return LayoutText(type->element, live) + "?";
    case TypeKind::kOutcome: return "outcome " + LayoutText(type->element, live);
    case TypeKind::kList: return "list<" + LayoutText(type->element, Live::Whole()) + ">";
    case TypeKind::kMap: return "map<" + LayoutText(type->element, Live::Whole()) + ">";
    case TypeKind::kEnum: {
      // Values are stored by index.
      std::string out = "enum";
      for (const EnumValue& value : type->enum_def->values) out += " " + value.name;
      return out;
    }
    default: return ToString(type);
  }
}

Plan DeriveState(Plan plan) {
  for (int id : plan.order) {
    Node& node = plan.node(id);
    if (node.Is<LookupOp>()) {
      LookupOp& op = node.As<LookupOp>();
      bool sends = MaySendBehind(plan, node);
      for (const Route* route : {&op.on_missing, &op.on_timeout, &op.on_rejected, &op.on_error_outcome}) {
        sends = sends || route->kind == Route::kSend;
      }
      op.keeps_raw = sends;
      std::string layout = LayoutText(*node.input_row, PendingLive(node)) + "(";
      for (const auto& [name, type] : plan.typed->lookups[static_cast<size_t>(op.lookup)].params)
        layout += LayoutText(type, Live::Whole()) + ",";
      op.row_schema = LayoutHash(layout);
    } else if (node.Is<ExchangeOp>()) {
      ExchangeOp& op = node.As<ExchangeOp>();
      op.keeps_raw = MaySendBehind(plan, node);
      op.row_schema = LayoutHash(LayoutText(*node.input_row, node.live));
    } else if (node.Is<WindowOp>()) {
      WindowOp& op = node.As<WindowOp>();
      TextOptions options;
      options.typed = plan.typed;
      std::string layout = LayoutText(*op.key_record, Live::Whole()) + " " + Text(*op.size, options);
      for (const Aggregate& aggregate : op.aggregates) {
        layout += ";" + std::to_string(static_cast<int>(aggregate.kind)) + ToString(aggregate.type);
        for (const ExprPtr& e : aggregate.args) layout += "," + ToString(e->type);
      }
      op.value_schema = LayoutHash(layout);
    }
  }
  for (size_t i = 0; i < plan.stages.size(); ++i) plan.stages[i].rereads = Rereads(plan, i);
  return plan;
}

}  // namespace weirc::plan
