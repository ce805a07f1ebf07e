#include "compiler/driver/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weirc {
namespace {

constexpr size_t kContext = 3;

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

struct Edit {
  char mark;  // ' ', '-', '+'
  std::string_view line;
};

// The shortest edits from `a` to `b`, from a table of longest common subsequences. Equal ends are left out of the table,
// so it is as large as what changed.
std::vector<Edit> Edits(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const size_t rows = a.size() - head - tail, columns = b.size() - head - tail;
  std::vector<uint32_t> common((rows + 1) * (columns + 1), 0);
  auto at = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      at(i, j) = a[head + i] == b[head + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::vector<Edit> edits;
  for (size_t i = 0; i < head; ++i) edits.push_back({' ', a[i]});
  size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[head + i] == b[head + j]) {
      edits.push_back({' ', a[head + i]});
      ++i, ++j;
    } else if (i < rows && (j == columns || at(i + 1, j) >= at(i, j + 1))) {
      edits.push_back({'-', a[head + i++]});
    } else {
      edits.push_back({'+', b[head + j++]});
    }
  }
  for (size_t k = a.size() - tail; k < a.size(); ++k) edits.push_back({' ', a[k]});
  return edits;
}

}  // namespace

std::string UnifiedDiff(const std::string& name, std::string_view before, std::string_view after) {
  if (before == after) return "";
  const std::vector<Edit> edits = Edits(Lines(before), Lines(after));
  std::string text = "--- " + name + "\n+++ " + name + "\n";
  size_t line_before = 1, line_after = 1;  // of edits[done]
  size_t done = 0;
  auto pass = [&](const Edit& edit) {
    line_before += edit.mark != '+';
    line_after += edit.mark != '-';
  };
  while (true) {
    size_t first = done;
    while (first < edits.size() && edits[first].mark == ' ') ++first;
    if (first == edits.size()) return text;
    size_t begin = std::max(done, first < kContext ? 0 : first - kContext);
    // The hunk goes on while the next change is within two contexts.
    size_t end = first + 1;
    for (size_t k = end; k < edits.size() && k < end + 2 * kContext; ++k) {
      if (edits[k].mark != ' ') end = k + 1;
    }
    end = std::min(edits.size(), end + kContext);
    for (; done < begin; ++done) pass(edits[done]);
    size_t from_before = line_before, from_after = line_after;
    std::string body;
    for (; done < end; ++done) {
      pass(edits[done]);
      body += edits[done].mark;
      body += edits[done].line;
      if (!edits[done].line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    auto range = [](size_t from, size_t to) {
      return std::to_string(to == from ? from - 1 : from) + "," + std::to_string(to - from);
    };
    text += "@@ -" + range(from_before, line_before) + " +" + range(from_after, line_after) + " @@\n" + body;
  }
}

}  // namespace weirc
