// compiler/parse/source_tokens.cc — The tokens of a correct file for tools that rewrite its text.
#include "compiler/parse/source_tokens.h"

#include "WeirLexer.h"
#include "compiler/parse/tokens.h"

namespace weirc {

using L = WeirLexer;

std::vector<SourceToken> SourceTokens(const SourceFile& file, std::vector<ast::Comment>* comments) {
  Diagnostics none;
  std::string_view text = file.text();
  uint32_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  std::vector<Token> raw = Lex(text.substr(skipped));
  for (Token& t : raw) {
    t.begin += skipped;
    t.end += skipped;
  }
  LayoutResult layout = LayOut(file, raw, none);
  *comments = std::move(layout.comments);
  std::vector<SourceToken> tokens;
  for (const Chunk& chunk : layout.chunks) {
    size_t string_depth = 0;
    for (const Token& t : chunk.tokens) {
      Span span{file.id(), t.begin, t.end};
      if (t.type == L::QUOTE || t.type == L::TQUOTE) {
        if (string_depth++ == 0) tokens.push_back({SourceTokenKind::kString, {}, span});
        continue;
      }
      if (t.type == L::UNQUOTE) {
        if (--string_depth == 0) {
          tokens.back().span = Join(tokens.back().span, span);
          tokens.back().text = file.Text(tokens.back().span);
        }
        continue;
      }
      if (string_depth > 0) continue;
      SourceTokenKind kind = SourceTokenKind::kSign;
      switch (t.type) {
        case L::INT:
        case L::DEC:
        case L::DURATION:
        case L::TIMESTAMP:
        case L::DATE: kind = SourceTokenKind::kLiteral; break;
        case L::LBRACE:
        case L::LPAR:
        case L::LBRK: kind = SourceTokenKind::kOpen; break;
        case L::RBRACE:
        case L::RPAR:
        case L::RBRK: kind = SourceTokenKind::kClose; break;
        case L::COMMA: kind = SourceTokenKind::kComma; break;
        case L::NL: kind = SourceTokenKind::kSeparator; break;
        case kEof: kind = SourceTokenKind::kEnd; break;
        default:
          if (IsName(t.type) || IsReserved(t.type) || t.type == L::UNDERSCORE)
            kind = SourceTokenKind::kWord;
          break;
      }
      tokens.push_back({kind, file.Text(span), span});
    }
  }
  // A comment inside the braces of a string belongs to the string's text.
  size_t next = 0;
  std::erase_if(*comments, [&](const ast::Comment& comment) {
    while (next < tokens.size() && tokens[next].span.end <= comment.span.begin) ++next;
    return next < tokens.size() && tokens[next].kind == SourceTokenKind::kString &&
           tokens[next].span.begin < comment.span.begin;
  });
  return tokens;
}

}  // namespace weirc
