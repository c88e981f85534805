// The contract of usage_store.h, for every implementation.
#include "conformance/store/store_conformance.h"

namespace swarm {
namespace {

using namespace test;
using testing::IsEmpty;
using testing::SizeIs;

constexpr SystemTime kBegin{std::chrono::hours(500'000)};

UsageSums sumsOf(SystemTime at, std::int64_t factor) {
  return {.at = at,
          .samples = factor,
          .cpu = 10 * factor,
          .memory = 20 * factor,
          .cpuMax = 30 * factor,
          .memoryMax = 40 * factor,
          .storage = 50 * factor,
          .received = 60 * factor,
          .sent = 70 * factor};
}

TEST_P(StoreConformance, addsUsageToWhatIsThere) {
  insert("i-1", "one");
  insert("i-2", "two");
  run(store().usage().add({{InstanceId("i-1"), sumsOf(kBegin, 3)},
                           {InstanceId("i-1"), sumsOf(kBegin + kUsageRowSpan, 1)},
                           {InstanceId("i-2"), sumsOf(kBegin, 9)}}));
  run(store().usage().add({{InstanceId("i-1"), sumsOf(kBegin, 1)}}));
  reopen();
  const std::vector<UsageSums> rows = run(store().usage().read(InstanceId("i-1"), kBegin, kBegin + 2 * kUsageRowSpan));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].at, kBegin);
  EXPECT_EQ(rows[0].samples, 4);
  EXPECT_EQ(rows[0].cpu, 40);
  EXPECT_EQ(rows[0].memory, 80);
  EXPECT_EQ(rows[0].cpuMax, 90) << "the highest";
  EXPECT_EQ(rows[0].memoryMax, 120);
  EXPECT_EQ(rows[0].storage, 50) << "the last one";
  EXPECT_EQ(rows[0].received, 240);
  EXPECT_EQ(rows[0].sent, 280);
  EXPECT_EQ(rows[1].at, kBegin + kUsageRowSpan);
  EXPECT_THAT(run(store().usage().read(InstanceId("i-1"), kBegin, kBegin + kUsageRowSpan)), SizeIs(1)) << "`to` is not part of it";
  EXPECT_THAT(run(store().usage().read(InstanceId("i-1"), kBegin + std::chrono::milliseconds(1), kBegin + kUsageRowSpan)), IsEmpty());
}

TEST_P(StoreConformance, coarsensUsageToHours) {
  insert("i-1", "one");
  insert("i-2", "two");
  std::vector<UsageRow> rows;
  for (int quarter = 0; quarter < 12; ++quarter)
    for (const char* id : {"i-1", "i-2"}) rows.push_back({InstanceId(id), sumsOf(kBegin + quarter * kUsageRowSpan, quarter + 1)});
  run(store().usage().add(std::move(rows)));
  for (int turn = 0; turn < 2; ++turn) {  // again: without effect
    run(store().usage().coarsen(kBegin, kBegin + 2 * kCoarseUsageRowSpan));
    for (const char* id : {"i-1", "i-2"}) {
      const std::vector<UsageSums> read = run(store().usage().read(InstanceId(id), kBegin, kBegin + 3 * kCoarseUsageRowSpan));
      ASSERT_THAT(read, SizeIs(2 + 4)) << "the third hour is not part of it";
      EXPECT_EQ(read[0].samples, 1 + 2 + 3 + 4);
      EXPECT_EQ(read[0].cpuMax, 30 * 4);
      EXPECT_EQ(read[0].storage, 50 * 4) << "the last one";
      EXPECT_EQ(read[1].at, kBegin + kCoarseUsageRowSpan);
      EXPECT_EQ(read[1].sent, 70 * (5 + 6 + 7 + 8));
      EXPECT_EQ(read[2].samples, 9);
    }
  }
}

TEST_P(StoreConformance, removesOldUsage) {
  insert("i-1", "one");
  run(store().usage().add({{InstanceId("i-1"), sumsOf(kBegin, 1)}, {InstanceId("i-1"), sumsOf(kBegin + kUsageRowSpan, 1)}}));
  run(store().usage().prune(kBegin + kUsageRowSpan));
  const std::vector<UsageSums> rows = run(store().usage().read(InstanceId("i-1"), kBegin, kBegin + 2 * kUsageRowSpan));
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].at, kBegin + kUsageRowSpan);
}

TEST_P(StoreConformance, usageIsDeletedWithItsInstance) {
  insert("i-1", "one");
  run(store().usage().add({{InstanceId("i-1"), sumsOf(kBegin, 1)}, {InstanceId("absent"), sumsOf(kBegin, 1)}}));
  EXPECT_THAT(run(store().usage().read(InstanceId("absent"), kBegin, kBegin + kUsageRowSpan)), IsEmpty());
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  EXPECT_THAT(run(store().usage().read(InstanceId("i-1"), kBegin, kBegin + kUsageRowSpan)), IsEmpty());
  run(store().usage().add({{InstanceId("i-1"), sumsOf(kBegin, 1)}}));
  EXPECT_THAT(run(store().usage().read(InstanceId("i-1"), kBegin, kBegin + kUsageRowSpan)), IsEmpty());
}

}  // namespace
}  // namespace swarm
