// Access tokens: their scopes on every route, their limits, their owners.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "api/routes/route.h"
#include "auth/accounts/accounts.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

const std::string kAll = R"("scopes":["write","inside","admin"])";

class ApiAccessTokens : public ::testing::Test {
 protected:
  Response create(const std::string& body, const std::string& as) { return server_.send({"POST", "/api/tokens", body}, as); }
  std::string secretOf(const std::string& body, const std::string& as) {
    const Response response = create(body, as);
    EXPECT_EQ(response.status, 201) << response.text;
    return response.at("token");
  }
  std::size_t count(const std::string& as) { return server_.send({.target = "/api/tokens"}, as).json.at("items").as_array().size(); }
  int status(const std::string& method, const std::string& target, const std::string& token, const std::string& body = {}) {
    return server_.send({method, target, body}, token).status;
  }
  int whoami(const std::string& token) { return status("GET", "/api/auth/status", token); }
  static std::string pathOf(const api::Endpoint& route, const std::string& argument) {
    std::string path(route.pattern);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) path.replace(at, path.find('}') - at + 1, argument);
    return path;
  }

  ApiServer server_;
};

TEST_F(ApiAccessTokens, showTheirSecretOnceAndEndWhenTheyAreRevoked) {
  const Response made = create(R"({"name":"ci","scopes":["write"]})", server_.user);
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string secret = made.at("token");
  const Response list = server_.send({.target = "/api/tokens"}, server_.user);
  EXPECT_EQ(list.text.find(secret), std::string::npos);
  EXPECT_EQ(list.json.at("items").as_array().size(), 1U) << list.text;
  const Response shown = server_.send({.target = "/api/auth/status"}, secret);
  EXPECT_EQ(shown.at("user"), "ulla");
  EXPECT_EQ(shown.json.at("accessToken").at("name").as_string(), "ci") << shown.text;
  EXPECT_EQ(shown.text.find(secret), std::string::npos);
  EXPECT_NE(server_.send({.target = "/api/tokens"}, server_.user).text.find("\"lastUsedAt\":\"2"), std::string::npos);
  EXPECT_EQ(create(R"({"name":"ci"})", server_.user).status, 409) << "the name is taken";
  EXPECT_EQ(count(server_.stranger), 0U);
  EXPECT_EQ(count(server_.auditor), 1U);
  const std::string path = "/api/tokens/" + made.at("id");
  EXPECT_EQ(status("DELETE", path, server_.stranger), 404);
  EXPECT_EQ(status("DELETE", path, server_.auditor), 403);
  EXPECT_EQ(status("DELETE", path, server_.user), 204);
  EXPECT_EQ(whoami(secret), 401);
  EXPECT_EQ(status("DELETE", path, server_.user), 404);
  EXPECT_EQ(create(R"({"name":"ci"})", server_.user).status, 201) << "the name is free";
}

TEST_F(ApiAccessTokens, expire) {
  const std::string secret = secretOf(R"({"name":"short","days":1})", server_.user);
  server_.clock.advance(std::chrono::hours(24) - std::chrono::minutes(1));
  EXPECT_EQ(whoami(secret), 200);
  server_.clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(whoami(secret), 401);
  const std::string later = server_.issue("ulla");
  EXPECT_EQ(create(R"({"name":"short"})", later).status, 201) << "the name of an expired token is free";
  for (const char* wrong :
       {R"({"name":"long","days":366})", R"({"name":"none","days":0})", R"({"name":""})", R"({"name":"a b"})",
        R"({"name":"ci","scopes":["root"]})", R"({"name":"ci","namePrefix":"A*"})", R"({"name":"ci","maxInstances":-1})"})
    EXPECT_EQ(create(wrong, later).status, 400) << wrong;
}

