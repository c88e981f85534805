// UsageSeries: what samples add up to, and which points a history has.
#include "controller/monitoring/usage_series.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace swarm::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr SystemTime kNoon{hours(24 * 20'000 + 12)};

UsageSample sampleAt(SystemTime at, std::int64_t cpu = 1000, std::int64_t memory = 1024) {
  return {.at = at, .cpu = cpu, .memory = memory, .storage = 1024 * 1024, .received = 100, .sent = 10};
}

UsageHistory historyOf(const UsageSeries& series, SystemTime from, SystemTime to, seconds step, const std::vector<UsageSums>& stored = {}) {
  return series.history({from, to, step}, stored);
}

UsageRange rangeOf(std::string from, std::string to, std::int64_t step, seconds interval = seconds(60)) {
  return usageRangeOf({.from = std::move(from), .to = std::move(to), .step = step}, kNoon, interval);
}

std::string faultOf(std::string from, std::string to, std::int64_t step) {
  try {
    rangeOf(std::move(from), std::move(to), step);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.fields().empty() ? "" : error.fields().front().pointer;
  }
  return "none";
}

TEST(UsageRange, isTheLastHourInPointsOfAMinute) {
  const UsageRange range = rangeOf("", "", 0);
  EXPECT_EQ(range.to, kNoon);
  EXPECT_EQ(range.from, kNoon - hours(1));
  EXPECT_EQ(range.step, seconds(60));
}

TEST(UsageRange, choosesAStepWithAtMost300Points) {
  EXPECT_EQ(rangeOf(formatTime(kNoon - hours(24)), "", 0).step, minutes(5));
  EXPECT_EQ(rangeOf(formatTime(kNoon - hours(24 * 7)), "", 0).step, hours(1));
  EXPECT_EQ(rangeOf(formatTime(kNoon - hours(24 * 31)), "", 0).step, hours(4));
  EXPECT_EQ(rangeOf("", "", 0, minutes(10)).step, minutes(15)) << "not below the interval of samples";
  const UsageRange years = rangeOf("1970-01-01T00:00:00Z", "", 0);
  EXPECT_LE((years.to - years.from) / years.step, static_cast<std::int64_t>(kMaxUsagePoints));
}

TEST(UsageRange, refusesWhatHasNoPointsOrTooMany) {
  EXPECT_EQ(faultOf("yesterday", "", 0), "?from");
  EXPECT_EQ(faultOf("", "2026-13-01T00:00:00Z", 0), "?to");
  EXPECT_EQ(faultOf(formatTime(kNoon), formatTime(kNoon), 0), "?from");
  EXPECT_EQ(faultOf(formatTime(kNoon + hours(2)), "", 0), "?from");
  EXPECT_EQ(faultOf(formatTime(kNoon - hours(24)), "", 1), "?step");
  EXPECT_EQ(faultOf(formatTime(kNoon - seconds(kMaxUsagePoints - 1)), "", 1), "none");
}

TEST(UsageSeries, aPointIsTheMeanAndTheHighestOfItsSamples) {
  UsageSeries series;
  series.add(sampleAt(kNoon, 500, 1024), 100);
  series.add(sampleAt(kNoon + seconds(60), 1500, 3072), 100);
  series.add(sampleAt(kNoon + seconds(120), 100, 1024), 100);
  const UsageHistory history = historyOf(series, kNoon, kNoon + seconds(180), seconds(120));
  ASSERT_THAT(history.points, SizeIs(2));
  EXPECT_EQ(history.points[0].at, kNoon);
  EXPECT_DOUBLE_EQ(history.points[0].cpu, 100);
  EXPECT_DOUBLE_EQ(history.points[0].cpuMax, 150);
  EXPECT_DOUBLE_EQ(history.points[0].memory, 2);
  EXPECT_DOUBLE_EQ(history.points[0].memoryMax, 3);
  EXPECT_DOUBLE_EQ(history.points[0].storage, 1);
  EXPECT_DOUBLE_EQ(history.points[0].network.received, 100);
  EXPECT_DOUBLE_EQ(history.points[0].network.sent, 10);
  EXPECT_EQ(history.points[1].at, kNoon + seconds(120));
  EXPECT_DOUBLE_EQ(history.points[1].cpu, 10);
}

TEST(UsageSeries, aTimeWithoutSamplesHasNoPoint) {
  UsageSeries series;
  series.add(sampleAt(kNoon), 100);
  series.add(sampleAt(kNoon + minutes(10)), 100);
  EXPECT_THAT(historyOf(series, kNoon, kNoon + minutes(11), seconds(60)).points, SizeIs(2));
  EXPECT_THAT(historyOf(series, kNoon + minutes(1), kNoon + minutes(10), seconds(60)).points, IsEmpty());
  EXPECT_THAT(historyOf(UsageSeries(), kNoon, kNoon + minutes(10), seconds(60)).points, IsEmpty());
}

TEST(UsageSeries, keepsTheNewestSamples) {
  UsageSeries series;
  for (int i = 0; i < 30; ++i) series.add(sampleAt(kNoon + minutes(i), i), 10);
  const UsageHistory history = historyOf(series, kNoon, kNoon + minutes(30), seconds(60));
  // What is not in memory any more is in the sums that are to be saved.
  ASSERT_THAT(history.points, SizeIs(2 + 10));
  EXPECT_DOUBLE_EQ(history.points[0].cpu, 0.7) << "minutes 0 to 14";
  EXPECT_EQ(history.points[1].at, kNoon + minutes(15));
  EXPECT_DOUBLE_EQ(history.points[1].cpu, 1.7) << "minutes 15 to 19";
  EXPECT_EQ(history.points.back().at, kNoon + minutes(29));
  EXPECT_THAT(series.recentCpu(3), ElementsAre(2.7, 2.8, 2.9));
  EXPECT_THAT(series.recentCpu(100), SizeIs(10));
}

