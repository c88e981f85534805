// What the audit log has of the API's calls, and how the API shows it.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <sstream>

#include "api/routes/route.h"
#include "gmock/gmock.h"
#include "support/memory_audit.h"
#include "unit/api/support.h"

namespace swarm::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiAudit : public ::testing::Test {
 protected:
  std::vector<std::string> actionsOf(const std::string& query, const std::string& token) {
    const Answer answer = server_.send({.target = "/api/audit" + query}, token);
    EXPECT_EQ(answer.status, 200) << answer.text;
    std::vector<std::string> actions;
    for (const auto& item : answer.json.at("items").as_array()) actions.emplace_back(item.at("action").as_string());
    return actions;
  }
  ApiServer server_;
};

TEST(ApiAuditRoutes, recordEveryChangeAndEntryUnlessARowSaysWhy) {
  for (const api::Endpoint& route : api::makeRouteTable()) {
    const api::Recorded recorded = api::recordedOf(route);
    ASSERT_NE(recorded, api::Recorded::ByMethod);
    if (route.operationId == "login") continue;  // recorded where sessions begin
    if (route.method != "GET") EXPECT_NE(recorded, api::Recorded::Nothing) << route.operationId;
    if (route.permission == Permission::Inside) EXPECT_NE(recorded, api::Recorded::Nothing) << route.operationId;
  }
}

TEST_F(ApiAudit, hasWhoWhatFromWhereAndTheResult) {
  const std::string id = server_.create("web1", server_.user);
  const auto created = server_.recorded("createInstance");
  ASSERT_EQ(created.size(), 1U);
  EXPECT_EQ(created[0].user, "ulla");
  EXPECT_EQ(created[0].role, "user");
  EXPECT_EQ(created[0].address, "127.0.0.1");
  EXPECT_EQ(created[0].kind, "instance");
  EXPECT_EQ(created[0].object, "web1");
  EXPECT_EQ(created[0].objectId, id);
  EXPECT_EQ(created[0].owner, "ulla");
  EXPECT_EQ(created[0].status, 201);
  EXPECT_EQ(created[0].result, AuditResult::done);
  EXPECT_TRUE(created[0].after.contains("operationId"));
  EXPECT_FALSE(created[0].requestId.empty());
  server_.send({"PUT", "/api/instances/web1?wait=10", R"({"resources":{"cpu":{"cores":3}}})", {{"User-Agent", "curl/8"}}},
               server_.operates);
  const auto changed = server_.recorded("updateInstance");
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].user, "olaf");
  EXPECT_EQ(changed[0].objectId, id);
  EXPECT_THAT(changed[0].client, HasSubstr("curl/8"));
  EXPECT_EQ(boost::json::value(changed[0].after).at_pointer("/resources/cpu/cores"), 3);
  EXPECT_NE(boost::json::value(changed[0].before).at_pointer("/resources/cpu/cores"), 3);
}

TEST_F(ApiAudit, recordsRefusals) {
  server_.create("web1", server_.user);
  EXPECT_EQ(server_.send({"POST", "/api/instances/web1/stop"}, server_.stranger).status, 404);
  EXPECT_EQ(server_.recorded("stopInstance")[0].result, AuditResult::refused);
  EXPECT_EQ(server_.recorded("stopInstance")[0].owner, "ulla") << "it exists";
  EXPECT_EQ(server_.send({.target = "/metrics"}, server_.stranger).status, 403);
  EXPECT_EQ(server_.send({.target = "/metrics"}, server_.stranger).status, 403);
  ASSERT_EQ(server_.recorded("metrics").size(), 1U) << "the same again";
  EXPECT_EQ(server_.recorded("metrics")[0].result, AuditResult::refused);
  EXPECT_EQ(server_.recorded("metrics")[0].user, "sten");
  EXPECT_EQ(server_.send({.target = "/api/instances"}, "garbage").status, 401);
  EXPECT_EQ(server_.recorded("useToken").size(), 1U);
  EXPECT_EQ(server_.send({.target = "/api/instances"}, "").status, 401);
  EXPECT_EQ(server_.recorded("useToken").size(), 1U) << "a request without credentials is not worth a record";
}

