// How the `weir` command talks: diagnostics in the chosen form, its own errors, and exit codes.
// Data goes to stdout, talk to stderr; diagnostics for programs (json, github) are data.
#pragma once

#include <string>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"

namespace weirc {

// What `weir` ends with. `weir run` ends with the pipeline's own code instead, once that has started.
enum ExitCode : int {
  kExitClean = 0,
  kExitFindings = 1,  // errors in a pipeline, failed tests, files that are not formatted
  kExitFailed = 2,    // could not do it: wrong arguments, a file that cannot be read or written, a broken installation
};

enum class TalkFormat { kText, kJson, kGithub };

struct Talk {
  TalkFormat format = TalkFormat::kText;
  bool color = false;

  // Shows all diagnostics, with a closing count in the text form.
  void Show(const Diagnostics& diagnostics, const SourceSet& sources) const;
  // "error: …" on stderr; what the command itself could not do.
  void Error(const std::string& message) const;
  // A line of progress or result on stderr.
  void Note(const std::string& message) const;
};

// Reads --format and --color as given ("" when not): github by itself under GITHUB_ACTIONS, colours only on a terminal
// and never with NO_COLOR. False when a word is none of the allowed.
bool MakeTalk(const std::string& format, const std::string& color, Talk* talk, std::string* error);

}  // namespace weirc