/// With the token of an administrator, only its scopes are limits.
TEST_F(ApiAccessTokens, permitOnEveryRouteWhatTheirScopesPermit) {
  constexpr std::pair<const char*, AccessScope> scopes[] = {
      {"read", AccessScope::read}, {"write", AccessScope::write}, {"inside", AccessScope::inside}, {"admin", AccessScope::admin}};
  for (const auto& [name, scope] : scopes) {
    const std::string secret = secretOf(R"({"name":")" + std::string(name) + R"(-token","scopes":[")" + name + "\"]}", server_.admin);
    for (const api::Endpoint& route : api::makeRouteTable()) {
      if (route.permission == Permission::Public || route.kind == api::RouteKind::Stream) continue;
      // Nothing has this name: callers that pass the check of the scope get another status than 403.
      const auto needed = scopeOf(route.permission);
      const bool permitted = needed && (*needed == AccessScope::read || *needed == scope);
      const int got = status(std::string(route.method), pathOf(route, "0"), secret);
      EXPECT_EQ(got != 403, permitted) << name << ": " << route.method << " " << route.pattern << ": " << got;
      EXPECT_NE(got, 401);
    }
  }
}

TEST_F(ApiAccessTokens, permitNoMoreThanTheRoleOfTheirOwner) {
  const std::string body = R"({"name":"all",)" + kAll + "}";
  EXPECT_EQ(status("POST", "/api/instances", secretOf(body, server_.viewer), R"({"provider":"fake"})"), 403);
  const std::string own = secretOf(body, server_.user);
  EXPECT_EQ(status("POST", "/api/auth/keys", own), 403);
  EXPECT_EQ(status("GET", "/metrics", own), 403);
  server_.create("stens", server_.stranger);
  EXPECT_EQ(status("GET", "/api/instances/stens", own), 404);
}

TEST_F(ApiAccessTokens, followTheRoleAndTheStateOfTheirOwner) {
  server_.loop.run(server_.auth->putUser("boss", Secret(), Role::admin));
  const std::string secret = secretOf(R"({"name":"all",)" + kAll + "}", server_.issue("boss"));
  EXPECT_EQ(status("GET", "/metrics", secret), 200);
  EXPECT_EQ(status("PATCH", "/api/users/boss", server_.admin, R"({"role":"user"})"), 200);
  EXPECT_EQ(status("GET", "/metrics", secret), 403);
  EXPECT_EQ(whoami(secret), 200);
  EXPECT_EQ(status("POST", "/api/users/boss/disable", server_.admin), 200);
  EXPECT_EQ(whoami(secret), 401);
  EXPECT_EQ(status("POST", "/api/users/boss/enable", server_.admin), 200);
  EXPECT_EQ(whoami(secret), 200);
  EXPECT_EQ(status("DELETE", "/api/users/boss", server_.admin), 204);
  EXPECT_EQ(whoami(secret), 401);
  EXPECT_EQ(count(server_.admin), 0U);
}

TEST_F(ApiAccessTokens, cannotBeUsedAsSessions) {
  const std::string secret = secretOf(R"({"name":"all",)" + kAll + "}", server_.user);
  for (const char* path : {"/api/auth/links", "/api/auth/refresh", "/api/auth/logout"})
    EXPECT_EQ(status("POST", path, secret), 403) << path;
  EXPECT_EQ(whoami(secret), 200);
  const Response login = server_.send({"POST", "/api/auth/login", R"({"user":"ulla","password":")" + server_.password + "\"}"}, "");
  const std::string cookie = login.header("Set-Cookie");
  const net::Headers as_cookie{{"Cookie", cookie.substr(0, cookie.find('=') + 1) + secret}};
  EXPECT_EQ(server_.send({.target = "/api/auth/status", .headers = as_cookie}, "").status, 401) << "a token is not a cookie";
  const std::size_t end = cookie.find(';'), begin = cookie.find('=') + 1;
  EXPECT_EQ(whoami(cookie.substr(begin, end - begin)), 401) << "nor the other way round";
}

