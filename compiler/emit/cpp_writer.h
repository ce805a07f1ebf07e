// Writes C++ text: indentation, and #line between the user's file and our own. Emit functions read like their output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source.h"
#include "compiler/base/span.h"

namespace weirc::emit {

// Statements of one function, before they have a place in a file: what expressions leave behind.
class Code {
 public:
  struct Line {
    int indent;
    std::string text;
    Span span;  // of the user's text it comes from; invalid: none
  };

  // `span` of the lines that follow; an invalid one for code that stands for no text of the user's.
  void At(Span span) { span_ = span; }
  Span at() const { return span_; }
  void Add(std::string text) { lines_.push_back({indent_, std::move(text), span_}); }
  void Open(std::string text) {
    Add(std::move(text));
    ++indent_;
  }
  // `} else {` and the like: one step out and in again.
  void Turn(std::string text) {
    --indent_;
    Add(std::move(text));
    ++indent_;
  }
  void Close(std::string text = "}") {
    --indent_;
    Add(std::move(text));
  }
  void Append(const Code& other) {
    for (const Line& line : other.lines_) lines_.push_back({line.indent + indent_, line.text, line.span});
  }
  bool empty() const { return lines_.empty(); }
  std::vector<Line>& lines() { return lines_; }
  const std::vector<Line>& lines() const { return lines_; }

 private:
  int indent_ = 0;
  Span span_;
  std::vector<Line> lines_;
};

class CppWriter {
 public:
  // `own_name`: what the generated file is called in messages, "trade_enrichment.gen.cc".
  CppWriter(const SourceSet& sources, std::string own_name) : sources_(sources), own_name_(std::move(own_name)) {}

  void Line(std::string_view text = "");
  void Open(std::string_view text);
  void Turn(std::string_view text);
  void Close(std::string_view text = "}");
  void Write(const Code& code);
  // "// pipeline.weir:9  | where amount > 0"
  void UserComment(Span span);
  // The lines that follow are our own again.
  void Own();

  // Ends with a newline.
  std::string Take();

  // "pipeline.weir:9", the file without its folders.
  std::string Place(Span span) const;
  uint32_t LineOf(Span span) const;
  std::string FileOf(Span span) const;

 private:
  void User(Span span);
  void Put(std::string_view text, int indent);

  const SourceSet& sources_;
  std::string own_name_;
  std::string out_;
  int indent_ = 0;
  uint32_t lines_ = 0;        // written so far
  bool in_user_ = false;      // mapped to the user's file
  std::string user_file_;
  uint32_t user_line_ = 0;    // that the next line would have
};

}  // namespace weirc::emit
