// Changes of an instance's configuration, and what is done only at the version that a request names.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "swarm/client.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

TEST(ApiInstances, areChangedWithTheirEffectReported) {
  ApiServer server;
  server.create("one");
  Response live = server.send({"PUT", "/api/instances/one?wait=10", R"({"resources":{"cpu":{"cores":1}}})", {{"If-Match", "\"v1\""}}});
  ASSERT_EQ(live.status, 200) << live.text;
  EXPECT_EQ(live.at("effect"), "live");
  EXPECT_EQ(live.header("ETag"), "\"v2\"");
  // What was not named stays.
  EXPECT_EQ(live.json.at("config").at("resources").at("memory").at("max").as_int64(), 4096);
  Response env = server.send({"PUT", "/api/instances/one?wait=10", R"({"env":{"A":"1"}})"});
  EXPECT_EQ(env.status, 200) << env.text;
  EXPECT_EQ(env.at("effect"), "restart");
  Response labels = server.send({"PUT", "/api/instances/one", R"({"labels":{"a":"b"}})"});
  EXPECT_EQ(labels.at("effect"), "none");
  EXPECT_EQ(server.get("/api/instances/one").json.at("config").at("env").at("A").as_string(), "1");
}

TEST(ApiInstances, areReplacedForWhatOnlyAnotherContainerHas) {
  ApiServer server;
  server.create("one");
  const std::string shm = R"({"resources":{"shmSize":512}})";
  EXPECT_EQ(server.send({"PUT", "/api/instances/one?dryRun=true", shm}).at("effect"), "restart");
  Response put = server.send({"PUT", "/api/instances/one?wait=10", shm});
  ASSERT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(put.at("effect"), "restart");
  EXPECT_EQ(put.json.at("resources").at("shmSize").as_int64(), 512);
  Response small = server.send({"PUT", "/api/instances/one", R"({"resources":{"memory":{"max":256}}})"});
  EXPECT_EQ(small.status, 400);
  EXPECT_NE(small.text.find("/resources/shmSize must not be above memory.max, which is 256 MiB"), std::string::npos) << small.text;
}

TEST(ApiInstances, getAnotherContainerForOtherSecurity) {
  ApiServer server;
  server.create("one");
  const auto security = [&](const Response& response) { return boost::json::serialize(response.json.at("config").at("security")); };
  const std::string on = R"({"security":{"noNewPrivileges":true}})";
  EXPECT_EQ(server.send({"PUT", "/api/instances/one?dryRun=true", on}).at("effect"), "restart");
  Response put = server.send({"PUT", "/api/instances/one?wait=10", on});
  ASSERT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(put.at("effect"), "restart");
  EXPECT_EQ(security(put), R"({"noNewPrivileges":true,"readOnlyRoot":false})");
  EXPECT_EQ(server.send({"PUT", "/api/instances/one?wait=10", on}).at("effect"), "none");
  Response root = server.send({"PUT", "/api/instances/one?wait=10", R"({"security":{"readOnlyRoot":true}})"});
  EXPECT_EQ(security(root), R"({"noNewPrivileges":true,"readOnlyRoot":true})") << "merged";
  Response patch =
      server.send({"PATCH", "/api/instances/one?wait=10", R"({"security":{"noNewPrivileges":null}})", {}, "application/merge-patch+json"});
  EXPECT_EQ(security(patch), R"({"noNewPrivileges":false,"readOnlyRoot":true})") << patch.text;
  Response wrong = server.send({"PUT", "/api/instances/one", R"({"security":{"readOnlyRoot":"yes","sudo":true}})"});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.text.find("/security/readOnlyRoot"), std::string::npos) << wrong.text;
  EXPECT_NE(wrong.text.find("/security/sudo"), std::string::npos) << wrong.text;
}

