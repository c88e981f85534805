// Parts without I/O: the state table, the rate limiter, fault patterns, ids.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/parse.hpp>
#include <regex>
#include <set>

#include "base/error.h"
#include "emulator/api/response.h"
#include "emulator/rules/faults/faults.h"
#include "emulator/rules/faults/rate_limiter.h"
#include "emulator/state/ids.h"
#include "emulator/state/machine_state.h"
#include "support/manual_clock.h"

namespace swarm::emulator {
namespace {

namespace json = boost::json;
using State = MachineState;

constexpr std::array kStates = {State::created,   State::starting,   State::started,    State::stopping,
                                State::stopped,   State::restarting, State::suspending, State::suspended,
                                State::replacing, State::destroying, State::destroyed,  State::failed};

TEST(MachineStates, everyStateHasANameThatLeadsBackToIt) {
  std::set<std::string_view> names;
  for (State state : kStates) {
    EXPECT_EQ(machineStateFrom(toString(state)), state);
    names.insert(toString(state));
  }
  EXPECT_EQ(names.size(), kStates.size());
  EXPECT_FALSE(machineStateFrom("bogus"));
}

TEST(MachineStates, everyTransientStateLeadsToAPersistentOneAndDestroyedLeadsNowhere) {
  for (State from : kStates) {
    std::set<State> seen{from};
    bool grew = true;
    while (grew) {
      grew = false;
      for (State state : std::set<State>(seen)) {
        for (State to : kStates) grew = (canFollow(state, to) && seen.insert(to).second) || grew;
      }
    }
    bool rests = std::ranges::any_of(seen, [](State state) { return !isTransient(state); });
    EXPECT_TRUE(rests) << toString(from);
    if (from == State::destroyed)
      EXPECT_EQ(seen.size(), 1u);
    else
      EXPECT_TRUE(seen.contains(State::destroyed)) << toString(from);
  }
}

TEST(MachineStates, theReferencesDiagramIsAllowed) {
  using enum MachineState;
  const std::pair<State, State> kAllowed[] = {
      {created, starting},    {starting, started},     {starting, failed},    {started, stopping},     {started, restarting},
      {started, suspending},  {suspending, suspended}, {started, destroying}, {stopping, stopped},     {stopping, failed},
      {restarting, starting}, {suspended, starting},   {suspended, stopping}, {suspended, destroying}, {stopped, starting},
      {stopped, destroying},  {failed, starting},      {failed, stopping},    {failed, destroying},    {created, stopping},
      {created, destroying},  {replacing, starting},   {replacing, created},  {replacing, stopped},    {destroying, destroyed}};
  for (auto [from, to] : kAllowed) EXPECT_TRUE(canFollow(from, to)) << toString(from) << " -> " << toString(to);
  const std::pair<State, State> kForbidden[] = {{stopped, started},    {suspended, suspending}, {stopped, suspending},
                                                {destroying, started}, {destroyed, starting},   {created, started}};
  for (auto [from, to] : kForbidden) EXPECT_FALSE(canFollow(from, to)) << toString(from) << " -> " << toString(to);
}

TEST(RateLimits, aBurstPassesAndThenOneASecond) {
  ManualClock clock;
  RateLimiter limiter(clock);
  RateLimiter::Rate rate{1, 3};
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(limiter.allow("stop", "m1", rate));
  EXPECT_FALSE(limiter.allow("stop", "m1", rate));
  clock.advance(std::chrono::milliseconds(999));
  EXPECT_FALSE(limiter.allow("stop", "m1", rate));
  clock.advance(std::chrono::milliseconds(2));
  EXPECT_TRUE(limiter.allow("stop", "m1", rate));
  EXPECT_FALSE(limiter.allow("stop", "m1", rate));
  clock.advance(std::chrono::hours(1));
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(limiter.allow("stop", "m1", rate)) << "the burst is allowed, but no more";
  EXPECT_FALSE(limiter.allow("stop", "m1", rate));
}

TEST(RateLimits, actionsAndIdentifiersHaveBucketsOfTheirOwn) {
  ManualClock clock;
  RateLimiter limiter(clock);
  EXPECT_TRUE(limiter.allow("stop", "m1", {1, 1}));
  EXPECT_FALSE(limiter.allow("stop", "m1", {1, 1}));
  EXPECT_TRUE(limiter.allow("start", "m1", {1, 1}));
  EXPECT_TRUE(limiter.allow("stop", "m2", {1, 1}));
}

TEST(RateLimits, manyIdentifiersDoNotMakeAnEmptyBucketFullAgain) {
  ManualClock clock;
  RateLimiter limiter(clock);
  EXPECT_TRUE(limiter.allow("stop", "busy", {0.001, 1}));
  for (int id = 0; id < 10'000; ++id) {
    clock.advance(std::chrono::milliseconds(1));
    limiter.allow("get", std::to_string(id), {1000, 10});
  }
  EXPECT_FALSE(limiter.allow("stop", "busy", {0.001, 1}));
}

TEST(FaultPatterns, aStarStandsWithinASegmentAndTwoStandForAnything) {
  EXPECT_TRUE(matchesPattern("/v1/apps/*/machines", "/v1/apps/a1/machines"));
  EXPECT_FALSE(matchesPattern("/v1/apps/*/machines", "/v1/apps/a1/machines/m"));
  EXPECT_FALSE(matchesPattern("/v1/apps/*/machines", "/v1/apps//machines"));
  EXPECT_TRUE(matchesPattern("/v1/apps/swarm-*/machines/*", "/v1/apps/swarm-x/machines/m"));
  EXPECT_TRUE(matchesPattern("**/machines/**", "/v1/apps/a1/machines/m/wait"));
  EXPECT_FALSE(matchesPattern("/v1/apps", "/v1/apps/a1"));
}

TEST(FaultPlans, aFaultSkipsThenHitsAsOftenAsItSays) {
  FaultPlan plan;
  plan.add(json::parse(R"({"match":{"method":"GET","action":"machine_get"},"skip":1,"count":2,"effect":{"status":418}})").as_object());
  EXPECT_FALSE(plan.take("POST", "/x", "machine_get"));
  EXPECT_FALSE(plan.take("GET", "/x", "machine_list"));
  EXPECT_FALSE(plan.take("GET", "/x", "machine_get")) << "skipped";
  for (int hit = 0; hit < 2; ++hit) {
    auto effect = plan.take("GET", "/x", "machine_get");
    ASSERT_TRUE(effect && effect->response);
    EXPECT_EQ(effect->response->status, 418);
  }
  EXPECT_FALSE(plan.take("GET", "/x", "machine_get"));
  EXPECT_EQ(plan.describe().at(0).at("hits").as_int64(), 2);
}

TEST(FaultPlans, whatAFaultDoesNotKnowIsRefused) {
  for (const char* wrong : {R"({"effect":{"explode":true}})", R"({"match":{"host":"x"},"effect":{"status":500}})", R"({"count":1})",
                            R"({"effect":{"error":"E99"}})", R"({"effect":{"cut":"sometimes"}})", R"({"effect":{"capacity":"moon"}})",
                            R"({"effects":{}})", R"({"effect":{"latency_ms":"long"}})"}) {
    FaultPlan plan;
    EXPECT_THROW(plan.add(json::parse(wrong).as_object()), Error) << wrong;
  }
}

TEST(Catalogue, placeholdersTakeValuesAndKeepTheirExamplesOtherwise) {
  EXPECT_EQ(catalogueResponse("E25", {{"id", "abc"}}).body,
            R"({"error":"failed_precondition: volume is currently bound to machine: abc"})");
  EXPECT_NE(catalogueResponse("E25").body.find("1857156b526dd8"), std::string::npos);
  EXPECT_NE(catalogueResponse("E28.cpus").body.find("must be one of [1 2 4 6 8]"), std::string::npos);
  for (int row = 1; row <= 34; ++row) EXPECT_GE(catalogueResponse("E" + std::to_string(row)).status, 200) << row;
}

TEST(Ids, haveFlysForms) {
  SystemTime now(std::chrono::milliseconds(1'700'000'000'123));
  EXPECT_TRUE(std::regex_match(newMachineId(), std::regex("[0-9a-f]{14}")));
  EXPECT_TRUE(std::regex_match(newUlid(now), std::regex("[0-9A-HJKMNP-TV-Z]{26}")));
  EXPECT_TRUE(std::regex_match(newVolumeId(), std::regex("vol_[0-9a-z]{16}")));
  EXPECT_TRUE(std::regex_match(newSnapshotId(), std::regex("vs_[0-9A-Za-z]{24}")));
  EXPECT_TRUE(std::regex_match(newNonce(), std::regex("[0-9a-f]{12}")));
  EXPECT_TRUE(std::regex_match(newMachineName(), std::regex("[a-z]+-[a-z]+-[0-9]{4}")));
  EXPECT_EQ(formatSeconds(now), "2023-11-14T22:13:20Z");
}

TEST(Ids, ulidsSortAsTheyWereMade) {
  SystemTime now(std::chrono::milliseconds(1'700'000'000'123));
  std::string last = newUlid(now);
  for (int count = 0; count < 1000; ++count) {
    std::string next = newUlid(now + std::chrono::milliseconds(count / 10));
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(GoDurations, areReadAndNonsenseIsNot) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parseGoDuration("30s"), milliseconds(30'000));
  EXPECT_EQ(parseGoDuration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parseGoDuration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parseGoDuration("500ms"), milliseconds(500));
  EXPECT_EQ(parseGoDuration("5"), milliseconds(5000));
  for (const char* wrong : {"", "s", "5 s", "1s5", "-1s", "1x", "1.2.3s"}) EXPECT_FALSE(parseGoDuration(wrong)) << wrong;
}

}  // namespace
}  // namespace swarm::emulator
