// A comparison that overlooks something would let every simulation pass.
#include "runtime/testing/output_comparison.h"

#include <catch2/catch.hpp>

#include "runtime/testing/workload.h"

namespace weir {
namespace {

MemoryRecord Out(const std::string& origin, const std::string& key, const std::string& value, int64_t time_ns = 0) {
  MemoryRecord record;
  record.has_key = true;
  record.key = key;
  record.value = value;
  record.time_ns = time_ns;
  if (!origin.empty()) record.headers.emplace_back(kOriginHeader, origin);
  return record;
}

SinkShape Sink(SinkShape::Order order, SinkShape::Compare compare = SinkShape::kWhole) {
  SinkShape sink;
  sink.order = order;
  sink.compare = compare;
  return sink;
}

// "lost", or what is found joined by commas; empty when nothing is.
std::string Found(const SinkShape& sink, const std::vector<MemoryRecord>& right, const std::vector<MemoryRecord>& actual,
                  Delivery delivery = Delivery::kExactlyOnce) {
  std::string found;
  for (const OutputDifference& difference : CompareOutputs(sink, delivery, right, actual).differences) {
    found += (found.empty() ? "" : ", ") + difference.what;
  }
  return found;
}

OutputDifference First(const SinkShape& sink, const std::vector<MemoryRecord>& right, const std::vector<MemoryRecord>& actual) {
  return CompareOutputs(sink, Delivery::kExactlyOnce, right, actual).differences.at(0);
}

const std::vector<MemoryRecord> kRight = {Out("t/0/0", "a", "1"), Out("t/1/0", "a", "2"), Out("t/0/1", "b", "3"),
                                          Out("t/0/2", "a", "4")};

TEST_CASE("A record that is lost, there twice, or another one is found and named") {
  const SinkShape sink = Sink(SinkShape::kPartition);
  CHECK(Found(sink, kRight, kRight) == "");
  for (size_t i = 0; i < kRight.size(); ++i) {
    auto actual = kRight;
    actual.erase(actual.begin() + static_cast<long>(i));
    CHECK(Found(sink, kRight, actual) == "lost");
    CHECK(First(sink, kRight, actual).right == &kRight[i]);
    actual = kRight;
    actual.push_back(kRight[i]);
    CHECK(Found(sink, kRight, actual) == "repeated");
    CHECK(*First(sink, kRight, actual).wrong == kRight[i]);
    actual = kRight;
    actual[i].value = "other";
    CHECK(Found(sink, kRight, actual) == "changed");
    CHECK(First(sink, kRight, actual).right == &kRight[i]);
    CHECK(First(sink, kRight, actual).wrong == &actual[i]);
    actual = kRight;
    actual[i].time_ns = 7;
    CHECK(Found(sink, kRight, actual) == "changed");
    actual = kRight;
    actual[i].headers.emplace_back("more", "x");
    CHECK(Found(sink, kRight, actual) == "changed");
  }
  auto both = kRight;
  both[0] = both[1];
  CHECK(Found(sink, kRight, both) == "lost, repeated");
  CHECK(Found(sink, {}, kRight) == "never expected");
  CHECK(Found(sink, kRight, {}) == "lost");
}

TEST_CASE("Order is compared as far as it is promised") {
  auto swapped = [](size_t a, size_t b) {
    auto records = kRight;
    std::swap(records[a], records[b]);
    return records;
  };
  // Records of two partitions; of one partition and two keys; of one partition and key.
  const auto partitions = swapped(0, 1), keys = swapped(2, 3), same = swapped(0, 3);
  CHECK(Found(Sink(SinkShape::kAll), kRight, partitions) == "out of order");
  CHECK(Found(Sink(SinkShape::kPartition), kRight, partitions) == "");
  CHECK(Found(Sink(SinkShape::kPartition), kRight, keys) == "out of order");
  CHECK(Found(Sink(SinkShape::kPartitionAndKey), kRight, partitions) == "");
  CHECK(Found(Sink(SinkShape::kPartitionAndKey), kRight, keys) == "");
  CHECK(Found(Sink(SinkShape::kPartitionAndKey), kRight, same) == "out of order");
  CHECK(Found(Sink(SinkShape::kKey), kRight, partitions) == "out of order");
  CHECK(Found(Sink(SinkShape::kKey), kRight, keys) == "");
  CHECK(Found(Sink(SinkShape::kNone), kRight, same) == "");
}

TEST_CASE("At least once, what is repeated is counted and nothing else is overlooked") {
  auto found = [](SinkShape::Order order, const std::vector<MemoryRecord>& actual) {
    return Found(Sink(order), kRight, actual, Delivery::kAtLeastOnce);
  };
  auto repeated = [](const std::vector<MemoryRecord>& actual) {
    return CompareOutputs(Sink(SinkShape::kAll), Delivery::kAtLeastOnce, kRight, actual).repeated;
  };
  CHECK(found(SinkShape::kAll, kRight) == "");
  CHECK(repeated(kRight) == 0);
  // A copy died behind the third record and its successor began with the second; another one still had the first on its way.
  const std::vector<MemoryRecord> again = {kRight[0], kRight[1], kRight[2], kRight[1], kRight[2], kRight[0], kRight[3]};
  CHECK(found(SinkShape::kAll, again) == "");
  CHECK(repeated(again) == 3);
  for (size_t i = 0; i < kRight.size(); ++i) {
    auto actual = again;
    std::erase(actual, kRight[i]);
    CHECK(found(SinkShape::kAll, actual) == "lost");
    actual = again;
    actual.push_back(kRight[i]);
    actual.back().value = "other";
    CHECK(found(SinkShape::kAll, actual) == "never expected");
    CHECK(repeated(actual) == 3);
    std::erase(actual, kRight[i]);
    CHECK(found(SinkShape::kAll, actual) == "changed");
  }
  // The second comes first before the one it follows, and is repeated behind it.
  const std::vector<MemoryRecord> early = {kRight[1], kRight[0], kRight[1], kRight[2], kRight[3]};
  CHECK(found(SinkShape::kAll, early) == "out of order");
  CHECK(found(SinkShape::kKey, early) == "out of order");
  CHECK(found(SinkShape::kPartition, early) == "");
  CHECK(found(SinkShape::kNone, early) == "");
}

TEST_CASE("What legitimately differs is left out, and no more") {
  auto actual = kRight;
  actual[2].value = "other";
  CHECK(Found(Sink(SinkShape::kNone, SinkShape::kKeyAndTime), kRight, actual) == "");
  CHECK(Found(Sink(SinkShape::kNone, SinkShape::kNothing), kRight, {}) == "");
  actual.pop_back();
  CHECK(Found(Sink(SinkShape::kNone, SinkShape::kKeyAndTime), kRight, actual) == "lost");
  actual = kRight;
  actual[2].key = "z";
  CHECK(Found(Sink(SinkShape::kNone, SinkShape::kKeyAndTime), kRight, actual) != "");
}

}  // namespace
}  // namespace weir
