// The checker itself: it must see a loss, a duplicate, a swap and a stranger, wherever they are.
#include <catch2/catch.hpp>

#include <random>

#include "tests/recover/output_checker.h"

namespace weir {
namespace {

std::string KeyOf(const std::string& record) { return record.substr(0, record.find(':')); }

TEST_CASE("a seeded loss, duplicate, swap and stranger are each found") {
  std::mt19937 random(1);
  std::vector<std::string> expected;
  for (int i = 0; i < 500; ++i) expected.push_back("k" + std::to_string(random() % 7) + ":" + std::to_string(i));
  OutputRules rules;
  rules.order_key = KeyOf;
  CHECK(CheckOutput(expected, expected, rules).empty());
  for (int round = 0; round < 200; ++round) {
    size_t at = random() % expected.size();
    std::vector<std::string> lost = expected, twice = expected, stranger = expected;
    lost.erase(lost.begin() + static_cast<long>(at));
    CHECK(CheckOutput(expected, lost, rules) == "lost: " + expected[at]);
    twice.insert(twice.begin() + static_cast<long>(random() % (expected.size() + 1)), expected[at]);
    CHECK(CheckOutput(expected, twice, rules) == "written twice: " + expected[at]);
    stranger.insert(stranger.begin() + static_cast<long>(at), "k1:x");
    CHECK(CheckOutput(expected, stranger, rules) == "not expected: k1:x");

    size_t other = at;
    while (++other < expected.size() && KeyOf(expected[other]) != KeyOf(expected[at])) {
    }
    if (other == expected.size()) continue;
    std::vector<std::string> swapped = expected;
    std::swap(swapped[at], swapped[other]);
    CHECK_THAT(CheckOutput(expected, swapped, rules), Catch::StartsWith("out of order: "));
    OutputRules no_order;
    CHECK(CheckOutput(expected, swapped, no_order).empty());
  }
}

TEST_CASE("interleavings of keys are nobody's promise, and repetitions may be allowed") {
  std::vector<std::string> expected = {"a:1", "b:1", "a:2"}, other = {"b:1", "a:1", "a:2"};
  OutputRules rules;
  rules.order_key = KeyOf;
  CHECK(CheckOutput(expected, other, rules).empty());
  rules.exactly_once = false;
  CHECK(CheckOutput(expected, {"a:1", "a:1", "b:1", "a:2", "a:1"}, rules).empty());
  CHECK_THAT(CheckOutput(expected, {"a:2", "a:1", "b:1", "a:2"}, rules), Catch::StartsWith("out of order"));
  CHECK(CheckOutput(expected, {"a:1", "b:1"}, rules) == "lost: a:2");
}

}  // namespace
}  // namespace weir
