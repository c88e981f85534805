// Who may call what: every route of the table, as every role, on the caller's own objects and on those of another user.
#include <gtest/gtest.h>

#include <set>

#include "api/routes/route.h"
#include "unit/api/fixture.h"
#include "unit/api/walk.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm::test {
namespace {

/// The response of a route to a caller. Allowed: anything but 401, 403 and 404.
enum class Verdict { Allowed, NeedsSignIn, Forbidden, Hidden };

Verdict verdictOf(int status) {
  return status == 401 ? Verdict::NeedsSignIn : status == 403 ? Verdict::Forbidden : status == 404 ? Verdict::Hidden : Verdict::Allowed;
}

/// Whether it is an instance, or what belongs to one: a share of the instance holds for it, too.
bool belongsToAnInstance(const api::Endpoint& route) {
  return namesAnObject(route) && !concernsUsers(route) && !route.pattern.starts_with("/api/names");
}

constexpr std::string_view kRelationNames[] = {"own", "shared as editor", "shared as viewer", "other"};

/// What the table of permissions (docs/access.md) says.
Verdict expected(const api::Endpoint& route, const Principal& caller, Relation relation) {
  if (!isAllowed(caller, route.permission, Relation::Own)) return Verdict::Forbidden;
  if (!namesAnObject(route)) return Verdict::Allowed;
  if (!isAllowed(caller, concernsUsers(route) ? Permission::ReadUsers : Permission::Read, relation)) return Verdict::Hidden;
  return isAllowed(caller, route.permission, relation) ? Verdict::Allowed : Verdict::Forbidden;
}

TEST(ApiInstances, hideTheirSecretsFromThoseWhoMayNotConfigureThem) {
  ApiServer server;
  const std::string body = R"({"provider":"fake","env":{"TOKEN":"s3cret"},"setup":"echo s3cret"})";
  for (const std::string& owner : {server.user, server.operates}) {
    const Response made = server.send({"POST", "/api/instances?wait=10", body}, owner);
    ASSERT_EQ(made.status, 201) << made.text;
    const std::string path = "/api/instances/" + made.at("id");
    const auto sees = [&](const Request& request, const std::string& token) {
      const Response response = server.send(request, token);
      EXPECT_EQ(response.status, 200) << response.text;
      const bool hides = response.text.find(R"("TOKEN":"***")") != std::string::npos && response.text.find("s3cret") == std::string::npos;
      EXPECT_NE(hides, response.text.find("s3cret") != std::string::npos) << response.text;
      return !hides;
    };
    for (const std::string& whole : {path, std::string("/api/instances"), path + "?fields=id,config.env"}) {
      EXPECT_TRUE(sees({.target = whole}, owner)) << whole;
      EXPECT_TRUE(sees({.target = whole}, server.admin)) << whole;
      EXPECT_FALSE(sees({.target = whole}, server.auditor)) << whole;
    }
    if (owner == server.operates) continue;
    EXPECT_FALSE(sees({.target = path}, server.operates));
    EXPECT_FALSE(sees({"PATCH", path, R"({"labels":{"a":"b"}})"}, server.operates));
    EXPECT_FALSE(sees({"POST", path + "/stop?wait=10"}, server.operates));
    EXPECT_EQ(server.send({"PATCH", path, R"({"env":{"TOKEN":"***"}})"}, server.operates).status, 403) << "the hidden value is not written";
    EXPECT_TRUE(sees({.target = path}, owner));
    server.send({"DELETE", path + "?wait=10"}, owner);
  }
}

TEST(ApiInstances, hideTheirSecretsFromAdministratorsWhoMayNotEnter) {
  ApiServer server({}, {.adminsMayEnter = false});
  server.send({"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"web","env":{"TOKEN":"s3cret"}})"}, server.user);
  EXPECT_EQ(server.get("/api/instances/web").text.find("s3cret"), std::string::npos);
  EXPECT_NE(server.send({.target = "/api/instances/web"}, server.user).text.find("s3cret"), std::string::npos);
}

TEST(ApiInstances, areMadeFromAllowedImagesExceptByThoseWhoManageProviders) {
  ApiServer server;
  server.world.listImages({"ghcr.io/team/*", "swarm-workspace:*"});
  const auto create = [&](std::string image, const std::string& token) {
    return server.send({"POST", "/api/instances?wait=10", R"({"provider":"fake","image":")" + image + "\"}"}, token);
  };
  const Response refused = create("debian:12", server.user);
  EXPECT_EQ(refused.status, 422) << refused.text;
  EXPECT_NE(refused.text.find("ask an administrator to allow this one"), std::string::npos) << refused.text;
  EXPECT_NE(refused.text.find(R"("pointer":"/image")"), std::string::npos) << refused.text;
  EXPECT_EQ(create("ghcr.io/team/tool:1", server.user).status, 201);
  EXPECT_EQ(create("debian:12", server.operates).status, 201);
  EXPECT_EQ(create("10.0.0.1/tool", server.admin).status, 422) << "an internal registry is for the configuration alone";
  const Response theirs = server.send(
      {"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"web","image":"debian:12","owner":"ulla"})"}, server.admin);
  EXPECT_EQ(theirs.status, 201) << theirs.text;
  // What exists continues; a move names the image at another place.
  EXPECT_EQ(server.send({"PUT", "/api/instances/web?wait=10", R"({"env":{"A":"1"}})"}, server.user).status, 200);
  EXPECT_EQ(server.send({"POST", "/api/instances/web/restart?wait=10"}, server.user).status, 200);
  const Request move{"POST", "/api/instances/web/migrate", R"({"region":"fra"})"};
  EXPECT_EQ(server.send(move, server.user).status, 422);
  EXPECT_LT(server.send(move, server.operates).status, 300);
}

