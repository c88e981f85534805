// Cases 8 to 20: apps.
#include <set>

#include "base/text/format.h"
#include "conformance/fly_emulator/fly_suite.h"

namespace swarm::testing {
namespace {

constexpr const char* kA1 = R"({"name":"a1","org_slug":"personal","network":"a1"})";

TEST_P(FlyRules, case008_anAppIsCreatedWithItsNetworkAndIsEmpty) {
  const FlyResponse made = post("/v1/apps", kA1);
  EXPECT_EQ(made.status, 201) << made;
  ASSERT_TRUE(made.body.is_object());
  EXPECT_TRUE(made.body.as_object().contains("id"));
  EXPECT_NE(made.at("/id"), "");
  const FlyResponse shown = get("/v1/apps/a1");
  EXPECT_EQ(shown.status, 200) << shown;
  EXPECT_EQ(shown.at("/name"), "a1");
  EXPECT_EQ(shown.at("/id"), made.at("/id"));
  EXPECT_EQ(shown.at("/network"), "a1");
  EXPECT_EQ(shown.at("/machine_count"), "0");
  EXPECT_EQ(shown.at("/organization/slug"), "personal");
}

TEST_P(FlyRules, case009_anAppIsCreatedByTheOlderMemberName) {
  const FlyResponse made = post("/v1/apps", R"({"app_name":"a2","org_slug":"personal"})");
  EXPECT_EQ(made.status, 201) << made;
  EXPECT_EQ(get("/v1/apps/a2").at("/name"), "a2");
}

TEST_P(FlyRules, case010_aTakenNameIsRefusedWithItsCode) {
  createApp();
  const FlyResponse again = post("/v1/apps", kA1);
  EXPECT_EQ(again.status, 422) << again;
  EXPECT_EQ(again.at("/status"), "name_taken");
  EXPECT_TRUE(again.error().contains("Name has already been taken")) << again;
}

TEST_P(FlyRules, case011_anIdempotencyKeyGivesTheFirstAppAgain) {
  const char* body = R"({"name":"a3","org_slug":"personal","idempotency_key":"k"})";
  const FlyResponse first = post("/v1/apps", body);
  const FlyResponse second = post("/v1/apps", body);
  EXPECT_EQ(first.status, 201) << first;
  EXPECT_EQ(second.status, 201) << second;
  EXPECT_NE(first.at("/id"), "(missing)");
  EXPECT_EQ(first.at("/id"), second.at("/id"));
}

TEST_P(FlyRules, case012_anIdempotencyKeyIsRefusedForAnotherName) {
  ASSERT_EQ(post("/v1/apps", R"({"name":"a3","org_slug":"personal","idempotency_key":"k"})").status, 201);
  const FlyResponse other = post("/v1/apps", R"({"name":"a4","org_slug":"personal","idempotency_key":"k"})");
  EXPECT_GE(other.status, 400) << other;
  EXPECT_LT(other.status, 500) << other;
  EXPECT_EQ(get("/v1/apps/a4").status, 404);
}

TEST_P(FlyRules, case013_aNameOutsideOfTheRulesIsRefused) {
  for (const std::string& name : {std::string("Bad_Name"), std::string(64, 'a'), std::string("a b"), std::string("a.b")}) {
    const FlyResponse response = post("/v1/apps", json::object{{"name", name}, {"org_slug", "personal"}});
    EXPECT_EQ(response.status, 422) << name << ": " << response;
    EXPECT_TRUE(response.error().contains("Name under 63 chars using numbers, lowercase letters and dashes")) << response;
  }
  createApp(std::string(63, 'a'));
}

TEST_P(FlyRules, case014_anUnknownAppIsNotFound) {
  const FlyResponse response = get("/v1/apps/none");
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(response.error().contains("app not found")) << response;
}

TEST_P(FlyRules, case015_appsAreListedPageByPage) {
  createApp("a1");
  createApp("a2");
  std::vector<std::string> names;
  std::string cursor;
  for (int page = 0; page < 5; ++page) {
    const FlyResponse response =
        get("/v1/apps?org_slug=personal&limit=1" + (cursor.empty() ? "" : "&cursor=" + net::percentEncode(cursor)));
    ASSERT_EQ(response.status, 200) << response;
    EXPECT_LE(response.body.at("apps").as_array().size(), 1u);
    for (const json::value& app : response.body.at("apps").as_array()) names.push_back(textAt(app, "/name"));
    cursor = response.at("/next_cursor");
    if (page == 0) {
      EXPECT_EQ(names.size(), 1u);
      EXPECT_NE(cursor, "(missing)");
    }
    if (cursor == "(missing)") break;
  }
  EXPECT_EQ(cursor, "(missing)") << "the last page has no cursor";
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), (std::set<std::string>{"a1", "a2"}));
  EXPECT_EQ(names.size(), 2u);
}

