// compiler/base/source_test.cc — Places that messages show must be the ones an editor shows.
#include "compiler/base/source.h"

#include <catch2/catch.hpp>

namespace weirc {

TEST_CASE("lines and columns count from one and in characters") {
  SourceSet set;
  const SourceFile& file = set.Add("a.weir",
                                   "ab\r\nc\xC3\xA9"
                                   "d\n\nlast");
  CHECK(file.LineCount() == 4);
  CHECK(file.Locate(0) == LineColumn{1, 1});
  CHECK(file.Locate(4) == LineColumn{2, 1});
  CHECK(file.Locate(7) == LineColumn{2, 3});
  CHECK(file.Locate(9) == LineColumn{3, 1});
  CHECK(file.Locate(9999) == LineColumn{4, 5});
  CHECK(file.LineText(1) == "ab");
  CHECK(file.LineText(3) == "");
  CHECK(file.LineText(4) == "last");
  CHECK(file.LineText(5) == "");
  CHECK(set.Place({file.id(), 7, 8}) == "a.weir:2:3");
  CHECK(set.Place(Span{}) == "");
}

TEST_CASE("spans outside the file are clipped") {
  SourceFile file(0, "a.weir", "abc");
  CHECK(file.Text({0, 1, 2}) == "b");
  CHECK(file.Text({0, 2, 99}) == "c");
  CHECK(file.Text({0, 50, 99}) == "");
}

TEST_CASE("joining spans covers both") {
  CHECK(Join({1, 5, 7}, {1, 9, 12}) == Span{1, 5, 12});
  CHECK(Join(Span{}, {1, 9, 12}) == Span{1, 9, 12});
  CHECK(Join({1, 5, 7}, Span{}) == Span{1, 5, 7});
}

}  // namespace weirc