TEST(UsageSeries, goesOnAfterTheClockWasSetBack) {
  UsageSeries series;
  for (int i = 0; i < 100; ++i) series.add(sampleAt(kNoon + hours(1) + minutes(i), 1), 200);
  for (int i = 0; i < 100; ++i) series.add(sampleAt(kNoon + minutes(i), 20), 200);
  const UsageHistory history = historyOf(series, kNoon, kNoon + hours(3), seconds(60));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(history.points[static_cast<std::size_t>(i)].at, kNoon + minutes(i));
    EXPECT_LE(history.points[static_cast<std::size_t>(i)].cpu, 2);
  }
  EXPECT_DOUBLE_EQ(series.recentCpu(1).front(), 2);
  EXPECT_THAT(series.takeSums(kNoon + hours(9), UsageSeries::Which::Ended), SizeIs(testing::Le(12U)));
}

TEST(UsageSeries, afterARestartTheRowOfTheSameSpanIsCompleted) {
  // 12:00 to 12:04 before the restart, 12:06 to 12:20 after it.
  UsageSeries before, after;
  for (int i = 0; i < 5; ++i) before.add(sampleAt(kNoon + minutes(i), 1000), 100);
  std::vector<UsageSums> stored = before.takeSums(kNoon + minutes(5), UsageSeries::Which::All);
  for (int i = 6; i <= 10; ++i) after.add(sampleAt(kNoon + minutes(i), 2000), 100);
  const auto expect = [&] {
    const UsageHistory fine = historyOf(after, kNoon, kNoon + minutes(11), seconds(60), stored);
    ASSERT_THAT(fine.points, SizeIs(1 + 5)) << "the row, and the minutes since the restart";
    EXPECT_DOUBLE_EQ(fine.points[0].cpu, 100);
    EXPECT_EQ(fine.points[1].at, kNoon + minutes(6));
    EXPECT_DOUBLE_EQ(fine.points[1].cpu, 200);
    EXPECT_DOUBLE_EQ(historyOf(after, kNoon, kNoon + minutes(11), minutes(15), stored).points.at(0).cpu, 150);
  };
  expect();
  for (const UsageSums& sums : after.takeSums(kNoon + minutes(15), UsageSeries::Which::Ended)) stored.at(0).add(sums);
  expect();
}

TEST(UsageSeries, givesItsSumsOnceForEachSpanThatHasEnded) {
  UsageSeries series;
  for (int i = 0; i < 20; ++i) series.add(sampleAt(kNoon + minutes(i), 100 * i, 10), 1000);
  const std::vector<UsageSums> ended = series.takeSums(kNoon + minutes(20), UsageSeries::Which::Ended);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].at, kNoon);
  EXPECT_EQ(ended[0].samples, 15);
  EXPECT_EQ(ended[0].cpu, 100 * (14 * 15 / 2));
  EXPECT_EQ(ended[0].cpuMax, 1400);
  EXPECT_EQ(ended[0].memory, 150);
  EXPECT_EQ(ended[0].received, 1500);
  EXPECT_THAT(series.takeSums(kNoon + minutes(20), UsageSeries::Which::Ended), IsEmpty());
  const std::vector<UsageSums> rest = series.takeSums(kNoon + minutes(20), UsageSeries::Which::All);
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].at, kNoon + minutes(15));
  EXPECT_EQ(rest[0].samples, 5);
}

TEST(UsageSeries, aHistoryHasEachSampleOnce) {
  // Two hours of samples, saved while they came; the memory holds the last half hour.
  UsageSeries series;
  std::vector<UsageSums> stored;
  for (int i = 0; i < 120; ++i) {
    series.add(sampleAt(kNoon + minutes(i), 1000), 30);
    for (const UsageSums& sums : series.takeSums(kNoon + minutes(i), UsageSeries::Which::Ended)) stored.push_back(sums);
  }
  // What was sent is the sum over all samples if none is counted twice and none is missing.
  for (const minutes step : {minutes(15), minutes(30), minutes(60)}) {
    double mean_sum = 0;
    const UsageHistory history = historyOf(series, kNoon, kNoon + hours(2), step, stored);
    for (const UsagePoint& point : history.points) mean_sum += point.cpu;
    EXPECT_THAT(history.points, SizeIs(static_cast<std::size_t>(hours(2) / step)));
    EXPECT_DOUBLE_EQ(mean_sum, 100.0 * static_cast<double>(history.points.size()));
  }
  const UsageHistory fine = historyOf(series, kNoon, kNoon + hours(2), minutes(1), stored);
  EXPECT_GE(fine.points.size(), 15U + 6U) << "minutes from memory, quarters from the store";
}

TEST(UsageSeries, valuesThatDoNotFitAreCut) {
  UsageSeries series;
  series.add({.at = kNoon, .cpu = -5, .memory = std::int64_t{1} << 50, .storage = 0, .received = std::int64_t{1} << 60, .sent = 0}, 10);
  const UsageHistory history = historyOf(series, kNoon, kNoon + minutes(1), seconds(60));
  ASSERT_THAT(history.points, SizeIs(1));
  EXPECT_EQ(history.points[0].cpu, 0);
  EXPECT_EQ(history.points[0].network.received, 4294967295.0);
}

}  // namespace
}  // namespace swarm::control
