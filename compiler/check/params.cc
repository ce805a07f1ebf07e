// compiler/check/params.cc — Params and secrets: what is known only when the pipeline starts.
#include "compiler/check/number_text.h"
#include "compiler/check/passes.h"

namespace weirc::check {

namespace {

bool IsParamType(const Type* type) {
  switch (type->kind) {
    case TypeKind::kBool:
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
    case TypeKind::kDecimal:
    case TypeKind::kString:
    case TypeKind::kDuration:
    case TypeKind::kTimestamp:
    case TypeKind::kDate: return true;
    case TypeKind::kList: return type->element->Is(TypeKind::kString);
    default: return false;
  }
}

// As `--set name=…` would give it.
std::string SettingText(const typed::Expr& e) {
  if (e.kind == typed::ExprKind::kList) {
    std::string text;
    for (const ExprPtr& element : typed::As<typed::ListExpr>(e).elements) {
      text += (text.empty() ? "" : ",") + SettingText(*element);
    }
    return text;
  }
  if (e.kind != typed::ExprKind::kLiteral) return "";
  const typed::Value& value = typed::As<typed::LiteralExpr>(e).value;
  switch (e.type->kind) {
    case TypeKind::kBool: return value.boolean ? "true" : "false";
    case TypeKind::kFloat64: return FloatText(value.real);
    case TypeKind::kDecimal: return DecimalText(value.number, e.type->scale);
    case TypeKind::kDuration: return DurationText(value.number);
    case TypeKind::kTimestamp: return TimestampText(static_cast<int64_t>(value.number));
    case TypeKind::kDate: return DateText(static_cast<int32_t>(value.number));
    case TypeKind::kString: return value.text;
    default: return NumberText(value.number);
  }
}

void CheckParam(Context& context, const ast::ParamDecl& decl, typed::ParamDef& def) {
  def.type = ResolveType(context, decl.type);
  if (!HasError(def.type) && !IsParamType(def.type)) {
    if (def.type->Is(TypeKind::kInt32)) {
      context.Report(Code::kParamType, decl.type.span, "", {def.name, "int32"})
          .Help("write `int64`");
    } else {
      Reported reported = context.Report(Code::kParamType, decl.type.span, "",
                                         {def.name, context.DisplayName(def.type)});
      if (IsOptional(def.type)) reported.Help("give it a default instead of `?`");
      reported.Note("a param is a number, text, `bool`, time or `list<string>`");
    }
    def.type = context.error;
  }
  if (!decl.default_value || decl.broken || HasError(def.type)) return;
  Scope scope;
  scope.place = Place::kConstant;
  scope.what = "the default of a param";
  ExprPtr value = ExprChecker(context, scope)
                      .Check(*decl.default_value, def.type,
                             {.role = "`" + def.name + "`", .declared = decl.type.span});
  if (HasError(value->type)) return;
  if (!IsConstant(*value)) {
    context
        .Report(Code::kNotConstant, decl.default_value->span, "it is computed",
                {"the default of a param"})
        .Help("write its value");
    return;
  }
  if (value->kind == typed::ExprKind::kList) {
    for (const ExprPtr& element : typed::As<typed::ListExpr>(*value).elements) {
      if (SettingText(*element).find(',') == std::string::npos) continue;
      context.Report(Code::kCommaInList, element->span,
                     "settings separate the elements of a list by commas", {def.name});
      return;
    }
  }
  def.default_text = SettingText(*value);
  def.default_value = std::move(value);
}

}  // namespace

void CheckParams(Context& context) {
  for (const auto& symbol : context.symbols) {
    if (symbol->kind != SymbolKind::kParam && symbol->kind != SymbolKind::kSecret) continue;
    typed::ParamDef& def = context.out.params[static_cast<size_t>(symbol->index)];
    def.secret = symbol->kind == SymbolKind::kSecret;
    def.span = symbol->span;
    def.doc = symbol->decl->doc;
    if (!def.secret) {
      CheckParam(context, Cast<ast::ParamDecl>(*symbol->decl), def);
      continue;
    }
    const auto& decl = Cast<ast::SecretDecl>(*symbol->decl);
    def.type = ResolveType(context, decl.type);
    if (!HasError(def.type) && !def.type->Is(TypeKind::kString)) {
      context
          .Report(Code::kParamType, decl.type.span, "a secret is text",
                  {def.name, context.DisplayName(def.type)})
          .Help("write `string`");
      def.type = context.error;
    }
  }
}

}  // namespace weirc::check
