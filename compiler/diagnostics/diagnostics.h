// compiler/diagnostics/diagnostics.h — What the compiler has to say about a program: facts,
// collected in a sink.
//
// Stages report and go on; only render.h makes text of it.
//
//   diagnostics.Report(Code::kUnknownField, name.span, "did you mean `amount`?", {name.text,
//   type.text})
//       .Secondary(record.name.span, "`Order` is declared here")
//       .Help("write `amount`");
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/span.h"

namespace weirc {

enum class Severity : uint8_t { Error, Warning };

// kUnknownField and so on: one for each line of codes.def.
enum class Code : uint16_t {
#define WEIR_DIAGNOSTIC(code, name, severity, message) k##name,
#include "compiler/diagnostics/codes.def"
#undef WEIR_DIAGNOSTIC
};

struct CodeInfo {
  Code code;
  std::string_view id;    // "W0201"
  std::string_view name;  // "UnknownField"
  Severity severity;
  std::string_view message;  // with {0}, {1} …
};

// All codes in the order of codes.def.
const std::vector<CodeInfo>& AllCodes();
const CodeInfo& InfoOf(Code code);
// "W0201" or "w0201" or "201"; nothing when there is no such code.
std::optional<Code> FindCode(std::string_view id);

struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Code code;
  Severity severity;
  std::string message;  // arguments filled in
  Label primary;        // its span is invalid when the problem has no place
  std::vector<Label> secondary;
  std::vector<std::string> help;   // what to do, as text to paste
  std::vector<std::string> notes;  // what else matters
};

// An argument of a message: text, a character view or any integer.
class MessageArg {
 public:
  MessageArg(std::string text) : text_(std::move(text)) {}
  MessageArg(std::string_view text) : text_(text) {}
  MessageArg(const char* text) : text_(text) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  MessageArg(T number) : text_(std::to_string(number)) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Diagnostics;

// Adds to the diagnostic just reported. Use it at once: it does not survive the next Report.
class Reported {
 public:
  Reported& Secondary(Span span, std::string text);
  Reported& Help(std::string text);
  Reported& Note(std::string text);

 private:
  friend class Diagnostics;
  Reported(Diagnostics* sink, size_t index) : sink_(sink), index_(index) {}
  Diagnostics* sink_;
  size_t index_;
};

class Diagnostics {
 public:
  // The label says why here; it may be empty. The count of arguments must be that of the message's
  // placeholders.
  Reported Report(Code code, Span span, std::string label = {},
                  std::initializer_list<MessageArg> args = {});

  // Takes over what another sink has collected.
  void Add(Diagnostic diagnostic);

  bool HasErrors() const { return error_count_ > 0; }
  bool IsEmpty() const { return list_.empty(); }
  // As reported.
  const std::vector<Diagnostic>& list() const { return list_; }
  // By file, place and code; equal ones (code, place and message) once. What renderers show.
  std::vector<Diagnostic> Sorted() const;
  // True if an error touches the span: a later stage keeps silent about what an earlier one has
  // explained.
  bool HasErrorIn(Span span) const;

 private:
  friend class Reported;
  std::vector<Diagnostic> list_;
  size_t error_count_ = 0;
};

// Replaces {0} … {9}; other braces stay.
std::string FillMessage(std::string_view message, std::initializer_list<MessageArg> args);

}  // namespace weirc
