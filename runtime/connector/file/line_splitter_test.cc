// Lines however the bytes arrive: every text is given whole, byte by byte and in odd pieces.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "runtime/connector/file/line_splitter.h"

using namespace weir;
using namespace weir::file;

namespace {

struct Line {
  std::string value;
  int64_t offset, next;
  bool operator==(const Line& o) const { return value == o.value && offset == o.offset && next == o.next; }
};

std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << '"' << line.value << "\"@" << line.offset << ".." << line.next;
}

std::vector<Line> Split(const std::string& text, size_t piece, LineOptions options = {}, int64_t offset = 0) {
  LineSplitter splitter(options, 3, offset);
  std::vector<Line> lines;
  auto take = [&](bool end) {
    std::unique_ptr<Batch> batch = splitter.Take(end);
    if (!batch) return;
    CHECK(batch->partition == 3);
    REQUIRE(batch->size > 0);
    for (uint32_t i = 0; i < batch->size; ++i) {
      const Message& m = batch->messages[i];
      CHECK(m.has_value);
      CHECK_FALSE(m.has_key);
      lines.push_back({std::string(m.value.view()), m.offset, m.next_offset});
    }
  };
  for (size_t at = 0; at < text.size(); at += piece) {
    size_t n = std::min(piece, text.size() - at);
    memcpy(splitter.Room(n), text.data() + at, n);
    splitter.Filled(n);
    CHECK(splitter.read() == offset + static_cast<int64_t>(at + n));
    take(false);
  }
  take(true);
  CHECK(splitter.offset() == offset + static_cast<int64_t>(text.size()));
  return lines;
}

void Check(const std::string& text, const std::vector<Line>& expected, LineOptions options = {}, int64_t offset = 0) {
  for (size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}}) {
    INFO("pieces of " << piece);
    CHECK(Split(text, piece, options, offset) == expected);
  }
}

}  // namespace

TEST_CASE("Lines end with LF or CRLF, the last one with the input") {
  Check("a\nbc\r\nd", {{"a", 0, 2}, {"bc", 2, 6}, {"d", 6, 7}});
  Check("a\n", {{"a", 0, 2}});
  Check("", {});
  Check("\n\nx\n", {{"", 0, 1}, {"", 1, 2}, {"x", 2, 4}});
  Check("a\rb\n", {{"a\rb", 0, 4}});
}

TEST_CASE("Blank lines are no records of NDJSON, but count for offsets") {
  LineOptions options;
  options.skip_blank = true;
  Check("\n  \r\n{}\n\t\n[]", {{"{}", 5, 8}, {"[]", 10, 12}}, options);
  Check("\n\n\n", {}, options);
}

TEST_CASE("A byte order mark at the very start is no part of the first line") {
  Check("\xef\xbb\xbf{}\n\xef\xbb\xbfx\n", {{"{}", 0, 6}, {"\xef\xbb\xbfx", 6, 11}});
  Check("\xef\xbb\xbf{}\n", {{"\xef\xbb\xbf{}", 100, 106}}, {}, 100);
}

TEST_CASE("Broken UTF-8 and zero bytes are left for whoever decodes the line") {
  std::string text("\xc3\x28\0z\n\xff\n", 7);
  Check(text, {{std::string("\xc3\x28\0z", 4), 0, 5}, {"\xff", 5, 7}});
}

TEST_CASE("A line that is too long is cut and marked, and the next one is whole") {
  LineOptions options;
  options.line_bytes_max = 5;
  Check("12345\n123456\nok\n", {{"12345", 0, 6}, {"12345\xff", 6, 13}, {"ok", 13, 16}}, options);
  Check(std::string(40, 'x') + "\nok", {{"xxxxx\xff", 0, 41}, {"ok", 41, 43}}, options);
  Check("ok\n" + std::string(40, 'x'), {{"ok", 0, 3}, {"xxxxx\xff", 3, 43}}, options);
  Check("abcdefgh\r\nabcdefgh\n\n", {{"abcde\xff", 0, 10}, {"abcde\xff", 10, 19}, {"", 19, 20}}, options);
}
