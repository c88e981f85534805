// What an instance uses, as its agent reads it from the control group, /proc and the file systems.
#include "unit/agent/fixture.h"
namespace swarm::agent {
namespace {

using std::chrono::seconds;

TEST(ControlGroup, readsVersion2) {
  test::TempDir folder;
  writeFile(folder / "cgroup.controllers", "cpu memory\n");
  writeFile(folder / "cpu.stat", "usage_usec 123456\nuser_usec 1\n");
  writeFile(folder / "cpu.max", "150000 100000\n");
  writeFile(folder / "memory.current", "1000000\n");
  writeFile(folder / "memory.stat", "anon 5\ninactive_file 400000\n");
  writeFile(folder / "memory.max", "max\n");
  auto facts = readControlGroup(folder.path());
  EXPECT_EQ(facts.cpuMicroseconds, 123456U);
  EXPECT_EQ(facts.cpuLimit, 1500);
  EXPECT_EQ(facts.memoryBytes, 600000U);
  EXPECT_FALSE(facts.memoryLimit);
}

TEST(ControlGroup, readsVersion1) {
  test::TempDir folder;
  writeFile(folder / "cpuacct/cpuacct.usage", "123456000\n");
  writeFile(folder / "cpu/cpu.cfs_quota_us", "-1\n");
  writeFile(folder / "cpu/cpu.cfs_period_us", "100000\n");
  writeFile(folder / "memory/memory.usage_in_bytes", "1000000\n");
  writeFile(folder / "memory/memory.stat", "inactive_file 1\ntotal_inactive_file 2000000\n");
  writeFile(folder / "memory/memory.limit_in_bytes", "9223372036854771712\n");
  auto facts = readControlGroup(folder.path());
  EXPECT_EQ(facts.cpuMicroseconds, 123456U);
  EXPECT_FALSE(facts.cpuLimit);
  EXPECT_EQ(facts.memoryBytes, 0U) << "never negative";
  EXPECT_FALSE(facts.memoryLimit);
}

TEST(ControlGroup, saysNothingWhereThereIsNone) {
  auto facts = readControlGroup("/nonexistent");
  EXPECT_FALSE(facts.cpuMicroseconds || facts.memoryBytes || facts.cpuLimit || facts.memoryLimit);
}

TEST(CpuPercent, isOfOneCore) {
  EXPECT_DOUBLE_EQ(cpuPercent(0, 1'000'000, seconds(1)), 100);
  EXPECT_DOUBLE_EQ(cpuPercent(1'000'000, 3'000'000, seconds(1)), 200);
  EXPECT_DOUBLE_EQ(cpuPercent(5, 4, seconds(1)), 0);
  EXPECT_DOUBLE_EQ(cpuPercent(0, 10, seconds(0)), 0);
}

class UsageTest : public LoopTest {};

TEST_F(UsageTest, storageIsWhatTheFilesOccupy) {
  writeFile(folder / "data/file", std::string(1024 * 1024, 'x'));
  UsageMeter meter({folder / "no-group", "/proc", {folder / "data"}});
  ResourceUsage usage;
  // Beside a load, the first response may have the file system's figure: files are counted with the lowest priority.
  for (auto end = Deadline::after(kPatience); (usage = await(meter.measure())).storage.usage >= 2.0 / 1024 && !end.hasPassed();) {
  }
  EXPECT_GE(usage.storage.usage, 1.0 / 1024);
  EXPECT_LT(usage.storage.usage, 2.0 / 1024);
  EXPECT_GT(usage.storage.limit, usage.storage.usage);
}

TEST_F(UsageTest, trafficIsThatOfAllInterfacesButTheLoopbackOne) {
  writeFile(folder / "proc/net/dev",
            "Inter-|   Receive                                                |  Transmit\n"
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
            "    lo: 9000000   100    0    0    0     0          0         0  9000000     100    0    0    0     0       0          0\n"
            "  eth0:5000000000 7    0    0    0     0          0         0     1200      7    0    0    0     0       0          0\n"
            "  eth1:      34       1    0    0    0     0          0         0       30       1    0    0    0     0       0          0\n"
            "  cut0: 77 1\n");
  UsageMeter meter({folder / "no-group", folder / "proc", {folder.path()}});
  const ResourceUsage usage = await(meter.measure());
  EXPECT_EQ(usage.network.received, 5e9 + 34);
  EXPECT_EQ(usage.network.sent, 1230);
  UsageMeter without({folder / "no-group", folder / "absent", {folder.path()}});
  EXPECT_EQ(await(without.measure()).network.received, 0);
}

}  // namespace
}  // namespace swarm::agent