TEST(ApiInstances, areRecreatedFromTheirImageAsItIsNow) {
  ApiServer server;
  server.create("one");
  const std::string image(server.get("/api/instances/one").json.at("config").at("image").as_string());
  EXPECT_FALSE(server.get("/api/instances/one").json.at("imageOutdated").as_bool());
  server.world.rebuildImage(image);
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", "{}"}).status, 400) << "nothing to change";
  Response plan = server.send({"PUT", "/api/instances/one?dryRun=true&refreshImage=true", "{}"});
  EXPECT_EQ(plan.at("effect"), "restart") << plan.text;
  Response put = server.send({"PUT", "/api/instances/one?wait=10&refreshImage=true", "{}"});
  EXPECT_EQ(put.status, 200) << put.text;
  EXPECT_EQ(put.at("effect"), "restart");
  EXPECT_EQ(server.world.containers().at(0).image, server.world.imageId(image));
  server.world.rebuildImage(image);
  Response patch = server.send({"PATCH", "/api/instances/one?wait=10&refreshImage=true", "{}", {}, "application/merge-patch+json"});
  EXPECT_EQ(patch.status, 200) << patch.text;
  EXPECT_EQ(server.world.containers().at(0).image, server.world.imageId(image));
  server.withClient([&](SwarmClient& client) {
    UpdateOptions options;
    options.refreshImage = true;
    EXPECT_EQ(client.planUpdate("one", options).effect, UpdateEffect::restart);
    EXPECT_EQ(client.updateInstance("one", options).effect, UpdateEffect::restart);
  });
}

TEST(ApiInstances, refuseAChangeThatWasMadeForAnOldVersion) {
  ApiServer server;
  server.create("one");
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{"a":"b"}})", {{"If-Match", "\"v1\""}}}).status, 200);
  Response late = server.send({"PUT", "/api/instances/one", R"({"labels":{"a":"c"}})", {{"If-Match", "\"v1\""}}});
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(late.at("code"), "precondition_failed");
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{"a":"c"}})", {{"If-Match", "*"}}}).status, 200);
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{}})", {{"If-Match", "\"v7\", \"v3\""}}}).status, 200);
  for (std::string tag : {"\"4\"", "W/\"v4\"", "\"v\"", "\"v4x\""})
    EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{}})", {{"If-Match", tag}}}).status, 412) << tag;
  for (std::string tag : {"v4", "\"v4\" \"v5\"", ""})
    EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{}})", {{"If-Match", tag}}}).status, 400) << tag;
}

TEST(ApiInstances, areLeftAloneByRequestsForAnOldVersion) {
  ApiServer server;
  std::string id = server.create("one");
  server.send({"PUT", "/api/instances/one", R"({"labels":{"a":"b"}})"});
  const net::Headers old{{"If-Match", "\"v1\""}};
  const Request requests[] = {
      {"DELETE", "/api/instances/one?wait=10&volumes=true", "", old},
      {"POST", "/api/instances/one/stop?wait=10", "", old},
      {"POST", "/api/instances/one/restart?wait=10", "", old},
      {"POST", "/api/instances/one/start?wait=10", "", old},
      {"POST", "/api/instances/one/snapshots?wait=10", "{}", old},
      {"POST", "/api/instances/one/restore?wait=10", R"({"snapshot":"x"})", old},
      {"POST", "/api/instances/one/migrate?wait=10", R"({"region":"fra"})", old},
      {"POST", "/api/instances/one/migrate", R"({"region":"fra","dryRun":true})", old},
      {"PUT", "/api/instances/one/import", "x", old, "application/zstd"},
      {"PATCH", "/api/instances/one", R"({"labels":null})", old, "application/merge-patch+json"},
  };
  for (const Request& request : requests) {
    Response response = server.send(request);
    EXPECT_EQ(response.status, 412) << request.method << " " << request.target << " " << response.text;
  }
  EXPECT_EQ(server.get("/api/instances/one").at("status"), "running");
  EXPECT_EQ(server.get("/api/operations").json.at("items").as_array().size(), 1u) << "only the creation";
  // What has no version can't be at the one that is named.
  Response volumes = server.get("/api/volumes");
  std::string volume(volumes.json.at("items").at(0).at("name").as_string());
  EXPECT_EQ(server.send({"DELETE", "/api/volumes/" + volume, "", old}).status, 412);
  EXPECT_EQ(server.send({"POST", "/api/instances", R"({"provider":"fake"})", old}).status, 412);
  EXPECT_EQ(server.send({"DELETE", "/api/instances/one?wait=10", "", {{"If-Match", "\"v1\", \"v2\""}}}).status, 200);
}

