// Writes C++ text.
#include "compiler/emit/cpp_writer.h"

#include "compiler/emit/names.h"

namespace weirc::emit {

void CppWriter::Put(std::string_view text, int indent) {
  if (!text.empty() && text[0] != '#') out_.append(static_cast<size_t>(indent) * 2, ' ');
  out_ += text;
  out_ += '\n';
  ++lines_;
  ++user_line_;
}

void CppWriter::Own() {
  if (!in_user_) return;
  in_user_ = false;
  // The directive names the line that follows it.
  Put("#line " + std::to_string(lines_ + 2) + " " + StringLiteral(own_name_), 0);
}

void CppWriter::User(Span span) {
  std::string file = FileOf(span);
  uint32_t line = LineOf(span);
  if (in_user_ && user_file_ == file && user_line_ == line) return;
  Put("#line " + std::to_string(line) + " " + StringLiteral(file), 0);
  in_user_ = true;
  user_file_ = std::move(file);
  user_line_ = line;
}

void CppWriter::Line(std::string_view text) {
  Own();
  Put(text, indent_);
}

void CppWriter::Open(std::string_view text) {
  Line(text);
  ++indent_;
}

void CppWriter::Turn(std::string_view text) {
  --indent_;
  Line(text);
  ++indent_;
}

void CppWriter::Close(std::string_view text) {
  --indent_;
  Line(text);
}

void CppWriter::Write(const Code& code) {
  for (const Code::Line& line : code.lines()) {
    if (line.span.IsValid() && sources_.Find(line.span) != nullptr) {
      User(line.span);
    } else {
      Own();
    }
    Put(line.text, indent_ + line.indent);
  }
}

uint32_t CppWriter::LineOf(Span span) const {
  const SourceFile* file = sources_.Find(span);
  return file == nullptr ? 0 : file->Locate(span.begin).line;
}

std::string CppWriter::FileOf(Span span) const {
  const SourceFile* file = sources_.Find(span);
  if (file == nullptr) return "";
  // Relative paths are the same on every machine; of absolute ones only the name is.
  const std::string& path = file->path();
  return path.starts_with('/') ? path.substr(path.rfind('/') + 1) : path;
}

std::string CppWriter::Place(Span span) const { return FileOf(span) + ":" + std::to_string(LineOf(span)); }

void CppWriter::UserComment(Span span) {
  const SourceFile* file = sources_.Find(span);
  if (file == nullptr) return;
  std::string_view text = file->Text(span);
  Line("// " + CommentText(Place(span)) + "  " + CommentText(text));
}

std::string CppWriter::Take() {
  Own();
  return std::move(out_);
}

}  // namespace weirc::emit
