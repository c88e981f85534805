// Levels of ports: who sets which, and how long they hold.
#include <gtest/gtest.h>

#include "protocol/agent.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

const std::string kPort = "/api/instances/ullas/ports/8080";

class ApiPortLevels : public ::testing::Test {
 protected:
  ApiPortLevels() { server_.create("ullas", server_.user); }
  Response open(const std::string& level, const std::string& token, std::optional<std::chrono::seconds> life = {}) {
    const std::string until = life ? R"(","expiresAt":")" + formatTime(server_.clock.now() + *life) : "";
    return server_.send({"PUT", kPort, R"({"level":")" + level + until + "\"}"}, token);
  }
  int statusOf(const std::string& level, const std::string& token, std::optional<std::chrono::seconds> life = {}) {
    return open(level, token, life).status;
  }
  int close(const std::string& token) { return server_.send({"DELETE", kPort}, token).status; }
  boost::json::array list(const std::string& token) {
    return server_.send({.target = "/api/instances/ullas/ports"}, token).json.at("items").as_array();
  }
  void share(const std::string& user, const std::string& access) {
    EXPECT_EQ(server_.send({"PUT", "/api/instances/ullas/shares/" + user, R"({"access":")" + access + "\"}"}, server_.user).status, 200);
  }

  ApiServer server_;
};

TEST_F(ApiPortLevels, areListedWithTheirAddressAndClosedAgain) {
  EXPECT_EQ(list(server_.user).size(), 0U);
  const Response opened = open("signed-in", server_.user);
  ASSERT_EQ(opened.status, 200) << opened.text;
  EXPECT_EQ(opened.at("level"), "signed-in");
  EXPECT_FALSE(opened.json.as_object().contains("expiresAt"));
  const auto ports = list(server_.user);
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0].at("port").as_int64(), 8080);
  EXPECT_TRUE(ports[0].at("url").as_string().starts_with("http://8080.ullas.localhost")) << ports[0];
  EXPECT_EQ(close(server_.user), 204);
  EXPECT_EQ(close(server_.user), 204) << "nothing to do";
  EXPECT_EQ(list(server_.user).size(), 0U);
  ASSERT_EQ(statusOf("shared", server_.user), 200);
  ASSERT_EQ(statusOf("owner", server_.user), 200);
  EXPECT_EQ(list(server_.user).size(), 0U);
}

TEST_F(ApiPortLevels, areSharedByEditorsAndOpenedFurtherByTheOwner) {
  share("sten", "editor");
  EXPECT_EQ(statusOf("shared", server_.stranger), 200);
  const Response refused = open("signed-in", server_.stranger);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.at("detail"), "The workspace is shared with you as editor, which does not allow this.");
  EXPECT_EQ(statusOf("public", server_.stranger, std::chrono::hours(1)), 403);
  EXPECT_EQ(close(server_.stranger), 204);
  ASSERT_EQ(statusOf("public", server_.user, std::chrono::hours(1)), 200);
  EXPECT_EQ(close(server_.stranger), 403) << "what the owner has set";
  EXPECT_EQ(statusOf("shared", server_.stranger), 403);
  EXPECT_EQ(list(server_.stranger).size(), 1U);
  share("vera", "viewer");
  EXPECT_EQ(statusOf("shared", server_.viewer), 403);
  EXPECT_EQ(statusOf("shared", server_.operates), 403);
  EXPECT_EQ(statusOf("shared", server_.admin), 200);
}

TEST_F(ApiPortLevels, arePublicOnlyForATimeAndNeverTheAgents) {
  EXPECT_EQ(statusOf("public", server_.user), 400);
  EXPECT_EQ(statusOf("public", server_.user, std::chrono::hours(-1)), 400);
  EXPECT_EQ(statusOf("public", server_.user, std::chrono::hours(24 * 91)), 400);
  EXPECT_EQ(statusOf("everyone", server_.user), 400);
  const std::string agents = "/api/instances/ullas/ports/" + std::to_string(agent::kPort);
  EXPECT_EQ(server_.send({"PUT", agents, R"({"level":"shared"})"}, server_.user).status, 400);
  EXPECT_EQ(server_.send({"PUT", "/api/instances/ullas/ports/0", R"({"level":"shared"})"}, server_.user).status, 400);
  const std::string owner = server_.issue("ulla", std::chrono::hours(9));
  ASSERT_EQ(statusOf("public", owner, std::chrono::minutes(30)), 200);
  server_.clock.advance(std::chrono::minutes(31));
  EXPECT_EQ(list(owner).size(), 0U) << "at once, not only when it is removed";
  server_.loop.run(server_.controller->endExpiredPorts());
  EXPECT_FALSE(server_.controller->routes().current()->at("ullas")->ports);
}

TEST_F(ApiPortLevels, areTheNextOwnersAloneAfterAHandOver) {
  ASSERT_EQ(statusOf("public", server_.user, std::chrono::hours(1)), 200);
  ASSERT_EQ(server_.send({"PUT", "/api/instances/ullas/owner", R"({"owner":"sten"})"}, server_.user).status, 200);
  EXPECT_EQ(list(server_.stranger).size(), 0U);
  EXPECT_FALSE(server_.controller->routes().current()->at("ullas")->ports);
  EXPECT_EQ(statusOf("shared", server_.user), 404) << "not the former owner's any more";
}

TEST_F(ApiPortLevels, areGoneWithTheWorkspaceAndNotThoseOfOneWithItsName) {
  ASSERT_EQ(statusOf("signed-in", server_.user), 200);
  ASSERT_EQ(server_.send({"DELETE", "/api/instances/ullas?volumes=true&wait=10"}, server_.user).status, 200);
  server_.create("ullas", server_.user);
  EXPECT_EQ(list(server_.user).size(), 0U);
  EXPECT_FALSE(server_.controller->routes().current()->at("ullas")->ports);
}

TEST_F(ApiPortLevels, areOpenedByATokenWithTheScopeOfTheirLevel) {
  const auto token = [&](const std::string& scopes) {
    return server_
        .send({"POST", "/api/tokens", R"({"name":")" + std::to_string(scopes.size()) + R"(-t","scopes":[)" + scopes + "]}"}, server_.user)
        .at("token");
  };
  EXPECT_EQ(statusOf("shared", token(R"("write")")), 403);
  EXPECT_EQ(statusOf("public", token(R"("write","inside")"), std::chrono::hours(1)), 200);
}

}  // namespace
}  // namespace swarm::test
