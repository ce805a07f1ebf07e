// Rows own their bytes and come back from the state as they were; damaged ones are refused.
#include "runtime/lookup/pending_row.h"

#include <catch2/catch.hpp>
#include <string>

namespace weir {
namespace {

struct Filled {
  BytePool pool;
  PendingRow row;
  Filled(bool keeps_raw) {
    std::string key = "the key", raw = "{\"raw\": 1}", name = "traceparent", value = "00-1", args = "args", order = "acme",
                body = "row bytes";
    Header headers[2] = {{Str(std::string_view(name)), Str(std::string_view(value)), true},
                         {Str("empty"), Str(), false}};
    Meta meta;
    meta.time_ns = 123;
    meta.watermark_ns = 100;
    meta.arrival_ns = 456;
    meta.key = Str(std::string_view(key));
    meta.has_key = true;
    meta.raw = Str(std::string_view(raw));
    meta.has_raw = true;
    meta.source = 3;
    meta.partition = 7;
    meta.offset = 1'000'000'000'000;
    meta.ordinal = 2;
    meta.headers = {headers, 2};
    FillRow(pool, meta, keeps_raw, Str(std::string_view(args)), Str(std::string_view(order)),
            Str(std::string_view(body)), &row);
    row.watermark_ns = 99;
    // The batch's bytes go away.
    for (std::string* s : {&key, &raw, &name, &value, &args, &order, &body}) s->assign(s->size(), '#');
  }
  ~Filled() { FreeRowBytes(pool, &row); }
};

void CheckSame(const PendingRow& row, bool raw) {
  CHECK(row.meta.time_ns == 123);
  CHECK(row.meta.watermark_ns == 100);
  CHECK(row.meta.arrival_ns == 456);
  CHECK(row.meta.key == Str("the key"));
  CHECK(row.meta.has_key);
  CHECK(row.meta.has_raw == raw);
  CHECK(row.meta.raw == (raw ? Str("{\"raw\": 1}") : Str()));
  CHECK(row.meta.source == 3);
  CHECK(row.meta.partition == 7);
  CHECK(row.meta.offset == 1'000'000'000'000);
  CHECK(row.meta.ordinal == 2);
  REQUIRE(row.meta.headers.size == 2);
  CHECK(row.meta.headers.data[0].name == Str("traceparent"));
  CHECK(row.meta.headers.data[0].value == Str("00-1"));
  CHECK(row.meta.headers.data[0].has_value);
  CHECK(row.meta.headers.data[1].name == Str("empty"));
  CHECK_FALSE(row.meta.headers.data[1].has_value);
  CHECK(row.args == Str("args"));
  CHECK(row.order_key == Str("acme"));
  CHECK(row.row == Str("row bytes"));
  CHECK(row.watermark_ns == 99);
}

TEST_CASE("A row owns its bytes") {
  for (bool raw : {true, false}) {
    Filled f(raw);
    CheckSame(f.row, raw);
  }
}

TEST_CASE("A row comes back from the state as it was") {
  for (bool raw : {true, false}) {
    Filled f(raw);
    Buffer bytes;
    RowWriter out(&bytes);
    SaveRow(f.row, 2, 77, out);
    PendingRow back;
    Arena arena;
    REQUIRE(LoadRow(f.pool, arena, bytes.str(), 77, &back).ok());
    CheckSame(back, raw);
    CHECK(back.attempts == 2);
    CHECK(back.meta.ticket == nullptr);
    FreeRowBytes(f.pool, &back);
  }
}

TEST_CASE("A row of another layout, a cut one and one with bytes too many are refused") {
  Filled f(true);
  Buffer bytes;
  RowWriter out(&bytes);
  SaveRow(f.row, 2, 77, out);
  PendingRow back;
  Arena arena;
  Status other = LoadRow(f.pool, arena, bytes.str(), 78, &back);
  CHECK(other.code() == StatusCode::kCorrupt);
  CHECK(other.message().find("another layout") != std::string::npos);
  for (size_t n = 0; n < bytes.size(); ++n) {
    REQUIRE_FALSE(LoadRow(f.pool, arena, Str(bytes.data(), n), 77, &back).ok());
  }
  bytes.Append('x');
  CHECK_FALSE(LoadRow(f.pool, arena, bytes.str(), 77, &back).ok());
}

}  // namespace
}  // namespace weir
