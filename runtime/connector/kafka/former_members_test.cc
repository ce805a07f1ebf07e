#include "runtime/connector/kafka/former_members.h"

#include <catch2/catch.hpp>

using weir::kafka::FormerMembers;
using Names = std::vector<std::string>;

TEST_CASE("Only places of this state directory that no worker takes are former ones") {
  Names group = {"", "me-0", "me-1", "me-2", "me-11", "me-sole", "me-", "me", "me-2x", "mea-3", "other-3", "me-99999999999"};
  CHECK(FormerMembers::PlacesOf(group, "me", 1) == Names{"me-1", "me-2", "me-11"});
  CHECK(FormerMembers::PlacesOf(group, "me", 3) == Names{"me-11"});
  CHECK(FormerMembers::PlacesOf(group, "me", 12).empty());
  CHECK(FormerMembers::PlacesOf({}, "me", 1).empty());
}