TEST_F(ApiAccessTokens, createTokensOnlyWithTheScopeAdminAndNoneThatPermitMore) {
  const std::string writes = secretOf(R"({"name":"writes","scopes":["write","inside"]})", server_.admin);
  EXPECT_EQ(create(R"({"name":"more"})", writes).status, 403);
  const std::string manages = secretOf(R"({"name":"manages","scopes":["write","admin"],"days":30})", server_.admin);
  EXPECT_EQ(create(R"({"name":"more","scopes":["inside"],"days":1})", manages).status, 403);
  EXPECT_EQ(create(R"({"name":"longer","days":31})", manages).status, 403);
  const std::string less = secretOf(R"({"name":"less","scopes":["write"],"days":29})", manages);
  EXPECT_EQ(whoami(less), 200);
  const std::string limited = secretOf(R"({"name":"limited","scopes":["admin"],"namePrefix":"ci-"})", server_.admin);
  EXPECT_EQ(create(R"({"name":"unlimited","days":1})", limited).status, 403);
  const std::string few = secretOf(R"({"name":"few","scopes":["admin"],"maxInstances":1})", server_.admin);
  EXPECT_EQ(create(R"({"name":"many","days":1})", few).status, 403);
  const std::string counted = secretOf(R"({"name":"counted","scopes":["admin"],"maxInstances":1})", server_.admin);
  EXPECT_EQ(status("POST", "/api/users", counted, R"({"name":"another","role":"admin"})"), 403);
}

TEST_F(ApiAccessTokens, endWithTheTokenThatCreatedThem) {
  EXPECT_EQ(server_.post("/api/users", R"({"name":"bot","kind":"service"})").status, 201);
  const Response parent = create(R"({"name":"parent",)" + kAll + "}", server_.admin);
  const Response child = create(R"({"name":"child","scopes":["admin"],"days":2})", parent.at("token"));
  EXPECT_EQ(child.at("parent"), parent.at("id"));
  const std::string grandchild = secretOf(R"({"name":"grandchild","days":1})", child.at("token"));
  const std::string of_bot = secretOf(R"({"name":"of-bot","owner":"bot","days":1})", parent.at("token"));
  const std::string other = secretOf(R"({"name":"other"})", server_.admin);
  for (const std::string& secret : {child.at("token"), grandchild, of_bot}) EXPECT_EQ(whoami(secret), 200);
  EXPECT_EQ(status("DELETE", "/api/tokens/" + parent.at("id"), server_.admin), 204);
  for (const std::string& secret : {child.at("token"), grandchild, of_bot}) EXPECT_EQ(whoami(secret), 401);
  EXPECT_EQ(whoami(other), 200);
}

/// Who resets a password supposes that another one has it, and has made tokens with it.
TEST_F(ApiAccessTokens, areRevokedWhenAnAdministratorResetsThePasswordOfTheirOwner) {
  const std::string own = secretOf(R"({"name":"own","scopes":["admin"]})", server_.user);
  const std::string child = secretOf(R"({"name":"child","days":1})", own);
  const std::string other = secretOf(R"({"name":"other"})", server_.stranger);
  const std::string change = R"({"password":"another horse","oldPassword":")" + server_.password + "\"}";
  EXPECT_EQ(status("POST", "/api/users/me/password", server_.user, change), 204);
  EXPECT_EQ(whoami(own), 200) << "their own change keeps them";
  EXPECT_EQ(status("POST", "/api/users/ulla/password", server_.admin, R"({"password":"third horse"})"), 204);
  for (const std::string& secret : {own, child}) EXPECT_EQ(whoami(secret), 401);
  EXPECT_EQ(whoami(other), 200);
  const std::string again = secretOf(R"({"name":"own"})", server_.issue("ulla"));
  const std::string url = server_.post("/api/users/ulla/invite").at("url");
  server_.loop.run(server_.auth->accounts().acceptInvitation(url.substr(url.find("code=") + 5), Secret("fourth horse"), {"::1"}));
  EXPECT_EQ(whoami(again), 401);
}

