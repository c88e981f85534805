// The emulator's state outlives its process: another one on the same folder gives the same responses.
#include <map>

#include "conformance/fly_emulator/memory_instantiation.h"
#include "support/temp_dir.h"

namespace swarm::testing {
namespace {

class FlyPersistence : public FlyRules {
 protected:
  FlyPersistence() { options.dataDir = folder_.path(); }

 private:
  test::TempDir folder_;
};

TEST_P(FlyPersistence, everythingThatWasAnsweredIsThereAfterARestart) {
  createApp();
  ASSERT_EQ(post("/v1/apps/a1/ip_assignments", R"({"type":"v6"})").status, 200);
  ASSERT_EQ(post("/v1/apps/a1/secrets", R"({"values":{"K":"djE="}})").status, 200);
  ASSERT_EQ(post("/v1/apps/a1/secretkeys/k", R"({"type":"hs256","value":"a2V5"})").status, 201);
  ASSERT_EQ(post("/v1/apps/a1/certificates/acme", R"({"hostname":"www.example.org"})").status, 201);
  const std::string signature = post("/v1/apps/a1/secretkeys/k/sign", R"({"plaintext":"aGk="})").at("/signature");
  const std::string volume = createVolume();
  ASSERT_EQ(put("/v1/apps/a1/volumes/" + volume + "/extend", R"({"size_gb":2})").status, 200);
  ASSERT_EQ(post("/v1/apps/a1/volumes/" + volume + "/snapshots").status, 200);
  const FlyMachine machine = stopped(mounting(volume));
  ASSERT_EQ(patch(machine.path + "/metadata", R"({"metadata":{"k":"v"}})").status, 204);
  const std::vector<std::string> targets = {"/v1/apps/a1",
                                            "/v1/apps?org_slug=personal",
                                            "/v1/apps/a1/ip_assignments",
                                            "/v1/apps/a1/secrets?show_secrets=true",
                                            "/v1/apps/a1/secretkeys",
                                            "/v1/apps/a1/certificates",
                                            "/v1/apps/a1/volumes/" + volume,
                                            "/v1/apps/a1/volumes/" + volume + "/snapshots",
                                            machine.path,
                                            machine.path + "/metadata",
                                            machine.path + "/versions",
                                            machine.path + "/events?limit=50",
                                            "/v1/orgs/personal/machines"};
  std::map<std::string, std::string> before;
  for (const std::string& target : targets) before[target] = get(target).text;
  restart();
  for (const std::string& target : targets) EXPECT_EQ(get(target).text, before[target]) << target;
  EXPECT_EQ(post("/v1/apps/a1/secretkeys/k/sign", R"({"plaintext":"aGk="})").at("/signature"), signature);
}

TEST_P(FlyPersistence, aLeaseStillProtectsAfterARestart) {
  createApp();
  const FlyMachine machine = started();
  const std::string nonce = lease(machine, R"({"ttl":600})");
  restart();
  EXPECT_EQ(post(machine.path + "/stop").status, 409);
  eventually([&] { return state(machine) == "started"; }, "it runs again");
  EXPECT_EQ(postWithNonce(machine.path + "/stop", nonce).status, 200);
}

TEST_P(FlyPersistence, aMachineThatRanIsStartedAgain) {
  createApp();
  const FlyMachine machine = started(), rests = stopped();
  restart();
  waitFor(machine, "started");
  EXPECT_EQ(state(rests), "stopped");
  EXPECT_EQ(runInside(machine, "echo hi").at("/stdout"), "hi\n");
}

// A random sequence of calls found a 500 here: the Machine's state was started before its process ran again.
TEST_P(FlyPersistence, callsRightAfterARestartCauseNoServerErrors) {
  createApp();
  std::vector<FlyMachine> machines;
  for (int i = 0; i < 4; ++i) machines.push_back(started());
  restart();
  const auto responses = sendAtOnce({{"POST", machines[0].path + "/signal", R"({"signal":"SIGUSR1"})"},
                                     {"POST", machines[1].path + "/exec", R"({"command":["echo","hi"]})"},
                                     {"GET", machines[2].path + "/ps"},
                                     {"POST", machines[3].path + "/stop"}});
  for (const FlyResponse& response : responses) EXPECT_LT(response.status, 500) << response;
}

TEST_P(FlyPersistence, anIdempotencyKeyIsRemembered) {
  const char* body = R"({"name":"a3","org_slug":"personal","idempotency_key":"k"})";
  const std::string id = post("/v1/apps", body).at("/id");
  restart();
  EXPECT_EQ(post("/v1/apps", body).at("/id"), id);
}

TEST_P(FlyPersistence, whatWasDestroyedStaysAway) {
  createApp();
  createApp("a2");
  const FlyMachine machine = started();
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  ASSERT_EQ(remove("/v1/apps/a2").status, 202);
  eventually([&] { return get("/v1/apps/a2").status == 404; }, "the app is gone");
  restart();
  EXPECT_EQ(get("/v1/apps/a1/machines").text, "[]");
  EXPECT_EQ(get("/v1/apps/a2").status, 404);
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyPersistence, ::testing::ValuesIn(memoryBackends()), flyBackendName);

}  // namespace
}  // namespace swarm::testing
