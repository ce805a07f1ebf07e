// compiler/parse/lexer.cc — Runs the generated lexer over bytes.
#include "WeirLexer.h"
#include "compiler/parse/tokens.h"

namespace weirc {
namespace {

// ANTLR's own streams decode to UTF-32 and count characters; this one hands out bytes, so that
// positions are offsets. Bytes of characters outside ASCII all look like 0x7F: the lexer caches its
// decisions only for characters up to 127.
class ByteStream : public antlr4::CharStream {
 public:
  explicit ByteStream(std::string_view text) : text_(text) {}

  void consume() override { ++index_; }
  size_t LA(ssize_t i) override {
    size_t at = i > 0 ? index_ + static_cast<size_t>(i) - 1 : index_ - static_cast<size_t>(-i);
    if (i == 0 || at >= text_.size()) return EOF;
    unsigned char c = static_cast<unsigned char>(text_[at]);
    return c < 0x80 ? c : 0x7F;
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return index_; }
  void seek(size_t index) override { index_ = index; }
  size_t size() override { return text_.size(); }
  std::string getSourceName() const override { return "weir"; }
  std::string getText(const antlr4::misc::Interval&) override { return ""; }
  std::string toString() const override { return ""; }

 private:
  std::string_view text_;
  size_t index_ = 0;
};

class Lexer : public WeirLexer {
 public:
  using WeirLexer::WeirLexer;

  // A stray `}` must not throw.
  size_t popMode() override { return modeStack.empty() ? 0 : WeirLexer::popMode(); }

  // A line end inside the braces of a "…" string ends the string; inside those of a """…""" it does
  // not.
  void LeaveLine() {
    while (true) {
      size_t k = modeStack.size();
      while (k > 0 && modeStack[k - 1] == DEFAULT_MODE) --k;
      if (k == 0 || modeStack[k - 1] != STR) return;
      --k;  // modeStack[k] is STR; below it stands the mode in which the string began
      mode = k > 0 ? modeStack[k - 1] : static_cast<size_t>(DEFAULT_MODE);
      modeStack.resize(k > 0 ? k - 1 : 0);
    }
  }
};

}  // namespace

std::vector<Token> Lex(std::string_view text) {
  ByteStream stream(text);
  Lexer lexer(&stream);
  lexer.removeErrorListeners();
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 4);
  while (true) {
    std::unique_ptr<antlr4::Token> token = lexer.nextToken();
    if (token->getType() == antlr4::Token::EOF) break;
    if (token->getType() == WeirLexer::LINE || token->getType() == WeirLexer::UNTERMINATED)
      lexer.LeaveLine();
    Token t;
    t.type = token->getType();
    t.begin = static_cast<uint32_t>(token->getStartIndex());
    t.end = static_cast<uint32_t>(token->getStopIndex() + 1);
    tokens.push_back(t);
  }
  return tokens;
}

}  // namespace weirc
