// `swarm users`, `swarm password`, `swarm sessions end` and `swarm tokens`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kBen = R"({"name":"ben","role":"user","disabled":false,"hasPassword":false,"createdAt":"2026-12-01T00:00:00Z"})";

TEST(UsersVerb, listsThemWithTheirState) {
  ApiDouble api;
  api.on("GET /api/users", 200,
         {R"({"items":[{"name":"ada","role":"admin","disabled":false,"hasPassword":true,"createdAt":"2026-12-01T00:00:00Z"},
             {"name":"ben","role":"user","disabled":false,"hasPassword":false,"invitedUntil":"2026-12-04T00:00:00Z","createdAt":"2026-12-01T00:00:00Z"},
             {"name":"cyd","role":"auditor","disabled":true,"hasPassword":true,"createdAt":"2026-12-01T00:00:00Z"}]})"});
  const Ran ran = runCommand(api, {"users"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"active", "invited until 2026-12-04T00:00:00Z", "disabled", "auditor"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << ran.out;
  EXPECT_EQ(runCommand(api, {"users", "-o", "name"}).out, "ada\nben\ncyd\n");
}

TEST(UsersVerb, createsAUserAndPrintsTheInvitation) {
  ApiDouble api;
  api.on("POST /api/users", 201, {kBen});
  api.on("POST /api/users/ben/invite", 201, {R"({"url":"http://swarm.localhost:7420/invite?code=c","expiresAt":"2026-12-04T00:00:00Z"})"});
  const Ran ran = runCommand(api, {"users", "create", "ben", "--role", "operator"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "http://swarm.localhost:7420/invite?code=c\n");
  EXPECT_EQ(api.bodyOf("POST /api/users"), boost::json::parse(R"({"name":"ben","role":"operator"})"));
  EXPECT_EQ(runCommand(api, {"users", "create", "ben", "--role", "viewer"}).code, 2) << "no longer assigned";
}

TEST(UsersVerb, changesDisablesAndDeletes) {
  ApiDouble api;
  api.on("PATCH /api/users/ben", 200, {kBen});
  api.on("POST /api/users/ben/disable", 200, {kBen});
  api.on("POST /api/users/ben/enable", 200, {kBen});
  api.on("DELETE /api/users/ben?handOverTo=ada", 204, {""});
  EXPECT_EQ(runCommand(api, {"users", "role", "ben", "auditor"}).code, 0);
  EXPECT_EQ(api.bodyOf("PATCH /api/users/ben"), boost::json::parse(R"({"role":"auditor"})"));
  EXPECT_EQ(runCommand(api, {"users", "disable", "ben"}).code, 0);
  EXPECT_EQ(runCommand(api, {"users", "enable", "ben"}).code, 0);
  EXPECT_EQ(runCommand(api, {"users", "delete", "ben", "--hand-over-to", "ada"}).code, 2) << "without a terminal, --yes is required";
  EXPECT_EQ(runCommand(api, {"users", "delete", "ben", "--hand-over-to", "ada", "--yes"}).code, 0);
}

TEST(SessionsVerb, endsOneOrAll) {
  ApiDouble api;
  api.on("DELETE /api/auth/sessions/1.a", 204, {""});
  api.on("DELETE /api/users/me/sessions", 204, {""});
  api.on("DELETE /api/users/ben/sessions", 204, {""});
  EXPECT_EQ(runCommand(api, {"sessions", "end", "1.a"}).code, 0);
  EXPECT_EQ(runCommand(api, {"sessions", "end", "--all"}).code, 0);
  EXPECT_EQ(runCommand(api, {"sessions", "end", "--user", "ben"}).code, 0);
  EXPECT_EQ(runCommand(api, {"sessions", "end"}).code, 2);
  EXPECT_EQ(api.received().size(), 3u);
}

TEST(UsersVerb, createsAServiceAccountWithoutAnInvitation) {
  ApiDouble api;
  api.on("POST /api/users", 201, {kBen});
  const Ran ran = runCommand(api, {"users", "create", "ben", "--service"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "ben\n");
  EXPECT_EQ(api.bodyOf("POST /api/users"), boost::json::parse(R"({"name":"ben","kind":"service"})"));
  EXPECT_EQ(runCommand(api, {"users", "create", "ben", "--service", "--password-stdin"}).code, 2);
}

TEST(TokensVerb, createsListsAndRevokes) {
  const std::string token = R"({"id":"t-1","name":"ci","owner":"ann","scopes":["read","write"],"namePrefix":"ci-","maxInstances":5,)"
                            R"("createdAt":"2026-12-01T00:00:00Z","expiresAt":"2027-01-01T00:00:00Z")";
  ApiDouble api;
  api.on("POST /api/tokens", 201, {token + R"(,"token":"swarm_pat_secret"})"});
  api.on("GET /api/tokens", 200, {R"({"items":[)" + token + "}]}"});
  api.on("DELETE /api/tokens/t-1", 204, {""});
  const Ran made = runCommand(api, {"tokens", "create", "ci", "--scope", "write,inside", "--days", "30", "--prefix", "ci-",
                                    "--max-workspaces", "5", "--owner", "bot"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out, "swarm_pat_secret\n") << "for $(…)";
  EXPECT_EQ(api.bodyOf("POST /api/tokens"),
            boost::json::parse(R"({"name":"ci","scopes":["write","inside"],"days":30,"namePrefix":"ci-","maxInstances":5,"owner":"bot"})"));
  const Ran listed = runCommand(api, {"tokens"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  for (const char* part : {"t-1", "ci", "read,write", "never", "2027-01-01T00:00:00Z"})
    EXPECT_NE(listed.out.find(part), std::string::npos) << listed.out;
  EXPECT_EQ(runCommand(api, {"tokens", "list", "-o", "name"}).out, "t-1\n");
  EXPECT_EQ(runCommand(api, {"tokens", "revoke", "t-1"}).code, 0);
  EXPECT_EQ(runCommand(api, {"tokens", "create", "ci", "--scope", "root"}).code, 2);
}

}  // namespace
}  // namespace swarm::cli::testing
