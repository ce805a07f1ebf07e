// compiler/parse/ast.cc — The few functions of the Ast.
#include "compiler/parse/ast.h"

namespace weirc::ast {

const Pair* RecordLit::Find(std::string_view name) const {
  for (const Pair& pair : pairs) {
    if (pair.name.text == name) return &pair;
  }
  return nullptr;
}

std::string_view Spelling(UnaryOp op) { return op == UnaryOp::kNegate ? "-" : "not"; }

std::string_view Spelling(BinaryOp op) {
  switch (op) {
    case BinaryOp::kMultiply: return "*";
    case BinaryOp::kDivide: return "/";
    case BinaryOp::kModulo: return "%";
    case BinaryOp::kAdd: return "+";
    case BinaryOp::kSubtract: return "-";
    case BinaryOp::kRange: return "..";
    case BinaryOp::kCoalesce: return "??";
    case BinaryOp::kEqual: return "==";
    case BinaryOp::kNotEqual: return "!=";
    case BinaryOp::kLess: return "<";
    case BinaryOp::kLessEqual: return "<=";
    case BinaryOp::kGreater: return ">";
    case BinaryOp::kGreaterEqual: return ">=";
    case BinaryOp::kIn: return "in";
    case BinaryOp::kNotIn: return "not in";
    case BinaryOp::kAnd: return "and";
    case BinaryOp::kOr: return "or";
  }
  return "";
}

Block::Block() = default;
Block::Block(Block&&) noexcept = default;
Block& Block::operator=(Block&&) noexcept = default;
Block::~Block() = default;

const Entry* Block::Find(std::string_view name) const {
  for (const Entry& entry : entries) {
    if (entry.name.text == name) return &entry;
  }
  return nullptr;
}

const Name* Block::FindFlag(std::string_view name) const {
  for (const Name& flag : flags) {
    if (flag.text == name) return &flag;
  }
  return nullptr;
}

}  // namespace weirc::ast