TEST(ApiInstances, keepTheirSecurityAgainstThoseWhoMayNotConfigureThem) {
  ApiServer server;
  server.send({"POST", "/api/instances?wait=10", R"({"provider":"fake","name":"web","security":{"readOnlyRoot":true}})"}, server.user);
  const Request off{"PUT", "/api/instances/web?wait=10", R"({"security":{"readOnlyRoot":false}})"};
  EXPECT_EQ(server.send(off, server.operates).status, 403);
  EXPECT_EQ(server.send(off, server.user).status, 200);
}

class ApiPermissions : public ::testing::Test {
 protected:
  /// Objects of `owner` for a call of `route`: its calls may delete them.
  Walk makeObjects(const api::Endpoint& route, const std::string& owner) {
    Walk walk{.owner = owner};
    if (!namesAnObject(route)) return walk;
    if (isAboutGroups(route)) {
      walk.group = "group" + std::to_string(made_++);
      EXPECT_EQ(server_.post("/api/groups", R"({"name":")" + walk.group + "\"}").status, 201);
      for (const std::string& member : {owner, std::string("rita")})
        EXPECT_EQ(server_.send({"PUT", "/api/groups/" + walk.group + "/members/" + member}).status, 200);
      return walk;
    }
    if (concernsUsers(route)) {
      const std::string session = server_.issue(owner);
      walk.session = principalOf(session).sessionId;
      if (route.pattern.find("{token}") != std::string_view::npos)
        walk.token = server_.send({"POST", "/api/tokens", R"({"name":"some"})"}, session).at("id");
      if (route.operationId == "removeQuota")
        EXPECT_EQ(server_.send({"PUT", "/api/quotas/user/" + owner, R"({"limits":{"cpu":1}})"}).status, 200);
      if (route.pattern.find("{key}") != std::string_view::npos)
        walk.key = server_.send({"POST", "/api/keys", R"({"key":")" + sshKeyLine(owner) + "\"}"}, session).at("id");
      return walk;
    }
    const std::string name = "w" + std::to_string(made_++);
    const std::string body = R"({"provider":"fake","owner":")" + owner + R"(","name":")" + name;
    const Response created = server_.post("/api/instances?wait=10", body + "\"}");
    EXPECT_EQ(created.status, 201) << created.text;
    walk.instance = created.at("id");
    walk.operation = created.at("operationId");
    for (const auto& volume : server_.world.volumes())
      if (volume.placeId.str() == walk.instance) walk.volume = volume.name;
    if (route.pattern.find("snapshot") != std::string_view::npos || route.operationId == "restoreSnapshot") {
      const Response taken = server_.post("/api/instances/" + walk.instance + "/snapshots?wait=10", R"({"name":"first"})");
      EXPECT_EQ(taken.status, 200) << taken.text;
      const Response list = server_.get("/api/snapshots");
      for (const auto& snapshot : list.json.at("items").as_array())
        if (snapshot.at("instanceId").as_string() == walk.instance) walk.snapshot = snapshot.at("id").as_string();
    }
    if (route.pattern.starts_with("/api/names")) {
      walk.name = name + "-old";
      EXPECT_EQ(server_.post("/api/instances?wait=10", body + "-old\"}").status, 201);
      EXPECT_EQ(server_.send({"DELETE", "/api/instances/" + walk.name + "?volumes=true&wait=10"}).status, 200);
    }
    if (route.operationId == "deleteShare") share(walk, "rita", "viewer");
    if (route.operationId == "deleteGroupShare") share(walk, "groups/everyone", "viewer");
    return walk;
  }

  void share(const Walk& walk, const std::string& user, const std::string& access) {
    const Response shared = server_.send({"PUT", "/api/instances/" + walk.instance + "/shares/" + user, R"({"access":")" + access + "\"}"});
    EXPECT_EQ(shared.status, 200) << shared.text;
  }

  std::string makeUser(Role role) {
    const std::string name = "user" + std::to_string(made_++);
    server_.loop.run(server_.auth->putUser(name, Secret(), role));
    return name;
  }

  void removeObjects(const Walk& walk) {
    if (!walk.instance.empty()) server_.send({"DELETE", "/api/instances/" + walk.instance + "?volumes=true&wait=10"});
  }

  Response call(const api::Endpoint& route, const Walk& walk, const std::string& token) {
    Request request{std::string(route.method), pathOf(route, walk), bodyOf(route, server_.password, std::to_string(made_++))};
    // Streams have no end: their HEAD requires the same permission.
    if (route.operationId == "streamEvents" || route.operationId == "readLogs") request.method = "HEAD";
    return server_.send(request, token);
  }

  /// Whatever a caller was allowed to change or to enter is in the audit log, whichever route it is.
  void expectRecord(const api::Endpoint& route, const Principal& caller, int status) {
    const bool passed = verdictOf(status) == Verdict::Allowed && status != 426 && status != 400;
    if (!passed || api::recordedOf(route) == api::Recorded::Nothing) return;
    const auto records = server_.recorded(std::string(route.operationId));
    ASSERT_FALSE(records.empty()) << route.operationId;
    EXPECT_EQ(records.front().user, caller.user) << route.operationId;
    EXPECT_EQ(records.front().session, caller.sessionId) << route.operationId;
    EXPECT_FALSE(records.front().address.empty());
  }

  Principal principalOf(const std::string& token) { return server_.auth->verifyApiToken(token).value(); }

  ApiServer server_;
  int made_ = 0;
};

