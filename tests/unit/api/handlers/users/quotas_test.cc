// Quotas: who sets them, who sees them, and what a refusal shows.
#include <gtest/gtest.h>

#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiQuotas : public ::testing::Test {
 protected:
  Response set(const std::string& subject, const std::string& limits) {
    return server_.send({"PUT", "/api/quotas/" + subject, R"({"limits":)" + limits + "}"});
  }
  /// "swarm", "user ulla" of the rows that a token sees.
  std::set<std::string> seenBy(const std::string& token) {
    std::set<std::string> seen;
    const Response list = server_.send({.target = "/api/quotas"}, token);
    EXPECT_EQ(list.status, 200) << list.text;
    for (const auto& row : list.json.at("items").as_array()) {
      const std::string name(row.at("name").as_string());
      seen.insert(std::string(row.at("scope").as_string()) + (name.empty() ? "" : " " + name));
    }
    return seen;
  }

  ApiServer server_;
};

TEST_F(ApiQuotas, refuseWhatExceedsThem) {
  ASSERT_EQ(set("user/ulla", R"({"instances":1})").status, 200);
  server_.create("first", server_.user);
  const Response refused = server_.send({"POST", "/api/instances", R"({"name":"second"})"}, server_.user);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.at("code"), "conflict");
  EXPECT_EQ(
      refused.at("detail"),
      "The quota of ulla is 1 workspace: 1 in use, 1 more requested, nothing would fit. Delete a workspace, or ask an administrator to "
      "raise the limit (swarm quota set user ulla).");
  ASSERT_EQ(server_.send({"DELETE", "/api/quotas/user/ulla"}).status, 204);
  EXPECT_EQ(server_.send({"POST", "/api/instances", R"({"name":"second"})"}, server_.user).status, 202);
}

TEST_F(ApiQuotas, areShownWithWhatIsHeld) {
  ASSERT_EQ(set("user/ulla", R"({"cpu":8,"storage":0})").status, 200);
  server_.create("one", server_.user);
  const Response shown = server_.send({.target = "/api/quotas/user/ulla"}, server_.user);
  ASSERT_EQ(shown.status, 200) << shown.text;
  const auto& row = shown.json.at("items").at(0);
  EXPECT_EQ(row.at("limits"), boost::json::parse(R"({"cpu":8.0})")) << "0: none";
  EXPECT_EQ(row.at("quota"), boost::json::parse(R"({"cpu":8.0,"storage":0})"));
  EXPECT_EQ(row.at("used"), boost::json::parse(R"({"instances":1,"cpu":2.0,"memory":4096,"storage":10})"));
  EXPECT_EQ(row.at("sources").at("cpu"), "swarm quota set user ulla");
  const Response status = server_.get("/api/swarm/status");
  EXPECT_EQ(status.json.at("resourceUsage").at("memory").at("used").to_number<double>(), 4096);
}

TEST_F(ApiQuotas, areSeenByThoseWhomTheyConcern) {
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
  ASSERT_EQ(server_.send({"PUT", "/api/groups/devs/members/ulla"}).status, 200);
  ASSERT_EQ(set("user/ulla", R"({"cpu":1})").status, 200);
  ASSERT_EQ(set("user/sten", R"({"cpu":1})").status, 200);
  ASSERT_EQ(set("group/devs", R"({"cpu":1})").status, 200);
  ASSERT_EQ(set("member/devs", R"({"cpu":1})").status, 200);
  ASSERT_EQ(set("role/operator", R"({"cpu":1})").status, 200);
  EXPECT_EQ(seenBy(server_.user), (std::set<std::string>{"swarm", "provider", "user ulla", "group devs", "member devs"}));
  EXPECT_EQ(seenBy(server_.stranger), (std::set<std::string>{"swarm", "provider", "user sten"}));
  EXPECT_EQ(seenBy(server_.operates), (std::set<std::string>{"swarm", "provider", "user olaf", "role operator"}));
  EXPECT_EQ(seenBy(server_.auditor), (std::set<std::string>{"swarm", "provider", "user auda", "user sten", "user ulla", "group devs",
                                                            "member devs", "role operator"}));
  EXPECT_EQ(server_.send({.target = "/api/quotas/user/ulla"}, server_.stranger).status, 404);
  EXPECT_EQ(server_.send({.target = "/api/quotas/group/devs"}, server_.stranger).status, 404);
  EXPECT_EQ(server_.send({"PUT", "/api/quotas/user/ulla", R"({"limits":{"cpu":9}})"}, server_.user).status, 403);
  EXPECT_EQ(server_.send({"DELETE", "/api/quotas/user/ulla"}, server_.auditor).status, 403);
}

TEST_F(ApiQuotas, endWithTheirGroup) {
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
  ASSERT_EQ(set("group/devs", R"({"cpu":1})").status, 200);
  ASSERT_EQ(server_.send({"DELETE", "/api/groups/devs"}).status, 204);
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
  EXPECT_FALSE(seenBy(server_.admin).contains("group devs"));
}

TEST_F(ApiQuotas, areRefusedForUnknownSubjectsAndValues) {
  EXPECT_EQ(set("user/nope", R"({"cpu":1})").status, 404);
  EXPECT_EQ(set("group/nope", R"({"cpu":1})").status, 404);
  EXPECT_EQ(set("role/nope", R"({"cpu":1})").status, 404);
  EXPECT_EQ(set("team/nope", R"({"cpu":1})").status, 400);
  EXPECT_EQ(set("user/ulla", R"({"cpu":-1})").status, 400);
  EXPECT_EQ(set("user/ulla", R"({"cpus":1})").status, 400);
  EXPECT_EQ(set("user/ulla", "{}").status, 400);
  EXPECT_EQ(server_.send({"DELETE", "/api/quotas/user/ulla"}).status, 404);
}

TEST_F(ApiQuotas, areRecordedWithTheFormerOnes) {
  ASSERT_EQ(set("user/ulla", R"({"cpu":1})").status, 200);
  ASSERT_EQ(set("user/ulla", R"({"cpu":2})").status, 200);
  const std::vector<AuditRecord> records = server_.recorded("setQuota");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].kind, "quota");
  EXPECT_EQ(records[0].object, "ulla");
  EXPECT_EQ(records[0].before, boost::json::parse(R"({"limits":{"cpu":1.0}})").as_object());
  EXPECT_EQ(records[0].after, boost::json::parse(R"({"kind":"user","limits":{"cpu":2}})").as_object());
}

/// A refusal names only workspaces that the caller may see.
TEST_F(ApiQuotas, doNotShowWorkspacesOfOthers) {
  ASSERT_EQ(set("user/ulla", R"({"memory":5000})").status, 200);
  server_.create("ullas", server_.user);
  const Response own = server_.send({"POST", "/api/instances", R"({"name":"second"})"}, server_.user);
  EXPECT_NE(own.at("detail").find("Largest: ullas (4096 MiB)."), std::string::npos) << own.text;
  ASSERT_EQ(server_.create("admins", server_.admin).empty(), false);
  const Response token =
      server_.send({"POST", "/api/tokens", R"({"name":"ci","scopes":["read","write"],"namePrefix":"ci-"})"}, server_.user);
  ASSERT_EQ(token.status, 201) << token.text;
  const Response limited = server_.send({"POST", "/api/instances", R"({"name":"ci-one"})"}, token.at("token"));
  EXPECT_EQ(limited.status, 409) << limited.text;
  EXPECT_EQ(limited.at("detail").find("ullas"), std::string::npos) << "the token covers no such workspace";
}

}  // namespace
}  // namespace swarm::test
