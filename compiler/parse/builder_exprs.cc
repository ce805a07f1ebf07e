// compiler/parse/builder_exprs.cc — Expressions, literals, strings and patterns of the Ast.
#include "compiler/base/utf8.h"
#include "compiler/parse/builder.h"
#include "compiler/parse/literals.h"

namespace weirc {

using namespace ast;

namespace {

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kNotIn; }

// Four hexadecimal digits at `at`.
bool ReadHex4(std::string_view text, size_t at, char32_t* code) {
  if (at + 4 > text.size()) return false;
  *code = 0;
  for (size_t i = at; i < at + 4; ++i) {
    char c = text[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return false;
    *code = *code * 16 + static_cast<char32_t>(digit);
  }
  return true;
}

}  // namespace

Builder::Depth::Depth(Builder* builder, Span span) : builder_(builder) {
  if (++builder_->depth_ > kDepthMax && !builder_->depth_reported_) {
    builder_->depth_reported_ = true;
    builder_->broken_ = true;
    builder_->diagnostics_.Report(Code::kTooDeep, span, "this is too deep inside", {kDepthMax})
        .Help("give an inner part a name of its own, with `let` or `fn`");
  }
}

bool Builder::FirstUses::Take(const std::string& name, Span span, Span again) {
  auto [earlier, first] = spans_.emplace(name, span);
  if (first) return true;
  builder_->diagnostics_.Report(Code::kDuplicateEntry, again, "the second time", {name})
      .Secondary(earlier->second, "the first time");
  return false;
}

ExprPtr Builder::Error(Span span) {
  auto error = std::make_unique<ErrorExpr>();
  error->span = span;
  broken_ = true;
  return error;
}

ExprPtr Builder::BuildExpr(P::ExprContext* tree) {
  if (!IsWhole(tree)) return Error(SpanOf(tree));
  Depth depth(this, SpanOf(tree));
  if (depth.TooDeep()) return Error(SpanOf(tree));
  if (auto* t = dynamic_cast<P::TryExprContext*>(tree)) {
    auto node = std::make_unique<TryExpr>();
    node->span = SpanOf(tree);
    std::vector<P::ExprContext*> parts = t->expr();
    node->value = BuildExpr(parts[0]);
    node->fallback = BuildExpr(parts[1]);
    return node;
  }
  if (auto* t = dynamic_cast<P::IfExprContext*>(tree)) {
    auto node = std::make_unique<IfExpr>();
    node->span = SpanOf(tree);
    std::vector<P::ExprContext*> parts = t->expr();
    node->condition = BuildExpr(parts[0]);
    node->then_value = BuildExpr(parts[1]);
    node->else_value = BuildExpr(parts[2]);
    return node;
  }
  --depth_;  // a plain expression is no level of its own
  ExprPtr value = BuildBinary(dynamic_cast<P::PlainExprContext*>(tree)->binary());
  ++depth_;
  return value;
}

ExprPtr Builder::BuildBinary(P::BinaryContext* tree) {
  if (!IsWhole(tree)) return Error(SpanOf(tree));
  Depth depth(this, SpanOf(tree));
  if (depth.TooDeep()) return Error(SpanOf(tree));
  if (auto* t = dynamic_cast<P::PrimaryExprContext*>(tree)) return BuildPrimary(t->primary());
  if (auto* t = dynamic_cast<P::OperatorExprContext*>(tree)) return BuildOperator(t);
  if (auto* t = dynamic_cast<P::FieldExprContext*>(tree)) {
    auto node = std::make_unique<FieldExpr>();
    node->span = SpanOf(tree);
    node->object = BuildBinary(t->binary());
    node->name = NameOf(t->name());
    node->optional = t->QDOT() != nullptr;
    return node;
  }
  if (auto* t = dynamic_cast<P::CallExprContext*>(tree)) {
    auto node = std::make_unique<CallExpr>();
    node->span = SpanOf(tree);
    node->callee = BuildBinary(t->binary());
    node->args = BuildArgs(t->args());
    node->parens = SpanOf(t->args());
    return node;
  }
  if (auto* t = dynamic_cast<P::IndexExprContext*>(tree)) {
    auto node = std::make_unique<IndexExpr>();
    node->span = SpanOf(tree);
    node->object = BuildBinary(t->binary());
    node->index = BuildExpr(t->expr());
    return node;
  }
  auto node = std::make_unique<UnaryExpr>();
  node->span = SpanOf(tree);
  if (auto* t = dynamic_cast<P::NegateExprContext*>(tree)) {
    node->op = UnaryOp::kNegate;
    node->op_span = SpanOf(t->MINUS());
    node->operand = BuildBinary(t->binary());
  } else {
    auto* n = dynamic_cast<P::NotExprContext*>(tree);
    node->op = UnaryOp::kNot;
    node->op_span = SpanOf(n->NOT());
    node->operand = BuildBinary(n->binary());
  }
  return node;
}

ExprPtr Builder::BuildOperator(P::OperatorExprContext* tree) {
  std::vector<P::BinaryContext*> operands = tree->binary();
  auto node = std::make_unique<BinaryExpr>();
  node->span = SpanOf(tree);
  // The operator's tokens are the children between the operands.
  for (antlr4::tree::ParseTree* child : tree->children) {
    auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child);
    if (terminal == nullptr) continue;
    node->op_span = Join(node->op_span, SpanOf(terminal));
    switch (terminal->getSymbol()->getType()) {
      case P::STAR: node->op = BinaryOp::kMultiply; break;
      case P::SLASH: node->op = BinaryOp::kDivide; break;
      case P::PCT: node->op = BinaryOp::kModulo; break;
      case P::PLUS: node->op = BinaryOp::kAdd; break;
      case P::MINUS: node->op = BinaryOp::kSubtract; break;
      case P::DOTDOT: node->op = BinaryOp::kRange; break;
      case P::QQ: node->op = BinaryOp::kCoalesce; break;
      case P::EQ: node->op = BinaryOp::kEqual; break;
      case P::NE: node->op = BinaryOp::kNotEqual; break;
      case P::LT: node->op = BinaryOp::kLess; break;
      case P::LE: node->op = BinaryOp::kLessEqual; break;
      case P::GT: node->op = BinaryOp::kGreater; break;
      case P::GE: node->op = BinaryOp::kGreaterEqual; break;
      case P::NOT: node->op = BinaryOp::kNotIn; break;
      case P::KIN:
        if (node->op != BinaryOp::kNotIn) node->op = BinaryOp::kIn;
        break;
      case P::AND: node->op = BinaryOp::kAnd; break;
      case P::OR: node->op = BinaryOp::kOr; break;
      default: break;
    }
  }
  node->left = BuildBinary(operands[0]);
  node->right = BuildBinary(operands[1]);
  // ANTLR reads a < b < c as (a < b) < c; parentheses would have made a PrimaryExpr of the inner
  // one.
  auto* inner_tree = dynamic_cast<P::OperatorExprContext*>(operands[0]);
  auto* inner = As<BinaryExpr>(node->left);
  if (inner_tree != nullptr && inner != nullptr) {
    if (IsComparison(inner->op) && IsComparison(node->op)) {
      std::string middle(file_.Text(inner->right->span));
      diagnostics_.Report(Code::kChainedComparison, node->op_span, "the second comparison")
          .Secondary(inner->op_span, "the first comparison")
          .Help("join two comparisons: `… " + std::string(Spelling(inner->op)) + " " + middle +
                " and " + middle + " " + std::string(Spelling(node->op)) + " …`");
      return Error(node->span);
    }
    if (inner->op == BinaryOp::kRange && node->op == BinaryOp::kRange) {
      diagnostics_.Report(Code::kChainedRange, node->op_span, "a third end")
          .Secondary(inner->op_span, "the range");
      return Error(node->span);
    }
  }
  return node;
}