TEST_F(ApiPermissions, areThoseOfTheTableForEveryRoleAndRelationOnEveryRoute) {
  constexpr std::pair<std::string_view, Role> users[] = {
      {"vera", Role::viewer}, {"ulla", Role::user}, {"auda", Role::auditor}, {"olaf", Role::operator_}, {"admin", Role::admin}};
  ASSERT_EQ(std::size(users), kRoles.size());
  server_.loop.run(server_.auth->putUser("rita", Secret(), Role::user));  // with whom they share
  EXPECT_EQ(server_.post("/api/groups", R"({"name":"everyone"})").status, 201);
  int calls = 0;
  for (const api::Endpoint& route : api::makeRouteTable()) {
    for (const auto& [name, role] : users) {
      for (const Relation relation : {Relation::Own, Relation::SharedAsEditor, Relation::SharedAsViewer, Relation::Other}) {
        if (relation != Relation::Own && !namesAnObject(route)) continue;
        const bool is_shared = relation == Relation::SharedAsEditor || relation == Relation::SharedAsViewer;
        if (is_shared && !belongsToAnInstance(route)) continue;
        // Calls about users may delete them, and end their sessions: each call gets its own.
        const std::string me = concernsUsers(route) ? makeUser(role) : std::string(name);
        const std::string someone = concernsUsers(route) ? makeUser(Role::user) : "sten";
        const Walk walk = makeObjects(route, relation == Relation::Own ? me : someone);
        const std::string token = server_.issue(me);
        if (is_shared) share(walk, me, relation == Relation::SharedAsEditor ? "editor" : "viewer");
        const Principal caller = principalOf(token);
        ASSERT_EQ(caller.role, role);
        const Response response = call(route, walk, token);
        expectRecord(route, caller, response.status);
        // Upgrade routes without an upgrade respond 426 to callers that passed the check of the role, before the instance is looked up.
        Verdict wanted = expected(route, caller, relation);
        if (response.status == 426) wanted = expected(route, caller, Relation::Own);
        EXPECT_EQ(verdictOf(response.status), wanted)
            << route.method << " " << route.pattern << " as " << nameOf(role) << ", " << kRelationNames[static_cast<std::size_t>(relation)]
            << ": " << response.status << " " << response.text;
        removeObjects(walk);
        ++calls;
      }
    }
  }
  EXPECT_GT(calls, 600);
}

