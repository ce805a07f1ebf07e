// compiler/check/constant_json.cc — Constant expressions as JSON.
#include "compiler/check/constant_json.h"

#include <cstdio>

#include "compiler/check/number_text.h"

namespace weirc::check {

using typed::TypeKind;

namespace {

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    unsigned n = 0;
    for (size_t j = 0; j < 3; ++j)
      n = n << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? kDigits[n >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::string LiteralJson(const typed::LiteralExpr& e) {
  const typed::Value& value = e.value;
  if (value.is_null) return "null";
  switch (e.type->kind) {
    case TypeKind::kBool: return value.boolean ? "true" : "false";
    case TypeKind::kFloat64: return FloatText(value.real);
    case TypeKind::kDecimal: return DecimalText(value.number, e.type->scale);
    case TypeKind::kString: return JsonString(value.text);
    case TypeKind::kBytes: return JsonString(Base64(value.text));
    case TypeKind::kTimestamp: return JsonString(TimestampText(static_cast<int64_t>(value.number)));
    case TypeKind::kDuration: return JsonString(DurationText(value.number));
    case TypeKind::kDate: return JsonString(DateText(static_cast<int32_t>(value.number)));
    case TypeKind::kEnum:
      return JsonString(e.type->enum_def->values[static_cast<size_t>(value.number)].text);
    default: return NumberText(value.number);
  }
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char buffer[8];
          std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
          out += buffer;
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string ConstantJson(const typed::Expr& e) {
  switch (e.kind) {
    case typed::ExprKind::kLiteral: return LiteralJson(typed::As<typed::LiteralExpr>(e));
    case typed::ExprKind::kConvert: return ConstantJson(*typed::As<typed::ConvertExpr>(e).operand);
    case typed::ExprKind::kList: {
      std::string out;
      for (const auto& element : typed::As<typed::ListExpr>(e).elements)
        out += (out.empty() ? "" : ",") + ConstantJson(*element);
      return "[" + out + "]";
    }
    case typed::ExprKind::kMap: {
      std::string out;
      for (const auto& [key, value] : typed::As<typed::MapExpr>(e).entries) {
        out += (out.empty() ? "" : ",") + JsonString(key) + ":" + ConstantJson(*value);
      }
      return "{" + out + "}";
    }
    case typed::ExprKind::kRecord: {
      const auto& record = typed::As<typed::RecordExpr>(e);
      std::string out;
      for (size_t i = 0; i < record.values.size(); ++i) {
        out += (out.empty() ? "" : ",") + JsonString(e.type->record->fields[i].json_name) + ":" +
               ConstantJson(*record.values[i]);
      }
      return "{" + out + "}";
    }
    default: return "null";
  }
}

}  // namespace weirc::check
