// tests/golden/weir_golden.cc — Runs golden tests: each tests/<stage>/*.weir against the expected
// text at its end.
//
//   weir_golden tests/parse tests/fmt/comments.weir      compare
//   weir_golden --update tests/parse                     rewrite what is expected; review with git
//   diff
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/golden/golden_file.h"
#include "tests/golden/stages.h"

namespace weirc::golden {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What is wrong with the file, or empty.
std::string Run(const Stage& stage, const fs::path& path, bool update, bool* changed) {
  GoldenFile golden = ParseGolden(path.string(), Read(path));
  if (!golden.program.starts_with("//"))
    return "the first line must be a comment that says why this test exists\n";
  SourceSet sources;
  sources.Add(path.filename().string(), golden.program);
  for (auto& [name, text] : golden.others) sources.Add(name, text);
  std::string found = stage.run(sources);
  if (!found.empty() && found.back() != '\n') found += '\n';
  if (stage.named_by_outcome) {
    std::string name = path.filename().string();
    bool has_error = found.starts_with("error[") || found.find("\nerror[") != std::string::npos;
    bool says_error = name.starts_with("err_");
    if (!says_error && !name.starts_with("ok_")) return "the name must start with ok_ or err_\n";
    if (has_error != says_error) {
      return has_error ? "the name says ok_, but there are errors:\n" + found
                       : "the name says err_, but there is no error\n";
    }
  }
  if (golden.has_expected && golden.expected == found) return "";
  if (update) {
    std::ofstream(path, std::ios::binary) << golden.WithExpected(found);
    *changed = true;
    return "";
  }
  if (!golden.has_expected)
    return "there is no `--- expect` part; write it with --update\n" + found;
  return Difference(golden.expected, found);
}

int Main(int argc, char** argv) {
  bool update = false;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) {
      update = true;
      continue;
    }
    if (std::strcmp(argv[i], "--stages") == 0) {
      for (const Stage& stage : Stages()) std::printf("%s\n", std::string(stage.name).c_str());
      return 0;
    }
    fs::path path = argv[i];
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        if (entry.path().extension() == ".weir") files.push_back(entry.path());
      }
    } else if (fs::exists(path)) {
      files.push_back(path);
    } else {
      std::fprintf(stderr, "weir_golden: %s does not exist\n", argv[i]);
      return 2;
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "usage: weir_golden [--update] FILE-OR-FOLDER…\n");
    return 2;
  }
  size_t failed = 0, changed_count = 0;
  for (const fs::path& file : files) {
    // The stage is the nearest folder above that has its name.
    const Stage* stage = nullptr;
    for (fs::path folder = fs::absolute(file).parent_path();
         stage == nullptr && folder != folder.root_path(); folder = folder.parent_path()) {
      stage = FindStage(folder.filename().string());
    }
    bool changed = false;
    std::string problem = stage == nullptr ? "no folder above it is named after a stage\n"
                                           : Run(*stage, file, update, &changed);
    if (changed) {
      ++changed_count;
      std::printf("updated %s\n", file.string().c_str());
    }
    if (problem.empty()) continue;
    ++failed;
    std::printf("FAILED %s\n%s\n", file.string().c_str(), problem.c_str());
  }
  std::printf("%zu files, %zu failed", files.size(), failed);
  if (update) std::printf(", %zu updated", changed_count);
  std::printf("\n");
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace weirc::golden

int main(int argc, char** argv) { return weirc::golden::Main(argc, argv); }
