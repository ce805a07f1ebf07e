// Windows: the accumulator of one key and window, folding a record in, and the result.
#include <utility>

#include "compiler/emit/program_emitter.h"
#include "compiler/plan/expr.h"
#include "compiler/plan/passes/project_fields.h"

namespace weirc::emit {

using namespace typed;
using plan::Node;

namespace {

// How an aggregate's state is held.
enum class Held { kNumber, kText, kBytes };  // kBytes: as a row in a string, for lists, maps and records

Held HeldAs(const Type* type) {
  type = Present(type);
  if (IsText(type)) return Held::kText;
  switch (type->kind) {
    case TypeKind::kRecord:
    case TypeKind::kList:
    case TypeKind::kMap: return Held::kBytes;
    default: return Held::kNumber;
  }
}

bool IsFloat(const Aggregate& a) { return !a.args.empty() && Present(a.args[0]->type)->Is(TypeKind::kFloat64); }

// Adding may be refused: the sum would not fit.
bool AddFails(const Aggregate& a) {
  bool sums = a.kind == AggregateKind::kSum || a.kind == AggregateKind::kAvg || a.kind == AggregateKind::kVwap;
  return sums && !IsFloat(a);
}

std::string MemberType(const Aggregate& a, const Types& types) {
  switch (a.kind) {
    case AggregateKind::kCount: return "Count";
    case AggregateKind::kSum:
      if (IsFloat(a)) return "SumFloat64";
      return Present(a.args[0]->type)->Is(TypeKind::kDecimal) ? "SumDecimal" : "SumInt64";
    case AggregateKind::kAvg: return IsFloat(a) ? "AvgFloat64" : "AvgDecimal";
    case AggregateKind::kVwap: return IsFloat(a) ? "VwapFloat64" : "VwapDecimal";
    default: {
      const Type* type = Present(a.args[0]->type);
      if (HeldAs(type) != Held::kNumber) return "ExtremeStr";
      return "Extreme<" + (type->Is(TypeKind::kEnum) ? std::string("int32_t") : types.Of(type)) + ">";
    }
  }
}

}  // namespace

void ProgramEmitter::Accumulator(const Node& node) {
  const plan::WindowOp& op = node.As<plan::WindowOp>();
  // Members are called as the result's fields where a field is just the aggregate.
  Scope names;
  std::vector<std::string>& members = accumulator_members_[node.id];
  members.resize(op.aggregates.size());
  for (size_t i = 0; i < op.values.size(); ++i) {
    if (op.values[i]->kind != ExprKind::kAggregate) continue;
    std::string& member = members[static_cast<size_t>(As<AggregateExpr>(*op.values[i]).index)];
    if (member.empty()) member = names.Take(types_.Member(node.output_row->fields[i].name));
  }
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].empty()) members[i] = names.Take("aggregate" + std::to_string(i) + "_");
  }
  std::string name = scope_.Take(MangleParts(node.name) + "_state");
  accumulators_[node.id] = name;
  bool counts = false, fails = false;
  for (const Aggregate& a : op.aggregates) {
    counts = counts || (a.kind == AggregateKind::kCount && a.args.empty());
    fails = fails || AddFails(a);
  }
  out_.Open("struct " + name + " {");
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    out_.Line(MemberType(op.aggregates[i], types_) + " " + members[i] + ";");
  }
  // A window whose only record was refused has no result.
  if (fails && !counts) {
    out_.Line("Count records_;");
    counting_windows_.insert(node.id);
  }
  out_.Close("};");
  std::string saves, loads, drops;
  auto each = [&](const std::string& member, bool text) {
    saves += " state." + member + ".Save(row);";
    loads += " state->" + member + ".Load(row);";
    if (text) drops += " state->" + member + ".Drop();";
  };
  for (size_t i = 0; i < op.aggregates.size(); ++i) each(members[i], MemberType(op.aggregates[i], types_) == "ExtremeStr");
  if (fails && !counts) each("records_", false);
  out_.Open("static void " + name + "_save(const void* value, RowWriter& row) {");
  out_.Line("const " + name + "& state = *static_cast<const " + name + "*>(value);");
  out_.Line(saves.empty() ? "(void)state, (void)row;" : saves.substr(1));
  out_.Close();
  out_.Open("static bool " + name + "_load(RowReader& row, void* value, Task&) {");
  out_.Line("auto* state = static_cast<" + name + "*>(value);");
  out_.Line(loads.empty() ? "(void)state;" : loads.substr(1));
  out_.Line("return row.AtEnd();");
  out_.Close();
  if (!drops.empty()) {
    drops_.insert(node.id);
    out_.Open("static void " + name + "_drop(void* value) {");
    out_.Line("auto* state = static_cast<" + name + "*>(value);");
    out_.Line(drops.substr(1));
    out_.Close();
  }
  out_.Line();
}

