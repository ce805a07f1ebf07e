// The index agrees with a map of the standard library, whatever collides.
#include "runtime/lookup/pointer_index.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <vector>

namespace weir {
namespace {

struct Item {
  uint64_t hash = 0;
  int name = 0;
};

TEST_CASE("An index finds what was inserted and not erased, under collisions") {
  std::mt19937_64 random(7);
  for (uint64_t spread : {1u, 3u, 16u, 100'000u}) {
    std::vector<Item> items(400);
    for (int i = 0; i < 400; ++i) items[i] = {random() % spread, i};
    PointerIndex<Item, &Item::hash> index;
    std::map<int, Item*> model;
    for (int round = 0; round < 4000; ++round) {
      Item* item = &items[random() % items.size()];
      if (model.count(item->name) != 0) {
        index.Erase(item);
        model.erase(item->name);
      } else {
        index.Insert(item);
        model[item->name] = item;
      }
      Item* other = &items[random() % items.size()];
      Item* found = index.Find(other->hash, [&](Item* i) { return i->name == other->name; });
      REQUIRE(found == (model.count(other->name) != 0 ? other : nullptr));
    }
    REQUIRE(index.size() == model.size());
    for (auto& [name, item] : model) {
      REQUIRE(index.Find(item->hash, [&, name = name](Item* i) { return i->name == name; }) == item);
    }
  }
}

TEST_CASE("Replacing keeps the place and changes the object") {
  Item a{5, 1}, b{5, 2}, c{5, 3};
  PointerIndex<Item, &Item::hash> index;
  index.Insert(&a);
  index.Insert(&b);
  index.Replace(&a, &c);
  CHECK(index.size() == 2);
  CHECK(index.Find(5, [](Item* i) { return i->name == 1; }) == nullptr);
  CHECK(index.Find(5, [](Item* i) { return i->name == 3; }) == &c);
}

}  // namespace
}  // namespace weir
