// Apps and addresses whose creation is confirmed late, twice, or not at all.
#include "provider/flyio/app/apps.h"

#include "unit/provider/flyio/scripted_parts.h"

namespace swarm::flyio {
namespace {

const ScriptedResponse kTaken{422, R"({"error":"Validation failed: Name has already been taken"})"};
const ScriptedResponse kNoApp{404, R"({"error":"app not found"})"};

class AppsTest : public ScriptedParts {
 protected:
  AppState ensure() { return loop_.run(apps_.ensure("a1", soon())); }
  void ensureAddresses(AppState state) {
    InstancePlan plan;
    plan.app = "a1";
    loop_.run(apps_.ensureAddresses(plan, state, soon()));
  }
  VolumeRecords records_{client_};
  Apps apps_{client_, records_};
};

TEST_F(AppsTest, anAppIsNewOrExists) {
  fly_.respond("POST /v1/apps", {{201, "{}"}, kTaken});
  fly_.respond("GET /v1/apps/a1", {{200, R"({"name":"a1"})"}});
  EXPECT_EQ(ensure(), AppState::New);
  EXPECT_EQ(ensure(), AppState::Existing);
}

TEST_F(AppsTest, aNameThatADeletedAppStillHasIsWaitedFor) {
  fly_.respond("POST /v1/apps", {kTaken, kTaken, {201, "{}"}});
  fly_.respond("GET /v1/apps/a1", {kNoApp});
  EXPECT_EQ(ensure(), AppState::New);
  fly_.respond("POST /v1/apps", {kTaken});
  try {
    ensure();
    FAIL() << "the name never became free";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  }
}

TEST_F(AppsTest, slowResponsesDoNotEndTheWaitAtTheFirst) {
  Tuning tuning = quickTuning();
  tuning.lookFor = std::chrono::milliseconds(1);
  MachinesClient client(fly_.url(), Secret("fm2_secret"), "personal", tuning);
  Apps apps(client, records_);
  fly_.respond("POST /v1/apps", {kTaken, kTaken, kTaken, {201, "{}"}});
  fly_.respond("GET /v1/apps/a1", {kNoApp});
  EXPECT_EQ(loop_.run(apps.ensure("a1", soon())), AppState::New);
}

TEST_F(AppsTest, anAppIsGoneWhenThatIsConfirmed) {
  fly_.respond("GET /v1/apps/a1", {kNoApp, kNoApp, {200, R"({"name":"a1"})"}});
  EXPECT_FALSE(loop_.run(apps_.isGone("a1", Confirmation::Repeated, soon())));
  fly_.respond("GET /v1/apps/a1", {kNoApp});
  EXPECT_TRUE(loop_.run(apps_.isGone("a1", Confirmation::Once, soon())));
}

TEST_F(AppsTest, onlyMissingAddressesAreAssigned) {
  fly_.respond("GET /v1/apps/a1/ip_assignments", {{200, R"({"ips":[{"ip":"66.1.1.1","shared":true},{"ip":"fdaa:0:1::2"}]})"}});
  fly_.respond("POST /v1/apps/a1/ip_assignments", {{200, R"({"ip":"2a09::1"})"}});
  ensureAddresses(AppState::Existing);
  ASSERT_EQ(fly_.count("POST /v1/apps/a1/ip_assignments"), 1);
  EXPECT_EQ(fly_.requests().back().body, R"({"type":"v6"})");
}

TEST_F(AppsTest, anAddressWhoseAssignmentWasLostIsFoundInTheList) {
  fly_.respond("GET /v1/apps/a1/ip_assignments", {{200, R"({"ips":[{"ip":"66.1.1.1","shared":true},{"ip":"2a09::1"}]})"}});
  fly_.respond("POST /v1/apps/a1/ip_assignments", {{502, "<html>"}});
  ensureAddresses(AppState::New);
  EXPECT_EQ(fly_.count("POST /v1/apps/a1/ip_assignments"), 2) << "one request for each address";
}

}  // namespace
}  // namespace swarm::flyio
