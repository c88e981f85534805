// Token buckets under a manual clock, compared with Fly's own rule.
#include "provider/flyio/api/transport/rate_limiter.h"
#include "support/manual_clock.h"

#include <gtest/gtest.h>

#include <deque>

namespace swarm::flyio {
namespace {

using namespace std::chrono_literals;

TokenBucket bucketOf(Action action) {
  const RateLimit limit = limitOf(action);
  return {limit.perSecond, static_cast<double>(limit.burst)};
}

std::chrono::milliseconds inMilliseconds(std::chrono::nanoseconds time) { return std::chrono::ceil<std::chrono::milliseconds>(time); }

TEST(RateLimiter, aBurstPassesAtOnceAndTheRestOneByOne) {
  ManualClock clock;
  TokenBucket bucket({1, 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(clock.steadyNow()), 0ns);
  EXPECT_EQ(inMilliseconds(bucket.take(clock.steadyNow())), 1000ms);
  EXPECT_EQ(inMilliseconds(bucket.take(clock.steadyNow())), 2000ms) << "tokens are given in the order of the calls";
  clock.advance(5s);
  EXPECT_EQ(bucket.take(clock.steadyNow()), 0ns);
}

TEST(RateLimiter, fillsAgainUpToTheBurst) {
  ManualClock clock;
  TokenBucket bucket({1, 3});
  for (int i = 0; i < 3; ++i) bucket.take(clock.steadyNow());
  EXPECT_FALSE(bucket.isFull(clock.steadyNow()));
  clock.advance(1h);
  EXPECT_TRUE(bucket.isFull(clock.steadyNow()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(clock.steadyNow()), 0ns);
  EXPECT_GT(bucket.take(clock.steadyNow()), 0ns);
}

TEST(RateLimiter, aBlockedBucketGivesNothingBeforeItsTime) {
  ManualClock clock;
  TokenBucket bucket({5, 10});
  bucket.blockUntil(clock.steadyNow() + 7s);
  EXPECT_EQ(inMilliseconds(bucket.waitTime(clock.steadyNow())), 7000ms);
  clock.advance(7s);
  EXPECT_EQ(bucket.take(clock.steadyNow()), 0ns);
}

TEST(RateLimiter, readingTheWaitTakesNothing) {
  ManualClock clock;
  TokenBucket bucket({1, 1});
  EXPECT_EQ(bucket.waitTime(clock.steadyNow()), 0ns);
  EXPECT_EQ(bucket.waitTime(clock.steadyNow()), 0ns);
  EXPECT_EQ(bucket.take(clock.steadyNow()), 0ns);
  EXPECT_GT(bucket.waitTime(clock.steadyNow()), 0ns);
}

TEST(RateLimiter, actionsAndIdsDoNotShareABucket) {
  ManualClock clock;
  RateLimiter limiter;
  for (int i = 0; i < 3; ++i) limiter.take(Action::StopMachine, "m1", clock.steadyNow());
  EXPECT_GT(limiter.waitTime(Action::StopMachine, "m1", clock.steadyNow()), 0ns);
  EXPECT_EQ(limiter.waitTime(Action::StopMachine, "m2", clock.steadyNow()), 0ns);
  EXPECT_EQ(limiter.waitTime(Action::StartMachine, "m1", clock.steadyNow()), 0ns);
}

/// Fly's documented rule, as a server applies it: a bucket of `burst` tokens that fills with `rate` per second.
class Server {
 public:
  Server(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}
  bool allows(SteadyTime at) {
    tokens_ = std::min(burst_, tokens_ + std::chrono::duration<double>(at - last_).count() * rate_);
    last_ = at;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double rate_, burst_, tokens_;
  SteadyTime last_ = SteadyTime(1h);
};

TEST(RateLimiter, aSeriesOfRequestsIsNeverRefusedEvenWhenItArrivesUnevenly) {
  struct Case {
    Action action;
    double rate;
    double burst;
  };
  for (Case wanted : {Case{Action::StopMachine, 1, 3}, Case{Action::GetMachine, 5, 10}}) {
    ManualClock clock;
    TokenBucket bucket = bucketOf(wanted.action);
    std::vector<SteadyTime> arrivals;
    for (int i = 0; i < 200; ++i) {
      clock.advance(std::chrono::ceil<std::chrono::milliseconds>(bucket.take(clock.steadyNow())));
      auto late = i % 2 == 0 ? 90ms / static_cast<int>(wanted.rate) : 0ms;  // every other one takes longer on its way
      arrivals.push_back(clock.steadyNow() + late);
    }
    std::sort(arrivals.begin(), arrivals.end());
    Server server(wanted.rate, wanted.burst);
    for (std::size_t i = 0; i < arrivals.size(); ++i) ASSERT_TRUE(server.allows(arrivals[i])) << "request " << i;
  }
}

TEST(RateLimiter, appsAreDeletedAtMostAHundredTimesInAnyMinute) {
  ManualClock clock;
  TokenBucket bucket = bucketOf(Action::DeleteApp);
  std::deque<SteadyTime> last_minute;
  for (int i = 0; i < 500; ++i) {
    clock.advance(std::chrono::ceil<std::chrono::milliseconds>(bucket.take(clock.steadyNow())));
    last_minute.push_back(clock.steadyNow());
    while (clock.steadyNow() - last_minute.front() >= 60s) last_minute.pop_front();
    ASSERT_LE(last_minute.size(), 100u);
  }
}

TEST(RateLimiter, fullBucketsAreRemoved) {
  ManualClock clock;
  RateLimiter limiter;
  for (int i = 0; i < 5000; ++i) {
    limiter.take(Action::GetMachine, std::to_string(i), clock.steadyNow());
    clock.advance(100ms);
  }
  EXPECT_LT(limiter.size(), 1200u);
}

}  // namespace
}  // namespace swarm::flyio