TEST_F(ApiAccessTokens, thatMayNotEnterBringNoFilesToWhatTheyRun) {
  server_.create("mine", server_.user);
  ASSERT_EQ(status("POST", "/api/instances/mine/snapshots?wait=10", server_.user, R"({"name":"first"})"), 200);
  const std::string snapshot = server_.send({.target = "/api/snapshots"}, server_.user).json.at("items").at(0).at("id").as_string().c_str();
  const std::string secret = secretOf(R"({"name":"writer","scopes":["write"]})", server_.user);
  const std::string body = R"({"provider":"fake","name":"own","setup":"cat x","storage":[{"mountPath":"/data","volumeName":"kept"}]})";
  EXPECT_EQ(status("POST", "/api/instances?wait=10", secret, body), 403);
  EXPECT_EQ(status("POST", "/api/instances?wait=10", secret, R"({"provider":"fake","name":"own","setup":"cat x"})"), 201);
  EXPECT_EQ(status("POST", "/api/instances/own/restore", secret, R"({"snapshot":")" + snapshot + "\"}"), 422);
}

TEST_F(ApiAccessTokens, seeAndChangeOnlyWorkspacesWithTheirPrefix) {
  server_.create("mine", server_.user);
  EXPECT_EQ(status("POST", "/api/instances/mine/snapshots?wait=10", server_.user, R"({"name":"first"})"), 200);
  const std::string snapshot = server_.send({.target = "/api/snapshots"}, server_.user).json.at("items").at(0).at("id").as_string().c_str();
  const std::string operation =
      server_.send({.target = "/api/operations?instance=mine"}, server_.user).json.at("items").at(0).at("id").as_string().c_str();
  const std::string secret = secretOf(R"({"name":"ci","scopes":["write","inside"],"namePrefix":"ci-","maxInstances":2})", server_.user);
  const auto create_named = [&](const std::string& name, const std::string& more = {}) {
    return status("POST", "/api/instances?wait=10", secret, R"({"provider":"fake","name":")" + name + "\"" + more + "}");
  };
  EXPECT_EQ(create_named("other"), 403);
  EXPECT_EQ(status("POST", "/api/instances", secret, R"({"provider":"fake"})"), 403) << "a generated name";
  EXPECT_EQ(create_named("ci-0", R"(,"storage":[{"mountPath":"/data","volumeName":"of-another"}])"), 403);
  EXPECT_EQ(create_named("ci-1"), 201);
  EXPECT_EQ(create_named("ci-2"), 201);
  EXPECT_EQ(create_named("ci-3"), 409);
  for (const char* path : {"/api/instances", "/api/operations"}) {
    const Response list = server_.send({.target = path}, secret);
    EXPECT_EQ(list.json.at("items").as_array().size(), 2U) << list.text;
  }
  EXPECT_EQ(status("POST", "/api/instances/ci-1/restore", secret, R"({"snapshot":")" + snapshot + "\"}"), 422) << "files of mine";
  EXPECT_EQ(status("POST", "/api/instances/ci-1/snapshots?wait=10", secret, R"({"name":"own"})"), 200);
  const auto items = [&](const char* path) { return server_.send({.target = path}, secret).json.at("items").as_array(); };
  ASSERT_EQ(items("/api/snapshots").size(), 1U) << "not that of mine";
  EXPECT_EQ(items("/api/snapshots").at(0).at("instanceName"), "ci-1");
  EXPECT_EQ(status("DELETE", "/api/snapshots/" + snapshot, secret), 404);
  const std::string own = items("/api/snapshots").at(0).at("id").as_string().c_str();
  EXPECT_EQ(status("DELETE", "/api/snapshots/" + own, secret), 204);
  const boost::json::array volumes = server_.send({.target = "/api/volumes"}, server_.user).json.at("items").as_array();
  const boost::json::array reachable = items("/api/volumes");
  EXPECT_FALSE(reachable.empty());
  for (const boost::json::value& volume : volumes) {
    if (std::ranges::find(reachable, volume) != reachable.end()) continue;
    EXPECT_EQ(status("DELETE", std::string("/api/volumes/") + volume.at("name").as_string().c_str(), secret), 404);
  }
  EXPECT_LT(reachable.size(), volumes.size());
  for (const api::Endpoint& route : api::makeRouteTable()) {
    constexpr std::string_view lists[] = {"/api/instances", "/api/operations", "/api/snapshots", "/api/volumes"};
    if (route.permission <= Permission::SignedIn || std::ranges::find(lists, route.pattern) != std::end(lists)) continue;
    const bool has_body = route.body.rule == api::BodyRule::Json;
    const std::string path = pathOf(route, route.pattern.starts_with("/api/operations") ? operation : "mine");
    const int got = status(std::string(route.method), path, secret, has_body ? "{}" : "");
    EXPECT_TRUE(got == 403 || got == 404 || got == 426) << route.method << " " << route.pattern << ": " << got;
  }
  EXPECT_EQ(server_.send({.target = "/api/instances/mine"}, server_.user).at("status"), "running") << "nothing was changed";
  EXPECT_EQ(status("DELETE", "/api/instances/ci-1?volumes=true&wait=10", secret), 200);
  EXPECT_EQ(create_named("ci-3"), 201);
}

