// compiler/diagnostics/render.h — Diagnostics as text for people, and as lines for programs.
#pragma once

#include <string>

#include "compiler/base/source.h"
#include "compiler/diagnostics/diagnostics.h"

namespace weirc {

struct RenderOptions {
  bool color = false;
};

// The layout of rustc: message, place, the line with its underlined span and labels, help and
// notes; a blank line after each. Any bytes of the source are shown safely: control characters and
// broken UTF-8 as marks, long lines cut.
std::string RenderText(const Diagnostics& diagnostics, const SourceSet& sources,
                       RenderOptions options = {});
// The last line of a report, e.g. "2 errors, 1 warning"; empty when there is nothing.
std::string RenderSummary(const Diagnostics& diagnostics);
// One JSON object per line:
// {"code","severity","message","file","line","column","end_line","end_column","label","secondary":[{…}],"help":[],"notes":[]}
std::string RenderJson(const Diagnostics& diagnostics, const SourceSet& sources);
// Workflow commands that GitHub shows beside the changed line: ::error
// file=…,line=…,col=…,title=…::…
std::string RenderGithub(const Diagnostics& diagnostics, const SourceSet& sources);
// The plain form that golden tests compare, free of layout: one line for each fact.
//   error[W0201] 7:11-7:17: no field `amonut` in `Order`
//     label: did you mean `amount`?
//     3:5-3:9: declared here
//     help: …
// Places in a file other than the first of the set carry its path.
std::string RenderPlain(const Diagnostics& diagnostics, const SourceSet& sources);

}  // namespace weirc
