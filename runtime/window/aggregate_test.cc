// The formulas of aggregate functions, what they refuse, and that they survive being saved.
#include <catch2/catch.hpp>

#include <cstring>
#include <string>

#include "runtime/core/buffer.h"
#include "runtime/window/aggregate.h"

namespace weir {
namespace {

template <class T>
T Zero() {
  T value;
  std::memset(&value, 0, sizeof value);
  return value;
}

template <class T>
T Again(const T& value) {
  Buffer bytes;
  RowWriter out(&bytes);
  value.Save(out);
  T copy = Zero<T>();
  RowReader in(bytes.str());
  copy.Load(in);
  CHECK(in.AtEnd());
  return copy;
}

TEST_CASE("count and sum") {
  auto count = Zero<Count>();
  count.Add();
  count.Add();
  CHECK(Again(count).count == 2);

  auto sum = Zero<SumInt64>();
  CHECK(sum.Add(INT64_MAX - 1));
  CHECK(sum.Add(1));
  CHECK(!sum.Add(1));
  CHECK(sum.sum == INT64_MAX);  // as it was
  CHECK(sum.Add(-2));
  CHECK(Again(sum).sum == INT64_MAX - 2);

  auto decimal = Zero<SumDecimal>();
  i128 largest = Pow10(38) - 1;
  CHECK(decimal.Add(largest));
  CHECK(!decimal.Add(1));
  CHECK(decimal.sum == largest);
  CHECK(Again(decimal).sum == largest);

  auto number = Zero<SumFloat64>();
  number.Add(0.5);
  number.Add(0.25);
  CHECK(Again(number).sum == 0.75);
}

TEST_CASE("min, max, first and last") {
  auto low = Zero<Extreme<int64_t>>(), high = low, first = low, last = low;
  CHECK(!Again(low).has);
  for (int64_t v : {5, -3, 9, 2}) {
    low.AddMin(v);
    high.AddMax(v);
    first.AddFirst(v);
    last.AddLast(v);
  }
  CHECK(Again(low).value == -3);
  CHECK(Again(high).value == 9);
  CHECK(Again(first).value == 5);
  CHECK(Again(last).value == 2);
}

TEST_CASE("strings are kept, short and long") {
  auto low = Zero<ExtremeStr>(), high = low, first = low, last = low;
  std::string long_text(1000, 'm');
  for (std::string text : {std::string("b"), long_text, std::string(""), std::string("zz")}) {
    Str v{std::string_view(text)};
    low.AddMin(v);
    high.AddMax(v);
    first.AddFirst(v);
    last.AddLast(v);
    text.assign(text.size(), '?');  // the batch is gone
  }
  CHECK(low.value.str() == Str(""));
  CHECK(low.has);
  CHECK(high.value.str() == Str("zz"));
  CHECK(first.value.str() == Str("b"));
  CHECK(last.value.str() == Str("zz"));
  last.AddLast(Str(std::string_view(long_text)));
  auto copy = Again(last);
  CHECK(copy.value.str() == Str(std::string_view(long_text)));
  for (ExtremeStr* one : {&low, &high, &first, &last, &copy}) one->Drop();
}

TEST_CASE("avg is exact and rounds half to even") {
  auto avg = Zero<AvgDecimal>();
  i128 out = 0;
  CHECK(!avg.Result(2, 6, &out));
  CHECK(avg.Add(1000));  // 10.00
  CHECK(avg.Add(1001));
  CHECK(avg.Add(1001));
  REQUIRE(Again(avg).Result(2, 6, &out));
  CHECK(out == 10006667);  // 10.00666… at scale 6
  REQUIRE(avg.Result(2, 2, &out));
  CHECK(out == 1001);
  auto half = Zero<AvgDecimal>();
  CHECK(half.Add(1));
  CHECK(half.Add(2));
  REQUIRE(half.Result(0, 0, &out));
  CHECK(out == 2);  // 1.5
  auto lower = Zero<AvgDecimal>();
  CHECK(lower.Add(0));
  CHECK(lower.Add(1));
  REQUIRE(lower.Result(0, 0, &out));
  CHECK(out == 0);  // 0.5
}

TEST_CASE("vwap is the sum of amounts over the sum of quantities") {
  auto vwap = Zero<VwapDecimal>();
  i128 out = 0;
  CHECK(!vwap.has());
  CHECK(!vwap.Result(4, 0, 6, &out));
  CHECK(vwap.Add(105000, 100));  // 10.5 × 100
  CHECK(vwap.Add(110000, 300));  // 11 × 300
  REQUIRE(Again(vwap).Result(4, 0, 6, &out));
  CHECK(out == 10875000);  // 10.875
  CHECK(!vwap.Add(Pow10(30), Pow10(9)));
  CHECK(vwap.quantity == 400);
  CHECK(vwap.Add(0, -400));
  CHECK(!vwap.has());

  auto number = Zero<VwapFloat64>();
  number.Add(2.0, 1.0);
  number.Add(4.0, 3.0);
  CHECK(Again(number).Result() == 3.5);
}

}  // namespace
}  // namespace weir