TEST_F(ApiPermissions, requireASignInOnEveryRouteThatIsNotPublic) {
  const std::string expired = server_.issue("ulla", std::chrono::seconds(1));
  server_.clock.advance(std::chrono::seconds(2));
  for (const api::Endpoint& route : api::makeRouteTable()) {
    if (route.permission == Permission::Public) continue;
    for (const std::string& token : {std::string(), std::string("garbage"), expired}) {
      const Response response = call(route, kNothing, token);
      EXPECT_EQ(response.status, 401) << route.method << " " << route.pattern;
      EXPECT_TRUE(response.header("WWW-Authenticate").starts_with("Bearer"));
    }
  }
}

TEST_F(ApiPermissions, ofAnOperatorDoNotReachWhatRunsInside) {
  server_.create("ullas", server_.user);
  const auto put = [&](const std::string& body) { return server_.send({"PUT", "/api/instances/ullas?wait=10", body}, server_.operates); };
  EXPECT_EQ(put(R"({"resources":{"cpu":{"cores":1}}})").status, 200);
  EXPECT_EQ(put(R"({"env":{"BASH_ENV":"/tmp/theirs"}})").status, 403);
  EXPECT_EQ(server_.send({"PATCH", "/api/instances/ullas", R"({"env":{"A":"b"}})"}, server_.operates).status, 403);
  EXPECT_EQ(server_.send({"PUT", "/api/instances/ullas?dryRun=true", R"({"env":{"A":"b"}})"}, server_.operates).status, 403);
  EXPECT_EQ(put(R"({"network":{"exposedPorts":[3000]}})").status, 403) << "a port that the provider publishes needs no sign-in";
  EXPECT_EQ(server_.send({"POST", "/api/instances", R"({"provider":"fake","owner":"ulla"})"}, server_.operates).status, 403);
  EXPECT_EQ(server_.send({"POST", "/api/instances/ullas/stop?wait=10"}, server_.operates).status, 200);
}

