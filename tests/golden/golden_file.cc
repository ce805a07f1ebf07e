// tests/golden/golden_file.cc — A program with its expected text at its end.
#include "tests/golden/golden_file.h"

#include <algorithm>

namespace weirc::golden {
namespace {

constexpr std::string_view kExpect = "--- expect";
constexpr std::string_view kFile = "--- file ";

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

std::string GoldenFile::WithExpected(std::string_view text) const {
  std::string whole = head;
  if (!whole.empty() && whole.back() != '\n') whole += '\n';
  whole += std::string(kExpect) + "\n" + std::string(text);
  if (whole.back() != '\n') whole += '\n';
  return whole;
}

GoldenFile ParseGolden(std::string path, std::string_view text) {
  GoldenFile file;
  file.path = std::move(path);
  std::string* part = &file.program;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = text.find('\n', at);
    size_t next = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line =
        text.substr(at, (end == std::string_view::npos ? text.size() : end) - at);
    if (line == kExpect) {
      file.has_expected = true;
      file.expected = std::string(text.substr(next));
      break;
    }
    if (line.starts_with(kFile)) {
      file.others.emplace_back(std::string(line.substr(kFile.size())), "");
      part = &file.others.back().second;
    } else {
      *part += text.substr(at, next - at);
    }
    at = next;
  }
  file.head = std::string(text.substr(0, at));
  return file;
}

std::string Difference(std::string_view expected, std::string_view found) {
  if (expected == found) return "";
  constexpr size_t kAround = 2;
  std::vector<std::string_view> a = Lines(expected);
  std::vector<std::string_view> b = Lines(found);
  // Equal starts and ends are cut off; what is between is compared by its longest common
  // subsequence when small enough.
  size_t begin = 0;
  while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) ++begin;
  size_t end_a = a.size(), end_b = b.size();
  while (end_a > begin && end_b > begin && a[end_a - 1] == b[end_b - 1]) --end_a, --end_b;
  std::string text;
  auto line = [&text](char mark, std::string_view content) {
    text += std::string(1, mark) + std::string(content) + "\n";
  };
  for (size_t i = begin > kAround ? begin - kAround : 0; i < begin; ++i) line(' ', a[i]);
  size_t n = end_a - begin, m = end_b - begin;
  if (n * m <= 4'000'000) {
    std::vector<std::vector<uint32_t>> common(n + 1, std::vector<uint32_t>(m + 1));
    for (size_t i = n; i-- > 0;) {
      for (size_t k = m; k-- > 0;) {
        common[i][k] = a[begin + i] == b[begin + k] ? common[i + 1][k + 1] + 1
                                                    : std::max(common[i + 1][k], common[i][k + 1]);
      }
    }
    for (size_t i = 0, k = 0; i < n || k < m;) {
      if (i < n && k < m && a[begin + i] == b[begin + k]) {
        line(' ', a[begin + i]);
        ++i, ++k;
      } else if (k == m || (i < n && common[i + 1][k] >= common[i][k + 1])) {
        line('-', a[begin + i++]);
      } else {
        line('+', b[begin + k++]);
      }
    }
  } else {
    for (size_t i = begin; i < end_a; ++i) line('-', a[i]);
    for (size_t i = begin; i < end_b; ++i) line('+', b[i]);
  }
  for (size_t i = end_a; i < std::min(end_a + kAround, a.size()); ++i) line(' ', a[i]);
  if (text.empty()) text = "(they differ in line ends only)\n";
  return text;
}

}  // namespace weirc::golden
