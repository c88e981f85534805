// Operations: followed, waited for, listed and cancelled.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

TEST(ApiOperations, areListedAndCancelled) {
  ApiServer server;
  std::string other = server.create("other");
  auto gate = server.world.faults.block("createInstance");
  Response begun = server.post("/api/instances", R"({"provider":"fake","name":"one"})");
  std::string id = begun.at("operationId");
  EXPECT_EQ(idsOf(server.get("/api/operations?instance=one")), std::vector{id});
  EXPECT_EQ(idsOf(server.get("/api/operations?limit=1")), std::vector{id});
  Response page = server.get("/api/operations?limit=1");
  EXPECT_EQ(idsOf(server.get("/api/operations?limit=1&cursor=" + page.at("nextCursor"))).size(), 1u);
  EXPECT_EQ(server.send({"DELETE", "/api/operations/" + id}).status, 202);
  gate->open();
  Operation ended = server.loop.run(server.controller->waitForOperation(id, Deadline::after(std::chrono::seconds(10))));
  EXPECT_EQ(ended.status, OperationStatus::cancelled);
  EXPECT_EQ(server.send({"DELETE", "/api/operations/" + id}).status, 409);
  EXPECT_EQ(server.get("/api/operations/op-nothing").status, 404);
}

TEST(ApiOperations, areWaitedFor) {
  ApiServer server;
  auto gate = server.world.faults.block("createInstance");
  Response begun = server.post("/api/instances", R"({"provider":"fake","name":"one"})");
  std::string path = begun.header("Operation-Location");
  EXPECT_EQ(server.get(path + "?wait=1").at("status"), "running") << "as it is when the time is over";
  gate->open();
  EXPECT_EQ(server.get(path + "?wait=60").at("status"), "succeeded");
  server.world.addMissingImage("nowhere:1");
  Response bad = server.post("/api/instances", R"({"provider":"fake","name":"two","image":"nowhere:1"})");
  Response failed = server.get(bad.header("Operation-Location") + "?wait=60");
  EXPECT_EQ(failed.status, 200) << "the question is answered";
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_EQ(server.send({.target = path + "?wait=1"}, server.stranger).status, 404);
}

TEST(ApiOperations, areFollowedFromEvery202) {
  ApiServer server;
  server.create("one");
  for (const Request& request :
       {Request{"POST", "/api/instances/one/stop"}, Request{"POST", "/api/instances/one/start"},
        Request{"PUT", "/api/instances/one", R"({"env":{"A":"1"}})"}, Request{"PATCH", "/api/instances/one", R"({"env":{"A":null}})"},
        Request{"DELETE", "/api/instances/one"}}) {
    Response response = server.send(request);
    ASSERT_EQ(response.status, 202) << response.text;
    EXPECT_EQ(response.header("Operation-Location"), "/api/operations/" + response.at("operationId"));
    EXPECT_EQ(server.get(response.header("Operation-Location") + "?wait=60").at("status"), "succeeded");
  }
}

}  // namespace
}  // namespace swarm::test