TEST_F(ApiPermissions, listTheObjectsOfAllUsersForThoseWhoReadThem) {
  server_.create("ullas", server_.user);
  for (const auto& [token, count] : {std::pair{server_.stranger, 0U}, std::pair{server_.viewer, 0U}, std::pair{server_.user, 1U},
                                     std::pair{server_.auditor, 1U}, std::pair{server_.operates, 1U}, std::pair{server_.admin, 1U}}) {
    for (const char* list : {"/api/instances", "/api/operations", "/api/volumes"})
      EXPECT_EQ(server_.send({.target = list}, token).json.at("items").as_array().size(), count) << list;
  }
  EXPECT_EQ(server_.send({.target = "/api/instances?owner=ulla"}, server_.auditor).json.at("items").as_array().size(), 1U);
  EXPECT_EQ(server_.send({.target = "/api/instances?owner=ulla"}, server_.stranger).json.at("items").as_array().size(), 0U);
  const auto users_of = [&](const std::string& token) {
    std::set<std::string> names;
    for (const auto& session : server_.send({.target = "/api/auth/sessions"}, token).json.at("items").as_array())
      names.insert(std::string(session.at("user").as_string()));
    return names.size();
  };
  EXPECT_GT(users_of(server_.auditor), 1U);
  EXPECT_GT(users_of(server_.admin), 1U);
  EXPECT_EQ(users_of(server_.operates), 1U) << "no users";
}

TEST(ApiAdmins, doNotEnterWorkspacesOfOthersWhereTheConfigurationForbidsIt) {
  ApiServer server({}, {.adminsMayEnter = false});
  server.create("ullas", server.user);
  server.create("own", server.admin);
  const Request command{"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"};
  EXPECT_EQ(server.send(command, server.admin).status, 403);
  EXPECT_EQ(server.send({"POST", "/api/instances/ullas/token", R"({"scope":"status"})"}).status, 403);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas", R"({"env":{"A":"b"}})"}).status, 403);
  const Request with_setup{"POST", "/api/instances", R"({"name":"more","owner":"ulla","setup":"tar c ."})"};
  EXPECT_EQ(server.send(with_setup).status, 403) << "it could attach a volume of ulla's";
  EXPECT_EQ(server.send({"POST", "/api/instances/ullas/stop?wait=10"}).status, 200) << "all else stays";
  EXPECT_NE(server.send({"POST", "/api/instances/own/exec", R"({"command":["true"]})"}).status, 403);
}

TEST_F(ApiPermissions, hideUnknownPathsFromTheAnonymous) {
  for (std::string path : {"/api/nothing", "/api", "/api/instances/x/y/z", "/api/openapi.json", "/api/version", "/metrics"})
    EXPECT_EQ(server_.send({.target = path}, "").status, 401) << path;
  EXPECT_EQ(server_.send({"OPTIONS", "/api/instances"}, "").status, 401);
  EXPECT_EQ(server_.send({.target = "/healthz"}, "").status, 200);
  EXPECT_EQ(server_.send({.target = "/readyz"}, "").status, 200);
}

TEST_F(ApiPermissions, keepStreamsInsideAnInstanceFromStrangers) {
  server_.create("ullas", server_.user);
  for (std::string target : {"/api/instances/ullas/exec", "/api/instances/ullas/ports/80", "/api/instances/ullas/ssh"}) {
    for (const auto& [token, status] : {std::pair{server_.stranger, 404}, std::pair{server_.viewer, 403}, std::pair{server_.operates, 403},
                                        std::pair{server_.auditor, 403}, std::pair{std::string(), 401}}) {
      net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", target.ends_with("exec") ? "websocket" : "swarm-tunnel"}};
      EXPECT_EQ(server_.send({.target = target, .headers = headers}, token).status, status) << target;
    }
  }
}

}  // namespace
}  // namespace swarm::test
