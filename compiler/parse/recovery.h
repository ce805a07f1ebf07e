// compiler/parse/recovery.h — After a syntax error: report it once, skip what belongs to it, and go
// on.
//
// ANTLR's own recovery inserts and deletes tokens, which in a language with contextual words leads
// far astray. Here an error ends the item it is in — an entry, a field, a pair, an arm, a step, a
// declaration — and the parser goes on behind the next separator of that item's own braces.
#pragma once

#include "WeirParser.h"
#include "compiler/parse/syntax_messages.h"
#include "compiler/parse/tokens.h"

namespace weirc {

class Recovery : public antlr4::DefaultErrorStrategy {
 public:
  Recovery(const Chunk& chunk, SyntaxMessages& messages) : chunk_(chunk), messages_(messages) {}

  // How many errors were met, told or not.
  size_t error_count() const { return error_count_; }

  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) override;
  void recover(antlr4::Parser* parser, std::exception_ptr e) override;
  void sync(antlr4::Parser* parser) override;

 private:
  size_t Index(antlr4::Parser* parser) const;
  const Token& At(size_t index) const {
    return chunk_.tokens[std::min(index, chunk_.tokens.size() - 1)];
  }
  void Tell(antlr4::Parser* parser, size_t index, std::vector<bool> expected);
  std::vector<bool> ExpectedHere(antlr4::Parser* parser, size_t index) const;
  void SkipItem(antlr4::Parser* parser, uint32_t depth);
  void SkipStep(antlr4::Parser* parser);

  const Chunk& chunk_;
  SyntaxMessages& messages_;
  size_t error_count_ = 0;
  // The first place at which the parser looked at the current token: what it could have accepted
  // there is more than what is left when it finally fails.
  size_t sync_index_ = static_cast<size_t>(-1);
  size_t sync_state_ = 0;
  antlr4::ParserRuleContext* sync_context_ = nullptr;
};

}  // namespace weirc
