#include "runtime/connector/kafka/offset_note.h"

#include <catch2/catch.hpp>

using namespace weir::kafka;
using weir::OffsetState;

TEST_CASE("A note with an offset is read as it was written, and those of other versions as far as they go") {
  OffsetNote note = NoteOf(ToText({4, "mJ5-k2XwRk2cXo0pQd8tYw"}));
  CHECK(note.partitions == 4);
  CHECK(note.topic_id == "mJ5-k2XwRk2cXo0pQd8tYw");
  CHECK(ToText({4, ""}) == "weir partitions=4");  // as earlier versions wrote it
  CHECK(NoteOf("weir partitions=4").partitions == 4);
  CHECK(NoteOf("weir partitions=4").topic_id.empty());
  CHECK(NoteOf("weir topic=abc").topic_id == "abc");
  CHECK(NoteOf("weir partitions=4 topic=abc later=1").topic_id == "abc");
  CHECK(NoteOf("weir partitions=4 later=1").partitions == 4);
  CHECK(ToText({4, "abc", OffsetState::kNone}) == "weir partitions=4 topic=abc state=none");
  CHECK(NoteOf("weir partitions=4 topic=abc state=none").state == OffsetState::kNone);
  CHECK(NoteOf("weir partitions=4 topic=abc state=none").topic_id == "abc");
  CHECK(NoteOf("weir partitions=4 state=none later=1").state == OffsetState::kNone);
  CHECK(ToText({4, "abc", OffsetState::kSome}) == "weir partitions=4 topic=abc state=some");
  CHECK(NoteOf("weir partitions=4 topic=abc state=some").state == OffsetState::kSome);
  CHECK(NoteOf("weir partitions=4 topic=abc").state == OffsetState::kUnknown);
  CHECK(NoteOf("weir partitions=4 state=nonesuch").state == OffsetState::kUnknown);
}

TEST_CASE("What is no note of an offset is not taken for one") {
  for (const char* text : {"", "weir", "weir start", "weird", "weir partitions=", "weir partitions=0", "weir partitions=-1",
                           "weir partitions=4x topic=abc", "weir partitions=99999999999", "topic=abc", " weir topic=abc"}) {
    CAPTURE(text);
    CHECK(NoteOf(text).partitions == 0);
    CHECK(NoteOf(text).topic_id.empty());
    CHECK(NoteOf(text).state == OffsetState::kUnknown);
  }
}

TEST_CASE("An offset that is set by hand is of no certain topic") {
  CHECK(WithoutTopic("weir partitions=4 topic=abc") == "weir partitions=4");
  CHECK(WithoutTopic("weir partitions=4 topic=abc state=none") == "weir partitions=4 state=none");
  CHECK(WithoutTopic("weir topic=abc").empty());
  CHECK(WithoutTopic("weir partitions=4") == "weir partitions=4");
  CHECK(WithoutTopic("weir start") == "weir start");
  CHECK(WithoutTopic("of another tool") == "of another tool");
}
