// compiler/parse/parse.cc — Text in, Ast and diagnostics out: lexer, layout, ANTLR's parser, Ast
// builder.
#include "compiler/parse/parse.h"

#include "WeirParser.h"
#include "compiler/base/utf8.h"
#include "compiler/parse/builder.h"
#include "compiler/parse/recovery.h"
#include "compiler/parse/syntax_messages.h"
#include "compiler/parse/tokens.h"

namespace weirc {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kErrorsShownMax = 50;
// Frames of the generated parser: a level of the Ast takes about five, and a frame well below a
// kilobyte of stack.
constexpr int kParserFramesMax = 6 * ast::kDepthMax;

// Thrown through the generated parser, which catches only ANTLR's own exceptions; caught in
// ParseChunk.
struct TooDeepForParser {
  size_t token_index;
};

// Counts the frames of the generated parser. A chain of operators counts as well: it becomes as
// deep a tree.
class DepthGuard : public antlr4::tree::ParseTreeListener {
 public:
  explicit DepthGuard(WeirParser& parser) : parser_(parser) {}

  void enterEveryRule(antlr4::ParserRuleContext*) override {
    if (++frames_ > kParserFramesMax)
      throw TooDeepForParser{parser_.getCurrentToken()->getTokenIndex()};
  }
  void exitEveryRule(antlr4::ParserRuleContext*) override { --frames_; }
  void visitTerminal(antlr4::tree::TerminalNode*) override {}
  void visitErrorNode(antlr4::tree::ErrorNode*) override {}

 private:
  WeirParser& parser_;
  int frames_ = 0;
};

class ChunkTokens : public antlr4::TokenSource {
 public:
  explicit ChunkTokens(const Chunk& chunk) : chunk_(chunk) {}

  std::unique_ptr<antlr4::Token> nextToken() override {
    size_t type = next_ < chunk_.tokens.size() ? chunk_.tokens[next_].type : kEof;
    ++next_;
    return std::unique_ptr<antlr4::Token>(
        new antlr4::CommonToken(type == kEof ? antlr4::Token::EOF : type));
  }
  size_t getLine() const override { return 0; }
  size_t getCharPositionInLine() override { return 0; }
  antlr4::CharStream* getInputStream() override { return nullptr; }
  std::string getSourceName() override { return "weir"; }
  antlr4::TokenFactory<antlr4::CommonToken>* getTokenFactory() override {
    return antlr4::CommonTokenFactory::DEFAULT.get();
  }

 private:
  const Chunk& chunk_;
  size_t next_ = 0;
};

ast::DeclPtr ParseChunk(const Chunk& chunk, const SourceFile& file, SyntaxMessages& messages,
                        Builder& builder, Diagnostics& diagnostics) {
  ChunkTokens source(chunk);
  antlr4::CommonTokenStream stream(&source);
  WeirParser parser(&stream);
  DepthGuard guard(parser);
  parser.removeErrorListeners();
  parser.addParseListener(&guard);
  auto recovery = std::make_shared<Recovery>(chunk, messages);
  parser.setErrorHandler(recovery);
  WeirParser::DeclContext* tree = nullptr;
  bool broken = chunk.broken;
  try {
    WeirParser::ChunkContext* root = parser.chunk();
    tree = root->decl();
  } catch (const TooDeepForParser& e) {
    const Token& t = chunk.tokens[std::min(e.token_index, chunk.tokens.size() - 1)];
    diagnostics
        .Report(Code::kTooDeep, {file.id(), t.begin, t.end}, "this is too deep inside",
                {ast::kDepthMax})
        .Help("give an inner part a name of its own, with `let` or `fn`");
    broken = true;
  }
  return builder.BuildDecl(chunk, tree, broken || recovery->error_count() > 0);
}

// The lexer and everything behind it may rely on valid UTF-8 without NUL bytes.
bool CheckBytes(const SourceFile& file, Diagnostics& diagnostics) {
  std::string_view text = file.text();
  if (text.size() > kFileBytesMax) {
    diagnostics.Report(Code::kFileTooLarge, {file.id(), 0, 0}, "", {"1 MiB"})
        .Help("divide it into files and `import` them");
    return false;
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    diagnostics.Report(Code::kInvalidUtf8, {file.id(), 0, 2}, "this is UTF-16")
        .Help("save the file as UTF-8");
    return false;
  }
  for (size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      if (text[i] == '\0') {
        uint32_t at = static_cast<uint32_t>(i);
        diagnostics
            .Report(Code::kInvalidUtf8, {file.id(), at, at + 1},
                    "a NUL byte: this is not a text file")
            .Help("save the file as UTF-8");
        return false;
      }
      ++i;
      continue;
    }
    Utf8Character c = DecodeUtf8(text, i);
    if (!c.valid) {
      uint32_t at = static_cast<uint32_t>(i);
      diagnostics
          .Report(Code::kInvalidUtf8, {file.id(), at, at + 1}, "this byte is part of no character")
          .Help("save the file as UTF-8");
      return false;
    }
    i += c.size;
  }
  return true;
}

}  // namespace

ast::File Parse(const SourceFile& file, Diagnostics& diagnostics) {
  ast::File result;
  result.file = file.id();
  if (!CheckBytes(file, diagnostics)) return result;

  Diagnostics found;
  std::string_view text = file.text();
  size_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark
  std::vector<Token> raw = Lex(text.substr(skipped));
  for (Token& t : raw) {
    t.begin += static_cast<uint32_t>(skipped);
    t.end += static_cast<uint32_t>(skipped);
  }
  LayoutResult layout = LayOut(file, raw, found);
  SyntaxMessages messages(file, found);
  Builder builder(file, layout.comments, found);
  for (const Chunk& chunk : layout.chunks)
    result.decls.push_back(ParseChunk(chunk, file, messages, builder, found));
  result.comments = std::move(layout.comments);

  std::vector<Diagnostic> sorted = found.Sorted();
  for (size_t i = 0; i < sorted.size() && i < kErrorsShownMax; ++i)
    diagnostics.Add(std::move(sorted[i]));
  if (sorted.size() > kErrorsShownMax) {
    diagnostics.Report(Code::kTooManyErrors, sorted[kErrorsShownMax].primary.span,
                       "the next one is here");
  }
  return result;
}

}  // namespace weirc
