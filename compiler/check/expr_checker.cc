// compiler/check/expr_checker.cc — The ways through an expression, implicit conversions, and who
// handles failures.
#include "compiler/check/expr_checker.h"

#include "compiler/check/stdlib_index.h"
#include "compiler/check/typed_walk.h"

namespace weirc::check {

using typed::Conversion;
using typed::ConvertExpr;

void Absorb(typed::Expr& whole, const typed::Expr& part) {
  if (!part.fallible) return;
  whole.overflow_only =
      whole.fallible ? whole.overflow_only && part.overflow_only : part.overflow_only;
  whole.fallible = true;
}

ExprPtr ExprChecker::Error(Span span) {
  auto e = std::make_unique<typed::LiteralExpr>();
  e->type = context_.error;
  e->span = span;
  return e;
}

ExprPtr ExprChecker::Infer(const ast::Expr& e, const Type* expected) {
  ExprPtr result = InferAny(e, expected);
  if (result->type->Is(TypeKind::kOutcome)) {
    context_
        .Report(Code::kOutcomeUsed, e.span, "its value is known only to an arm of `match`",
                {context_.Written(e.span)})
        .Help("write `match " + context_.Written(e.span) +
              " { found a -> …, missing -> …, failed f -> … }`");
    return Error(e.span);
  }
  return result;
}

ExprPtr ExprChecker::InferAny(const ast::Expr& e, const Type* expected) {
  switch (e.kind) {
    case ast::ExprKind::kName: return InferName(Cast<ast::NameExpr>(e), expected);
    case ast::ExprKind::kInt: return InferInt(Cast<ast::IntLit>(e), false, e.span, expected);
    case ast::ExprKind::kDecimal:
      return InferDecimal(Cast<ast::DecimalLit>(e), false, e.span, expected);
    case ast::ExprKind::kDuration: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      literal->type = context_.duration;
      literal->value.number = Cast<ast::DurationLit>(e).nanoseconds;
      literal->span = e.span;
      return literal;
    }
    case ast::ExprKind::kTimestamp: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      literal->type = context_.timestamp;
      literal->value.number = Cast<ast::TimestampLit>(e).nanoseconds;
      literal->span = e.span;
      return literal;
    }
    case ast::ExprKind::kDate: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      literal->type = context_.date;
      literal->value.number = Cast<ast::DateLit>(e).days;
      literal->span = e.span;
      return literal;
    }
    case ast::ExprKind::kBool: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      literal->type = context_.boolean;
      literal->value.boolean = Cast<ast::BoolLit>(e).value;
      literal->span = e.span;
      return literal;
    }
    case ast::ExprKind::kNull: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      literal->type = context_.null_type;
      literal->value.is_null = true;
      literal->span = e.span;
      return literal;
    }
    case ast::ExprKind::kString: return InferString(Cast<ast::StringLit>(e), expected);
    case ast::ExprKind::kList: return InferList(Cast<ast::ListLit>(e), expected);
    case ast::ExprKind::kRecord: return InferRecord(Cast<ast::RecordLit>(e), expected);
    case ast::ExprKind::kTuple:
      context_.Report(
          Code::kMisplacedTuple, e.span,
          "several values stand together only behind `key:`, `by`, `on` and `order key`");
      return Error(e.span);
    case ast::ExprKind::kUnary: return InferUnary(Cast<ast::UnaryExpr>(e), expected);
    case ast::ExprKind::kBinary: return InferBinary(Cast<ast::BinaryExpr>(e), expected);
    case ast::ExprKind::kField: return InferField(Cast<ast::FieldExpr>(e), expected);
    case ast::ExprKind::kCall: return InferCall(Cast<ast::CallExpr>(e), expected);
    case ast::ExprKind::kIndex: return InferIndex(Cast<ast::IndexExpr>(e));
    case ast::ExprKind::kIf: return InferIf(Cast<ast::IfExpr>(e), expected);
    case ast::ExprKind::kTry: return InferTry(Cast<ast::TryExpr>(e), expected);
    case ast::ExprKind::kMatch: return InferMatch(Cast<ast::MatchExpr>(e), expected);
    case ast::ExprKind::kUnderscore:
      context_.Report(Code::kMisplacedUnderscore, e.span,
                      "`_` stands for any value only in patterns and in the arguments of a stub");
      return Error(e.span);
    case ast::ExprKind::kError: return Error(e.span);
  }
  return Error(e.span);
}

