// The routes of instances and their volumes over HTTP.
#include <gtest/gtest.h>

#include "async/notifier.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

TEST(ApiInstances, areCreatedInTheBackgroundWithALocationAndAnOperation) {
  ApiServer server;
  auto gate = server.world.faults.block("createInstance");
  Response response = server.post("/api/instances", R"({"provider":"fake","name":"one"})");
  ASSERT_EQ(response.status, 202) << response.text;
  EXPECT_EQ(response.at("status"), "creating");
  EXPECT_EQ(response.at("owner"), "admin");
  EXPECT_EQ(response.header("Location"), "/api/instances/" + response.at("id"));
  Response operation = server.get("/api/operations/" + response.at("operationId"));
  EXPECT_EQ(operation.status, 200);
  EXPECT_EQ(operation.at("kind"), "create");
  EXPECT_EQ(response.header("Operation-Location"), "/api/operations/" + response.at("operationId"));
  gate->open();
  server.loop.run(server.controller->waitForOperation(response.at("operationId"), Deadline::after(std::chrono::seconds(10))));
  EXPECT_EQ(server.get(response.header("Location")).at("status"), "running");
}

TEST(ApiInstances, areThereWhenTheCallerWaits) {
  ApiServer server;
  Response response = server.post("/api/instances?wait=10", R"({"provider":"fake","name":"one","env":{"A":"b"},"labels":{"team":"x"}})");
  ASSERT_EQ(response.status, 201) << response.text;
  EXPECT_EQ(response.at("status"), "running");
  EXPECT_EQ(response.at("url"), "http://one.localhost:7420/");
  EXPECT_EQ(response.header("ETag"), "\"v1\"");
  Response by_name = server.get("/api/instances/one");
  EXPECT_EQ(by_name.at("id"), response.at("id"));
  EXPECT_EQ(by_name.json.at("config").at("env").at("A").as_string(), "b");
}

TEST(ApiInstances, areWhereTheirRegionsSayWhichHaveAShortNameAndTwoFormerOnes) {
  ApiServer server;
  int number = 0;
  for (const char* where :
       {R"("network":{"regions":["mars","fra"]})", R"("regions":["mars","fra"])", R"("regions":["fra"],"network":{"regions":["ams"]})",
        R"("network":{"flyio":{"regions":["mars","fra"]}})", R"("network":{"docker":{"host":"fra"}})"}) {
    const std::string name = "one" + std::to_string(++number);
    Response response = server.post("/api/instances?wait=10", R"({"name":")" + name + R"(",)" + where + "}");
    ASSERT_EQ(response.status, 201) << response.text;
    EXPECT_EQ(response.at("region"), "fra");
    EXPECT_EQ(response.json.at("config").at("network").at("regions"), boost::json::array{"fra"}) << where;
  }
  Response wrong = server.post("/api/instances", R"({"regions":["fra","Fra"]})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json.at("errors").at(0).at("pointer"), "/network/regions/1");
}

TEST(ApiInstances, thatTakeLongerThanTheWaitAreAnsweredAsBegun) {
  ApiServer server;
  auto gate = server.world.faults.block("createInstance");
  Response response = server.post("/api/instances?wait=1", R"({"provider":"fake","name":"slow"})");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.at("status"), "creating");
  gate->open();
}

TEST(ApiInstances, whoseCreationFailsAnswerTheOperationsErrorToTheWaiting) {
  ApiServer server;
  server.world.addMissingImage("nowhere:1");
  Response response = server.post("/api/instances?wait=10", R"({"provider":"fake","name":"bad","image":"nowhere:1"})");
  EXPECT_EQ(response.status, 422) << response.text;
  EXPECT_EQ(response.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.at("code"), "unprocessable");
  EXPECT_TRUE(response.at("instance").starts_with("/api/instances/i-")) << response.text;
}

