// tests/tidy/examples.h — The programs in fenced blocks of a Markdown page.
//
//   ```weir accept                    the words behind `weir` say what is to be shown
//   ```weir reject W0101 W0108
//   ```weir fail repeat=300           the last line stands there 300 times
//   ```weir fail bytes                \xE9 stands for one byte
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weirc::tidy {

struct Example {
  std::string path;
  size_t line = 0;                 // of the fence
  std::vector<std::string> words;  // behind `weir`
  std::string program;

  bool Is(std::string_view word) const { return !words.empty() && words[0] == word; }
};

std::vector<Example> ExamplesOf(const std::string& path);

// Ids of all errors of a program, in order; of warnings too if wanted.
std::vector<std::string> ErrorsOf(const std::string& program, bool parse_only,
                                  bool warnings = false);

std::string ReadWhole(const std::string& path);

}  // namespace weirc::tidy
