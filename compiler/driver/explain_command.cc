// weir explain: the page of docs/errors for a code, which is part of the program.
#include <stdio.h>

#include <string_view>

#include "compiler/base/suggest.h"
#include "compiler/diagnostics/diagnostics.h"
#include "compiler/driver/commands.h"

namespace weirc {

// The text of docs/errors/<id>.md, or empty when there is none. Generated (explain_pages.cmake).
std::string_view ExplainPage(std::string_view id);

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
  const CodeInfo& info = InfoOf(*code);
  std::string_view page = ExplainPage(info.id);
  if (page.empty()) {
    printf("%.*s: %.*s\n", static_cast<int>(info.id.size()), info.id.data(),
           static_cast<int>(info.message.size()), info.message.data());
  } else {
    fwrite(page.data(), 1, page.size(), stdout);
  }
  return kExitClean;
}

}  // namespace weirc