TEST(ApiInstances, areMadeOncePerIdempotencyKey) {
  ApiServer server;
  Request request{"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"once"})", {{"Idempotency-Key", "k1"}}};
  Response first = server.send(request);
  Response again = server.send(request);
  EXPECT_EQ(first.status, 201) << first.text;
  EXPECT_EQ(again.status, 201) << again.text;
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(first.header("Idempotency-Replayed"), "");
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  request.body = R"({"provider":"fake","name":"other"})";
  EXPECT_EQ(server.send(request).status, 422);
  EXPECT_EQ(server.world.containers().size(), 1u);
}

TEST(ApiInstances, keepTheirNamesToThemselves) {
  ApiServer server;
  server.create("taken");
  Response response = server.post("/api/instances", R"({"provider":"fake","name":"taken"})");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.at("code"), "already_exists");
}

TEST(ApiInstances, areListedPageByPage) {
  ApiServer server;
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(server.create("n" + std::to_string(i)));
  std::vector<std::string> listed;
  std::string target = "/api/instances?limit=2";
  int pages = 0;
  for (std::string next = target; !next.empty(); ++pages) {
    Response page = server.get(next);
    ASSERT_EQ(page.status, 200) << page.text;
    for (auto& id : idsOf(page)) listed.push_back(id);
    next = page.at("nextCursor").empty() ? "" : target + "&cursor=" + page.at("nextCursor");
  }
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
}

TEST(ApiInstances, areFiltered) {
  ApiServer server;
  std::string plain = server.create("plain");
  std::string ullas = server.create("ullas", server.user);
  Response labelled = server.post("/api/instances?wait=10", R"({"provider":"fake","name":"labelled","labels":{"team":"a b"}})");
  server.post("/api/instances/labelled/stop?wait=10");
  EXPECT_EQ(idsOf(server.get("/api/instances?status=stopped")), std::vector{labelled.at("id")});
  EXPECT_EQ(idsOf(server.get("/api/instances?name=plain")), std::vector{plain});
  EXPECT_EQ(idsOf(server.get("/api/instances?owner=ulla")), std::vector{ullas});
  EXPECT_EQ(idsOf(server.get("/api/instances?label.team=a%20b")), std::vector{labelled.at("id")});
  EXPECT_EQ(idsOf(server.get("/api/instances?label.team=other")), std::vector<std::string>{});
  EXPECT_EQ(idsOf(server.get("/api/instances?label%5Bteam%5D=a+b")), std::vector{labelled.at("id")});
  EXPECT_EQ(idsOf(server.get("/api/instances?label[team]=other")), std::vector<std::string>{});
  EXPECT_EQ(idsOf(server.get("/api/instances?provider=docker")), std::vector<std::string>{});
  EXPECT_EQ(idsOf(server.get("/api/instances?provider=fake")).size(), 3u);
}

TEST(ApiInstances, showOnlyTheSelectedFields) {
  ApiServer server;
  server.create("one");
  Response list = server.get("/api/instances?fields=id,config.name,config.resources.cpu");
  const auto& item = list.json.at("items").at(0).as_object();
  EXPECT_EQ(item.size(), 2u);
  EXPECT_EQ(item.at("config").at("name").as_string(), "one");
  EXPECT_FALSE(item.at("config").as_object().contains("image"));
  EXPECT_TRUE(item.at("config").at("resources").as_object().contains("cpu"));
  EXPECT_FALSE(item.at("config").at("resources").as_object().contains("memory"));
  EXPECT_EQ(server.get("/api/instances/one?fields=status").text, R"({"status":"running"})");
  EXPECT_EQ(server.get("/api/instances?fields=id,secret").status, 400);
}

TEST(ApiInstances, belongToTheirOwners) {
  ApiServer server;
  std::string id = server.create("ullas", server.user);
  server.create("admins");
  EXPECT_EQ(idsOf(server.send({.target = "/api/instances"}, server.user)), std::vector{id});
  EXPECT_EQ(idsOf(server.send({.target = "/api/instances"}, server.stranger)), std::vector<std::string>{});
  EXPECT_EQ(server.send({.target = "/api/instances/ullas"}, server.stranger).status, 404);
  EXPECT_TRUE(server.send({.target = "/api/instances?owner=admin"}, server.user).json.at("items").as_array().empty());
  EXPECT_EQ(server.send({"POST", "/api/instances", R"({"provider":"fake","owner":"sten"})"}, server.user).status, 403);
  Response for_sten = server.post("/api/instances?wait=10", R"({"provider":"fake","owner":"sten","name":"stens"})");
  EXPECT_EQ(for_sten.at("owner"), "sten");
  EXPECT_EQ(server.send({.target = "/api/instances/stens"}, server.stranger).status, 200);
}

