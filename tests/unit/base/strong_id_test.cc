// Ids of different kinds do not mix.
#include "base/strong_id.h"

#include <gtest/gtest.h>

#include <concepts>
#include <type_traits>
#include <unordered_set>

#include "base/text/format.h"

namespace swarm {
namespace {

using CatId = StrongId<struct CatTag>;
using DogId = StrongId<struct DogTag>;

static_assert(!std::is_convertible_v<std::string, CatId> && !std::is_convertible_v<CatId, std::string>, "conversions are written out");
static_assert(!std::is_constructible_v<DogId, CatId> && !std::equality_comparable_with<DogId, CatId>, "kinds are not mixed");

TEST(StrongId, hasTheOrderHashAndTextOfItsString) {
  EXPECT_TRUE(CatId().empty());
  EXPECT_LT(CatId("a"), CatId("b"));
  EXPECT_EQ((std::unordered_set{CatId("a"), CatId("a"), CatId("b")}.size()), 2u);
  EXPECT_EQ(format("{}", CatId("a")), "a");
  EXPECT_EQ(::testing::PrintToString(CatId("a")), "a");
}

}  // namespace
}  // namespace swarm
