// compiler/parse/tokens.h — Tokens between lexer, layout and parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/ast.h"

namespace weirc {

// Types are the constants of WeirLexer; kEof stands for ANTLR's.
inline constexpr size_t kEof = static_cast<size_t>(-1);

struct Token {
  size_t type = kEof;
  uint32_t begin = 0;  // bytes of the file
  uint32_t end = 0;
  // Brackets of the declaration open around it; a bracket and its partner have the same.
  uint32_t depth = 0;
  bool reported = false;  // already explained: an error at it is silent
  bool inserted = false;  // stands for a bracket that was missing; its span is empty
};

// The tokens of one declaration: brackets pair up, line ends that separate are NL tokens, and an
// EOF token ends it.
struct Chunk {
  std::vector<Token> tokens;
  bool broken = false;  // something was reported whose repair is a guess
  // Stretches behind a bracket that was left open: what does not fit there is its consequence, and
  // silent.
  std::vector<std::pair<uint32_t, uint32_t>> doubtful;
};

// --- lexer.cc

// Everything the lexer finds, comments and line ends included. The text must be valid UTF-8 without
// NUL bytes.
std::vector<Token> Lex(std::string_view text);

// --- layout.cc

struct LayoutResult {
  std::vector<Chunk> chunks;  // each starts with a declaration word
  std::vector<ast::Comment> comments;
};

// Rules R1 and R10 of the language: which line ends separate, where declarations start. Reports
// what can be known from tokens alone — unpaired brackets, unterminated strings, bad numbers and
// characters, operators of other languages — and repairs it, so that the parser does not stumble
// over it again.
LayoutResult LayOut(const SourceFile& file, const std::vector<Token>& raw,
                    Diagnostics& diagnostics);

// --- words.cc

// A word that starts a declaration, or a step.
bool StartsDeclaration(size_t type);
bool StartsStep(size_t type);
// Any word that may be a name, and the reserved ones.
bool IsName(size_t type);
bool IsReserved(size_t type);
// True if a value may end with such a token, and if one may start with it.
bool EndsValue(size_t type);
bool StartsValue(size_t type);
// The fixed text of a keyword or sign; empty for names, literals and the like.
std::string_view FixedText(size_t type);
// All declaration words and step words, for suggestions.
const std::vector<std::string>& DeclarationWords();
const std::vector<std::string>& StepWords();

}  // namespace weirc