ExprPtr Builder::BuildPrimary(P::PrimaryContext* tree) {
  if (!IsWhole(tree)) return Error(SpanOf(tree));
  if (auto* t = dynamic_cast<P::NamePrimaryContext*>(tree)) {
    auto node = std::make_unique<NameExpr>();
    node->name = NameOf(t->name());
    node->span = node->name.span;
    return node;
  }
  if (dynamic_cast<P::UnderscorePrimaryContext*>(tree) != nullptr) {
    auto node = std::make_unique<UnderscoreExpr>();
    node->span = SpanOf(tree);
    return node;
  }
  if (dynamic_cast<P::LiteralPrimaryContext*>(tree) != nullptr)
    return BuildLiteral(TokenOf(tree->getStart()));
  if (auto* t = dynamic_cast<P::StringPrimaryContext*>(tree)) return BuildString(t->string());
  if (auto* t = dynamic_cast<P::RecordPrimaryContext*>(tree)) return BuildRecord(t->recordLit());
  if (auto* t = dynamic_cast<P::MatchPrimaryContext*>(tree)) return BuildMatch(t);
  if (auto* t = dynamic_cast<P::ListPrimaryContext*>(tree)) {
    auto node = std::make_unique<ListLit>();
    node->span = SpanOf(tree);
    for (P::ExprContext* item : t->expr()) node->items.push_back(BuildExpr(item));
    return node;
  }
  auto* t = dynamic_cast<P::TuplePrimaryContext*>(tree);
  std::vector<P::ExprContext*> items = t->expr();
  if (items.size() == 1 && t->COMMA().empty()) return BuildExpr(items[0]);
  auto node = std::make_unique<TupleExpr>();
  node->span = SpanOf(tree);
  for (P::ExprContext* item : items) node->items.push_back(BuildExpr(item));
  return node;
}

