// compiler/parse/syntax_messages.h — What a person reads when a sentence of the language is wrong.
#pragma once

#include <string>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/parse/tokens.h"

namespace weirc {

class SyntaxMessages {
 public:
  SyntaxMessages(const SourceFile& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  // The token at `index` does not fit. `rules` are the grammar's rules around the place, the
  // innermost first; `expected` says for each token type whether it would have fitted. Silent about
  // tokens that were reported already.
  void Report(const Chunk& chunk, size_t index, const std::vector<size_t>& rules,
              const std::vector<bool>& expected);

 private:
  struct Site;
  // Each looks for one misunderstanding, and reports it if that is what happened.
  bool Habits(const Site& s);
  bool StepHabits(const Site& s);
  bool ExpressionHabits(const Site& s);
  bool BlockHabits(const Site& s);
  bool TypeHabits(const Site& s);
  void Plain(const Site& s);
  // Words that are operators elsewhere: is, like, between …
  static bool IsOperatorWord(const std::string& word);
  static size_t OpenChoice(const Site& s);

  bool EndsStep(const Site& s, size_t index) const;
  std::string Found(const Site& s, size_t index) const;
  std::string Expected(const Site& s) const;
  Span SpanOf(const Site& s, size_t index) const;
  std::string TextOf(const Site& s, size_t index) const;

  const SourceFile& file_;
  Diagnostics& diagnostics_;
};

}  // namespace weirc
