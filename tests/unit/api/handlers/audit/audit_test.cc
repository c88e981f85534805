// What the audit log has of the API's calls, and how the API shows it.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>
#include <sstream>

#include "api/routes/route.h"
#include "auth/accounts/accounts.h"
#include "gmock/gmock.h"
#include "support/memory_audit.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiAudit : public ::testing::Test {
 protected:
  std::vector<std::string> actionsOf(const std::string& query, const std::string& token) {
    const Response response = server_.send({.target = "/api/audit" + query}, token);
    EXPECT_EQ(response.status, 200) << response.text;
    std::vector<std::string> actions;
    for (const auto& item : response.json.at("items").as_array()) actions.emplace_back(item.at("action").as_string());
    return actions;
  }
  ApiServer server_;
};

/// Routes that change something or lead inside, and that the API does not record.
const std::map<std::string_view, std::string_view> kExempt{
    {"login", "Auth records sign-ins, of the API and of the pages"},
    {"loginProgram", "Auth records sign-ins"},
    {"loginDevice", "Auth records sign-ins"},
    {"beginDeviceLogin", "an unknown client requests a code, which changes nothing until a user confirms it"}};

TEST(ApiAuditRoutes, recordEveryChangeAndEntryButThoseWithAReason) {
  std::size_t exempt = 0;
  for (const api::Endpoint& route : api::makeRouteTable()) {
    const api::Recorded recorded = api::recordedOf(route);
    ASSERT_NE(recorded, api::Recorded::ByMethod);
    if (route.method == "GET" && route.permission != Permission::Inside) continue;
    const bool has_reason = kExempt.contains(route.operationId);
    EXPECT_EQ(recorded == api::Recorded::Nothing, has_reason) << route.operationId;
    if (has_reason) ++exempt;
  }
  EXPECT_EQ(exempt, kExempt.size()) << "a reason for a route that does not exist";
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

TEST_F(ApiAudit, recordsRefusedEntriesWithTheWorkspaceAndItsOwner) {
  const std::string id = server_.create("web1", server_.user);
  const Request tunnel{
      .target = "/api/instances/web1/ports/80", .body = {}, .headers = {{"Connection", "Upgrade"}, {"Upgrade", "swarm-tunnel"}}};
  EXPECT_EQ(server_.send(tunnel, server_.operates).status, 403) << "by role, before the workspace is looked up";
  EXPECT_EQ(server_.send(tunnel, server_.stranger).status, 404);
  const auto records = server_.recorded("openPort");
  ASSERT_EQ(records.size(), 2U);
  for (const AuditRecord& record : records) {
    EXPECT_EQ(record.result, AuditResult::refused);
    EXPECT_EQ(record.object, "web1");
    EXPECT_EQ(record.objectId, id);
    EXPECT_EQ(record.owner, "ulla");
  }
  EXPECT_EQ(records[0].user, "sten");
  EXPECT_EQ(records[0].status, 404);
  EXPECT_EQ(server_.send({"POST", "/api/instances/none/exec", R"({"command":["true"]})"}, server_.stranger).status, 404);
  EXPECT_EQ(server_.recorded("executeCommand").size(), 1U) << "the time of the response does not show what exists";
}

TEST_F(ApiAudit, namesTheAccessTokenAndRecordsItsUse) {
  const Response made = server_.send({"POST", "/api/tokens", R"({"name":"ci","scopes":["write"],"days":7})"}, server_.user);
  ASSERT_EQ(made.status, 201) << made.text;
  const auto created = server_.recorded("createAccessToken");
  ASSERT_EQ(created.size(), 1U);
  EXPECT_EQ(created[0].kind, "token");
  EXPECT_EQ(created[0].object, "ci");
  EXPECT_EQ(created[0].objectId, made.at("id"));
  EXPECT_EQ(created[0].owner, "ulla");
  EXPECT_EQ(created[0].after.at("days"), 7);
  EXPECT_EQ(created[0].token, "") << "by a session";
  EXPECT_NE(created[0].session, "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server_.send({.target = "/api/instances"}, made.at("token")).status, 200);
  const auto used = server_.recorded("useToken");
  ASSERT_EQ(used.size(), 1U);
  EXPECT_EQ(used[0].result, AuditResult::done);
  EXPECT_EQ(used[0].object, "ci");
  EXPECT_EQ(used[0].address, "127.0.0.1");
  server_.create("web1", made.at("token"));
  EXPECT_EQ(server_.recorded("createInstance")[0].user, "ulla");
  EXPECT_EQ(server_.recorded("createInstance")[0].token, made.at("id"));
  EXPECT_EQ(server_.recorded("createInstance")[0].session, "");
  EXPECT_EQ(server_.send({"DELETE", "/api/instances/web1/shares/sten"}, made.at("token")).status, 403);
  EXPECT_EQ(server_.recorded("deleteShare")[0].token, made.at("id"));
  EXPECT_EQ(server_.recorded("deleteShare")[0].result, AuditResult::refused);
  EXPECT_EQ(server_.send({"DELETE", "/api/tokens/" + made.at("id")}, server_.admin).status, 204);
  const auto revoked = server_.recorded("revokeAccessToken");
  ASSERT_EQ(revoked.size(), 1U);
  EXPECT_EQ(revoked[0].object, "ci");
  EXPECT_EQ(revoked[0].objectId, made.at("id"));
  EXPECT_EQ(revoked[0].owner, "ulla");
  EXPECT_EQ(server_.get("/api/audit/export").text.find(made.at("token")), std::string::npos);
}

TEST_F(ApiAudit, hasSharesAndHandOversBeforeAndAfter) {
  server_.create("web1", server_.user);
  const std::string share = "/api/instances/web1/shares/sten";
  EXPECT_EQ(server_.send({"PUT", share, R"({"access":"viewer"})"}, server_.user).status, 200);
  EXPECT_EQ(server_.send({"PUT", share, R"({"access":"editor"})"}, server_.user).status, 200);
  EXPECT_EQ(server_.send({"DELETE", share}, server_.user).status, 204);
  const auto puts = server_.recorded("putShare");
  ASSERT_EQ(puts.size(), 2U);
  EXPECT_TRUE(puts[1].before.empty());
  EXPECT_EQ(puts[0].object, "web1");
  EXPECT_EQ(puts[0].before.at("access"), "viewer");
  EXPECT_EQ(puts[0].after.at("access"), "editor");
  EXPECT_EQ(puts[0].after.at("user"), "sten");
  EXPECT_EQ(server_.recorded("deleteShare")[0].before.at("access"), "editor");
  EXPECT_EQ(server_.send({"PUT", share, R"({"access":"editor","user":"vera"})"}, server_.user).status, 400);
  EXPECT_EQ(server_.recorded("putShare")[0].after.at("user"), "sten") << "the body does not hide what the path says";
  const Response handed = server_.send({"PUT", "/api/instances/web1/owner", R"({"owner":"sten"})"}, server_.user);
  EXPECT_EQ(handed.status, 200) << handed.text;
  EXPECT_EQ(server_.recorded("handOver")[0].before.at("owner"), "ulla");
  EXPECT_EQ(server_.recorded("handOver")[0].after.at("owner"), "sten");
}

TEST_F(ApiAudit, hasUsersAndSessionsWithTheirState) {
  EXPECT_EQ(server_.post("/api/users", R"({"name":"bot","kind":"service"})").status, 201);
  EXPECT_EQ(server_.recorded("createUser")[0].object, "bot");
  EXPECT_EQ(server_.recorded("createUser")[0].after.at("kind"), "service");
  EXPECT_EQ(server_.post("/api/users", R"({"name":"bot"})").status, 409);
  EXPECT_EQ(server_.recorded("createUser")[0].object, "bot") << "also of what was not made";
  EXPECT_EQ(server_.recorded("createUser")[0].result, AuditResult::failed);
  EXPECT_EQ(server_.send({"PATCH", "/api/users/sten", R"({"role":"operator"})"}).status, 200);
  EXPECT_EQ(server_.recorded("changeUser")[0].before.at("role"), "user");
  EXPECT_EQ(server_.recorded("changeUser")[0].after.at("role"), "operator");
  const std::string session = server_.auth->verifyApiToken(server_.user)->sessionId;
  EXPECT_EQ(server_.send({"DELETE", "/api/auth/sessions/" + session}).status, 204);
  EXPECT_EQ(server_.recorded("endSession")[0].objectId, session);
  EXPECT_EQ(server_.recorded("endSession")[0].owner, "ulla");
}

TEST_F(ApiAudit, recordsAnInvitationFromItsCreationToTheSignIn) {
  EXPECT_EQ(server_.post("/api/users", R"({"name":"ivo"})").status, 201);
  const std::string url = server_.post("/api/users/ivo/invite").at("url");
  const std::string code = url.substr(url.find("code=") + 5);
  const LoginOrigin origin{.address = "192.0.2.9", .device = {}, .client = "Browser/1"};
  ASSERT_TRUE(server_.loop.run(server_.auth->accounts().acceptInvitation(code, Secret("a long password"), origin)));
  EXPECT_EQ(server_.recorded("inviteUser")[0].object, "ivo");
  const auto accepted = server_.recorded("acceptInvitation");
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].user, "ivo") << "the code proves that";
  EXPECT_EQ(accepted[0].role, "user");
  EXPECT_EQ(accepted[0].object, "ivo");
  EXPECT_EQ(accepted[0].address, "192.0.2.9");
  EXPECT_EQ(accepted[0].client, "Browser/1");
  EXPECT_EQ(server_.recorded("signIn")[0].user, "ivo");
  EXPECT_EQ(server_.recorded("signIn")[0].after.at("by"), "invitation");
  EXPECT_EQ(server_.get("/api/audit/export").text.find(code), std::string::npos);
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
  EXPECT_EQ(server_.send({"POST", "/api/auth/login", R"({"user":"my secret passphrase","password":"x"})"}, "").status, 401);
  EXPECT_EQ(server_.recorded("signIn").size(), before + 3);
  EXPECT_EQ(server_.recorded("signIn")[0].object, "") << "people type passwords there";
  EXPECT_EQ(server_.get("/api/audit/export").text.find("passphrase"), std::string::npos);
  EXPECT_FALSE(server_.loop.run(server_.auth->takeLoginLink("no such link", {.address = "192.0.2.9", .device = {}, .client = {}})));
  EXPECT_EQ(server_.recorded("signIn")[0].address, "192.0.2.9");
  EXPECT_EQ(server_.recorded("signIn")[0].result, AuditResult::refused);
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
  EXPECT_EQ(server_.send({"PUT", "/api/providers/fake/token", R"({"token":"s3cret-stored"})"}, server_.admin).status, 200);
  const Response all = server_.get("/api/audit/export");
  EXPECT_EQ(all.status, 200);
  EXPECT_THAT(all.text, HasSubstr("setProviderToken"));
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
  const Response first = server_.get("/api/audit?object=web1&limit=2");
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
  const Response all = server_.get("/api/audit/export");
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
  const Response verified =
      server_.get("/api/audit/verification?sequence=" + std::to_string(check.last().sequence) + "&hash=" + check.last().hash);
  EXPECT_TRUE(verified.json.at("intact").as_bool()) << verified.text;
  const Response other = server_.get("/api/audit/verification?sequence=1&hash=" + std::string(64, '0'));
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
  const Response refused = server.send({"POST", "/api/instances/web1/stop?wait=10"}, server.user);
  EXPECT_EQ(refused.status, 507);
  EXPECT_THAT(refused.at("detail"), HasSubstr("Nothing was changed, because the change cannot be recorded in the audit log."));
  EXPECT_EQ(server.send({.target = "/api/instances/web1"}, server.user).at("status"), "running");
  EXPECT_EQ(server.send({"POST", "/api/instances/web1/exec", R"({"command":["true"]})"}, server.user).status, 507);
  EXPECT_EQ(server.send({"POST", "/api/auth/logout"}, server.user).status, 204);
  EXPECT_EQ(server.send({.target = "/api/instances/web1"}, server.user).status, 401);
}

}  // namespace
}  // namespace swarm::test