TEST_P(FlyRules, case016_aPageSizeOutsideOfItsRangeIsRefused) {
  EXPECT_EQ(get("/v1/apps?org_slug=personal&limit=0").status, 400);
  EXPECT_EQ(get("/v1/apps?org_slug=personal&limit=5001").status, 400);
  EXPECT_EQ(get("/v1/apps?org_slug=personal&limit=5000").status, 200);
}

TEST_P(FlyRules, case017_aDeletedAppIsGoneAndCantBeDeletedTwice) {
  createApp("a2");
  const FlyResponse deleted = remove("/v1/apps/a2");
  EXPECT_EQ(deleted.status, 202) << deleted;
  EXPECT_EQ(deleted.text, "");
  eventually([&] { return get("/v1/apps/a2").status == 404; }, "the app is gone");
  const FlyResponse again = remove("/v1/apps/a2");
  EXPECT_EQ(again.status, 404);
  EXPECT_EQ(again.error(), "Could not find App \"a2\"");
}

TEST_P(FlyRules, case018_aForcedDeleteTakesMachinesAndVolumesAlong) {
  createApp();
  const std::string volume = createVolume();
  const FlyMachine machine = started(mounting(volume));
  EXPECT_EQ(remove("/v1/apps/a1?force=true").status, 202);
  eventually([&] { return get("/v1/apps/a1").status == 404; }, "the app is gone");
  EXPECT_EQ(get(machine.path).status, 404);
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume).status, 404);
  eventually([&] { return get("/v1/orgs/personal/machines").at("/machines") == "[]"; }, "no Machine is listed");
  eventually([&] { return get("/v1/orgs/personal/volumes").at("/volumes") == "[]"; }, "no volume is listed");
  emulator::Backend& backend = emulator().backend();
  const Deadline deadline = Deadline::after(std::chrono::seconds(20));
  eventually([&] { return loop.run(backend.machineIds(deadline)).empty() && loop.run(backend.volumeIds(deadline)).empty(); },
             "nothing runs");
}

TEST_P(FlyRules, case019_aDeployTokenNeedsABody) {
  createApp();
  const FlyResponse without = post("/v1/apps/a1/deploy_token");
  EXPECT_EQ(without.status, 400);
  EXPECT_EQ(without.error(), "EOF");
  const FlyResponse with = post("/v1/apps/a1/deploy_token", "{}");
  EXPECT_EQ(with.status, 200) << with;
  EXPECT_TRUE(with.at("/token").starts_with("FlyV1 fm2_")) << with;
}

TEST_P(FlyRules, case020_aNewAppIsNotFoundForAWhileByWhatIsBelowIt) {
  options.times.appPropagation = std::chrono::minutes(1);
  createApp();
  const FlyResponse early = post("/v1/apps/a1/machines", machineRequest());
  EXPECT_EQ(early.status, 404) << early;
  EXPECT_TRUE(early.error().contains("app not found")) << early;
  clock.advance(std::chrono::minutes(1));
  const FlyResponse later = post("/v1/apps/a1/machines", machineRequest());
  EXPECT_EQ(later.status, 200) << later;
}

}  // namespace
}  // namespace swarm::testing
