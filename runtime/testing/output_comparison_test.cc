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
std::string Found(const SinkShape& sink, const std::vector<MemoryRecord>& right, const std::vector<MemoryRecord>& actual) {
  std::string found;
  for (const OutputDifference& difference : CompareOutputs(sink, right, actual)) {
    found += (found.empty() ? "" : ", ") + difference.what;
  }
  return found;
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
    CHECK(CompareOutputs(sink, kRight, actual)[0].right == &kRight[i]);
    actual = kRight;
    actual.push_back(kRight[i]);
    CHECK(Found(sink, kRight, actual) == "repeated");
    CHECK(*CompareOutputs(sink, kRight, actual)[0].wrong == kRight[i]);
    actual = kRight;
    actual[i].value = "other";
    CHECK(Found(sink, kRight, actual) == "changed");
    CHECK(CompareOutputs(sink, kRight, actual)[0].right == &kRight[i]);
    CHECK(CompareOutputs(sink, kRight, actual)[0].wrong == &actual[i]);
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
  CHECK(Found(sink, {}, kRight) == "changed");
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
