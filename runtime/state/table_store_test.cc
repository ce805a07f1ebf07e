// Tables in memory: rows found by key, replaced and removed, their strings alive as long as they are.
#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>

#include "runtime/state/table_store.h"

namespace weir {
namespace {

struct Row {
  Str name;
  int64_t lot;
};

// Input values: "key|name|lot".
bool Decode(const Message& message, Arena&, RowWriter& key, RowWriter& row, std::string* error) {
  std::string text(message.value.view());
  size_t a = text.find('|'), b = text.find('|', a + 1);
  if (a == std::string::npos || b == std::string::npos) {
    *error = "no bars";
    return false;
  }
  key.Raw(Str(std::string_view(text).substr(0, a)));
  row.Str(Str(std::string_view(text).substr(a + 1, b - a - 1)));
  row.I64(std::stoll(text.substr(b + 1)));
  return true;
}

bool Load(RowReader& in, void* value) {
  Row* row = static_cast<Row*>(value);
  row->name = in.Str();
  row->lot = in.I64();
  return in.AtEnd();
}

bool Tombstone(const Message& message, Arena&, RowWriter& key) {
  key.Raw(message.key);
  return message.has_key;
}

TableSpec Spec() {
  TableSpec spec;
  spec.name = "t";
  spec.value_size = sizeof(Row);
  spec.decode = &Decode;
  spec.load = &Load;
  spec.tombstone_key = &Tombstone;
  return spec;
}

void Put(TableStore& table, const std::string& key, const std::string& name, int64_t lot) {
  std::string value = key + "|" + name + "|" + std::to_string(lot);
  Message message;
  message.value = Str(std::string_view(value));
  message.has_value = true;
  std::string error;
  REQUIRE(table.Stage(message, &error));
}

void Remove(TableStore& table, const std::string& key) {
  Message message;
  message.key = Str(std::string_view(key));
  message.has_key = true;
  std::string error;
  REQUIRE(table.Stage(message, &error));
}

TEST_CASE("changes show when they are applied, in order") {
  TableSpec spec = Spec();
  TableStore table(spec);
  Put(table, "a", "Acme", 1);
  CHECK(table.Find(Str("a")) == nullptr);
  table.Apply();
  const Row* row = static_cast<const Row*>(table.Find(Str("a")));
  REQUIRE(row != nullptr);
  CHECK(row->name == Str("Acme"));
  Put(table, "a", "Acme Inc", 2);
  Remove(table, "b");
  Put(table, "b", "Bee", 3);
  table.Apply();
  CHECK(static_cast<const Row*>(table.Find(Str("a")))->lot == 2);
  CHECK(static_cast<const Row*>(table.Find(Str("b")))->name == Str("Bee"));
  Remove(table, "a");
  table.Apply();
  CHECK(table.Find(Str("a")) == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("bad input is told, not kept") {
  TableSpec spec = Spec();
  TableStore table(spec);
  Message message;
  message.value = Str("nothing");
  message.has_value = true;
  std::string error;
  CHECK(!table.Stage(message, &error));
  CHECK(error == "no bars");
  message.has_value = false;
  CHECK(!table.Stage(message, &error));
  spec.tombstone_key = nullptr;
  CHECK(!table.Stage(message, &error));
  CHECK(table.staged() == 0);
}

TEST_CASE("a table agrees with a map, and gives memory back") {
  TableSpec spec = Spec();
  TableStore table(spec);
  std::map<std::string, int64_t> model;
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 50; ++i) {
      std::string key = std::to_string(random() % 500);
      if (random() % 3 == 0) {
        Remove(table, key);
        model.erase(key);
      } else {
        int64_t lot = random() % 1000;
        Put(table, key, std::string(random() % 100, 'n'), lot);
        model[key] = lot;
      }
    }
    table.Apply();
    REQUIRE(table.size() == model.size());
    for (int k = 0; k < 500; ++k) {
      std::string key = std::to_string(k);
      const Row* row = static_cast<const Row*>(table.Find(Str(std::string_view(key))));
      auto at = model.find(key);
      REQUIRE((row != nullptr) == (at != model.end()));
      if (row != nullptr) REQUIRE(row->lot == at->second);
    }
  }
  for (auto& [key, lot] : model) Remove(table, key);
  table.Apply();
  CHECK(table.size() == 0);
  CHECK(table.bytes() == 0);
}

}  // namespace
}  // namespace weir
