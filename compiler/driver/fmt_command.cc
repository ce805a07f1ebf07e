// weir fmt: one style. Files are rewritten in place; with - text goes from stdin to stdout.
#include <stdio.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/diff.h"
#include "compiler/driver/files.h"
#include "compiler/tools/format.h"

namespace weirc {
namespace {

// Formats one text. kExitFindings: it has syntax errors (shown), or is not formatted and should have been.
int FormatOne(const Weir& weir, const FmtArguments& arguments, const std::string& path, std::string text) {
  SourceSet sources;
  Diagnostics diagnostics;
  const SourceFile& source = sources.Add(path, std::move(text));
  const std::string formatted = Format(source, diagnostics);
  if (diagnostics.HasErrors()) {
    weir.talk.Show(diagnostics, sources);
    return kExitFindings;
  }
  const bool stdin_text = path == "-";
  const bool changed = formatted != source.text();
  if (arguments.diff) {
    fputs(UnifiedDiff(path, source.text(), formatted).c_str(), stdout);
    return changed ? kExitFindings : kExitClean;
  }
  if (arguments.check) {
    if (changed) weir.talk.Note(path + " is not formatted");
    return changed ? kExitFindings : kExitClean;
  }
  if (stdin_text) {
    fwrite(formatted.data(), 1, formatted.size(), stdout);
  } else if (changed) {
    std::string error;
    if (!WriteFile(path, formatted, &error)) {
      weir.talk.Error(error);
      return kExitFailed;
    }
    weir.talk.Note("formatted " + path);
  }
  return kExitClean;
}

}  // namespace

int FmtCommand(const Weir& weir, const FmtArguments& arguments) {
  std::string text, error;
  if (arguments.paths == std::vector<std::string>{"-"}) {
    if (!ReadFile("/dev/stdin", &text, &error)) {
      weir.talk.Error(error);
      return kExitFailed;
    }
    return FormatOne(weir, arguments, "-", std::move(text));
  }
  std::vector<std::string> files;
  if (!FindPipelines(arguments.paths.empty() ? std::vector<std::string>{"."} : arguments.paths, &files, &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  int exit_code = kExitClean;
  for (const std::string& file : files) {
    if (!ReadFile(file, &text, &error)) {
      weir.talk.Error(error);
      return kExitFailed;
    }
    int code = FormatOne(weir, arguments, file, std::move(text));
    if (code == kExitFailed) return code;
    if (code != kExitClean) exit_code = code;
  }
  return exit_code;
}

}  // namespace weirc