TEST(ApiInstances, stopStartAndRestart) {
  ApiServer server;
  server.create("one");
  Response stopped = server.post("/api/instances/one/stop?wait=10");
  EXPECT_EQ(stopped.status, 200) << stopped.text;
  EXPECT_EQ(stopped.at("status"), "stopped");
  Response again = server.post("/api/instances/one/stop?wait=10");
  EXPECT_EQ(again.status, 200) << again.text;
  Response started = server.post("/api/instances/one/start?wait=10");
  EXPECT_EQ(started.status, 200) << started.text;
  EXPECT_EQ(started.at("status"), "running");
  EXPECT_EQ(server.post("/api/instances/one/restart").status, 202);
  EXPECT_EQ(server.post("/api/instances/absent/restart").status, 404);
}

TEST(ApiInstances, areDeletedAndLeaveTheirPersistentVolumes) {
  ApiServer server;
  std::string id = server.create("one");
  Response deleted = server.send({"DELETE", "/api/instances/one?wait=10"});
  EXPECT_EQ(deleted.status, 200) << deleted.text;
  EXPECT_EQ(deleted.at("status"), "deleted");
  EXPECT_EQ(server.get("/api/instances/" + id).status, 404);
  Response volumes = server.get("/api/volumes");
  ASSERT_EQ(volumes.json.at("items").as_array().size(), 1u) << volumes.text;
  std::string name(volumes.json.at("items").at(0).at("name").as_string());
  EXPECT_EQ(volumes.json.at("items").at(0).at("instanceId").as_string(), id);
  EXPECT_EQ(server.send({"DELETE", "/api/volumes/" + name}).status, 204);
  EXPECT_EQ(server.send({"DELETE", "/api/volumes/" + name}).status, 404);
  EXPECT_TRUE(server.world.volumes().empty());
}

TEST(ApiInstances, areDeletedWithTheirVolumesOnRequest) {
  ApiServer server;
  server.create("one");
  EXPECT_EQ(server.send({"DELETE", "/api/instances/one?wait=10&volumes=true"}).status, 200);
  EXPECT_TRUE(server.world.volumes().empty());
}

TEST(ApiInstances, hideFromAStrangerWhoHasAName) {
  ApiServer server;
  server.create("taken", server.user);
  Response response = server.send({"POST", "/api/instances", R"({"provider":"fake","name":"taken"})"}, server.stranger);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.text.find("ulla"), std::string::npos) << response.text;
  EXPECT_EQ(response.text.find("i-"), std::string::npos) << response.text;
}

TEST(ApiInstances, runCommands) {
  ApiServer server;
  server.create("one");
  Response response = server.post("/api/instances/one/exec", R"({"command":["cat"],"stdin":"hello"})");
  EXPECT_EQ(response.status, 200) << response.text;
  EXPECT_EQ(response.at("stdout"), "hello");
  EXPECT_EQ(response.json.at("exitCode").as_int64(), 0);
  EXPECT_EQ(server.post("/api/instances/one/exec", R"({"command":["sh","-c","exit 7"]})").json.at("exitCode").as_int64(), 7);
  EXPECT_EQ(server.post("/api/instances/one/exec", R"({"command":[]})").status, 400);
  EXPECT_EQ(server.post("/api/instances/one/exec", R"({"command":"ls"})").status, 400);
  EXPECT_EQ(server.post("/api/instances/one/exec", R"({"command":["ls"],"timeout":0})").status, 400);
  server.post("/api/instances/one/stop?wait=10");
  EXPECT_EQ(server.post("/api/instances/one/exec", R"({"command":["ls"]})").status, 409);
}

