// The division of a process's descriptors.
#include "net/descriptors.h"

#include <gtest/gtest.h>

namespace swarm::net {
namespace {

class DescriptorLimit : public testing::TestWithParam<std::size_t> {};

TEST_P(DescriptorLimit, isNeverReachedByClientsAlone) {
  const std::size_t limit = GetParam();
  const DescriptorPlan plan = planDescriptors(limit);
  const std::size_t most = 2 * plan.connections + plan.idleUpstreams + 2 * plan.pipes;
  EXPECT_LE(most + std::min<std::size_t>(limit / 4, 4096), limit);
  EXPECT_GE(plan.connections, std::min<std::size_t>(limit / 4, 20'000));
  EXPECT_LE(plan.perAddress, plan.connections);
  EXPECT_GT(plan.perAddress, 0U);
}

INSTANTIATE_TEST_SUITE_P(Of, DescriptorLimit, testing::Values(256, 1024, 4096, 20'000, 1'048'576, std::size_t{1} << 62));

TEST(DescriptorPlan, leavesRoomForSeveralAddressesWhereThereIsMuch) {
  EXPECT_EQ(planDescriptors(1'048'576).connections, 20'000U);
  EXPECT_EQ(planDescriptors(1'048'576).perAddress, 4096U);
  EXPECT_EQ(planDescriptors(1024).perAddress, 256U);
}

}  // namespace
}  // namespace swarm::net