TEST_F(ApiAccessTokens, countWorkspacesOfTheirOwnerAlone) {
  server_.create("ullas", server_.user);
  const std::string secret = secretOf(R"({"name":"few","scopes":["write"],"maxInstances":1})", server_.admin);
  const std::string body = R"({"provider":"fake","owner":"ulla"})";
  EXPECT_EQ(status("POST", "/api/instances", secret, body), 403) << "a limited token creates for its owner alone";
  EXPECT_EQ(status("POST", "/api/instances?wait=10", secret, R"({"provider":"fake"})"), 201);
  EXPECT_EQ(status("POST", "/api/instances?wait=10", secret, R"({"provider":"fake"})"), 409);
}

TEST_F(ApiAccessTokens, areHowServiceAccountsAct) {
  const std::string service = R"({"name":"bot","kind":"service","role":"operator")";
  EXPECT_EQ(status("POST", "/api/users", server_.admin, service + R"(,"password":"correct horse"})"), 400);
  EXPECT_EQ(server_.post("/api/users", service + "}").at("kind"), "service");
  EXPECT_EQ(status("POST", "/api/users/bot/invite", server_.admin), 409);
  EXPECT_EQ(status("POST", "/api/users/bot/password", server_.admin, R"({"password":"correct horse"})"), 409);
  EXPECT_EQ(status("POST", "/api/auth/login", "", R"({"user":"bot","password":"correct horse"})"), 401);
  EXPECT_THROW(server_.issue("bot"), Error);
  EXPECT_EQ(create(R"({"name":"ab","owner":"bot"})", server_.user).status, 403);
  EXPECT_EQ(create(R"({"name":"ab","owner":"ulla"})", server_.admin).status, 403) << "a person";
  EXPECT_EQ(create(R"({"name":"ab","owner":"missing"})", server_.admin).status, 400);
  const std::string secret = secretOf(R"({"name":"ab","owner":"bot","scopes":["write"]})", server_.admin);
  const Response shown = server_.send({.target = "/api/auth/status"}, secret);
  EXPECT_EQ(shown.at("user"), "bot");
  EXPECT_EQ(shown.at("role"), "operator");
  EXPECT_EQ(status("GET", "/metrics", secret), 200);
  EXPECT_EQ(status("POST", "/api/users/bot/disable", server_.admin), 200);
  EXPECT_EQ(whoami(secret), 401);
}

TEST_F(ApiAccessTokens, areNotGuessedQuicklyAndNotLockedOut) {
  const std::string secret = secretOf(R"({"name":"ci"})", server_.user);
  int refused = 0;
  for (int i = 0; i < 500 && refused == 0; ++i) {
    const Response response = server_.send({.target = "/api/auth/status"}, "swarm_pat_" + std::to_string(i));
    EXPECT_TRUE(response.status == 401 || response.status == 429) << response.text;
    if (response.status != 429) continue;
    ++refused;
    EXPECT_NE(response.header("Retry-After"), "");
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(whoami(secret), 200);
  EXPECT_EQ(whoami(server_.user), 200);
  server_.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(whoami("garbage"), 401);
}

}  // namespace
}  // namespace swarm::test
