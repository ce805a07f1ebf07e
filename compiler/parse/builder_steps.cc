// compiler/parse/builder_steps.cc — Steps of the Ast.
#include "compiler/parse/builder.h"

namespace weirc {

using namespace ast;

StepPtr Builder::BuildStep(P::StepContext* tree) {
  StepPtr step;
  if (IsWhole(tree)) step = BuildStepOf(tree);
  if (!step) {
    broken_ = true;
    step = std::make_unique<ErrorStep>();
  }
  step->span = SpanOf(tree);
  if (tree != nullptr && tree->getStart() != nullptr && !step->keyword.IsValid()) {
    step->keyword = SpanOf(TokenOf(tree->getStart()));
  }
  return step;
}

ExprPtr Builder::BuildSize(P::SizeContext* tree) {
  if (!IsWhole(tree)) return Error(SpanOf(tree));
  if (tree->name() == nullptr) return BuildLiteral(TokenOf(tree->getStart()));
  auto node = std::make_unique<NameExpr>();
  node->name = NameOf(tree->name());
  node->span = node->name.span;
  return node;
}

StepPtr Builder::BuildStepOf(P::StepContext* tree) {
  if (auto* t = dynamic_cast<P::WhereStepContext*>(tree)) {
    auto step = std::make_unique<WhereStep>();
    step->condition = BuildExpr(t->expr());
    return step;
  }
  if (auto* t = dynamic_cast<P::SelectStepContext*>(tree)) {
    auto step = std::make_unique<SelectStep>();
    step->fields = BuildRecord(t->recordLit());
    if (t->WITH() != nullptr) step->time = BuildExpr(t->expr());
    return step;
  }
  if (auto* t = dynamic_cast<P::LetStepContext*>(tree)) {
    auto step = std::make_unique<LetStep>();
    step->name = NameOf(t->name());
    step->value = BuildExpr(t->expr());
    return step;
  }
  if (auto* t = dynamic_cast<P::UnionStepContext*>(tree)) {
    auto step = std::make_unique<UnionStep>();
    for (P::StreamRefContext* stream : t->streamRef())
      step->streams.push_back(BuildStreamRef(stream));
    return step;
  }
  if (auto* t = dynamic_cast<P::SplitStepContext*>(tree)) {
    auto step = std::make_unique<SplitStep>();
    step->branches = BuildRecord(t->recordLit());
    return step;
  }
  if (auto* t = dynamic_cast<P::FlattenStepContext*>(tree)) {
    auto step = std::make_unique<FlattenStep>();
    step->list = BuildExpr(t->expr());
    step->alias = NameOf(t->name());
    step->block = BuildBlock(t->block());
    return step;
  }
  if (auto* t = dynamic_cast<P::JoinStepContext*>(tree)) {
    auto step = std::make_unique<JoinStep>();
    step->join_kind = t->ASOF() != nullptr    ? JoinKind::kAsof
                      : t->OUTER() != nullptr ? JoinKind::kOuter
                                              : JoinKind::kPlain;
    step->keyword = Join(SpanOf(TokenOf(t->getStart())), SpanOf(t->JOIN()));
    step->target = BuildStreamRef(t->streamRef());
    if (t->name() != nullptr) step->alias = NameOf(t->name());
    std::vector<P::ExprContext*> exprs = t->expr();
    step->on = BuildExpr(exprs[0]);
    if (t->WITHIN() != nullptr) step->within = BuildExpr(exprs[1]);
    step->block = BuildBlock(t->block());
    return step;
  }
  if (auto* t = dynamic_cast<P::WindowJoinStepContext*>(tree)) {
    auto step = std::make_unique<WindowJoinStep>();
    step->keyword = Join(SpanOf(t->WINDOW()), SpanOf(t->JOIN()));
    step->target = BuildStreamRef(t->streamRef());
    step->alias = NameOf(t->name());
    std::vector<P::ExprContext*> exprs = t->expr();
    step->on = BuildExpr(exprs[0]);
    step->within = BuildExpr(exprs[1]);
    step->fields = BuildRecord(t->recordLit());
    return step;
  }
  if (auto* t = dynamic_cast<P::LookupStepContext*>(tree)) {
    auto step = std::make_unique<LookupStep>();
    step->is_call = t->CALL() != nullptr;
    std::vector<P::NameContext*> names = t->name();
    step->lookup = NameOf(names[0]);
    step->args = BuildArgs(t->args());
    step->parens = SpanOf(t->args());
    step->as_outcome = t->OUTCOME() != nullptr;
    if (names.size() > 1) step->alias = NameOf(names[1]);
    step->block = BuildBlock(t->block());
    return step;
  }
  if (auto* t = dynamic_cast<P::WindowStepContext*>(tree)) {
    auto step = std::make_unique<WindowStep>();
    step->window_kind = NameOf(t->name());
    step->has_args = t->args() != nullptr;
    if (step->has_args) step->args = BuildArgs(t->args());
    // The sizes before and behind `every`.
    std::vector<P::SizeContext*> sizes = t->size();
    bool every = t->EVERY() != nullptr;
    if (sizes.size() > (every ? 1u : 0u)) step->size = BuildSize(sizes[0]);
    if (every) step->every = BuildSize(sizes.back());
    if (t->BY() != nullptr) step->by = BuildExpr(t->expr());
    step->block = BuildBlock(t->block());
    return step;
  }
  if (auto* t = dynamic_cast<P::AggregateStepContext*>(tree)) {
    auto step = std::make_unique<AggregateStep>();
    step->fields = BuildRecord(t->recordLit());
    return step;
  }
  if (auto* t = dynamic_cast<P::DedupStepContext*>(tree)) {
    auto step = std::make_unique<DedupStep>();
    std::vector<P::ExprContext*> exprs = t->expr();
    step->by = BuildExpr(exprs[0]);
    if (t->WITHIN() != nullptr) step->within = BuildExpr(exprs[1]);
    step->block = BuildBlock(t->block());
    return step;
  }
  if (auto* t = dynamic_cast<P::RekeyStepContext*>(tree)) {
    auto step = std::make_unique<RekeyStep>();
    step->by = BuildExpr(t->expr());
    return step;
  }
  return nullptr;
}

}  // namespace weirc