TEST_F(ApiAudit, recordsSignInsAndRefusedOnes) {
  const std::size_t before = server_.recorded("signIn").size();
  EXPECT_EQ(server_.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"wrong"})"}, "").status, 401);
  EXPECT_EQ(server_.send({"POST", "/api/auth/login", R"({"user":"ulla","password":")" + server_.password + "\"}"}, "").status, 200);
  const auto records = server_.recorded("signIn");
  ASSERT_EQ(records.size(), before + 2);
  EXPECT_EQ(records[0].user, "ulla");
  EXPECT_EQ(records[0].result, AuditResult::done);
  EXPECT_EQ(records[0].address, "127.0.0.1");
  EXPECT_EQ(records[1].result, AuditResult::refused);
  EXPECT_EQ(records[1].user, "") << "not signed in";
  EXPECT_EQ(records[1].object, "ulla");
}

TEST_F(ApiAudit, recordsEntriesOnceAndNamesTheWay) {
  server_.create("web1", server_.user);
  for (int i = 0; i < 3; ++i) server_.send({"POST", "/api/instances/web1/exec", R"({"command":["true"]})"}, server_.user);
  EXPECT_EQ(server_.recorded("executeCommand").size(), 1U);
  server_.send({"POST", "/api/instances/web1/exec", R"({"command":["true"]})"}, server_.admin);
  const auto entries = server_.recorded("executeCommand");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].user, "admin");
  EXPECT_EQ(entries[0].owner, "ulla");
  for (int port : {8080, 8080, 9090})
    server_.send({.target = "/api/instances/web1/ports/" + std::to_string(port),
                  .headers = {{"Connection", "Upgrade"}, {"Upgrade", "swarm-tunnel"}}},
                 server_.user);
  const auto ports = server_.recorded("openPort");
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0].after.at("port"), "9090");
}

TEST_F(ApiAudit, hasNoSecrets) {
  server_.create("web1", server_.user);
  server_.send({"PUT", "/api/instances/web1?wait=10", R"({"env":{"DB_PASSWORD":"s3cret-env"}})"}, server_.user);
  server_.send({"PATCH", "/api/instances/web1?wait=10", R"({"env":{"DB_PASSWORD":"s3cret-patch"}})"}, server_.user);
  server_.send({"POST", "/api/instances/web1/exec", R"({"command":["mysql","-ps3cret-command"],"stdin":"s3cret-stdin"})"}, server_.user);
  const std::string token = server_.send({"POST", "/api/instances/web1/token", R"({"scope":"status"})"}, server_.user).at("token");
  const std::string link = server_.send({"POST", "/api/auth/links", "{}"}, server_.user).at("url");
  server_.send({"POST", "/api/auth/login", R"({"user":"ulla","password":"s3cret-wrong"})"}, "");
  server_.send({"POST", "/api/auth/login", R"({"user":"ulla","password":")" + server_.password + "\"}"}, "");
  server_.send({"POST", "/api/providers/fake/validate", R"({"token":"s3cret-provider"})"}, server_.admin);
  const Answer all = server_.get("/api/audit/export");
  EXPECT_EQ(all.status, 200);
  EXPECT_THAT(all.text, HasSubstr("DB_PASSWORD"));
  ASSERT_GT(link.size(), 20U);
  for (const std::string& secret :
       {std::string("s3cret"), server_.password, server_.admin, server_.user, link.substr(link.size() - 20), token})
    EXPECT_THAT(all.text, Not(HasSubstr(secret)));
}