TEST(ApiInstances, areChangedByMergePatches) {
  ApiServer server;
  Response made = server.post("/api/instances?wait=10",
                              R"({"provider":"fake","name":"one","env":{"A":"1","B":"2"},"resources":{"pids":100,"memory":{"max":2048}}})");
  ASSERT_EQ(made.status, 201) << made.text;
  auto patch = [&](const std::string& body, const std::string& type = "application/merge-patch+json") {
    return server.send({"PATCH", "/api/instances/one?wait=10", body, {}, type});
  };
  Response response = patch(R"({"env":{"A":null,"C":"3"},"resources":{"memory":{"max":null}},"labels":{"x":"y"}})");
  ASSERT_EQ(response.status, 200) << response.text;
  const boost::json::value& config = response.json.at("config");
  EXPECT_EQ(boost::json::serialize(config.at("env")), R"({"B":"2","C":"3"})");
  EXPECT_EQ(config.at("resources").at("memory").at("max").as_int64(), 4096) << "its default";
  EXPECT_EQ(config.at("resources").at("pids").as_int64(), 100) << "was not named";
  EXPECT_EQ(config.at("labels").at("x").as_string(), "y");
  EXPECT_EQ(response.header("ETag"), "\"v2\"");
  EXPECT_EQ(boost::json::serialize(patch(R"({"env":null})", "application/json").json.at("config").at("env")), "{}");
  for (const char* names : {R"({"network":{"regions":["fra"]}})", R"({"network":{"flyio":{"regions":["ams"]}}})"})
    EXPECT_EQ(patch(names).json.at("config").at("network").at("regions").as_array().size(), 1U) << names;
  EXPECT_EQ(server.get("/api/instances/one").json.at("config").at("network").at("regions"), boost::json::array{"ams"});
  for (std::string bad : {"{}", "[]", "null", R"({"name":"two"})", R"({"name":null})", R"({"resources":{"pids":1}})", R"({"env":{"A":1}})",
                          R"({"resources":7})"})
    EXPECT_EQ(patch(bad).status, 400) << bad;
  Response text = patch("{}", "text/plain");
  EXPECT_EQ(text.status, 415);
  EXPECT_EQ(text.header("Accept-Patch"), "application/merge-patch+json");
  EXPECT_EQ(server.send({"OPTIONS", "/api/instances/one"}).header("Accept-Patch"), "application/merge-patch+json");
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", R"({"labels":{}})", {}, "application/merge-patch+json"}).status, 415);
}

TEST(ApiInstances, areChangedByTheClientOnlyWhereItSays) {
  ApiServer server;
  Response made = server.post(
      "/api/instances?wait=10",
      R"({"provider":"fake","name":"one","resources":{"pids":100,"cpu":{"cores":2,"limit":1500},"memory":{"min":64,"max":2048}}})");
  ASSERT_EQ(made.status, 201) << made.text;
  UpdateOutcome outcome;
  server.withClient([&](SwarmClient& client) {
    outcome = client.updateInstance("one", {.resources = ResourcePatch{.memory = MemoryPatch{.max = 1024}}, .ifVersion = 1});
  });
  EXPECT_EQ(outcome.effect, UpdateEffect::live);
  const ResourceConfig& now = outcome.instance.config.resources;
  EXPECT_EQ(now.memory.max, 1024);
  EXPECT_EQ(now.memory.min, 64);
  EXPECT_EQ(now.cpu.limit, 1500);
  EXPECT_EQ(now.pids, 100);
  server.withClient([&](SwarmClient& client) {
    outcome = client.patchInstance("one", {{"resources", {{"cpu", {{"limit", nullptr}}}}}, {"labels", {{"team", "web"}}}}, 2);
  });
  EXPECT_EQ(outcome.instance.config.resources.cpu.limit, 0) << "its default";
  EXPECT_EQ(outcome.instance.config.resources.memory.max, 1024);
  EXPECT_EQ(outcome.instance.config.labels.at("team"), "web");
  try {
    server.withClient([](SwarmClient& client) { client.deleteInstance("one", false, 1); });
    FAIL() << "an old version was deleted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::PreconditionFailed);
  }
}

TEST(ApiInstances, refuseAChangeOfNothingOrOfWhatStays) {
  ApiServer server;
  server.create("one");
  EXPECT_EQ(server.send({"PUT", "/api/instances/one", "{}"}).status, 400);
  Response name = server.send({"PUT", "/api/instances/one", R"({"name":"two"})"});
  EXPECT_EQ(name.status, 400);
  EXPECT_EQ(name.json.at("errors").at(0).at("pointer").as_string(), "/name");
}

}  // namespace
}  // namespace swarm::test
