// compiler/diagnostics/render.cc — The short forms: summary, JSON, GitHub, and the plain one of
// golden tests.
#include "compiler/diagnostics/render.h"

#include <cstdio>

#include "compiler/base/utf8.h"

namespace weirc {
namespace {

const char* SeverityWord(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

// Broken UTF-8 becomes U+FFFD, so that the result is valid JSON whatever the source holds.
std::string JsonString(std::string_view text) {
  std::string json = "\"";
  for (size_t i = 0; i < text.size();) {
    Utf8Character c = DecodeUtf8(text, i);
    if (!c.valid) {
      json += "\\ufffd";
    } else if (c.code == '"' || c.code == '\\') {
      json += '\\';
      json += static_cast<char>(c.code);
    } else if (c.code == '\n') {
      json += "\\n";
    } else if (c.code < 0x20 || c.code == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c.code));
      json += escape;
    } else {
      json += text.substr(i, c.size);
    }
    i += c.size;
  }
  return json + "\"";
}

std::string JsonPlace(Span span, const SourceSet& sources) {
  const SourceFile* file = sources.Find(span);
  if (file == nullptr)
    return "\"file\":null,\"line\":null,\"column\":null,\"end_line\":null,\"end_column\":null";
  LineColumn begin = file->Locate(span.begin);
  LineColumn end = file->Locate(span.end);
  return "\"file\":" + JsonString(file->path()) + ",\"line\":" + std::to_string(begin.line) +
         ",\"column\":" + std::to_string(begin.column) +
         ",\"end_line\":" + std::to_string(end.line) +
         ",\"end_column\":" + std::to_string(end.column);
}

std::string JsonList(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) json += (json.size() > 1 ? "," : "") + JsonString(text);
  return json + "]";
}

// What a workflow command's message and properties must not contain is written as %XX.
std::string GithubEscape(std::string_view text, bool property) {
  std::string escaped;
  for (char c : text) {
    if (c == '%') escaped += "%25";
    else if (c == '\r') escaped += "%0D";
    else if (c == '\n') escaped += "%0A";
    else if (property && c == ':') escaped += "%3A";
    else if (property && c == ',') escaped += "%2C";
    else escaped += c;
  }
  return escaped;
}

// "7:11-7:17", with the path in front for another file than the first.
std::string PlainPlace(Span span, const SourceSet& sources) {
  const SourceFile* file = sources.Find(span);
  if (file == nullptr) return "-";
  LineColumn begin = file->Locate(span.begin);
  LineColumn end = file->Locate(span.end);
  std::string place = std::to_string(begin.line) + ":" + std::to_string(begin.column);
  if (begin != end) place += "-" + std::to_string(end.line) + ":" + std::to_string(end.column);
  return file->id() == 0 ? place : file->path() + ":" + place;
}

}  // namespace

std::string RenderSummary(const Diagnostics& diagnostics) {
  size_t errors = 0, warnings = 0;
  for (const Diagnostic& d : diagnostics.Sorted())
    ++(d.severity == Severity::Error ? errors : warnings);
  auto count = [](size_t n, const char* word) {
    return std::to_string(n) + " " + word + (n == 1 ? "" : "s");
  };
  std::string text;
  if (errors > 0) text = count(errors, "error");
  if (warnings > 0) text += (text.empty() ? "" : ", ") + count(warnings, "warning");
  return text;
}

std::string RenderJson(const Diagnostics& diagnostics, const SourceSet& sources) {
  std::string json;
  for (const Diagnostic& d : diagnostics.Sorted()) {
    json += "{\"code\":\"" + std::string(InfoOf(d.code).id) + "\",\"severity\":\"" +
            SeverityWord(d.severity) + "\",\"message\":" + JsonString(d.message) + "," +
            JsonPlace(d.primary.span, sources) + ",\"label\":" + JsonString(d.primary.text) +
            ",\"secondary\":[";
    for (size_t i = 0; i < d.secondary.size(); ++i) {
      json += (i > 0 ? ",{" : "{") + JsonPlace(d.secondary[i].span, sources) +
              ",\"label\":" + JsonString(d.secondary[i].text) + "}";
    }
    json += "],\"help\":" + JsonList(d.help) + ",\"notes\":" + JsonList(d.notes) + "}\n";
  }
  return json;
}

std::string RenderGithub(const Diagnostics& diagnostics, const SourceSet& sources) {
  std::string text;
  for (const Diagnostic& d : diagnostics.Sorted()) {
    text += std::string("::") + SeverityWord(d.severity) + " ";
    if (const SourceFile* file = sources.Find(d.primary.span)) {
      LineColumn begin = file->Locate(d.primary.span.begin);
      LineColumn end = file->Locate(d.primary.span.end);
      text += "file=" + GithubEscape(file->path(), true) + ",line=" + std::to_string(begin.line) +
              ",endLine=" + std::to_string(end.line) + ",col=" + std::to_string(begin.column) + ",";
      // GitHub takes an end column only within one line.
      if (begin.line == end.line) text += "endColumn=" + std::to_string(end.column) + ",";
    }
    std::string message = d.message;
    if (!d.primary.text.empty()) message += ": " + d.primary.text;
    for (const std::string& help : d.help) message += "\nhelp: " + help;
    for (const std::string& note : d.notes) message += "\nnote: " + note;
    text += "title=" + std::string(InfoOf(d.code).id) + "::" + GithubEscape(message, false) + "\n";
  }
  return text;
}

std::string RenderPlain(const Diagnostics& diagnostics, const SourceSet& sources) {
  std::string text;
  for (const Diagnostic& d : diagnostics.Sorted()) {
    text += std::string(SeverityWord(d.severity)) + "[" + std::string(InfoOf(d.code).id) + "] " +
            PlainPlace(d.primary.span, sources) + ": " + d.message + "\n";
    if (!d.primary.text.empty()) text += "  label: " + d.primary.text + "\n";
    for (const Label& label : d.secondary)
      text += "  " + PlainPlace(label.span, sources) + ": " + label.text + "\n";
    for (const std::string& help : d.help) text += "  help: " + help + "\n";
    for (const std::string& note : d.notes) text += "  note: " + note + "\n";
  }
  return text;
}

}  // namespace weirc
