// compiler/parse/recovery.cc — After a syntax error: report it once, skip what belongs to it, and
// go on.
#include "compiler/parse/recovery.h"

namespace weirc {
namespace {

using P = WeirParser;
using antlr4::ParserRuleContext;

// Rules with braces of their own around independent items.
bool IsContainer(size_t rule) {
  return rule == P::RuleBlock || rule == P::RuleRecordLit || rule == P::RuleEnumBody ||
         rule == P::RuleRecordBody || rule == P::RuleTestBody || rule == P::RuleMatchBody;
}

// The items of those.
bool IsItem(size_t rule) {
  return rule == P::RuleItem || rule == P::RulePair || rule == P::RuleEnumMember ||
         rule == P::RuleField || rule == P::RuleTestItem || rule == P::RuleArm;
}

bool StartsItem(size_t container, size_t type) {
  if (IsName(type)) return true;
  bool string = type == P::QUOTE || type == P::TQUOTE;
  if (container == P::RuleRecordLit) return string;
  if (container != P::RuleMatchBody) return false;
  return string || type == P::UNDERSCORE || type == P::KNULL || type == P::KTRUE ||
         type == P::KFALSE || type == P::MINUS || type == P::INT || type == P::DEC ||
         type == P::DURATION || type == P::TIMESTAMP || type == P::DATE || type == P::LPAR;
}

std::vector<bool> Types(const antlr4::misc::IntervalSet& set) {
  std::vector<bool> types(256);
  for (size_t type = 0; type < types.size(); ++type)
    types[type] = set.contains(static_cast<ssize_t>(type));
  return types;
}

}  // namespace

size_t Recovery::Index(antlr4::Parser* parser) const {
  return parser->getCurrentToken()->getTokenIndex();
}

antlr4::Token* Recovery::recoverInline(antlr4::Parser* parser) {
  throw antlr4::InputMismatchException(parser);
}

std::vector<bool> Recovery::ExpectedHere(antlr4::Parser* parser, size_t index) const {
  if (sync_index_ == index && sync_context_ != nullptr) {
    return Types(parser->getATN().getExpectedTokens(sync_state_, sync_context_));
  }
  return Types(parser->getExpectedTokens());
}

void Recovery::Tell(antlr4::Parser* parser, size_t index, std::vector<bool> expected) {
  ++error_count_;
  std::vector<size_t> rules;
  for (auto* context = parser->getContext(); context != nullptr;
       context = dynamic_cast<ParserRuleContext*>(context->parent)) {
    rules.push_back(context->getRuleIndex());
  }
  messages_.Report(chunk_, index, rules, expected);
}

void Recovery::reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) {
  if (inErrorRecoveryMode(parser)) return;
  beginErrorCondition(parser);
  size_t index =
      e.getOffendingToken() != nullptr ? e.getOffendingToken()->getTokenIndex() : Index(parser);
  auto* no_alternative = dynamic_cast<const antlr4::NoViableAltException*>(&e);
  std::vector<bool> expected;
  if (no_alternative != nullptr && no_alternative->getStartToken() != nullptr &&
      no_alternative->getStartToken()->getTokenIndex() != index &&
      no_alternative->getDeadEndConfigs() != nullptr) {
    // The parser looked ahead: what it could have accepted are the labels leaving the states it had
    // reached.
    expected.resize(256);
    for (auto& config : no_alternative->getDeadEndConfigs()->configs) {
      for (size_t i = 0; i < config->state->transitions.size(); ++i) {
        if (config->state->transitions[i]->isEpsilon()) continue;
        std::vector<bool> label = Types(config->state->transitions[i]->label());
        for (size_t type = 0; type < label.size(); ++type)
          expected[type] = expected[type] || label[type];
      }
    }
  } else {
    expected = ExpectedHere(parser, index);
  }
  Tell(parser, index, std::move(expected));
}

void Recovery::recover(antlr4::Parser* parser, std::exception_ptr e) {
  ParserRuleContext* context = parser->getContext();
  size_t rule = context->getRuleIndex();
  if (IsItem(rule)) {
    SkipItem(parser, At(context->getStart()->getTokenIndex()).depth);
  } else if (rule == P::RuleStep) {
    SkipStep(parser);
  } else if (rule == P::RuleDecl || rule == P::RuleChunk) {
    while (At(Index(parser)).type != kEof) parser->consume();
  } else {
    std::rethrow_exception(e);
  }
}

// To the next separator or closing brace of the braces around an item of that depth.
void Recovery::SkipItem(antlr4::Parser* parser, uint32_t depth) {
  while (true) {
    const Token& t = At(Index(parser));
    if (t.type == kEof || t.depth < depth) return;
    if (t.depth == depth && (t.type == P::NL || t.type == P::COMMA)) return;
    parser->consume();
  }
}

void Recovery::SkipStep(antlr4::Parser* parser) {
  while (true) {
    const Token& t = At(Index(parser));
    if (t.type == kEof || (t.type == P::BAR && t.depth == 0)) return;
    parser->consume();
  }
}

void Recovery::sync(antlr4::Parser* parser) {
  size_t index = Index(parser);
  ParserRuleContext* context = parser->getContext();
  if (sync_index_ != index) {
    sync_index_ = index;
    sync_state_ = parser->getState();
    sync_context_ = context;
  }
  size_t rule = context->getRuleIndex();
  const Token& t = At(index);

  if (IsContainer(rule) && index > 0) {
    uint32_t depth = At(context->getStart()->getTokenIndex()).depth;
    // Before the `{` itself, or behind the `}`: nothing to look after.
    if (index <= context->getStart()->getTokenIndex()) return;
    bool closes = t.type == P::RBRACE && t.depth == depth;
    bool separates = (t.type == P::NL || t.type == P::COMMA) && t.depth == depth + 1;
    if (closes || separates || t.type == kEof || t.depth <= depth) return;
    const Token& previous = At(index - 1);
    bool item_may_start =
        index - 1 == context->getStart()->getTokenIndex() ||
        ((previous.type == P::NL || previous.type == P::COMMA) && previous.depth == depth + 1);
    if (item_may_start && StartsItem(rule, t.type)) return;
    if (!inErrorRecoveryMode(parser)) Tell(parser, index, ExpectedHere(parser, index));
    beginErrorCondition(parser);
    SkipItem(parser, depth + 1);
  } else if (rule == P::RuleDecl && !chunk_.tokens.empty() && chunk_.tokens[0].type == P::STREAM &&
             dynamic_cast<P::StreamDeclContext*>(context) != nullptr &&
             dynamic_cast<P::StreamDeclContext*>(context)->streamRef() != nullptr &&
             t.type != P::BAR && t.type != kEof) {
    // Something stands behind the origin or behind a whole step.
    if (!inErrorRecoveryMode(parser)) Tell(parser, index, ExpectedHere(parser, index));
    beginErrorCondition(parser);
    SkipStep(parser);
  }
}

}  // namespace weirc