void ProgramEmitter::WindowFold(const Node& node) {
  const plan::WindowOp& op = node.As<plan::WindowOp>();
  const std::vector<std::string>& members = accumulator_members_.at(node.id);
  const std::string& state_type = accumulators_.at(node.id);
  ExprPlace place = PlaceOf(node);
  ExprEmitter expressions = Expressions(&place);
  Code code;
  // What can fail without a window does so before one is made.
  code.Add("const int64_t start_ = WindowStart(meta.time_ns, " + WindowSize(node) + ");");
  code.Add("WindowInstance& window_ = task.window(" + window_names_.at(node.id) + ");");
  code.Open("if (window_.Late(start_)) {");
  code.Add(RouteText(op.on_late, StepOf(node), "DeadReason::kLate",
                     "Str(" + StringLiteral("its window is closed already") + ")"));
  code.Add("return;");
  code.Close();
  std::vector<std::pair<const Type*, std::string>> key;
  for (const ExprPtr& e : op.by) {
    code.At(e->span);
    key.emplace_back(e->type, expressions.EmitOnceText(*e, &code));
  }
  std::vector<std::vector<std::string>> args(op.aggregates.size());
  std::vector<std::string> present(op.aggregates.size());  // a condition, empty: always
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    for (const ExprPtr& e : op.aggregates[i].args) {
      code.At(e->span);
      if (e->type->Is(TypeKind::kOptional)) {
        CppValue value = expressions.Parts(expressions.Emit(*e, &code), e->type, &code);
        present[i] += (present[i].empty() ? "" : " && ") + value.has;
        args[i].push_back(value.value);
      } else {
        args[i].push_back(expressions.EmitText(*e, &code));
      }
    }
  }
  code.At({});
  std::string bytes = key.empty() ? "Str()" : codec_.KeyBytes(key, &code);
  code.Add("bool created_;");
  code.Add("auto* state_ = static_cast<" + state_type + "*>(window_.FindOrAdd(" + bytes + ", start_, &created_));");
  // Sums that may be refused go first, and what was added before a refusal is taken back: a record counts whole or not.
  std::string undo;
  bool counts = false, fails = false;
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    const Aggregate& a = op.aggregates[i];
    counts = counts || (a.kind == AggregateKind::kCount && a.args.empty());
    if (!AddFails(a)) continue;
    fails = true;
    std::string member = "state_->" + members[i];
    std::string before = "before" + std::to_string(i) + "_";
    code.Add("const " + MemberType(a, types_) + " " + before + " = " + member + ";");
    std::string call = member + ".Add(" + args[i][0] + (args[i].size() > 1 ? ", " + args[i][1] : "") + ")";
    std::string test = (present[i].empty() ? "" : present[i] + " && ") + "!" + call;
    code.At(a.span);
    plan::TextOptions options;
    options.typed = &typed_;
    std::string fail = place.fail("Str(" + StringLiteral("overflow in `" + plan::Text(a, options) + "`") + ")");
    if (undo.empty()) {
      code.Add("if (" + test + ") " + fail);
    } else {
      code.Open("if (" + test + ") {");
      code.Add(undo);
      code.Add(fail);
      code.Close();
    }
    code.At({});
    undo += (undo.empty() ? "" : " ") + member + " = " + before + ";";
  }
  // The last one has nobody behind it to be taken back for.
  if (fails) {
    for (size_t i = op.aggregates.size(); i-- > 0;) {
      if (!AddFails(op.aggregates[i])) continue;
      std::string line = " before" + std::to_string(i) + "_ = ";
      std::erase_if(code.lines(), [&](const Code::Line& l) { return l.text.find(line) != std::string::npos && l.text.starts_with("const "); });
      break;
    }
  }
  if (fails && !counts) code.Add("state_->records_.Add();");
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    const Aggregate& a = op.aggregates[i];
    if (AddFails(a)) continue;
    std::string member = "state_->" + members[i];
    std::string call;
    switch (a.kind) {
      case AggregateKind::kCount: call = member + ".Add();"; break;
      case AggregateKind::kSum:
      case AggregateKind::kAvg: call = member + ".Add(" + args[i][0] + ");"; break;
      case AggregateKind::kVwap: call = member + ".Add(" + args[i][0] + ", " + args[i][1] + ");"; break;
      default: {
        static constexpr const char* kAdd[] = {"", "", ".AddMin(", ".AddMax(", ".AddFirst(", ".AddLast("};
        const Type* type = Present(a.args[0]->type);
        std::string value = args[i][0];
        if (type->Is(TypeKind::kEnum)) value = "static_cast<int32_t>(" + value + ")";
        if (HeldAs(type) == Held::kBytes) {
          code.Open("{");
          code.Add("KeyWriter bytes_;");
          codec_.Save(type, plan::Live::Whole(), "bytes_.row()", value, &code);
          code.Add((present[i].empty() ? "" : "if (" + present[i] + ") ") + member + kAdd[static_cast<int>(a.kind)] + "bytes_.str());");
          code.Close();
          continue;
        }
        call = member + kAdd[static_cast<int>(a.kind)] + value + ");";
      }
    }
    code.At(a.span);
    code.Add((present[i].empty() ? "" : "if (" + present[i] + ") ") + call);
    code.At({});
  }
  Function(node, Signature(node), code);
}

