// How stored values lie and what the author called them, as constant tables (runtime/program/layout.h): by them an operator
// is shown what a window or a waiting record holds. Nothing that a record meets reads them.
#include <utility>

#include "compiler/emit/program_emitter.h"
#include "compiler/plan/expr.h"
#include "compiler/plan/passes/derive_state.h"

namespace weirc::emit {

using namespace typed;
using plan::Live;
using plan::Node;

namespace {

const char* KindOf(const Type* type) {
  switch (type->kind) {
    case TypeKind::kBool: return "Bool";
    case TypeKind::kInt32: return "Int32";
    case TypeKind::kInt64: return "Int64";
    case TypeKind::kFloat64: return "Float64";
    case TypeKind::kDecimal: return "Decimal";
    case TypeKind::kString: return "String";
    case TypeKind::kBytes: return "Bytes";
    case TypeKind::kTimestamp: return "Timestamp";
    case TypeKind::kDuration: return "Duration";
    case TypeKind::kDate: return "Date";
    case TypeKind::kEnum: return "Enum";
    case TypeKind::kRecord: return "Record";
    case TypeKind::kOptional: return "Optional";
    case TypeKind::kList: return "List";
    case TypeKind::kMap: return "Map";
    case TypeKind::kOutcome: return "Outcome";
    case TypeKind::kError:
    case TypeKind::kNull: break;
  }
  return "Bool";  // no value has such a type
}

const char* AggregateKindOf(const Aggregate& aggregate) {
  static constexpr const char* kKinds[] = {"kCount", "kSum", "kMin", "kMax", "kFirst", "kLast", "kAvg", "kVwap"};
  return kKinds[static_cast<int>(aggregate.kind)];
}

}  // namespace

// "kInt64Layout", or the name of one that is written for this type. The same text is written once.
std::string ProgramEmitter::LayoutOf(const Type* type, const Live& live) {
  const std::string kind = KindOf(type);
  std::string value = "{.kind = ValueKind::k" + kind + ", .type = " + StringLiteral(ToString(type));
  switch (type->kind) {
    case TypeKind::kDecimal:
      value += ", .precision = " + std::to_string(type->precision) + ", .scale = " + std::to_string(type->scale);
      break;
    case TypeKind::kEnum:
      value += ", .names = {" + codec_.EnumTable(type->enum_def, "Text") + ", ";
      value += std::to_string(type->enum_def->values.size()) + "}";
      break;
    case TypeKind::kRecord: {
      std::vector<std::string> columns;
      for (size_t i = 0; i < type->record->fields.size(); ++i) {
        const Live* field = live.Field(static_cast<int>(i));
        if (field == nullptr) continue;
        columns.push_back(ColumnText(type->record->fields[i].name, type->record->fields[i].type, *field));
      }
      value += ", .fields = " + ColumnList("Fields_" + MangleParts(type->record->name), columns);
      break;
    }
    case TypeKind::kOptional: value += ", .element = &" + LayoutOf(type->element, live); break;
    case TypeKind::kOutcome:
    case TypeKind::kList:
    case TypeKind::kMap: value += ", .element = &" + LayoutOf(type->element, Live::Whole()); break;
    default:
      if (type->unit.empty()) return "k" + kind + "Layout";
  }
  value += "}";
  std::string& name = layouts_[value];
  if (name.empty()) {
    name = scope_.Take("kLayout" + std::to_string(layouts_.size()));
    out_.Line("constexpr Layout " + name + value + ";");
  }
  return name;
}

std::string ProgramEmitter::ColumnText(const std::string& name, const Type* type, const Live& live) {
  return "{" + StringLiteral(name) + ", &" + LayoutOf(type, live) + "}";
}

// A list of columns, "{kKey_bars_window, 2}", whose table is written.
std::string ProgramEmitter::ColumnList(const std::string& what, const std::vector<std::string>& columns) {
  if (columns.empty()) return "{}";
  std::string all;
  for (const std::string& column : columns) all += (all.empty() ? "" : ", ") + column;
  std::string& name = column_lists_[all];
  if (name.empty()) {
    name = scope_.Take("k" + what);
    out_.Line("constexpr Column " + name + "[] = {" + all + "};");
  }
  return "{" + name + ", " + std::to_string(columns.size()) + "}";
}

std::string ProgramEmitter::ArgumentsLayout(int lookup) {
  const LookupDef& def = typed_.lookups[static_cast<size_t>(lookup)];
  std::vector<std::string> columns;
  for (const auto& [name, type] : def.params) columns.push_back(ColumnText(name, type, Live::Whole()));
  return ColumnList("Arguments_" + MangleParts(def.name), columns);
}

std::string ProgramEmitter::OrderKeyLayout(const Node& node) {
  const plan::LookupOp& op = node.As<plan::LookupOp>();
  if (op.order != typed::OrderMode::kKey) return "{}";
  plan::TextOptions options;
  options.typed = &typed_;
  std::vector<std::string> columns;
  for (const ExprPtr& e : op.order_key) columns.push_back(ColumnText(plan::Text(*e, options), e->type, Live::Whole()));
  return ColumnList("OrderKey_" + MangleParts(node.name), columns);
}

// In the order in which SaveRow writes them.
std::string ProgramEmitter::PendingFieldsLayout(const Node& node) {
  Live pending = plan::PendingLive(node);
  std::vector<std::string> columns;
  for (size_t i = 0; i < node.input_row->fields.size(); ++i) {
    const typed::Field& field = node.input_row->fields[i];
    if (const Live* live = pending.Field(static_cast<int>(i))) columns.push_back(ColumnText(field.name, field.type, *live));
  }
  return ColumnList("Fields_" + MangleParts(node.name), columns);
}

std::string ProgramEmitter::WindowKeyLayout(const Node& node) {
  const plan::WindowOp& op = node.As<plan::WindowOp>();
  plan::TextOptions options;
  options.typed = &typed_;
  std::vector<std::string> columns;
  for (size_t i = 0; i < op.by.size(); ++i) {
    // A part that is no field has no name that its author knows.
    std::string name = op.key_record->fields[i].name;
    if (name == "key_" + std::to_string(i + 1)) name = plan::Text(*op.by[i], options);
    columns.push_back(ColumnText(name, op.by[i]->type, Live::Whole()));
  }
  return ColumnList("Key_" + MangleParts(node.name), columns);
}

std::string ProgramEmitter::AggregatesLayout(const Node& node) {
  const plan::WindowOp& op = node.As<plan::WindowOp>();
  if (op.aggregates.empty()) return "{}";
  plan::TextOptions options;
  options.typed = &typed_;
  std::vector<std::string> names(op.aggregates.size());
  for (size_t i = 0; i < op.values.size(); ++i) {
    if (op.values[i]->kind != ExprKind::kAggregate) continue;
    std::string& name = names[static_cast<size_t>(As<AggregateExpr>(*op.values[i]).index)];
    if (name.empty()) name = node.output_row->fields[i].name;
  }
  std::vector<std::string> lines;
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    const Aggregate& a = op.aggregates[i];
    const std::string text = plan::Text(a, options);
    std::string line = "{" + StringLiteral(names[i].empty() ? text : names[i]) + ", " + StringLiteral(text) + ", AggregateKind::" +
                       AggregateKindOf(a) + ", &" + LayoutOf(Present(a.type), Live::Whole());
    for (const ExprPtr& e : a.args) line += ", &" + LayoutOf(Present(e->type), Live::Whole());
    lines.push_back(line + "},");
  }
  std::string table = scope_.Take("kAggregates_" + MangleParts(node.name));
  out_.Open("constexpr AggregateLayout " + table + "[] = {");
  for (const std::string& line : lines) out_.Line(line);
  out_.Close("};");
  return "{" + table + ", " + std::to_string(lines.size()) + "}";
}

}  // namespace weirc::emit