ExprPtr ExprChecker::Check(const ast::Expr& e, const Type* to, const Target& target) {
  return Convert(Infer(e, to), to, target);
}

namespace {

ExprPtr Wrap(ExprPtr operand, Conversion conversion, const Type* to) {
  auto e = std::make_unique<ConvertExpr>();
  e->conversion = conversion;
  e->type = to;
  e->span = operand->span;
  Absorb(*e, *operand);
  e->operand = std::move(operand);
  return e;
}

bool IsLiteral(const typed::Expr& e) { return e.kind == typed::ExprKind::kLiteral; }

}  // namespace

ExprPtr ExprChecker::Convert(ExprPtr&& e, const Type* to, const Target& target) {
  const Type* from = e->type;
  if (HasError(from) || HasError(to)) return std::move(e);
  switch (FitOf(from, to)) {
    case Fit::kSame:
      if (SameButUnit(from, to)) e->type = to;  // takes or drops a unit: nothing to compute
      return std::move(e);
    case Fit::kLossless: {
      if (IsOptional(to)) {
        if (from->Is(TypeKind::kNull)) return Wrap(std::move(e), Conversion::kNullToOptional, to);
        if (!IsOptional(from)) {
          return Wrap(Convert(std::move(e), to->element), Conversion::kToOptional, to);
        }
        // T? to U?: the value, when it is there, is converted inside a match.
        auto match = std::make_unique<typed::MatchExpr>();
        match->type = to;
        match->span = e->span;
        match->first_local = scope_.next_local;
        match->local_types.push_back(from->element);
        auto value = std::make_unique<typed::LocalExpr>();
        value->local = scope_.next_local++;
        value->type = from->element;
        value->span = e->span;
        typed::MatchArm present;
        present.patterns.emplace_back();
        present.patterns.back().kind = typed::Pattern::kPresent;
        present.patterns.back().bind_local = value->local;
        present.value = Wrap(Convert(std::move(value), to->element), Conversion::kToOptional, to);
        auto null = std::make_unique<typed::LiteralExpr>();
        null->type = context_.null_type;
        null->value.is_null = true;
        null->span = e->span;
        typed::MatchArm absent;
        absent.patterns.emplace_back();
        absent.patterns.back().kind = typed::Pattern::kNull;
        absent.value = Wrap(std::move(null), Conversion::kNullToOptional, to);
        Absorb(*match, *e);
        match->subject = std::move(e);
        match->arms.push_back(std::move(present));
        match->arms.push_back(std::move(absent));
        return match;
      }
      if (to->Is(TypeKind::kRecord)) return Wrap(std::move(e), Conversion::kRecord, to);
      if (IsFloat(to)) return Wrap(std::move(e), Conversion::kIntToFloat, to);
      if (IsInt(to)) return Wrap(std::move(e), Conversion::kWidenInt, to);
      return Wrap(std::move(e), IsInt(from) ? Conversion::kIntToDecimal : Conversion::kWidenDecimal,
                  to);
    }
    default: break;
  }

  const std::string wanted = ToString(to);
  const std::string found = context_.DisplayName(from);
  const std::string text = context_.Written(e->span);
  auto finish = [&](Reported reported) {
    if (target.declared.IsValid() && !(target.declared == e->span)) {
      reported.Secondary(target.declared, target.declared_label.empty()
                                              ? "declared as `" + wanted + "` here"
                                              : target.declared_label);
    }
    return reported;
  };
  const std::string role = target.role.empty() ? "this" : target.role;
  switch (FitOf(from, to)) {
    case Fit::kNarrowing: {
      std::string cast;
      if (IsDecimal(to)) {
        cast = "decimal(" + text + ", " + std::to_string(to->precision) + ", " +
               std::to_string(to->scale) + ")";
      } else {
        cast = wanted + "(" + text + ")";
      }
      auto reported = finish(context_.Report(Code::kNarrowing, e->span,
                                             role + " is `" + wanted + "`", {found, wanted}));
      reported.Help("write `try " + cast +
                    " else …`, which says what becomes of values that do not fit");
      if (IsDecimal(from) && IsDecimal(to) && to->scale < from->scale) {
        reported.Help("`round(" + text + ", " + std::to_string(to->scale) +
                      ")` drops digits after the point");
      }
      return Error(e->span);
    }
    case Fit::kOptionalUsed:
      finish(context_.Report(Code::kOptionalUsed, e->span,
                             "this is `" + found + "`, and " + role + " is `" + wanted + "`",
                             {text}))
          .Help("say what stands in for an absent value: `" + text + " ?? …`");
      return Error(e->span);
    case Fit::kMixed: {
      bool to_float = IsFloat(to);
      auto reported = finish(context_.Report(
          Code::kFloatMixed, e->span,
          "this is `" + found + "`, and " + role + " is `" + wanted + "`", {found, wanted}));
      if (to_float) {
        reported.Help("write `float64(" + text + ")` to accept what is lost");
      } else if (IsDecimal(to)) {
        reported.Help("write `try decimal(" + text + ", " + std::to_string(to->precision) + ", " +
                      std::to_string(to->scale) + ") else …`");
      } else {
        reported.Help("write `try " + wanted + "(" + text + ") else …`");
      }
      return Error(e->span);
    }
    case Fit::kUnits:
      finish(context_.Report(Code::kUnitsMixed, e->span,
                             "this is in " + Present(from)->unit + ", and " + role + " is in " +
                                 Present(to)->unit,
                             {Present(from)->unit, Present(to)->unit}))
          .Help("multiply it by a rate with a unit of its own: the product has none");
      return Error(e->span);
    default: break;
  }
  std::string label = "this is " + WithArticle(from);
  if (from->Is(TypeKind::kRecord)) label = "this is a `" + found + "`";
  auto reported = finish(context_.Report(Code::kTypeMismatch, e->span,
                                         from->Is(TypeKind::kNull) ? "this is `null`" : label,
                                         {wanted, from->Is(TypeKind::kNull) ? "null" : found}));
  if (from->Is(TypeKind::kNull))
    reported.Help("only a type with `?` has `null`: `" + wanted + "?`");
  const Type* present = Present(to);
  if (from->Is(TypeKind::kString) && IsLiteral(*e)) {
    const std::string& written = typed::As<typed::LiteralExpr>(*e).value.text;
    if (present->Is(TypeKind::kEnum)) {
      for (const auto& value : present->enum_def->values) {
        if (value.name == written || value.text == written) {
          reported.Help("a value of an enum stands without quotes: `" + value.name + "`");
        }
      }
    } else if (present->Is(TypeKind::kTimestamp)) {
      reported.Help("a timestamp is written `t\"2026-01-02T09:00:00Z\"`");
    } else if (present->Is(TypeKind::kDate)) {
      reported.Help("a date is written `d\"2026-01-02\"`");
    } else if (present->Is(TypeKind::kDuration)) {
      reported.Help("a duration is written without quotes: `100ms`, `1h30m`");
    } else if (IsNumber(present)) {
      reported.Help("a number stands without quotes");
    }
  } else if (present->Is(TypeKind::kString) && HasText(from)) {
    reported.Help(IsLiteral(*e) && !from->Is(TypeKind::kEnum)
                      ? "text stands in quotes: `\"" + text + "\"`"
                      : "write `to_string(" + text + ")`");
  } else if (present->Is(TypeKind::kDuration) && IsInt(from)) {
    reported.Help(IsLiteral(*e) ? "a duration needs a unit: `" + text + "ms`, `" + text + "s`, `" +
                                      text + "m`"
                                : "a duration is written with its unit: `100ms`, `60s`");
  }
  return Error(e->span);
}