TEST_F(ApiAudit, isFilteredAndPaged) {
  server_.create("web1", server_.user);
  server_.send({"POST", "/api/instances/web1/stop?wait=10"}, server_.user);
  server_.send({"POST", "/api/instances/web1/start?wait=10"}, server_.admin);
  EXPECT_THAT(actionsOf("?object=web1", server_.auditor), ElementsAre("startInstance", "stopInstance", "createInstance"));
  EXPECT_THAT(actionsOf("?object=web1&user=ulla", server_.auditor), ElementsAre("stopInstance", "createInstance"));
  EXPECT_THAT(actionsOf("?action=stopInstance&result=begun", server_.auditor), ElementsAre("stopInstance"));
  EXPECT_THAT(actionsOf("?since=2100-01-01T00:00:00Z", server_.auditor), ElementsAre());
  const Answer first = server_.get("/api/audit?object=web1&limit=2");
  EXPECT_EQ(first.json.at("items").as_array().size(), 2U);
  EXPECT_THAT(actionsOf("?object=web1&limit=2&cursor=" + first.at("nextCursor"), server_.admin), ElementsAre("createInstance"));
  for (const char* query : {"?since=yesterday", "?limit=501", "?cursor=eA", "?result=good", "?other=1"})
    EXPECT_EQ(server_.get(std::string("/api/audit") + query).status, 400) << query;
}

TEST_F(ApiAudit, isForAdministratorsAndAuditors) {
  for (const char* path : {"/api/audit", "/api/audit/export", "/api/audit/verification"}) {
    for (const auto& [token, status] : {std::pair{server_.user, 403}, std::pair{server_.operates, 403}, std::pair{server_.viewer, 403},
                                        std::pair{server_.auditor, 200}, std::pair{server_.admin, 200}})
      EXPECT_EQ(server_.send({.target = path}, token).status, status) << path;
  }
}

TEST_F(ApiAudit, isExportedAsAChainThatAnyoneCanFollow) {
  server_.create("web1", server_.user);
  const Answer all = server_.get("/api/audit/export");
  EXPECT_EQ(all.header("Content-Type"), "application/x-ndjson");
  std::istringstream lines(all.text);
  AuditChainCheck check({0, noAuditHash()});
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto row = parseAuditLine(line);
    ASSERT_TRUE(row) << line;
    EXPECT_EQ(check.add(*row), "");
  }
  EXPECT_GT(count, 5);
  const Answer verified =
      server_.get("/api/audit/verification?sequence=" + std::to_string(check.last().sequence) + "&hash=" + check.last().hash);
  EXPECT_TRUE(verified.json.at("intact").as_bool()) << verified.text;
  const Answer other = server_.get("/api/audit/verification?sequence=1&hash=" + std::string(64, '0'));
  EXPECT_FALSE(other.json.at("intact").as_bool());
  EXPECT_EQ(server_.get("/api/audit/verification?sequence=1").status, 400);
}

TEST(ApiAuditFailure, refusesChangesAndEntriesButNotTheEndOfSessions) {
  MemoryAudit full;
  RealClock clock;
  Audit audit(full, clock);
  ApiServer server({.audit = &audit});
  server.create("web1", server.user);
  full.failure = Error(ErrorCode::OutOfResources, "The server's disk is full.");
  const Answer refused = server.send({"POST", "/api/instances/web1/stop?wait=10"}, server.user);
  EXPECT_EQ(refused.status, 507);
  EXPECT_THAT(refused.at("detail"), HasSubstr("Nothing was changed, because the change cannot be recorded in the audit log."));
  EXPECT_EQ(server.send({.target = "/api/instances/web1"}, server.user).at("status"), "running");
  EXPECT_EQ(server.send({"POST", "/api/instances/web1/exec", R"({"command":["true"]})"}, server.user).status, 507);
  EXPECT_EQ(server.send({"POST", "/api/auth/logout"}, server.user).status, 204);
  EXPECT_EQ(server.send({.target = "/api/instances/web1"}, server.user).status, 401);
}

}  // namespace
}  // namespace swarm::test