void ProgramEmitter::WindowFire(const Node& node) {
  const plan::WindowOp& op = node.As<plan::WindowOp>();
  const std::vector<std::string>& members = accumulator_members_.at(node.id);
  const std::string& state_type = accumulators_.at(node.id);
  Code code;
  code.Add("const " + state_type + "& state_ = *static_cast<const " + state_type + "*>(value);");
  std::string records = "records_";
  bool fails = false;
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    const Aggregate& a = op.aggregates[i];
    if (a.kind == AggregateKind::kCount && a.args.empty()) records = members[i];
    fails = fails || AddFails(a);
  }
  if (fails) code.Add("if (state_." + records + ".count == 0) return;");
  code.Add("const Meta meta = WindowMeta(task, " + window_names_.at(node.id) + ", key, start_, " + WindowSize(node) + ");");
  // The key's values.
  std::vector<const Type*> by;
  for (const ExprPtr& e : op.by) by.push_back(e->type);
  if (!by.empty()) {
    code.Add("[[maybe_unused]] " + types_.StructName(op.key_record) + " by_{};");
    if (Codec::IsTextKey(by)) {
      code.Add("by_." + types_.Member(op.key_record->fields[0].name) + " = key;");
    } else {
      code.Add("RowReader key_(key);");
      codec_.Load(plan_.typed->types->Record(op.key_record), plan::Live::Whole(), "key_", "task.arena()", "by_", &code);
    }
  }
  Shape key_shape{op.key_record, {}};
  ExprPlace place = PlaceOf(key_shape, op.key_record, "by_", node);
  place.has_key = Codec::IsTextKey(by);
  place.window_start = "start_";
  place.window_end = "(start_ + " + WindowSize(node) + ")";
  ExprEmitter expressions = Expressions(&place);
  plan::TextOptions options;
  options.typed = &typed_;
  for (size_t i = 0; i < op.aggregates.size(); ++i) {
    const Aggregate& a = op.aggregates[i];
    std::string member = "state_." + members[i];
    bool optional = a.type->Is(TypeKind::kOptional);
    auto split = [&](const std::string& value) {
      return optional ? CppValue::Split(value, member + ".has") : CppValue::Atom(value);
    };
    code.At(a.span);
    switch (a.kind) {
      case AggregateKind::kCount: place.aggregates.push_back(CppValue::Atom(member + ".count")); break;
      case AggregateKind::kSum: place.aggregates.push_back(CppValue::Atom(member + ".sum")); break;
      case AggregateKind::kAvg:
      case AggregateKind::kVwap: {
        std::string name = "result" + std::to_string(i) + "_";
        const Type* result = Present(a.type);
        if (IsFloat(a)) {
          code.Add("const double " + name + " = " + member + ".has() ? " + member + ".Result() : 0;");
          place.aggregates.push_back(optional ? CppValue::Split(name, member + ".has()") : CppValue::Atom(name));
          break;
        }
        std::string scales = std::to_string(ScaleOf(Present(a.args[0]->type)));
        if (a.kind == AggregateKind::kVwap) scales += ", " + std::to_string(ScaleOf(Present(a.args[1]->type)));
        std::string call = member + ".Result(" + scales + ", " + std::to_string(result->scale) + ", &" + name;
        // Absent where there is nothing to divide by; a result that does not fit is a failure all the same.
        code.Add(types_.Of(a.type) + " " + name + ";");
        if (optional) code.Add(name + ".has = " + member + ".has();");
        code.Add("if (" + (optional ? name + ".has && !" + call + ".value" : "!" + call) + ")) " +
                 place.fail("Str(" + StringLiteral("overflow in `" + plan::Text(a, options) + "`") + ")"));
        place.aggregates.push_back(CppValue::Atom(name));
        break;
      }
      default: {
        const Type* type = Present(a.args[0]->type);
        if (HeldAs(type) == Held::kText) {
          place.aggregates.push_back(split(member + ".value.str()"));
        } else if (HeldAs(type) == Held::kBytes) {
          std::string name = "result" + std::to_string(i) + "_";
          code.Add(types_.Of(type) + " " + name + "{};");
          code.Open("if (" + member + ".has) {");
          code.Add("RowReader bytes_(" + member + ".value.str());");
          codec_.Load(type, plan::Live::Whole(), "bytes_", "task.arena()", name, &code);
          code.Close();
          place.aggregates.push_back(split(name));
        } else if (type->Is(TypeKind::kEnum)) {
          place.aggregates.push_back(split("static_cast<" + types_.Of(type) + ">(" + member + ".value)"));
        } else {
          place.aggregates.push_back(split(member + ".value"));
        }
      }
    }
  }
  std::vector<std::pair<Span, std::string>> fields;
  for (size_t i = 0; i < op.values.size(); ++i) {
    bool live = node.live.Field(static_cast<int>(i)) != nullptr;
    if (!live && !op.values[i]->fallible) continue;
    code.At(op.values[i]->span);
    std::string text = expressions.EmitText(*op.values[i], &code);
    if (live) fields.emplace_back(op.values[i]->span, "." + types_.Member(node.output_row->fields[i].name) + " = " + text + ",");
  }
  Construct(node.output_row, fields, &code);
  Next(node, "out_", "meta", &code);
  Function(node, "static void " + Derived(node, "fire") + "(Task& task, Str key, int64_t start_, const void* value)", code);
}

// A literal where the size is one, so that the division is by a constant.
std::string ProgramEmitter::WindowSize(const Node& node) const {
  const Expr& size = *node.As<plan::WindowOp>().size;
  if (size.kind == ExprKind::kLiteral) return IntLiteral(As<LiteralExpr>(size).value.number);
  return "sizes." + FunctionOf(node);
}

}  // namespace weirc::emit
