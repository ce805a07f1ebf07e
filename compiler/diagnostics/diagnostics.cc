// compiler/diagnostics/diagnostics.cc — What the compiler has to say about a program: facts,
// collected in a sink.
#include "compiler/diagnostics/diagnostics.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <tuple>

namespace weirc {

const std::vector<CodeInfo>& AllCodes() {
  static const std::vector<CodeInfo> codes = {
#define WEIR_DIAGNOSTIC(code, name, severity, message) \
  {Code::k##name, #code, #name, Severity::severity, message},
#include "compiler/diagnostics/codes.def"
#undef WEIR_DIAGNOSTIC
  };
  return codes;
}

const CodeInfo& InfoOf(Code code) { return AllCodes()[static_cast<size_t>(code)]; }

std::optional<Code> FindCode(std::string_view id) {
  if (!id.empty() && (id[0] == 'W' || id[0] == 'w')) id.remove_prefix(1);
  while (id.size() > 1 && id[0] == '0') id.remove_prefix(1);
  if (id.empty()) return std::nullopt;
  for (const CodeInfo& info : AllCodes()) {
    std::string_view number = info.id.substr(1);
    while (number.size() > 1 && number[0] == '0') number.remove_prefix(1);
    if (number == id) return info.code;
  }
  return std::nullopt;
}

std::string FillMessage(std::string_view message, std::initializer_list<MessageArg> args) {
  std::string text;
  for (size_t i = 0; i < message.size(); ++i) {
    bool placeholder = message[i] == '{' && i + 2 < message.size() && message[i + 1] >= '0' &&
                       message[i + 1] <= '9' && message[i + 2] == '}';
    if (!placeholder) {
      text += message[i];
      continue;
    }
    size_t index = static_cast<size_t>(message[i + 1] - '0');
    assert(index < args.size() && "a message has more placeholders than arguments");
    if (index < args.size()) text += (args.begin() + index)->text();
    i += 2;
  }
  return text;
}

Reported& Reported::Secondary(Span span, std::string text) {
  sink_->list_[index_].secondary.push_back({span, std::move(text)});
  return *this;
}

Reported& Reported::Help(std::string text) {
  sink_->list_[index_].help.push_back(std::move(text));
  return *this;
}

Reported& Reported::Note(std::string text) {
  sink_->list_[index_].notes.push_back(std::move(text));
  return *this;
}

Reported Diagnostics::Report(Code code, Span span, std::string label,
                             std::initializer_list<MessageArg> args) {
  const CodeInfo& info = InfoOf(code);
  list_.push_back(
      {code, info.severity, FillMessage(info.message, args), {span, std::move(label)}, {}, {}, {}});
  if (info.severity == Severity::Error) ++error_count_;
  return Reported(this, list_.size() - 1);
}

void Diagnostics::Add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::Error) ++error_count_;
  list_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  // A problem without a place comes first: it usually concerns the whole file. Equal places keep
  // the order of reporting.
  auto place = [this](size_t i) {
    const Span& s = list_[i].primary.span;
    return std::tuple(s.IsValid() ? static_cast<uint64_t>(s.file) + 1 : 0, s.begin, s.end,
                      list_[i].code, i);
  };
  std::vector<size_t> order(list_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return place(a) < place(b); });
  std::vector<Diagnostic> sorted;
  for (size_t i : order) {
    const Diagnostic& d = list_[i];
    bool repeated = false;  // those of the same place stand together
    for (size_t k = sorted.size();
         k-- > 0 && sorted[k].primary.span == d.primary.span && !repeated;) {
      repeated = sorted[k].code == d.code && sorted[k].message == d.message;
    }
    if (!repeated) sorted.push_back(d);
  }
  return sorted;
}

bool Diagnostics::HasErrorIn(Span span) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Diagnostic& d) {
    const Span& s = d.primary.span;
    return d.severity == Severity::Error && s.file == span.file && s.begin <= span.end &&
           s.end >= span.begin;
  });
}

}  // namespace weirc
