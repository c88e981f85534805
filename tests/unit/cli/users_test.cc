// `swarm users`, `swarm password` and `swarm sessions end`.
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

}  // namespace
}  // namespace swarm::cli::testing
