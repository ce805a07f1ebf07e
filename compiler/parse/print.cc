// compiler/parse/print.cc — The Ast as text.
#include "compiler/parse/print.h"

#include <cstdio>

namespace weirc {

using namespace ast;

namespace {

std::string Escape(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (c == '{') {
      escaped += "{{";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      escaped += code;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string WithoutUnderscores(const std::string& text) {
  std::string digits;
  for (char c : text) {
    if (c != '_') digits += c;
  }
  return digits;
}

class Printer {
 public:
  explicit Printer(PrintAstOptions options) : options_(options) {}

  std::string Print(const File& file) {
    for (const DeclPtr& decl : file.decls) Print(*decl);
    return std::move(out_);
  }

  std::string Text(const Name& name) const {
    std::string text = !name ? "<missing>" : name.quoted ? "`" + name.text + "`" : name.text;
    return text + Place(name.span);
  }

  std::string Text(const TypeRef& type) const {
    std::string text =
        type.name ? (type.name.quoted ? "`" + type.name.text + "`" : type.name.text) : "<missing>";
    for (size_t i = 0; i < type.parameters.size(); ++i)
      text += (i == 0 ? "(" : ", ") + WithoutUnderscores(type.parameters[i]->text);
    if (!type.parameters.empty()) text += ")";
    for (size_t i = 0; i < type.arguments.size(); ++i)
      text += (i == 0 ? "<" : ", ") + Text(type.arguments[i]);
    if (!type.arguments.empty()) text += ">";
    if (type.nullable) text += "?";
    return text + Place(type.span);
  }

  std::string Text(const Expr& expr) const {
    return Bare(expr) + (expr.kind == ExprKind::kName ? "" : Place(expr.span));
  }

 private:
  std::string Place(Span span) const {
    if (options_.spans == nullptr || !span.IsValid()) return "";
    LineColumn begin = options_.spans->Locate(span.begin);
    LineColumn end = options_.spans->Locate(span.end);
    return "@" + std::to_string(begin.line) + ":" + std::to_string(begin.column) + "-" +
           std::to_string(end.line) + ":" + std::to_string(end.column);
  }

  std::string Text(const ExprPtr& expr) const { return expr ? Text(*expr) : "<missing>"; }
  std::string Text(const StringPtr& string) const { return string ? Text(*string) : "<missing>"; }

  std::string Args(const std::vector<Arg>& args) const {
    std::string text;
    for (const Arg& arg : args)
      text += " " + (arg.name ? Text(arg.name) + ": " : "") + Text(arg.value);
    return text;
  }

  std::string Pairs(const RecordLit& record) const {
    std::string text = "{";
    for (size_t i = 0; i < record.pairs.size(); ++i) {
      const Pair& pair = record.pairs[i];
      if (i > 0) text += ", ";
      std::string name = pair.string_key ? "\"" + Escape(pair.name.text) + "\"" : Text(pair.name);
      text += pair.shorthand ? name : name + ": " + Text(pair.value);
    }
    return text + "}";
  }

  std::string Bare(const Expr& expr) const {
    switch (expr.kind) {
      case ExprKind::kName: return Text(Cast<NameExpr>(expr).name);
      case ExprKind::kInt: return WithoutUnderscores(Cast<IntLit>(expr).text);
      case ExprKind::kDecimal: return WithoutUnderscores(Cast<DecimalLit>(expr).text);
      case ExprKind::kDuration: return WithoutUnderscores(Cast<DurationLit>(expr).text);
      case ExprKind::kTimestamp: return "t\"" + Cast<TimestampLit>(expr).text + "\"";
      case ExprKind::kDate: return "d\"" + Cast<DateLit>(expr).text + "\"";
      case ExprKind::kBool: return Cast<BoolLit>(expr).value ? "true" : "false";
      case ExprKind::kNull: return "null";
      case ExprKind::kUnderscore: return "_";
      case ExprKind::kError: return "<error>";
      case ExprKind::kString: {
        std::string text = "\"";
        for (const StringPart& part : Cast<StringLit>(expr).parts) {
          text += part.expr ? "{" + Text(part.expr) + "}" : Escape(part.text);
        }
        return text + "\"";
      }
      case ExprKind::kList: {
        std::string text = "[";
        const auto& items = Cast<ListLit>(expr).items;
        for (size_t i = 0; i < items.size(); ++i) text += (i > 0 ? ", " : "") + Text(items[i]);
        return text + "]";
      }
      case ExprKind::kRecord: return Pairs(Cast<RecordLit>(expr));
      case ExprKind::kTuple: {
        std::string text = "(tuple";
        for (const ExprPtr& item : Cast<TupleExpr>(expr).items) text += " " + Text(item);
        return text + ")";
      }
      case ExprKind::kUnary: {
        const auto& unary = Cast<UnaryExpr>(expr);
        return "(" + std::string(Spelling(unary.op)) + " " + Text(unary.operand) + ")";
      }
      case ExprKind::kBinary: {
        const auto& binary = Cast<BinaryExpr>(expr);
        std::string op =
            binary.op == BinaryOp::kNotIn ? "not-in" : std::string(Spelling(binary.op));
        return "(" + op + " " + Text(binary.left) + " " + Text(binary.right) + ")";
      }
      case ExprKind::kField: {
        const auto& field = Cast<FieldExpr>(expr);
        return "(" + std::string(field.optional ? "?." : ".") + " " + Text(field.object) + " " +
               Text(field.name) + ")";
      }
      case ExprKind::kCall: {
        const auto& call = Cast<CallExpr>(expr);
        return "(call " + Text(call.callee) + Args(call.args) + ")";
      }
      case ExprKind::kIndex: {
        const auto& index = Cast<IndexExpr>(expr);
        return "(index " + Text(index.object) + " " + Text(index.index) + ")";
      }
      case ExprKind::kIf: {
        const auto& choice = Cast<IfExpr>(expr);
        return "(if " + Text(choice.condition) + " " + Text(choice.then_value) + " " +
               Text(choice.else_value) + ")";
      }
      case ExprKind::kTry: {
        const auto& attempt = Cast<TryExpr>(expr);
        return "(try " + Text(attempt.value) + " " + Text(attempt.fallback) + ")";
      }
      case ExprKind::kMatch: {
        const auto& match = Cast<MatchExpr>(expr);
        std::string text = "(match " + Text(match.subject);
        for (const MatchArm& arm : match.arms) {
          text += " [";
          for (size_t i = 0; i < arm.patterns.size(); ++i)
            text += (i > 0 ? " or " : "") + Text(*arm.patterns[i]);
          if (arm.guard) text += " if " + Text(arm.guard);
          text += " -> " + Text(arm.value) + "]";
        }
        return text + ")";
      }
    }
    return "";
  }

  std::string Text(const Pattern& pattern) const {
    switch (pattern.kind) {
      case PatternKind::kWildcard: return "_";
      case PatternKind::kNull: return "null";
      case PatternKind::kBool: return Cast<BoolPattern>(pattern).value ? "true" : "false";
      case PatternKind::kLiteral: return Text(Cast<LiteralPattern>(pattern).value);
      case PatternKind::kRange: {
        const auto& range = Cast<RangePattern>(pattern);
        return "(.. " + Text(range.low) + " " + Text(range.high) + ")";
      }
      case PatternKind::kName: {
        const auto& name = Cast<NamePattern>(pattern);
        std::string text =
            name.qualifier ? Text(name.qualifier) + "." + Text(name.name) : Text(name.name);
        return name.binding ? "(" + text + " " + Text(name.binding) + ")" : text;
      }
      case PatternKind::kTuple: {
        std::string text = "(tuple";
        for (const PatternPtr& item : Cast<TuplePattern>(pattern).items) text += " " + Text(*item);
        return text + ")";
      }
      case PatternKind::kError: return "<error>";
    }
    return "";
  }

  std::string Text(const StreamRef& ref) const {
    return Text(ref.stream) + (ref.branch ? "." + Text(ref.branch) : "");
  }

  std::string Text(const std::vector<Param>& params) const {
    std::string text = "(";
    for (size_t i = 0; i < params.size(); ++i)
      text += (i > 0 ? ", " : "") + Text(params[i].name) + ": " + Text(params[i].type);
    return text + ")";
  }

  void Line(const std::string& text) { out_ += std::string(indent_ * 2, ' ') + text + "\n"; }

  void PrintDoc(const std::string& doc) {
    for (size_t at = 0; at < doc.size();) {
      size_t end = doc.find('\n', at);
      if (end == std::string::npos) end = doc.size();
      Line("/// " + doc.substr(at, end - at));
      at = end + 1;
    }
  }

  void PrintChain(const std::vector<ExprPtr>& chain) {
    for (size_t i = 0; i < chain.size(); ++i) Line((i == 0 ? "ask " : "else ") + Text(chain[i]));
  }

  void Print(const Block& block) {
    if (!block.present) return;
    ++indent_;
    if (block.entries.empty() && block.ons.empty() && !block.order && !block.emit &&
        block.flags.empty() && block.answers.empty()) {
      Line("(empty)");
    }
    for (const Entry& entry : block.entries) {
      std::string line = Text(entry.name) + ": " + Text(entry.value);
      for (const Phrase& phrase : entry.phrases)
        line += " " + Text(phrase.word) + " " + Text(phrase.value);
      Line(line);
    }
    for (const Name& flag : block.flags) Line("flag " + Text(flag));
    if (block.order) {
      Line(block.order->kind == OrderKind::kInput  ? "order input"
           : block.order->kind == OrderKind::kNone ? "order none"
                                                   : "order key " + Text(block.order->key));
    }
    if (block.emit) {
      Line(block.emit->kind == EmitKind::kFinal      ? "emit final"
           : block.emit->kind == EmitKind::kOnChange ? "emit on change"
                                                     : "emit every " + Text(block.emit->every));
    }
    for (const OnClause& on : block.ons) {
      std::string line = "on";
      for (size_t i = 0; i < on.events.size(); ++i)
        line += (i > 0 ? " or " : " ") + Text(on.events[i]);
      switch (on.action.kind) {
        case ActionKind::kUse: line += " use " + Text(on.action.value); break;
        case ActionKind::kSend: line += " send " + Text(on.action.target); break;
        case ActionKind::kDrop: line += " drop"; break;
        case ActionKind::kStop: line += " stop"; break;
      }
      Line(line);
    }
    for (const Answer& answer : block.answers) {
      PrintDoc(answer.doc);
      Line("answer " + Text(answer.name) + Text(answer.params) + " -> " + Text(answer.result));
      ++indent_;
      PrintChain(answer.chain);
      --indent_;
      Print(answer.block);
    }
    --indent_;
  }

  void Print(const Step& step) {
    switch (step.kind) {
      case StepKind::kWhere: Line("where " + Text(Cast<WhereStep>(step).condition)); break;
      case StepKind::kSelect: {
        const auto& select = Cast<SelectStep>(step);
        Line("select " + Pairs(*select.fields) +
             (select.time ? " with time " + Text(select.time) : ""));
        break;
      }
      case StepKind::kLet:
        Line("let " + Text(Cast<LetStep>(step).name) + " = " + Text(Cast<LetStep>(step).value));
        break;
      case StepKind::kUnion: {
        std::string line = "union";
        for (const StreamRef& stream : Cast<UnionStep>(step).streams) line += " " + Text(stream);
        Line(line);
        break;
      }
      case StepKind::kSplit: Line("split " + Pairs(*Cast<SplitStep>(step).branches)); break;
      case StepKind::kFlatten: {
        const auto& flatten = Cast<FlattenStep>(step);
        Line("flatten " + Text(flatten.list) + " as " + Text(flatten.alias));
        Print(flatten.block);
        break;
      }
      case StepKind::kJoin: {
        const auto& join = Cast<JoinStep>(step);
        std::string line = join.join_kind == JoinKind::kAsof    ? "asof join "
                           : join.join_kind == JoinKind::kOuter ? "outer join "
                                                                : "join ";
        line += Text(join.target);
        if (join.alias) line += " as " + Text(join.alias);
        line += " on " + Text(join.on);
        if (join.within) line += " within " + Text(join.within);
        Line(line);
        Print(join.block);
        break;
      }
      case StepKind::kWindowJoin: {
        const auto& join = Cast<WindowJoinStep>(step);
        Line("window join " + Text(join.target) + " as " + Text(join.alias) + " on " +
             Text(join.on) + " within " + Text(join.within) + " " + Pairs(*join.fields));
        break;
      }
      case StepKind::kLookup: {
        const auto& lookup = Cast<LookupStep>(step);
        std::string line = (lookup.is_call ? "call " : "lookup ") + Text(lookup.lookup) + " (args" +
                           Args(lookup.args) + ")";
        if (lookup.as_outcome) line += " as outcome " + Text(lookup.alias);
        else if (lookup.alias) line += " as " + Text(lookup.alias);
        Line(line);
        Print(lookup.block);
        break;
      }
      case StepKind::kWindow: {
        const auto& window = Cast<WindowStep>(step);
        std::string line = "window " + Text(window.window_kind);
        if (window.has_args) line += " (args" + Args(window.args) + ")";
        if (window.size) line += " size " + Text(window.size);
        if (window.every) line += " every " + Text(window.every);
        if (window.by) line += " by " + Text(window.by);
        Line(line);
        Print(window.block);
        break;
      }
      case StepKind::kAggregate:
        Line("aggregate " + Pairs(*Cast<AggregateStep>(step).fields));
        break;
      case StepKind::kDedup: {
        const auto& dedup = Cast<DedupStep>(step);
        Line("dedup by " + Text(dedup.by) + (dedup.within ? " within " + Text(dedup.within) : ""));
        Print(dedup.block);
        break;
      }
      case StepKind::kRekey: Line("rekey by " + Text(Cast<RekeyStep>(step).by)); break;
      case StepKind::kError: Line("<error>"); break;
    }
  }

  void Print(const TestItem& item) {
    switch (item.kind) {
      case TestItemKind::kFeed:
        Line("feed " + Text(Cast<FeedItem>(item).target) + " " + Text(Cast<FeedItem>(item).rows));
        break;
      case TestItemKind::kStub: {
        const auto& stub = Cast<StubItem>(item);
        Line("stub " + Text(stub.lookup) + " (args" + Args(stub.args) + ") answers " +
             Text(stub.answer) + (stub.after ? " after " + Text(stub.after) : ""));
        break;
      }
      case TestItemKind::kWait: Line("wait " + Text(Cast<WaitItem>(item).duration)); break;
      case TestItemKind::kExpect: {
        const auto& expect = Cast<ExpectItem>(item);
        Line("expect " + Text(expect.target) + (expect.exactly ? " exactly " : " contains ") +
             Text(expect.rows));
        break;
      }
    }
  }

  void Print(const Decl& decl) {
    PrintDoc(decl.doc);
    std::string mark = decl.broken ? " (broken)" : "";
    std::string place = Place(decl.span);
    switch (decl.kind) {
      case DeclKind::kPipeline: {
        const auto& d = Cast<PipelineDecl>(decl);
        Line("pipeline " + Text(d.name) + " version " +
             (d.version ? Text(*d.version) : "<missing>") + mark + place);
        Print(d.block);
        break;
      }
      case DeclKind::kImport: {
        const auto& d = Cast<ImportDecl>(decl);
        Line("import " + Text(d.path) + (d.name ? " as " + Text(d.name) : "") + mark + place);
        break;
      }
      case DeclKind::kParam: {
        const auto& d = Cast<ParamDecl>(decl);
        Line("param " + Text(d.name) + ": " + Text(d.type) +
             (d.default_value ? " = " + Text(d.default_value) : "") + mark + place);
        break;
      }
      case DeclKind::kSecret:
        Line("secret " + Text(decl.name) + ": " + Text(Cast<SecretDecl>(decl).type) + mark + place);
        break;
      case DeclKind::kConnection: {
        const auto& d = Cast<ConnectionDecl>(decl);
        Line("connection " + Text(d.name) + " = " + Text(d.connector) + mark + place);
        Print(d.block);
        break;
      }
      case DeclKind::kEnum: {
        Line("enum " + Text(decl.name) + mark + place);
        ++indent_;
        for (const EnumMember& member : Cast<EnumDecl>(decl).members) {
          PrintDoc(member.doc);
          Line(Text(member.name) + (member.from ? " from " + Text(member.from) : ""));
        }
        --indent_;
        break;
      }
      case DeclKind::kRecord: {
        Line("record " + Text(decl.name) + mark + place);
        ++indent_;
        for (const RecordField& field : Cast<RecordDecl>(decl).fields) {
          PrintDoc(field.doc);
          std::string line = Text(field.name) + ": " + Text(field.type);
          if (field.unit) line += " in " + Text(field.unit);
          if (field.from) line += " from " + Text(field.from);
          if (field.default_value) line += " = " + Text(field.default_value);
          Line(line);
        }
        --indent_;
        break;
      }
      case DeclKind::kDeadletter: Line("deadletter " + Text(decl.name) + mark + place); break;
      case DeclKind::kSource: {
        const auto& d = Cast<SourceDecl>(decl);
        Line("source " + Text(d.name) + ": " + Text(d.type) + " = " + Text(d.origin) + mark +
             place);
        Print(d.block);
        break;
      }
      case DeclKind::kTable: {
        const auto& d = Cast<TableDecl>(decl);
        Line("table " + Text(d.name) + (d.type ? ": " + Text(*d.type) : "") + " = " +
             Text(d.origin) + mark + place);
        Print(d.block);
        break;
      }
      case DeclKind::kLookup: {
        const auto& d = Cast<LookupDecl>(decl);
        Line((d.is_call ? "call " : "lookup ") + Text(d.name) + Text(d.params) + " -> " +
             Text(d.result) + mark + place);
        ++indent_;
        PrintChain(d.chain);
        --indent_;
        Print(d.block);
        break;
      }
      case DeclKind::kExternLookup: {
        const auto& d = Cast<ExternLookupDecl>(decl);
        Line(std::string("extern ") + (d.is_call ? "call " : "lookup ") + Text(d.name) +
             Text(d.params) + " -> " + Text(d.result) + " from " + Text(d.from) + mark + place);
        Print(d.block);
        break;
      }
      case DeclKind::kExternFn: {
        const auto& d = Cast<ExternFnDecl>(decl);
        Line("extern fn " + Text(d.name) + Text(d.params) + " -> " + Text(d.result) + " from " +
             Text(d.from) + mark + place);
        break;
      }
      case DeclKind::kFn: {
        const auto& d = Cast<FnDecl>(decl);
        Line("fn " + Text(d.name) + Text(d.params) + " -> " + Text(d.result) + mark + place);
        ++indent_;
        for (const Local& local : d.locals)
          Line("let " + Text(local.name) + " = " + Text(local.value));
        Line("return " + Text(d.body));
        --indent_;
        break;
      }
      case DeclKind::kAggregateFn: {
        const auto& d = Cast<AggregateFnDecl>(decl);
        Line("aggregate " + Text(d.name) + Text(d.params) + " -> " + Text(d.result) + " with " +
             Text(d.state) + ": " + Text(d.state_type) + mark + place);
        Print(d.block);
        break;
      }
      case DeclKind::kService: {
        const auto& d = Cast<ServiceDecl>(decl);
        Line("service " + Text(d.name) + " version " +
             (d.version ? Text(*d.version) : "<missing>") + " = " + Text(d.endpoint) + mark +
             place);
        Print(d.block);
        break;
      }
      case DeclKind::kStream: {
        const auto& d = Cast<StreamDecl>(decl);
        Line("stream " + Text(d.name) + " = " + Text(d.origin) + mark + place);
        Print(d.block);
        ++indent_;
        for (const StepPtr& step : d.steps) Print(*step);
        --indent_;
        break;
      }
      case DeclKind::kSink: {
        const auto& d = Cast<SinkDecl>(decl);
        Line("sink " + Text(d.name) + " from " + Text(d.origin) + " = " + Text(d.target) + mark +
             place);
        Print(d.block);
        break;
      }
      case DeclKind::kTest: {
        const auto& d = Cast<TestDecl>(decl);
        Line("test " + Text(d.title) + mark + place);
        ++indent_;
        for (const TestItemPtr& item : d.items) Print(*item);
        --indent_;
        break;
      }
    }
  }

  PrintAstOptions options_;
  std::string out_;
  size_t indent_ = 0;
};

}  // namespace

std::string PrintAst(const File& file, PrintAstOptions options) {
  return Printer(options).Print(file);
}
std::string PrintAst(const Expr& expr) { return Printer({}).Text(expr); }
std::string PrintAst(const TypeRef& type) { return Printer({}).Text(type); }

}  // namespace weirc
