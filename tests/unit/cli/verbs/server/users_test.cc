// `swarm users`, `swarm password`, `swarm sessions end` and `swarm tokens`.
#include <fstream>
#include <sstream>

#include "cli/context.h"
#include "cli/output/table.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kBen = R"({"name":"ben","role":"user","disabled":false,"hasPassword":false,"createdAt":"2026-12-01T00:00:00Z"})";

/// So long from now, as JSON has it.
std::string moment(std::chrono::minutes from_now) { return formatTime(RealClock().now() + from_now); }

TEST(UsersVerb, listsThemWithTheirState) {
  ApiDouble api;
  api.on("GET /api/users", 200,
         {R"({"items":[{"name":"ada","role":"admin","disabled":false,"hasPassword":true,"createdAt":"2026-12-01T00:00:00Z"},
             {"name":"ben","role":"user","disabled":false,"hasPassword":false,"invitedUntil":")" +
          moment(std::chrono::hours(72)) + R"(","createdAt":")" + moment(-std::chrono::hours(5)) + R"("},
             {"name":"cyd","role":"auditor","disabled":true,"hasPassword":true,"createdAt":"2026-12-01T00:00:00Z"}]})"});
  const Ran ran = runCommand(api, {"users"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"active", "invited (ends in 3 d)", "5 h ago", "disabled", "auditor"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << ran.out;
  EXPECT_EQ(runCommand(api, {"users", "-o", "name"}).out, "ada\nben\ncyd\n");
  EXPECT_EQ(runCommand(api, {"users", "list", "-o", "name"}).out, "ada\nben\ncyd\n");
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
  const char* running = "GET /api/instances?status=running&owner=ben&limit=500";
  api.on(running, 200, {R"({"items":[]})", R"({"items":[{"id":"i-1","config":{"name":"web1"}},{"id":"i-2","config":{"name":"web2"}}]})"});
  EXPECT_EQ(runCommand(api, {"users", "disable", "ben"}).err, "ben is disabled, and signed out everywhere.\n");
  const std::string disabled = runCommand(api, {"users", "disable", "ben"}).err;
  EXPECT_NE(disabled.find("Their workspaces keep running. To stop them: swarm stop web1 web2\n"), std::string::npos) << disabled;
  EXPECT_EQ(runCommand(api, {"users", "enable", "ben"}).code, 0);
  const auto input = StandardInput::nothing();
  const Ran unconfirmed = runCommand(api, {"users", "delete", "ben", "--hand-over-to", "ada"});
  EXPECT_EQ(unconfirmed.code, 2) << "without a terminal, --yes is required";
  EXPECT_NE(unconfirmed.err.find("ben will be deleted"), std::string::npos) << unconfirmed.err;
  EXPECT_NE(runCommand(api, {"users", "delete", "ben"}).err.find("name the user who gets them: --hand-over-to USER."), std::string::npos);
  EXPECT_EQ(runCommand(api, {"users", "delete", "ben", "--hand-over-to", "ada", "--yes"}).code, 0);
}

TEST(UsersVerb, namesTheFlagThatADeletionLacks) {
  ApiDouble api;
  api.on("DELETE /api/users/ben", 409,
         {R"({"code":"conflict","detail":"ben has 1 workspace.","errors":[{"pointer":"/handOverTo","detail":"must name a user"}]})"});
  const Ran ran = runCommand(api, {"users", "delete", "ben", "--yes"});
  EXPECT_NE(ran.err.find("--hand-over-to: must name a user"), std::string::npos) << ran.err;
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
                            R"("createdAt":"2026-12-01T00:00:00Z","expiresAt":")" +
                            moment(std::chrono::hours(30 * 24)) + "\"";
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
  for (const char* part : {"t-1", "ci", "read, write", "never", "in 30 d"})
    EXPECT_NE(listed.out.find(part), std::string::npos) << listed.out;
  EXPECT_EQ(runCommand(api, {"tokens", "list", "-o", "name"}).out, "t-1\n");
  EXPECT_EQ(runCommand(api, {"tokens", "revoke", "t-1"}).code, 0);
  EXPECT_EQ(runCommand(api, {"tokens", "create", "ci", "--scope", "root"}).code, 2);
}

