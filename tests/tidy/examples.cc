// tests/tidy/examples.cc — The programs in fenced blocks of a Markdown page.
#include "tests/tidy/examples.h"

#include <fstream>
#include <sstream>

#include "compiler/parse/parse.h"
#include "tests/golden/stages.h"

namespace weirc::tidy {
namespace {

std::string WithBytes(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0 && i + 4 <= text.size()) {
      bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

std::string WithRepeatedLastLine(const std::string& text, size_t times) {
  size_t end = text.size() - 1;  // the last line end
  size_t begin = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  begin = begin == std::string::npos ? 0 : begin + 1;
  std::string repeated = text.substr(0, begin);
  for (size_t i = 0; i < times; ++i) repeated += text.substr(begin);
  return repeated;
}

}  // namespace

std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<Example> ExamplesOf(const std::string& path) {
  std::vector<Example> examples;
  std::istringstream in(ReadWhole(path));
  std::string line;
  size_t number = 0;
  bool inside = false;
  while (std::getline(in, line)) {
    ++number;
    if (!inside && line.starts_with("```weir")) {
      inside = true;
      Example example;
      example.path = path;
      example.line = number;
      std::istringstream words(line.substr(7));
      std::string word;
      while (words >> word) example.words.push_back(word);
      examples.push_back(std::move(example));
    } else if (inside && line.starts_with("```")) {
      inside = false;
      Example& example = examples.back();
      for (const std::string& word : example.words) {
        if (word == "bytes") example.program = WithBytes(example.program);
        if (word.starts_with("repeat="))
          example.program = WithRepeatedLastLine(example.program, std::stoul(word.substr(7)));
      }
    } else if (inside) {
      examples.back().program += line + "\n";
    }
  }
  return examples;
}

std::vector<std::string> ErrorsOf(const std::string& program, bool parse_only, bool warnings) {
  // `--- file NAME` parts are other files, as in golden tests.
  SourceSet sources;
  Diagnostics diagnostics;
  std::string name = "example.weir";
  std::string text;
  std::istringstream in(program);
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("--- file ")) {
      sources.Add(name, text);
      name = line.substr(9);
      text.clear();
    } else {
      text += line + "\n";
    }
  }
  sources.Add(name, text);
  if (parse_only) Parse(sources.files().front(), diagnostics);
  else golden::RunFront(sources, diagnostics);
  std::vector<std::string> ids;
  for (const Diagnostic& d : diagnostics.Sorted()) {
    if (d.severity == Severity::Error || warnings) ids.emplace_back(InfoOf(d.code).id);
  }
  return ids;
}

}  // namespace weirc::tidy