ExprPtr ExprChecker::ToText(ExprPtr e) {
  if (HasError(e->type) || e->type->Is(TypeKind::kString)) return e;
  const std::string text = context_.Written(e->span);
  if (IsOptional(e->type)) {
    context_.Report(Code::kOptionalUsed, e->span, "this is `" + ToString(e->type) + "`", {text})
        .Help("say what stands in for an absent value: `" + text + " ?? \"\"`");
    return Error(e->span);
  }
  if (!HasText(e->type)) {
    context_.Report(Code::kNoText, e->span, "this is `" + context_.DisplayName(e->type) + "`",
                    {context_.DisplayName(e->type)});
    return Error(e->span);
  }
  auto call = std::make_unique<typed::CallStdExpr>();
  call->span = e->span;
  call->type = context_.string;
  call->function = stdlib::ToStringFunction(e->type);
  Absorb(*call, *e);
  call->args.push_back(std::move(e));
  return call;
}

std::optional<__int128> ConstantNumber(const typed::Expr* e) {
  if (e == nullptr) return std::nullopt;
  if (e->kind == typed::ExprKind::kConvert) {
    const auto& convert = typed::As<ConvertExpr>(*e);
    if (convert.conversion != Conversion::kWidenInt &&
        convert.conversion != Conversion::kToOptional) {
      return std::nullopt;
    }
    return ConstantNumber(convert.operand.get());
  }
  if (!IsLiteral(*e) || e->type->Is(TypeKind::kError)) return std::nullopt;
  return typed::As<typed::LiteralExpr>(*e).value.number;
}

