#include "compiler/driver/constant_text.h"

namespace weirc {

std::optional<std::string> ConstantText(const typed::Expr& expr,
                                        const typed::TypedPipeline& pipeline,
                                        const Settings& settings) {
  using typed::As;
  switch (expr.kind) {
    case typed::ExprKind::kLiteral: {
      const typed::Value& value = As<typed::LiteralExpr>(expr).value;
      if (value.is_null) return std::nullopt;
      return value.text;
    }
    case typed::ExprKind::kParam: {
      const typed::ParamDef& param = pipeline.params[As<typed::ParamExpr>(expr).param];
      if (auto set = settings.find(param.name); set != settings.end()) return set->second;
      if (param.secret || !param.default_value) return std::nullopt;
      return ConstantText(*param.default_value, pipeline, settings);
    }
    case typed::ExprKind::kConvert:
      return ConstantText(*As<typed::ConvertExpr>(expr).operand, pipeline, settings);
    case typed::ExprKind::kInterpolate: {
      std::string text;
      for (const typed::ExprPtr& part : As<typed::InterpolateExpr>(expr).parts) {
        auto piece = ConstantText(*part, pipeline, settings);
        if (!piece) return std::nullopt;
        text += *piece;
      }
      return text;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace weirc