// ---------------------------------------------------------------------------------------- literals

ExprPtr Builder::BuildLiteral(const Token& token) {
  Span span = SpanOf(token);
  std::string text = TextOf(token);
  if (token.reported) return Error(span);
  std::string reason;
  ExprPtr result;
  switch (token.type) {
    case P::KTRUE:
    case P::KFALSE: {
      auto node = std::make_unique<BoolLit>();
      node->value = token.type == P::KTRUE;
      result = std::move(node);
      break;
    }
    case P::KNULL: result = std::make_unique<NullLit>(); break;
    case P::INT: {
      auto node = std::make_unique<IntLit>();
      reason = ParseInt(text, &node->value);
      if (!reason.empty()) diagnostics_.Report(Code::kNumberTooLarge, span, "", {reason});
      node->text = std::move(text);
      result = std::move(node);
      break;
    }
    case P::DEC: {
      auto node = std::make_unique<DecimalLit>();
      reason = ParseDecimal(text, &node->digits, &node->scale);
      if (!reason.empty()) diagnostics_.Report(Code::kNumberTooLarge, span, "", {reason});
      node->text = std::move(text);
      result = std::move(node);
      break;
    }
    case P::DURATION: {
      auto node = std::make_unique<DurationLit>();
      reason = ParseDuration(text, &node->nanoseconds);
      if (!reason.empty()) diagnostics_.Report(Code::kBadDuration, span, "", {reason});
      node->text = std::move(text);
      result = std::move(node);
      break;
    }
    case P::TIMESTAMP: {
      auto node = std::make_unique<TimestampLit>();
      node->text = text.substr(2, text.size() - 3);
      reason = ParseTimestamp(node->text, &node->nanoseconds);
      if (!reason.empty()) {
        diagnostics_.Report(Code::kBadTimestamp, span, reason)
            .Help("write t\"2026-01-02T09:00:00Z\"");
      }
      result = std::move(node);
      break;
    }
    default: {
      auto node = std::make_unique<DateLit>();
      node->text = text.substr(2, text.size() - 3);
      reason = ParseDate(node->text, &node->days);
      if (!reason.empty())
        diagnostics_.Report(Code::kBadDate, span, reason).Help("write d\"2026-01-02\"");
      result = std::move(node);
      break;
    }
  }
  if (!reason.empty()) return Error(span);
  result->span = span;
  return result;
}

ExprPtr Builder::BuildSignedLiteral(P::LiteralContext* tree) {
  if (!IsWhole(tree)) return Error(SpanOf(tree));
  if (tree->string() != nullptr) return BuildPlainString(tree->string(), "a pattern");
  ExprPtr value = BuildLiteral(TokenOf(tree->getStop()));
  if (tree->MINUS() == nullptr) return value;
  auto node = std::make_unique<UnaryExpr>();
  node->span = SpanOf(tree);
  node->op = UnaryOp::kNegate;
  node->op_span = SpanOf(tree->MINUS());
  node->operand = std::move(value);
  return node;
}