bool IsConstant(const typed::Expr& e) {
  switch (e.kind) {
    case typed::ExprKind::kLiteral: return true;
    case typed::ExprKind::kConvert:
    case typed::ExprKind::kList:
    case typed::ExprKind::kMap:
    case typed::ExprKind::kRecord: break;
    default: return false;
  }
  bool constant = true;
  typed::ForEachChild(e,
                      [&](const typed::Expr& child) { constant = constant && IsConstant(child); });
  return constant;
}

ExprPtr CloneConstant(const typed::Expr& e) {
  ExprPtr copy;
  switch (e.kind) {
    case typed::ExprKind::kConvert: {
      auto convert = std::make_unique<ConvertExpr>();
      convert->conversion = typed::As<ConvertExpr>(e).conversion;
      convert->operand = CloneConstant(*typed::As<ConvertExpr>(e).operand);
      copy = std::move(convert);
      break;
    }
    case typed::ExprKind::kList: {
      auto list = std::make_unique<typed::ListExpr>();
      for (const auto& element : typed::As<typed::ListExpr>(e).elements) {
        list->elements.push_back(CloneConstant(*element));
      }
      copy = std::move(list);
      break;
    }
    case typed::ExprKind::kMap: {
      auto map = std::make_unique<typed::MapExpr>();
      for (const auto& [key, value] : typed::As<typed::MapExpr>(e).entries) {
        map->entries.emplace_back(key, CloneConstant(*value));
      }
      copy = std::move(map);
      break;
    }
    case typed::ExprKind::kRecord: {
      auto record = std::make_unique<typed::RecordExpr>();
      for (const auto& value : typed::As<typed::RecordExpr>(e).values) {
        record->values.push_back(CloneConstant(*value));
      }
      copy = std::move(record);
      break;
    }
    default: {
      auto literal = std::make_unique<typed::LiteralExpr>();
      if (IsLiteral(e)) literal->value = typed::As<typed::LiteralExpr>(e).value;
      copy = std::move(literal);
      break;
    }
  }
  copy->type = e.type;
  copy->span = e.span;
  return copy;
}

const typed::Expr* FirstFailure(const typed::Expr& e) {
  if (!e.fallible || e.overflow_only) return nullptr;
  const typed::Expr* first = nullptr;
  // A try keeps the failures of its operand to itself.
  if (e.kind == typed::ExprKind::kTry) return FirstFailure(*typed::As<typed::TryExpr>(e).fallback);
  typed::ForEachChild(e, [&](const typed::Expr& child) {
    if (first == nullptr) first = FirstFailure(child);
  });
  return first == nullptr ? &e : first;
}

void ReportUnhandled(Context& context, const typed::Expr& e, std::string_view where,
                     bool stream_could) {
  const typed::Expr* failure = FirstFailure(e);
  if (failure == nullptr) return;
  const std::string text = context.Written(failure->span);
  std::string why = "this can fail";
  if (failure->kind == typed::ExprKind::kBinary) {
    why = "fails when the divisor is zero";
  } else if (failure->kind == typed::ExprKind::kCallStd ||
             failure->kind == typed::ExprKind::kCallFn) {
    why = "this call can fail";
  }
  Reported reported =
      context.Report(Code::kUnhandledFailure, failure->span, why, {text, std::string(where)});
  reported.Help("write `try " + text + " else …`");
  if (stream_could) {
    reported.Help(
        "or handle every failure of the stream at once: `stream … { on unhandled send … } = …`");
  }
}

}  // namespace weirc::check
