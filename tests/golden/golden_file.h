// tests/golden/golden_file.h — A program with its expected text at its end.
//
//   // Why this test exists.                   the first line says so
//   stream s = t | where a > 1
//   --- file refdata.weir                      other files of the program, for imports
//   record Account { id: string }
//   --- expect                                 written by `weir_golden --update`
//   …
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weirc::golden {

struct GoldenFile {
  std::string path;
  std::string program;
  std::vector<std::pair<std::string, std::string>> others;  // name, text
  std::string expected;
  bool has_expected = false;
  std::string head;  // all that stands before the expected text, as it is

  // The whole file with other expected text.
  std::string WithExpected(std::string_view text) const;
};

GoldenFile ParseGolden(std::string path, std::string_view text);

// The lines that differ, with some around them: `-` expected, `+` found. Empty when equal.
std::string Difference(std::string_view expected, std::string_view found);

}  // namespace weirc::golden
