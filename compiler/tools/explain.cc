// compiler/tools/explain.cc — The pages of error codes for a terminal.
#include "compiler/tools/explain.h"

#include "compiler/tools/error_pages.h"

namespace weirc {
namespace {

// `code` in a line of text, in cyan.
std::string PaintCode(std::string_view line, bool color) {
  if (!color) return std::string(line);
  std::string painted;
  bool inside = false;
  for (char c : line) {
    if (c == '`') {
      painted += inside ? "`\x1b[0m" : "\x1b[36m`";
      inside = !inside;
    } else {
      painted += c;
    }
  }
  if (inside) painted += "\x1b[0m";
  return painted;
}

}  // namespace

std::string_view ErrorPage(Code code) {
  std::string_view id = InfoOf(code).id;
  for (const EmbeddedPage& page : EmbeddedPages()) {
    if (page.id == id) return page.markdown;
  }
  return {};
}

std::string ExplainText(Code code, bool color) {
  std::string_view page = ErrorPage(code);
  if (page.empty()) return {};
  std::string text;
  bool program = false;
  while (!page.empty()) {
    size_t end = page.find('\n');
    std::string_view line = page.substr(0, end);
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    if (line.starts_with("```")) {
      // The fence says what the program is: ```weir fail, ```weir fixed.
      if (!program && line.find(" fail") != std::string_view::npos) text += "This fails:\n\n";
      if (!program && line.find(" fixed") != std::string_view::npos) text += "This works:\n\n";
      program = !program;
      continue;
    }
    if (program) {
      text += line.empty() ? "\n" : "    " + std::string(line) + "\n";
    } else if (line.starts_with("# ")) {
      std::string_view title = line.substr(2);
      text += color ? "\x1b[1m" + std::string(title) + "\x1b[0m\n" : std::string(title) + "\n";
    } else {
      text += PaintCode(line, color) + "\n";
    }
  }
  return text;
}

}  // namespace weirc