// Appends the text of a TEXT token with its escapes and `{{` decoded.
void Builder::DecodeText(const Token& token, std::string* out) {
  std::string_view text = file_.Text(SpanOf(token));
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '{' && i + 1 < text.size() && text[i + 1] == '{') {
      out->push_back('{');
      ++i;
      continue;
    }
    if (c != '\\') {
      out->push_back(c);
      continue;
    }
    char escaped = i + 1 < text.size() ? text[i + 1] : '\0';
    static constexpr std::string_view kEscapes = "nrt\"\\";
    static constexpr std::string_view kMeanings = "\n\r\t\"\\";
    if (size_t k = kEscapes.find(escaped); escaped != '\0' && k != std::string_view::npos) {
      out->push_back(kMeanings[k]);
      ++i;
      continue;
    }
    char32_t code = 0, low = 0;
    size_t taken = 2;
    bool valid = false;
    if (escaped == 'u' && ReadHex4(text, i + 2, &code)) {
      taken = 6;
      valid = code < 0xD800 || code > 0xDFFF;
      if (code >= 0xD800 && code < 0xDC00 && text.substr(i + 6, 2) == "\\u" &&
          ReadHex4(text, i + 8, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        taken = 12;
        valid = true;
      }
      if (code == 0) valid = false;
    }
    if (valid) {
      AppendUtf8(code, out);
      i += taken - 1;
      continue;
    }
    // Report the whole character behind the backslash.
    if (taken == 2 && i + 1 < text.size()) taken = 1 + DecodeUtf8(text, i + 1).size;
    taken = std::min(taken, text.size() - i);
    uint32_t begin = token.begin + static_cast<uint32_t>(i);
    Span span{file_.id(), begin, begin + static_cast<uint32_t>(taken)};
    Reported r = diagnostics_.Report(Code::kBadEscape, span, "", {file_.Text(span)});
    broken_ = true;
    if (escaped == '{') r.Help("for a brace as text write `{{`");
    else if (escaped == 'u' && taken > 2)
      r.Help("this is no character; characters beyond U+FFFF are two escapes, as in JSON");
    else
      r.Help(
          "the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\` and `\\u00e9`; a backslash as text "
          "is `\\\\`");
    i += taken - 1;
  }
}

StringPtr Builder::BuildString(P::StringContext* tree) {
  auto node = std::make_unique<StringLit>();
  node->span = SpanOf(tree);
  if (tree == nullptr) return node;
  node->triple_quoted = tree->TQUOTE() != nullptr;
  Span open;
  for (antlr4::tree::ParseTree* child : tree->children) {
    if (auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child)) {
      const Token& token = TokenOf(terminal);
      if (token.type == P::TEXT) {
        if (node->parts.empty() || node->parts.back().expr) {
          node->parts.emplace_back();
          node->parts.back().span = SpanOf(token);
        }
        DecodeText(token, &node->parts.back().text);
        node->parts.back().span = Join(node->parts.back().span, SpanOf(token));
        if (node->parts.back().text.size() > kTextBytesMax) {
          diagnostics_.Report(Code::kTooLong, node->span, "", {"string", "64 KiB"})
              .Help("read large texts from a file or topic");
          broken_ = true;
          node->parts.clear();
          return node;
        }
      } else if (token.type == P::IOPEN) {
        open = SpanOf(token);
      } else if (token.type == P::RBRACE && !node->parts.empty()) {
        node->parts.back().span = Join(open, SpanOf(token));
      }
    } else if (auto* expr = dynamic_cast<P::ExprContext*>(child)) {
      StringPart part;
      part.expr = BuildExpr(expr);
      part.span = part.expr->span;
      node->parts.push_back(std::move(part));
    }
  }
  return node;
}

StringPtr Builder::BuildPlainString(P::StringContext* tree, const char* what) {
  if (!IsWhole(tree)) {
    broken_ = true;
    return nullptr;
  }
  StringPtr node = BuildString(tree);
  for (const StringPart& part : node->parts) {
    if (!part.expr) continue;
    diagnostics_.Report(Code::kConstantString, part.span, "this is an expression", {what})
        .Help("for a brace as text write `{{`");
    broken_ = true;
    auto plain = std::make_unique<StringLit>();
    plain->span = node->span;
    return plain;
  }
  return node;
}

// ---------------------------------------------------------------------- records, calls and matches

RecordPtr Builder::BuildRecord(P::RecordLitContext* tree) {
  auto node = std::make_unique<RecordLit>();
  node->span = SpanOf(tree);
  if (tree == nullptr) return node;
  Depth depth(this, node->span);
  if (depth.TooDeep()) return node;
  FirstUses names(this);
  for (P::PairContext* t : tree->pair()) {
    if (!IsWhole(t)) continue;
    Pair pair;
    pair.span = SpanOf(t);
    if (t->string() != nullptr) {
      StringPtr key = BuildPlainString(t->string(), "a key");
      if (!key) continue;
      pair.string_key = true;
      pair.name.text = std::string(key->PlainText());
      pair.name.span = key->span;
    } else {
      pair.name = NameOf(t->name());
    }
    pair.shorthand = t->COLON() == nullptr;
    if (pair.shorthand) {
      auto value = std::make_unique<NameExpr>();
      value->name = pair.name;
      value->span = pair.name.span;
      pair.value = std::move(value);
    } else {
      pair.value = BuildExpr(t->expr());
    }
    if (names.Take(pair.name)) node->pairs.push_back(std::move(pair));
  }
  return node;
}

