// Timers come out in the order of their times, equal ones in the order in which they were set.
#include "runtime/lookup/timer_heap.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace weir {
namespace {

struct Item {
  int64_t at = 0;
  uint64_t sequence = 0;
  uint32_t place = kNoPlace;
};
using Heap = TimerHeap<Item, &Item::at, &Item::sequence, &Item::place>;

TEST_CASE("The first timer is always the earliest, however timers are set and taken out") {
  std::mt19937_64 random(11);
  std::vector<Item> items(300);
  Heap heap;
  std::set<std::pair<int64_t, uint64_t>> model;
  uint64_t sequence = 0;
  for (int round = 0; round < 20'000; ++round) {
    Item& item = items[random() % items.size()];
    if (item.place == kNoPlace) {
      item.at = static_cast<int64_t>(random() % 50);
      item.sequence = sequence++;
      heap.Insert(&item);
      model.emplace(item.at, item.sequence);
    } else {
      heap.Erase(&item);
      model.erase({item.at, item.sequence});
    }
    REQUIRE(heap.size() == model.size());
    if (model.empty()) continue;
    REQUIRE(heap.first()->at == model.begin()->first);
    REQUIRE(heap.first()->sequence == model.begin()->second);
  }
}

}  // namespace
}  // namespace weir
