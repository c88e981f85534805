// Rounding up to sizes that Fly sells.
#include "provider/flyio/spec/guest_size.h"

#include <gtest/gtest.h>

namespace swarm::flyio {
namespace {

Guest sized(double cores, std::int64_t memory) {
  ResourceConfig resources;
  resources.cpu = {cores, 0};
  resources.memory = {0, memory};
  return roundUp(resources);
}

std::string refusedField(ResourceConfig resources) {
  try {
    roundUp(resources);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
    return error.fields().empty() ? "(no field)" : error.fields().front().pointer;
  }
  return "(not refused)";
}

TEST(GuestSize, takesTheCheapestSizeThatIsLargeEnough) {
  EXPECT_EQ(sized(0.5, 64), (Guest{true, 1, 256}));
  EXPECT_EQ(sized(1, 256), (Guest{true, 1, 256}));
  EXPECT_EQ(sized(1, 257), (Guest{true, 1, 512}));
  EXPECT_EQ(sized(1, 2048), (Guest{true, 1, 2048}));
  EXPECT_EQ(sized(1, 2049), (Guest{true, 2, 2304}));
  EXPECT_EQ(sized(2, 4096), (Guest{true, 2, 4096}));
  EXPECT_EQ(sized(3, 256), (Guest{true, 4, 1024}));
  EXPECT_EQ(sized(5, 1024), (Guest{true, 6, 1536}));
  EXPECT_EQ(sized(8, 16384), (Guest{true, 8, 16384}));
}

TEST(GuestSize, takesPerformanceCpusWhereSharedOnesCanNotCarryIt) {
  EXPECT_EQ(sized(9, 1024), (Guest{false, 10, 20480}));
  EXPECT_EQ(sized(16, 131072), (Guest{false, 16, 131072}));
  EXPECT_EQ(sized(1, 16385), (Guest{false, 4, 17408}));
}

TEST(GuestSize, everySizeIsOneThatFlySells) {
  for (int cores = 1; cores <= 16; ++cores) {
    for (std::int64_t memory = 64; memory <= kLargestGuest.memoryMb; memory += 1777) {
      Guest guest = sized(cores, memory);
      std::int64_t step = guest.shared ? 256 : 1024;
      EXPECT_EQ(guest.memoryMb % step, 0);
      EXPECT_GE(guest.memoryMb, (guest.shared ? 256 : 2048) * guest.cpus);
      EXPECT_LE(guest.memoryMb, (guest.shared ? 2048 : 8192) * guest.cpus);
      EXPECT_GE(guest.memoryMb, memory);
      EXPECT_GE(guest.cpus, cores);
      EXPECT_TRUE(guest.cpus == 1 || guest.cpus % 2 == 0);
    }
  }
}

TEST(GuestSize, aLimitInMillicoresCountsMoreThanCores) {
  ResourceConfig resources;
  resources.cpu = {1, 3500};
  resources.memory = {0, 512};
  EXPECT_EQ(roundUp(resources), (Guest{true, 4, 1024}));
}

TEST(GuestSize, refusesWhatNoMachineHas) {
  ResourceConfig resources;
  resources.cpu = {17, 0};
  EXPECT_EQ(refusedField(resources), "/resources/cpu/cores");
  resources.cpu = {1, 16001};
  EXPECT_EQ(refusedField(resources), "/resources/cpu/limit");
  resources.cpu = {1, 0};
  resources.memory = {0, 131073};
  EXPECT_EQ(refusedField(resources), "/resources/memory/max");
  resources.memory = {0, 2};
  EXPECT_EQ(refusedField(resources), "/resources/memory/max");
  resources.memory = {512, 256};
  EXPECT_EQ(refusedField(resources), "/resources/memory/min");
}

TEST(GuestSize, theEffectiveSizeIsTheGuests) {
  ResourceConfig requested;
  requested.cpu = {0.5, 500};
  requested.memory = {32, 64};
  requested.pids = 99;
  ResourceConfig effective = effectiveOn(roundUp(requested), requested);
  EXPECT_EQ(effective.cpu.cores, 1);
  EXPECT_EQ(effective.cpu.limit, 1000);
  EXPECT_EQ(effective.memory.max, 256);
  EXPECT_EQ(effective.memory.min, 32);
  EXPECT_EQ(effective.pids, 99);
}

}  // namespace
}  // namespace swarm::flyio