std::vector<Arg> Builder::BuildArgs(P::ArgsContext* tree) {
  std::vector<Arg> args;
  if (!IsWhole(tree)) return args;
  FirstUses names(this);
  for (P::ArgContext* t : tree->arg()) {
    Arg arg;
    arg.span = SpanOf(t);
    if (t->name() != nullptr) arg.name = NameOf(t->name());
    arg.value = BuildExpr(t->expr());
    if (!arg.name || names.Take(arg.name)) args.push_back(std::move(arg));
  }
  return args;
}

ExprPtr Builder::BuildMatch(P::MatchPrimaryContext* tree) {
  auto node = std::make_unique<MatchExpr>();
  node->span = SpanOf(tree);
  node->subject = BuildExpr(tree->expr());
  P::MatchBodyContext* body = tree->matchBody();
  if (!IsWhole(body)) return Error(node->span);
  for (P::ArmContext* t : body->arm()) {
    if (!IsWhole(t)) continue;
    MatchArm arm;
    arm.span = SpanOf(t);
    for (P::PatternContext* pattern : t->pattern()) arm.patterns.push_back(BuildPattern(pattern));
    std::vector<P::ExprContext*> values = t->expr();
    if (t->IF() != nullptr) arm.guard = BuildExpr(values[0]);
    arm.value = BuildExpr(values.back());
    node->arms.push_back(std::move(arm));
  }
  if (node->arms.empty()) {
    if (!broken_) {
      diagnostics_.Report(Code::kExpected, SpanOf(body->RBRACE()), "", {"an arm", "`}`"})
          .Help("write `PATTERN -> VALUE`");
    }
    return Error(node->span);
  }
  return node;
}

PatternPtr Builder::BuildPattern(P::PatternContext* tree) {
  PatternPtr result;
  Depth depth(this, SpanOf(tree));
  if (!IsWhole(tree) || depth.TooDeep()) {
    broken_ = true;
    result = std::make_unique<ErrorPattern>();
  } else if (dynamic_cast<P::WildcardPatternContext*>(tree) != nullptr) {
    result = std::make_unique<WildcardPattern>();
  } else if (auto* constant = dynamic_cast<P::ConstantPatternContext*>(tree)) {
    if (constant->KNULL() != nullptr) {
      result = std::make_unique<NullPattern>();
    } else {
      auto node = std::make_unique<BoolPattern>();
      node->value = constant->KTRUE() != nullptr;
      result = std::move(node);
    }
  } else if (auto* literal = dynamic_cast<P::LiteralPatternContext*>(tree)) {
    std::vector<P::LiteralContext*> ends = literal->literal();
    ExprPtr low = BuildSignedLiteral(ends[0]);
    if (low == nullptr) low = Error(SpanOf(ends[0]));
    if (ends.size() == 1) {
      auto node = std::make_unique<LiteralPattern>();
      node->value = std::move(low);
      result = std::move(node);
    } else {
      auto node = std::make_unique<RangePattern>();
      node->low = std::move(low);
      node->high = BuildSignedLiteral(ends[1]);
      if (node->high == nullptr) node->high = Error(SpanOf(ends[1]));
      result = std::move(node);
    }
  } else if (auto* named = dynamic_cast<P::NamePatternContext*>(tree)) {
    auto node = std::make_unique<NamePattern>();
    std::vector<P::NameContext*> names = named->name();
    node->name = NameOf(names[0]);
    if (names.size() > 1) node->binding = NameOf(names[1]);
    result = std::move(node);
  } else if (auto* qualified = dynamic_cast<P::QualifiedPatternContext*>(tree)) {
    auto node = std::make_unique<NamePattern>();
    std::vector<P::NameContext*> names = qualified->name();
    node->qualifier = NameOf(names[0]);
    node->name = NameOf(names[1]);
    result = std::move(node);
  } else {
    auto* tuple = dynamic_cast<P::TuplePatternContext*>(tree);
    std::vector<P::PatternContext*> items = tuple->pattern();
    if (items.size() == 1 && tuple->COMMA().empty()) return BuildPattern(items[0]);
    auto node = std::make_unique<TuplePattern>();
    for (P::PatternContext* item : items) node->items.push_back(BuildPattern(item));
    result = std::move(node);
  }
  result->span = SpanOf(tree);
  return result;
}

}  // namespace weirc
