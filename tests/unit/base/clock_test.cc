// RFC 3339 times, deadlines and the manual clock.
#include "base/clock.h"

#include <rapidcheck.h>

#include "base/error.h"
#include "gmock/gmock.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

SystemTime at(std::int64_t value) { return SystemTime(milliseconds(value)); }

TEST(Time, formatsMillisecondsInUtc) {
  EXPECT_EQ(formatTime(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(formatTime(at(1'700'000'000'123)), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(formatTime(at(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(formatTime(at(951'782'400'000)), "2000-02-29T00:00:00.000Z");
}

TEST(Time, givesBackEveryMillisecond) {
  rc::check([] {
    auto value = *rc::gen::inRange<std::int64_t>(-62'135'596'800'000, 253'402'300'800'000);  // years 1 to 9999
    RC_ASSERT(parseTime(formatTime(at(value))) == at(value));
  });
}

TEST(Time, parsesFractionsAndOffsets) {
  SystemTime expected = parseTime("2026-11-23T19:04:36Z");
  EXPECT_EQ(parseTime("2026-11-23t19:04:36z"), expected);
  EXPECT_EQ(parseTime("2026-11-23 19:04:36Z"), expected);
  EXPECT_EQ(parseTime("2026-11-23T20:04:36+01:00"), expected);
  EXPECT_EQ(parseTime("2026-11-23T13:34:36-05:30"), expected);
  EXPECT_EQ(parseTime("2026-11-24T00:04:36+05:00"), expected);
  EXPECT_EQ(parseTime("2026-11-23T19:04:36.5Z"), expected + milliseconds(500));
  EXPECT_EQ(parseTime("2026-11-23T19:04:36.1239999999Z"), expected + milliseconds(123));
  EXPECT_EQ(parseTime("2026-11-23T19:04:36.123456789+00:00"), expected + milliseconds(123)) << "as Docker writes them";
}

TEST(Time, refusesWhatIsNotATime) {
  for (const char* text : {"",
                           "now",
                           "2026-11-23",
                           "2026-11-23T19:04Z",
                           "2026-11-23T19:04:36",
                           "2026-13-01T00:00:00Z",
                           "2026-02-30T00:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T19:60:00Z",
                           "2026-11-23T19:04:61Z",
                           "2026-11-23T19:04:36.Z",
                           "2026-11-23T19:04:36Zx",
                           "2026-11-23T19:04:36+1:00",
                           "2026-11-23T19:04:36+01:00x",
                           "2026-11-23T19:04:36+25:00",
                           "2026-11-23T19:04:36+00:60",
                           "-026-11-23T19:04:36Z",
                           "2026-11-23T 9:04:36Z",
                           "2026-11-23T19:04:-6Z",
                           " 2026-11-23T19:04:36Z",
                           "2026-1-23T19:04:36Z",
                           "2026-11-23T19:04:36+-1:00",
                           "2026-11-23T19:4:36Z"}) {
    try {
      parseTime(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument) << text;
    }
  }
}

TEST(Time, refusesArbitraryTextOnlyByError) {
  rc::check([](const std::string& text) {
    try {
      parseTime(text);
    } catch (const Error& error) {
      RC_ASSERT(error.code() == ErrorCode::InvalidArgument);
    }
  });
}

TEST(ManualClock, movesOnlyWhenAdvanced) {
  ManualClock clock(at(1000));
  SteadyTime steady = clock.steadyNow();
  EXPECT_EQ(clock.now(), at(1000));
  clock.advance(seconds(2));
  EXPECT_EQ(clock.now(), at(3000));
  EXPECT_EQ(clock.steadyNow() - steady, seconds(2));
}

TEST(Deadline, hasPassedWhenItsMomentIsBehind) {
  EXPECT_TRUE(Deadline::at(std::chrono::steady_clock::now()).hasPassed());
  EXPECT_EQ(Deadline::at(std::chrono::steady_clock::now() - seconds(5)).left(), milliseconds(0));
  EXPECT_FALSE(Deadline::after(hours(1)).hasPassed());
  EXPECT_FALSE(Deadline::never().hasPassed());
  EXPECT_TRUE(Deadline::never().isNever());
  EXPECT_EQ(Deadline::never().left(), hours(24));
}

TEST(Deadline, takesTheEarlierOfTwo) {
  Deadline soon = Deadline::after(seconds(1));
  EXPECT_EQ(soon.orAfter(hours(1)).time(), soon.time());
  EXPECT_LT(Deadline::never().orAfter(hours(1)).left(), hours(2));
  EXPECT_LT(Deadline::after(hours(5)).orAfter(seconds(1)).left(), hours(1));
}

}  // namespace
}  // namespace swarm
