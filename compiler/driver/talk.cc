#include "compiler/driver/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/diagnostics/render.h"

namespace weirc {
namespace {

bool IsSet(const char* name) {
  const char* value = getenv(name);
  return value != nullptr && *value != 0;
}

}  // namespace

void Talk::Show(const Diagnostics& diagnostics, const SourceSet& sources) const {
  switch (format) {
    case TalkFormat::kText: {
      std::string text = RenderText(diagnostics, sources, {.color = color});
      if (std::string summary = RenderSummary(diagnostics); !summary.empty()) {
        text += summary + "\n";
      }
      fputs(text.c_str(), stderr);
      return;
    }
    case TalkFormat::kJson:
      fputs(RenderJson(diagnostics, sources).c_str(), stdout);
      return;
    case TalkFormat::kGithub:
      fputs(RenderGithub(diagnostics, sources).c_str(), stdout);
      return;
  }
}

void Talk::Error(const std::string& message) const {
  fprintf(stderr, "%serror%s: %s\n", color ? "\033[1;31m" : "", color ? "\033[0m" : "",
          message.c_str());
}

void Talk::Note(const std::string& message) const { fprintf(stderr, "%s\n", message.c_str()); }

bool MakeTalk(const std::string& format, const std::string& color, Talk* talk,
              std::string* error) {
  if (format == "json") {
    talk->format = TalkFormat::kJson;
  } else if (format == "github") {
    talk->format = TalkFormat::kGithub;
  } else if (format == "text") {
    talk->format = TalkFormat::kText;
  } else if (format.empty()) {
    const char* actions = getenv("GITHUB_ACTIONS");
    bool on_github = actions != nullptr && strcmp(actions, "true") == 0;
    talk->format = on_github ? TalkFormat::kGithub : TalkFormat::kText;
  } else {
    *error = "--format is text, json or github, not " + format;
    return false;
  }
  if (color == "always") {
    talk->color = true;
  } else if (color == "never") {
    talk->color = false;
  } else if (color.empty() || color == "auto") {
    const char* terminal = getenv("TERM");
    talk->color = isatty(2) && !IsSet("NO_COLOR") &&
                  !(terminal != nullptr && strcmp(terminal, "dumb") == 0);
  } else {
    *error = "--color is auto, always or never, not " + color;
    return false;
  }
  return true;
}

}  // namespace weirc
