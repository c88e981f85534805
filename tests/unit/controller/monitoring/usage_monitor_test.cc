// UsageMonitor: who is sampled, what is shown of it, and what is kept over a restart.
#include <gmock/gmock.h>

#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::SizeIs;

ResourceUsage usageOf(double cpu, double memory, double received = 0) {
  return {.cpu = {.usage = cpu}, .memory = {.usage = memory}, .storage = {.usage = 1.5}, .network = {received, received / 2}};
}

class UsageMonitorTest : public ControllerTest {
 protected:
  UsageMonitorTest() { options_.usageInterval = std::chrono::milliseconds(2); }

  std::vector<InstanceUsage> list(InstanceQuery query = {}) { return run(swarm().listUsage(std::move(query))).items; }
  UsageResponse history(const std::string& ref, UsageQuery query = {}) { return run(swarm().getUsageHistory(ref, std::move(query))); }
  /// Waits until a sample of `name` was taken at the present time of the clock, in whole seconds.
  void waitForSample(const std::string& name) {
    const SystemTime now = std::chrono::floor<std::chrono::seconds>(clock_.now());
    drive([&] {
      for (const InstanceUsage& one : list())
        if (one.name == name && one.at >= now) return true;
      return false;
    });
  }
};

TEST_F(UsageMonitorTest, listsTheLastSampleOfWhatRuns) {
  boot();
  const Instance web = create("web");
  create("idle");
  world_.use(PlaceId(web.id.str()), usageOf(42, 100));
  clock_.advance(minutes(1));
  waitForSample("web");
  waitForSample("idle");
  const std::vector<InstanceUsage> all = list();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].name, "web");
  EXPECT_EQ(all[0].owner, "ann");
  EXPECT_DOUBLE_EQ(all[0].cpu.usage, 42);
  EXPECT_DOUBLE_EQ(all[0].memory.usage, 100);
  EXPECT_DOUBLE_EQ(all[0].recentCpu.back(), 42);
  EXPECT_EQ(all[1].name, "idle");
  finish(run(swarm().stopInstance("web", "ann")));
  EXPECT_THAT(list(), SizeIs(1)) << "a stopped instance uses nothing";
  EXPECT_EQ(history("web").cpu.usage, 0);
  EXPECT_THAT(history("web").history->points, testing::Not(IsEmpty())) << "its history stays";
}

TEST_F(UsageMonitorTest, showsTrafficAsRates) {
  boot();
  const Instance web = create("web");
  world_.use(PlaceId(web.id.str()), usageOf(1, 1, 1e6));
  clock_.advance(minutes(1));
  waitForSample("web");
  world_.use(PlaceId(web.id.str()), usageOf(1, 1, 7e6));
  clock_.advance(minutes(1));
  waitForSample("web");
  const UsagePoint last = history("web").history->points.back();
  EXPECT_NEAR(last.network.received, 1e5, 2e3);
  EXPECT_NEAR(last.network.sent, 5e4, 1e3);
  EXPECT_DOUBLE_EQ(history("web").network.received, 7e6) << "of the container, since its start";
}

TEST_F(UsageMonitorTest, keepsTheHistoryOverARestart) {
  boot();
  const Instance web = create("web");
  world_.use(PlaceId(web.id.str()), usageOf(50, 256));
  for (int i = 0; i < 40; ++i) {
    clock_.advance(minutes(1));
    waitForSample("web");
  }
  const std::string from = formatTime(clock_.now() - hours(2));
  const auto before = history("web", {.from = from, .step = 900}).history->points;
  run(swarm().close(std::chrono::seconds(1)));
  reboot();
  const auto after = history("web", {.from = from, .step = 900}).history->points;
  ASSERT_THAT(after, SizeIs(testing::Ge(before.size())));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].at, before[i].at);
    EXPECT_DOUBLE_EQ(after[i].cpuMax, before[i].cpuMax);
  }
  finish(run(swarm().deleteInstance("web", DeleteVolumes::No, "ann")));
  EXPECT_THAT(run(store_.usage().read(web.id, SystemTime(), SystemTime::max())), IsEmpty());
}

TEST_F(UsageMonitorTest, aHistoryIsRefusedForAnUnknownInstanceAndAWrongTime) {
  boot();
  create("web");
  const auto codeOf = [&](const std::string& ref, UsageQuery query) {
    try {
      history(ref, std::move(query));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  EXPECT_EQ(codeOf("absent", {}), ErrorCode::NotFound);
  EXPECT_EQ(codeOf("web", {.from = "soon"}), ErrorCode::InvalidArgument);
}

TEST_F(UsageMonitorTest, amountsThatCannotBeAreCut) {
  boot();
  const Instance web = create("web");
  world_.use(PlaceId(web.id.str()), usageOf(-3, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()));
  clock_.advance(minutes(1));
  waitForSample("web");
  const InstanceUsage seen = list().front();
  EXPECT_EQ(seen.cpu.usage, 0);
  EXPECT_EQ(seen.memory.usage, 0);
  EXPECT_EQ(seen.network.received, 0);
}

TEST_F(UsageMonitorTest, goesOnAfterFailures) {
  boot();
  create("web");
  create("other");
  world_.faults.fail("getResourceUsage", Error(ErrorCode::Unavailable, "The Engine did not respond."), 7);
  clock_.advance(minutes(1));
  waitForSample("web");
  waitForSample("other");
}

TEST_F(UsageMonitorTest, takesNoSamplesAtInterval0) {
  options_.usageInterval = std::chrono::milliseconds(0);
  boot();
  create("web");
  turn(200);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_THAT(history("web").history->points, IsEmpty());
}

TEST_F(UsageMonitorTest, pagesThroughTheList) {
  boot();
  for (const char* name : {"a", "b", "c"}) create(name);
  clock_.advance(minutes(1));
  for (const char* name : {"a", "b", "c"}) waitForSample(name);
  InstanceQuery query;
  query.limit = 2;
  const UsagePage first = run(swarm().listUsage(query));
  EXPECT_THAT(first.items, SizeIs(2));
  query.after = first.next;
  const UsagePage second = run(swarm().listUsage(query));
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(second.items[0].name, "c");
  EXPECT_TRUE(second.next.empty());
}

}  // namespace
}  // namespace swarm::test
