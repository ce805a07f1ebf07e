// compiler/parse/walk.cc — Visits every expression, type and pattern of a tree.
#include "compiler/parse/walk.h"

namespace weirc::ast {

void Walker::Walk(const File& file) {
  for (const DeclPtr& decl : file.decls) Walk(*decl);
}

void Walker::WalkArgs(const std::vector<Arg>& args) {
  for (const Arg& arg : args) Walk(*arg.value);
}

void Walker::WalkParams(const std::vector<Param>& params) {
  for (const Param& param : params) Walk(param.type);
}

void Walker::WalkChain(const std::vector<ExprPtr>& chain) {
  for (const ExprPtr& expr : chain) Walk(*expr);
}

void Walker::Walk(const TypeRef& type) {
  OnType(type);
  for (const TypeRef& argument : type.arguments) Walk(argument);
}

void Walker::Walk(const Block& block) {
  for (const Entry& entry : block.entries) {
    Walk(*entry.value);
    for (const Phrase& phrase : entry.phrases) Walk(*phrase.value);
  }
  if (block.order) WalkMaybe(block.order->key.get());
  if (block.emit) WalkMaybe(block.emit->every.get());
  for (const OnClause& on : block.ons) WalkMaybe(on.action.value.get());
  for (const Answer& answer : block.answers) {
    OnAnswer(answer);
    WalkParams(answer.params);
    Walk(answer.result);
    WalkChain(answer.chain);
    Walk(answer.block);
  }
}

void Walker::Walk(const Expr& expr) {
  OnExpr(expr);
  switch (expr.kind) {
    case ExprKind::kString:
      for (const StringPart& part : Cast<StringLit>(expr).parts) WalkMaybe(part.expr.get());
      break;
    case ExprKind::kList: WalkChain(Cast<ListLit>(expr).items); break;
    case ExprKind::kTuple: WalkChain(Cast<TupleExpr>(expr).items); break;
    case ExprKind::kRecord:
      for (const Pair& pair : Cast<RecordLit>(expr).pairs) Walk(*pair.value);
      break;
    case ExprKind::kUnary: Walk(*Cast<UnaryExpr>(expr).operand); break;
    case ExprKind::kBinary:
      Walk(*Cast<BinaryExpr>(expr).left);
      Walk(*Cast<BinaryExpr>(expr).right);
      break;
    case ExprKind::kField: Walk(*Cast<FieldExpr>(expr).object); break;
    case ExprKind::kCall:
      Walk(*Cast<CallExpr>(expr).callee);
      WalkArgs(Cast<CallExpr>(expr).args);
      break;
    case ExprKind::kIndex:
      Walk(*Cast<IndexExpr>(expr).object);
      Walk(*Cast<IndexExpr>(expr).index);
      break;
    case ExprKind::kIf:
      Walk(*Cast<IfExpr>(expr).condition);
      Walk(*Cast<IfExpr>(expr).then_value);
      Walk(*Cast<IfExpr>(expr).else_value);
      break;
    case ExprKind::kTry:
      Walk(*Cast<TryExpr>(expr).value);
      Walk(*Cast<TryExpr>(expr).fallback);
      break;
    case ExprKind::kMatch: {
      const auto& match = Cast<MatchExpr>(expr);
      Walk(*match.subject);
      for (const MatchArm& arm : match.arms) {
        for (const PatternPtr& pattern : arm.patterns) Walk(*pattern);
        WalkMaybe(arm.guard.get());
        Walk(*arm.value);
      }
      break;
    }
    default: break;
  }
}

void Walker::Walk(const Pattern& pattern) {
  OnPattern(pattern);
  switch (pattern.kind) {
    case PatternKind::kLiteral: Walk(*Cast<LiteralPattern>(pattern).value); break;
    case PatternKind::kRange:
      Walk(*Cast<RangePattern>(pattern).low);
      Walk(*Cast<RangePattern>(pattern).high);
      break;
    case PatternKind::kTuple:
      for (const PatternPtr& item : Cast<TuplePattern>(pattern).items) Walk(*item);
      break;
    default: break;
  }
}

void Walker::Walk(const Step& step) {
  OnStep(step);
  switch (step.kind) {
    case StepKind::kWhere: Walk(*Cast<WhereStep>(step).condition); break;
    case StepKind::kSelect:
      Walk(*Cast<SelectStep>(step).fields);
      WalkMaybe(Cast<SelectStep>(step).time.get());
      break;
    case StepKind::kLet: Walk(*Cast<LetStep>(step).value); break;
    case StepKind::kSplit: Walk(*Cast<SplitStep>(step).branches); break;
    case StepKind::kFlatten:
      Walk(*Cast<FlattenStep>(step).list);
      Walk(Cast<FlattenStep>(step).block);
      break;
    case StepKind::kJoin: {
      const auto& join = Cast<JoinStep>(step);
      Walk(*join.on);
      WalkMaybe(join.within.get());
      Walk(join.block);
      break;
    }
    case StepKind::kWindowJoin: {
      const auto& join = Cast<WindowJoinStep>(step);
      Walk(*join.on);
      Walk(*join.within);
      Walk(*join.fields);
      break;
    }
    case StepKind::kLookup:
      WalkArgs(Cast<LookupStep>(step).args);
      Walk(Cast<LookupStep>(step).block);
      break;
    case StepKind::kWindow: {
      const auto& window = Cast<WindowStep>(step);
      WalkArgs(window.args);
      WalkMaybe(window.size.get());
      WalkMaybe(window.every.get());
      WalkMaybe(window.by.get());
      Walk(window.block);
      break;
    }
    case StepKind::kAggregate: Walk(*Cast<AggregateStep>(step).fields); break;
    case StepKind::kDedup: {
      const auto& dedup = Cast<DedupStep>(step);
      Walk(*dedup.by);
      WalkMaybe(dedup.within.get());
      Walk(dedup.block);
      break;
    }
    case StepKind::kRekey: Walk(*Cast<RekeyStep>(step).by); break;
    case StepKind::kUnion:
    case StepKind::kError: break;
  }
}

void Walker::Walk(const TestItem& item) {
  OnTestItem(item);
  switch (item.kind) {
    case TestItemKind::kFeed: Walk(*Cast<FeedItem>(item).rows); break;
    case TestItemKind::kStub: {
      const auto& stub = Cast<StubItem>(item);
      WalkArgs(stub.args);
      Walk(*stub.answer);
      WalkMaybe(stub.after.get());
      break;
    }
    case TestItemKind::kWait: Walk(*Cast<WaitItem>(item).duration); break;
    case TestItemKind::kExpect: Walk(*Cast<ExpectItem>(item).rows); break;
  }
}

void Walker::Walk(const Decl& decl) {
  OnDecl(decl);
  switch (decl.kind) {
    case DeclKind::kPipeline: Walk(Cast<PipelineDecl>(decl).block); break;
    case DeclKind::kParam:
      Walk(Cast<ParamDecl>(decl).type);
      WalkMaybe(Cast<ParamDecl>(decl).default_value.get());
      break;
    case DeclKind::kSecret: Walk(Cast<SecretDecl>(decl).type); break;
    case DeclKind::kConnection: Walk(Cast<ConnectionDecl>(decl).block); break;
    case DeclKind::kRecord:
      for (const RecordField& field : Cast<RecordDecl>(decl).fields) {
        Walk(field.type);
        WalkMaybe(field.unit.get());
        WalkMaybe(field.default_value.get());
      }
      break;
    case DeclKind::kSource: {
      const auto& d = Cast<SourceDecl>(decl);
      Walk(d.type);
      WalkMaybe(d.origin.get());
      Walk(d.block);
      break;
    }
    case DeclKind::kTable: {
      const auto& d = Cast<TableDecl>(decl);
      if (d.type) Walk(*d.type);
      WalkMaybe(d.origin.get());
      Walk(d.block);
      break;
    }
    case DeclKind::kLookup: {
      const auto& d = Cast<LookupDecl>(decl);
      WalkParams(d.params);
      Walk(d.result);
      WalkChain(d.chain);
      Walk(d.block);
      break;
    }
    case DeclKind::kExternLookup: {
      const auto& d = Cast<ExternLookupDecl>(decl);
      WalkParams(d.params);
      Walk(d.result);
      Walk(d.block);
      break;
    }
    case DeclKind::kExternFn: {
      const auto& d = Cast<ExternFnDecl>(decl);
      WalkParams(d.params);
      Walk(d.result);
      break;
    }
    case DeclKind::kFn: {
      const auto& d = Cast<FnDecl>(decl);
      WalkParams(d.params);
      Walk(d.result);
      for (const Local& local : d.locals) Walk(*local.value);
      WalkMaybe(d.body.get());
      break;
    }
    case DeclKind::kAggregateFn: {
      const auto& d = Cast<AggregateFnDecl>(decl);
      WalkParams(d.params);
      Walk(d.result);
      Walk(d.state_type);
      Walk(d.block);
      break;
    }
    case DeclKind::kService: {
      const auto& d = Cast<ServiceDecl>(decl);
      WalkMaybe(d.endpoint.get());
      Walk(d.block);
      break;
    }
    case DeclKind::kStream: {
      const auto& d = Cast<StreamDecl>(decl);
      Walk(d.block);
      for (const StepPtr& step : d.steps) Walk(*step);
      break;
    }
    case DeclKind::kSink: {
      const auto& d = Cast<SinkDecl>(decl);
      WalkMaybe(d.target.get());
      Walk(d.block);
      break;
    }
    case DeclKind::kTest:
      for (const TestItemPtr& item : Cast<TestDecl>(decl).items) Walk(*item);
      break;
    case DeclKind::kImport:
    case DeclKind::kEnum:
    case DeclKind::kDeadletter: break;
  }
}

}  // namespace weirc::ast
