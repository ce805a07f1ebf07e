// Metadata survives being stored, and damaged bytes are refused.
#include <catch2/catch.hpp>

#include <random>
#include <string>

#include "runtime/core/buffer.h"
#include "runtime/engine/meta.h"
#include "runtime/engine/row_id.h"

namespace weir {
namespace {

TEST_CASE("metadata is read as it was written") {
  std::mt19937_64 random(5);
  Arena arena, reading;
  for (int i = 0; i < 2000; ++i) {
    Meta meta;
    if (random() % 2) meta.time_ns = static_cast<int64_t>(random());
    if (random() % 2) meta.watermark_ns = static_cast<int64_t>(random());
    meta.arrival_ns = static_cast<int64_t>(random());
    meta.has_key = random() % 2;
    if (meta.has_key) meta.key = arena.Copy(Str("key").Sub(0, random() % 4));
    meta.has_raw = random() % 2;
    if (meta.has_raw) meta.raw = Str("\xff\0raw");
    meta.source = static_cast<uint16_t>(random());
    meta.partition = static_cast<int32_t>(random());
    meta.offset = static_cast<int64_t>(random());
    meta.ordinal = static_cast<uint32_t>(random() % 3);
    Header headers[2] = {{Str("a"), Str("1"), true}, {Str(""), Str(""), false}};
    meta.headers = Headers{headers, static_cast<uint32_t>(random() % 3)};
    bool keep = random() % 2;

    Buffer bytes;
    RowWriter out(&bytes);
    WriteMeta(meta, keep, out);
    Meta read;
    RowReader in(bytes.str());
    REQUIRE(ReadMeta(in, reading, &read));
    REQUIRE(in.AtEnd());
    CHECK(read.time_ns == meta.time_ns);
    CHECK(read.watermark_ns == meta.watermark_ns);
    CHECK(read.arrival_ns == meta.arrival_ns);
    CHECK(read.has_key == meta.has_key);
    CHECK(read.key == meta.key);
    CHECK(read.has_raw == (meta.has_raw && keep));
    if (read.has_raw) CHECK(read.raw == meta.raw);
    CHECK(read.source == meta.source);
    CHECK(read.partition == meta.partition);
    CHECK(read.offset == meta.offset);
    CHECK(read.ordinal == meta.ordinal);
    REQUIRE(read.headers.size == meta.headers.size);
    for (uint32_t h = 0; h < read.headers.size; ++h) {
      CHECK(read.headers.data[h].name == meta.headers.data[h].name);
      CHECK(read.headers.data[h].has_value == meta.headers.data[h].has_value);
      CHECK(read.headers.data[h].value == meta.headers.data[h].value);
    }
    // Every cut of it is refused.
    for (uint32_t size = 0; size < bytes.size(); ++size) {
      RowReader cut(bytes.str().Sub(0, size));
      CHECK(!(ReadMeta(cut, reading, &read) && cut.AtEnd()));
    }
    reading.Reset();
  }
}

TEST_CASE("a row's id says where it came from, and nothing else") {
  Program program;
  program.name = "p";
  program.steps.push_back({"a.lookup", "lookup", 1});
  program.steps.push_back({"b.lookup", "lookup", 2});
  program.steps.push_back({"w", "window", 3});
  SourceSpec source;
  source.address = "trades";
  program.sources.push_back(source);
  source.address = "orders";
  program.sources.push_back(source);
  WindowSpec window;
  window.step = 2;
  program.windows.push_back(window);

  Meta meta;
  meta.partition = 1;
  meta.offset = 7;
  H128 id = RowId(program, 0, meta);
  Meta same = meta;
  same.time_ns = 5;
  same.arrival_ns = 99;
  same.has_key = true;
  same.key = Str("k");
  CHECK(RowId(program, 0, same) == id);
  CHECK(RowId(program, 1, meta) != id);
  auto differs = [&](auto change) {
    Meta other = meta;
    change(other);
    return RowId(program, 0, other) != id;
  };
  CHECK(differs([](Meta& m) { m.partition = 2; }));
  CHECK(differs([](Meta& m) { m.offset = 8; }));
  CHECK(differs([](Meta& m) { m.ordinal = 1; }));
  CHECK(differs([](Meta& m) { m.source = 1; }));
  CHECK(differs([](Meta& m) { m.source = kFromWindow; }));
  // Two pipelines on one topic ask under different ids.
  program.name = "q";
  CHECK(RowId(program, 0, meta) != id);
  // Results of windows are told apart by key and start.
  Meta fired;
  fired.source = kFromWindow;
  fired.key = Str("k");
  fired.offset = 100;
  H128 result = RowId(program, 0, fired);
  fired.key = Str("l");
  CHECK(RowId(program, 0, fired) != result);
  // Known for ever: stored rows and the services that saw the id depend on it.
  program.name = "p";
  CHECK(id.high == 0x8406741a8351a59eull);
}

}  // namespace
}  // namespace weir