TEST(TokensVerb, fitATerminalOfEightyColumns) {
  ApiDouble api;
  const std::string id = "t-0123456789abcdefghjkmnpqrs";
  api.on("GET /api/tokens", 200,
         {R"({"items":[{"id":")" + id + R"(","name":"deploy-staging","owner":"ann","scopes":["read","write","inside","admin"],)" +
          R"("namePrefix":"ci-","maxInstances":5,"createdAt":"2026-12-01T00:00:00Z","lastUsedAt":")" + moment(-std::chrono::minutes(12)) +
          R"(","expiresAt":")" + moment(std::chrono::hours(90 * 24)) + R"("}]})"});
  const std::string shown = runOnTerminal(api, {"tokens"}, 80);
  for (const std::string& part : {id, std::string("LIMITS"), std::string("ci-*,"), std::string("12 min ago"), std::string("in 90 d")})
    EXPECT_NE(shown.find(part), std::string::npos) << shown;
  std::istringstream lines(shown);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(displayWidth(line), 80U) << line;
}

/// A list of processes would show it.
TEST(TokensVerb, doesNotRepeatASecretThatWasGivenAsAFlag) {
  ApiDouble api;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--token", "s3cret", "list"},
                                                {"--token=s3cret", "list"},
                                                {"list", "--token", "s3cret"},
                                                {"list", "--token=s3cret"}}) {
    const Ran ran = runCommand(api, words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err.find("s3cret"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("Set SWARM_TOKEN."), std::string::npos) << ran.err;
  }
  EXPECT_NE(runCommand(api, {"--nothing", "s3cret"}).err.find("There is no flag \"--nothing\"."), std::string::npos);
}

TEST(UsersVerb, resetsAPasswordAndSaysWhatEnds) {
  ApiDouble api;
  api.on("POST /api/users/ben/password", 204, {""});
  const auto input = StandardInput::terminal("another horse\n");
  const Ran ran = runCommand(api, {"users", "reset", "ben", "--password-stdin"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api.bodyOf("POST /api/users/ben/password"), boost::json::parse(R"({"password":"another horse"})"));
  EXPECT_EQ(ran.err, "ben has a new password. They are signed out everywhere, and their access tokens and SSH keys are revoked.\n");
}

/// As after a session that has ended, whose credentials are still stored.
TEST(LoginVerb, takesThePasswordOfWhoSignedInLast) {
  const test::TempDir folder;
  ::setenv("XDG_CONFIG_HOME", folder.path().c_str(), 1);
  ApiDouble api;
  api.on("POST /api/auth/login", 200, {R"({"token":"t2","user":"bob","role":"user","expiresAt":"2030-01-01T00:00:00Z"})"});
  const auto signed_in_as = [&] {
    const auto input = StandardInput::terminal("secret\n");
    EXPECT_EQ(runCommand(api, {"login", "--password-stdin"}, "").code, 0);
    return std::string(api.received().back().body.at("user").as_string());
  };
  writeCredentials(credentialsPath(), {"http://other.example.com", Secret("t"), "eve", {}});
  EXPECT_EQ(signed_in_as(), "admin");
  EXPECT_EQ(signed_in_as(), "bob");
  ::unsetenv("XDG_CONFIG_HOME");
}

TEST(KeysVerb, addsListsAndRemovesKeys) {
  const std::string key = R"({"id":"k-1","name":"ann@laptop","owner":"ann","type":"ssh-ed25519","fingerprint":"SHA256:abc",)"
                          R"("publicKey":"ssh-ed25519 AAAA","createdAt":"2026-12-01T00:00:00Z"})";
  ApiDouble api;
  api.on("POST /api/keys", 201, {key});
  api.on("GET /api/keys", 200, {R"({"items":[)" + key + "]}"});
  api.on("DELETE /api/keys/k-1", 204, {""});
  const test::TempDir folder;
  const std::string file = (folder.path() / "id.pub").native();
  std::ofstream(file) << "ssh-ed25519 AAAA ann@laptop\n";
  const Ran added = runCommand(api, {"keys", "add", file, "--name", "laptop"});
  EXPECT_EQ(added.code, 0) << added.err;
  EXPECT_NE(added.err.find("SHA256:abc"), std::string::npos) << added.err;
  EXPECT_EQ(api.bodyOf("POST /api/keys"), boost::json::parse(R"({"key":"ssh-ed25519 AAAA ann@laptop\n","name":"laptop"})"));
  const Ran listed = runCommand(api, {"keys"});
  for (const char* part : {"k-1", "ann@laptop", "SHA256:abc", "never"}) EXPECT_NE(listed.out.find(part), std::string::npos) << listed.out;
  EXPECT_EQ(runCommand(api, {"keys", "list", "-o", "name"}).out, "k-1\n");
  EXPECT_EQ(runCommand(api, {"keys", "remove", "k-1"}).code, 0);
  std::ofstream(file) << "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  const Ran secret = runCommand(api, {"keys", "add", file});
  EXPECT_NE(secret.code, 0);
  EXPECT_NE(secret.err.find("private key"), std::string::npos) << secret.err;
}

}  // namespace
}  // namespace swarm::cli::testing