TEST(ApiInstances, reportTheirUsageAndNetwork) {
  ApiServer server;
  server.create("one");
  EXPECT_TRUE(server.get("/api/instances/one/usage").json.at("cpu").as_object().contains("limit"));
  EXPECT_TRUE(server.get("/api/instances/one/network").json.at("urls").is_array());
}

TEST(ApiInstances, giveShortLivedTokensForTheirAgents) {
  ApiServer server;
  std::string id = server.create("one");
  Response response = server.post("/api/instances/one/token", R"({"scope":"port","ttl":60})");
  ASSERT_EQ(response.status, 200) << response.text;
  agent::AgentTarget target = server.loop.run(server.controller->agentTarget(id));
  EXPECT_TRUE(verifyInstanceToken(response.at("token"), verifyingKeyOf(target.key), id, TokenScope::Port, server.clock));
  EXPECT_FALSE(verifyInstanceToken(response.at("token"), verifyingKeyOf(target.key), id, TokenScope::Exec, server.clock));
  EXPECT_EQ(server.post("/api/instances/one/token", R"({"scope":"root"})").status, 400);
  EXPECT_EQ(server.post("/api/instances/one/token", R"({"scope":"control"})").status, 400) << "the server's own";
  EXPECT_EQ(server.post("/api/instances/one/token", R"({"scope":"port","ttl":86400})").status, 400);
}

TEST(ApiInstances, issueNoTokenThatOutlivesFiveMinutesOrItsSession) {
  ApiServer server;
  std::string id = server.create("ullas", server.user);
  auto lifeOf = [&](const std::string& token) {
    Response response = server.send({"POST", "/api/instances/ullas/token", R"({"scope":"port","ttl":3600})"}, token);
    EXPECT_EQ(response.status, 200) << response.text;
    return parseTime(response.at("expiresAt")) - server.clock.now();
  };
  EXPECT_LE(lifeOf(server.user), std::chrono::minutes(5));
  EXPECT_GT(lifeOf(server.user), std::chrono::minutes(4));
  EXPECT_LE(lifeOf(server.issue("ulla", std::chrono::seconds(90))), std::chrono::seconds(90));
}

TEST(ApiInstances, notifyTheirAgentsWhenASessionWithATokenIsSignedOut) {
  ApiServer server;
  std::vector<std::string> ended;
  async::Notifier notified;
  int refusals = 1;  // the first time, the agent is away
  server.inside.agent = [&](net::Exchange& exchange) -> awaitable<void> {
    return [](net::Exchange& request, std::vector<std::string>& list, async::Notifier& changed, int& away) -> awaitable<void> {
      if (request.head().path() != agent::kEndSessionPath || away-- > 0) co_return co_await request.respond(503, {}, "{}");
      list.push_back(co_await net::readAll(request.body(), 1024));
      co_await request.respond(200, {{"Content-Type", "application/json"}}, "{}");
      changed.notifyAll();
    }(exchange, ended, notified, refusals);
  };
  std::string id = server.create("ullas", server.user);
  std::string token = server.issue("ulla");
  std::string unused = server.issue("ulla");
  Response response = server.send({"POST", "/api/instances/ullas/token", R"({"scope":"exec"})"}, token);
  agent::AgentTarget target = server.loop.run(server.controller->agentTarget(id));
  auto claims = verifyInstanceToken(response.at("token"), verifyingKeyOf(target.key), id, TokenScope::Exec, server.clock);
  ASSERT_TRUE(claims);
  ASSERT_NE(claims->session, "");
  server.send({"POST", "/api/auth/logout"}, unused);
  server.send({"POST", "/api/auth/logout"}, token);
  server.loop.run(notified.wait(0, Deadline::after(std::chrono::seconds(30))));
  EXPECT_EQ(ended, std::vector{R"({"session":")" + claims->session + R"("})"}) << "the other sign-in had no token here";
}

}  // namespace
}  // namespace swarm::test
