// Strict mode over HTTP: a request that Fly's document does not allow is refused before it has an effect; a provider's requests pass.
#include "conformance/fly_emulator/memory_instantiation.h"
#include "emulator/openapi/checker.h"

namespace swarm::testing {
namespace {

class FlyStrict : public FlyRules {
 protected:
  FlyStrict() { options.strictCheck = emulator::openapi::findViolation; }
  void expectRefused(const FlyResponse& response, const std::string& place) {
    EXPECT_EQ(response.status, 400) << response;
    EXPECT_NE(response.header("emulator-strict"), "") << "the header shows that the emulator refuses, not Fly";
    EXPECT_TRUE(response.text.contains(place)) << response;
  }
};

TEST_P(FlyStrict, refusesAnUnknownPropertyWithItsPlace) {
  createApp();
  json::object misspelt = machineRequest(configWith("mount", json::array()));
  expectRefused(post("/v1/apps/a1/machines", misspelt), "/config/mount");
  EXPECT_EQ(get("/v1/apps/a1/machines").at("/0/id"), "(missing)");
}

TEST_P(FlyStrict, refusesAnUnknownQueryParameterAndAWrongType) {
  createApp();
  expectRefused(get("/v1/apps/a1/machines?regoin=ams"), "/regoin");
  expectRefused(get("/v1/apps/a1/machines?summary=yes"), "/summary");
  expectRefused(post("/v1/apps/a1/volumes", R"({"name":"data","region":"ams","size_gb":"1"})"), "/size_gb");
}

TEST_P(FlyStrict, letsAWorkspacesWholeLifeThrough) {
  createApp();
  ASSERT_EQ(post("/v1/apps/a1/ip_assignments", R"({"type":"shared_v4"})").status, 200);
  ASSERT_EQ(post("/v1/apps/a1/secrets", R"({"values":{"SWARM_AGENT_CONFIG":"e30="}})").status, 200);
  const std::string volume = createVolume(R"({"name":"data","region":"ams","size_gb":1,"require_unique_zone":false,"compute":{"cpus":1}})");
  json::object request = mounting(volume);
  request["name"] = "w1";
  request["skip_launch"] = true;
  const FlyMachine machine = create(request);
  ASSERT_EQ(post(machine.path + "/start").status, 200);
  waitFor(machine, "started");
  const std::string nonce = lease(machine);
  ASSERT_EQ(postWithNonce(machine.path + "/stop", nonce, R"({"signal":"SIGTERM","timeout":"10s"})").status, 200);
  waitFor(machine, "stopped");
  ASSERT_EQ(send({"DELETE", machine.path + "/lease", {}, {{kNonce, nonce}}}).status, 200);
  ASSERT_EQ(patch(machine.path + "/metadata", R"({"metadata":{"a":"1","b":null}})").status, 204);
  ASSERT_EQ(get("/v1/orgs/personal/machines?include_deleted=true&limit=1000").status, 200);
  ASSERT_EQ(remove(machine.path + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  EXPECT_EQ(remove("/v1/apps/a1?force=true").status, 202);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Fly, FlyStrict, ::testing::ValuesIn(memoryBackends()), flyBackendName);

}  // namespace swarm::testing
