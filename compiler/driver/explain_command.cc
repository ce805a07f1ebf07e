// weir explain: what an error code means, and how to fix it.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/base/suggest.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/driver/commands.h"
#include "compiler/tools/explain.h"

namespace weirc {

int ExplainCommand(const Weir& weir, const std::string& word) {
  auto code = FindCode(word);
  if (!code) {
    std::vector<std::string> ids;
    for (const CodeInfo& info : AllCodes()) ids.emplace_back(info.id);
    auto nearest = DidYouMean(word, ids);
    weir.talk.Error("there is no code " + word +
                    (nearest ? "; did you mean " + *nearest + "?" : "; codes look like W0201"));
    return kExitFailed;
  }
  // The page is data: coloured only when stdout itself is a terminal.
  std::string text = ExplainText(*code, weir.talk.color && isatty(1));
  if (text.empty()) {
    const CodeInfo& info = InfoOf(*code);
    text = std::string(info.id) + ": " + std::string(info.message) + "\n";
  }
  fputs(text.c_str(), stdout);
  return kExitClean;
}

}  // namespace weirc
