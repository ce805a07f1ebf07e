// Fed: the bytes of a .weir file, as `weir check` and `weir build` read it.
//
// Must hold: nothing crashes, whatever the bytes are. Every diagnostic points into the file, and every form
// of showing diagnostics takes it. A file without errors can be planned, with and without its tests, and
// written as C++. A file without syntax errors can be formatted; the result has none either, and formatting
// it again changes nothing.
//
// The golden programs of tests/ are seeds: as there, what stands behind `--- ` at a line's begin is not the
// program's. Half of all changes are made word by word, since a program with one wrong byte never gets behind
// the parser.
#include <algorithm>
#include <cctype>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/casting.h"
#include "compiler/base/source.h"
#include "compiler/check/check.h"
#include "compiler/diagnostics/render.h"
#include "compiler/emit/emit.h"
#include "compiler/parse/parse.h"
#include "compiler/plan/passes.h"
#include "compiler/tools/format.h"
#include "tests/fuzz/fuzz.h"

using namespace weirc;

namespace {

void CheckSpans(const Diagnostics& diagnostics, const SourceFile& file) {
  auto inside = [&](Span span) {
    if (!span.IsValid()) return true;  // a problem without a place
    return span.file == file.id() && span.begin <= span.end && span.end <= file.text().size();
  };
  for (const Diagnostic& d : diagnostics.list()) {
    std::string id(InfoOf(d.code).id);
    FUZZ_CHECK(inside(d.primary.span), id, d.message);
    for (const Label& label : d.secondary) FUZZ_CHECK(inside(label.span), id, label.text);
  }
}

void CheckAll(std::string_view text) {
  SourceSet sources;
  Diagnostics diagnostics;
  const SourceFile& file = sources.Add("fuzz.weir", std::string(text));
  ast::File tree = Parse(file, diagnostics);
  // There are no other files, and the driver says so before it checks.
  for (const ast::DeclPtr& decl : tree.decls) {
    const auto* import = As<ast::ImportDecl>(decl);
    if (import == nullptr || import->broken || !import->path) continue;
    diagnostics.Report(Code::kImportUnreadable, import->path->span, "no such file",
                       {import->path->PlainText()});
  }
  CheckOptions options;
  options.sources = &sources;
  typed::TypedPipeline pipeline = Check({&tree}, options, diagnostics);
  CheckSpans(diagnostics, file);
  RenderText(diagnostics, sources, {.color = true});
  RenderJson(diagnostics, sources);
  RenderGithub(diagnostics, sources);
  if (diagnostics.HasErrors()) return;
  for (bool tests : {false, true}) {
    plan::PlanOptions plan_options;
    plan_options.tests = tests;
    plan::Plan plan = plan::RunPasses(plan::BuildPlan(pipeline, plan_options));
    plan::FormatPlan(plan);
    Emit(plan, sources);
  }
}

void FormatTwice(std::string_view text) {
  SourceSet sources;
  Diagnostics wrong, still_wrong;
  std::string once = Format(sources.Add("fuzz.weir", std::string(text)), wrong);
  if (wrong.HasErrors()) {
    FUZZ_CHECK(once == text);
    return;
  }
  std::string twice = Format(sources.Add("once.weir", once), still_wrong);
  FUZZ_CHECK(!still_wrong.HasErrors(), once);
  FUZZ_CHECK(twice == once, once, twice);
}

}  // namespace

// ---- Changes, word by word ----

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

// Names and numbers whole, spaces whole, all else byte by byte.
std::vector<std::string_view> Words(std::string_view text) {
  auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (is_name(text[at])) {
      while (end < text.size() && is_name(text[end])) ++end;
    } else if (text[at] == ' ') {
      while (end < text.size() && text[end] == ' ') ++end;
    }
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string ChangeWords(std::string_view text, std::minstd_rand& random) {
  static constexpr std::string_view kMore[] = {
      "null", "true", "0", "-1", "9223372036854775807", "1.5", "\"x\"", "\"{", "}\"", "1h", "?", "??", "?.", "->",
      "if a then b else c", "match", "try ", "not ", "[]", "{}", "[0]", "...", ".value", " / ", " % ", "== null",
      "in [1, 2]", "list<", ">", "map<string, ", "decimal(38, 9)", "int64", "int32", "float64", "string", "bytes",
      "bool", "date", "timestamp", "duration", "by ", "sum(", "count()", " fail", " send dead", " use null",
      "\n  | where true\n", "\n  | select { a: 1 }\n"};
  std::vector<std::string_view> words = Words(text);
  if (words.empty()) return "pipeline p\n";
  auto pick = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  for (size_t n = 1 + pick(3); n > 0 && !words.empty(); --n) {
    auto at = words.begin() + static_cast<std::ptrdiff_t>(pick(words.size()));
    std::string_view other = pick(2) == 0 ? words[pick(words.size())] : kMore[pick(std::size(kMore))];
    switch (pick(4)) {
      case 0: words.erase(at); break;
      case 1: words.insert(at, other); break;
      case 2: *at = other; break;
      default: {  // a stretch of the text once more, somewhere else
        size_t from = pick(words.size()), count = 1 + pick(std::min<size_t>(words.size() - from, 20));
        std::vector<std::string_view> copy(words.begin() + static_cast<std::ptrdiff_t>(from),
                                           words.begin() + static_cast<std::ptrdiff_t>(from + count));
        words.insert(at, copy.begin(), copy.end());
      }
    }
  }
  std::string out;
  for (std::string_view word : words) out += word;
  return out;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  std::minstd_rand random(seed);
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string changed = ChangeWords(std::string_view(reinterpret_cast<const char*>(data), size), random);
  size_t n = std::min(changed.size(), max_size);
  std::memcpy(data, changed.data(), n);
  return n;
}

// ---- A case ----

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  text = text.substr(0, text.find("\n--- "));
  CheckAll(text);
  FormatTwice(text);
  return 0;
}
