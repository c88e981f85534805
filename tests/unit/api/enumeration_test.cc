// Who may not see an object cannot distinguish it from one that does not exist: not by the status, and not by the text of a response.
#include <gtest/gtest.h>

#include <set>

#include "api/routes/route.h"
#include "unit/api/fixture.h"
#include "unit/api/walk.h"

namespace swarm::test {
namespace {

class ApiEnumeration : public ::testing::Test {
 protected:
  /// One object of ulla's of each kind.
  Walk make() {
    Walk walk{.owner = "ulla", .name = "former"};
    walk.instance = server_.create("ullas", server_.user);
    walk.operation = server_.get("/api/operations").json.at("items").at(0).at("id").as_string();
    walk.volume = server_.world.volumes().at(0).name;
    EXPECT_EQ(server_.post("/api/instances/ullas/snapshots?wait=10", R"({"name":"first"})").status, 200);
    walk.snapshot = server_.get("/api/snapshots").json.at("items").at(0).at("id").as_string();
    walk.session = server_.auth->verifyApiToken(server_.user)->sessionId;
    walk.token = server_.send({"POST", "/api/tokens", R"({"name":"some"})"}, server_.user).at("id");
    walk.key = server_.send({"POST", "/api/keys", R"({"key":")" + sshKeyLine("ulla") + "\"}"}, server_.user).at("id");
    server_.create("former", server_.user);
    EXPECT_EQ(server_.send({"DELETE", "/api/instances/former?volumes=true&wait=10"}, server_.user).status, 200);
    walk.group = "devs";
    EXPECT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
    EXPECT_EQ(server_.send({"PUT", "/api/groups/devs/members/ulla"}).status, 200);
    return walk;
  }
  /// What the caller can compare: with the object's own name or id, which the caller has sent, replaced.
  std::string shown(const api::Endpoint& route, const Walk& walk, const std::string& token) {
    Request request{std::string(route.method), pathOf(route, walk), bodyOf(route, server_.password, "x")};
    if (route.operationId == "streamEvents" || route.operationId == "readLogs") request.method = "HEAD";
    const Response response = server_.send(request, token);
    std::string text = std::to_string(response.status) + " " + response.header("Content-Type") + " " + response.text;
    const auto replaceAll = [&](const std::string& from, const std::string& to) {
      for (std::size_t at = 0; !from.empty() && (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    };
    replaceAll(response.header("X-Request-Id"), "ID");
    for (const std::string& sent :
         {walk.volume, walk.instance, walk.operation, walk.snapshot, walk.session, walk.token, walk.key, walk.name, walk.group, walk.owner})
      replaceAll(sent, "OBJECT");
    return text;
  }

  ApiServer server_;
};

TEST_F(ApiEnumeration, showsAStrangerNoDifferenceBetweenAnObjectOfAnotherAndNone) {
  Walk theirs = make();
  int compared = 0;
  for (const bool by_name : {false, true}) {
    if (by_name) theirs.instance = "ullas";
    for (const api::Endpoint& route : api::makeRouteTable()) {
      if (!namesAnObject(route)) continue;
      for (const std::string& token : {server_.stranger, server_.viewer})
        EXPECT_EQ(shown(route, theirs, token), shown(route, kNothing, token)) << route.method << " " << route.pattern;
      ++compared;
    }
  }
  EXPECT_GT(compared, 80);
}

TEST_F(ApiEnumeration, showsWhoSignsInNoDifferenceBetweenAccounts) {
  for (const char* name : {"ida", "dora"}) server_.post("/api/users", R"({"name":")" + std::string(name) + "\"}");  // without a password
  server_.post("/api/users/dora/disable");
  server_.post("/api/users", R"({"name":"robot","kind":"service"})");
  std::set<std::string> shown;
  for (const char* name : {"ulla", "ida", "dora", "robot", "noone", "ulla\\u0000", "ULLA", "", "../ulla", "ulla' OR '1'='1"}) {
    for (const char* code : {"", R"(,"code":"123456")"}) {
      const std::string body = R"({"user":")" + std::string(name) + R"(","password":"wrong battery staple")" + code + "}";
      const Response response = server_.send({"POST", "/api/auth/login", body}, "");
      EXPECT_EQ(response.header("Set-Cookie"), "");
      shown.insert(std::to_string(response.status) + response.at("code") + response.at("detail"));
    }
  }
  EXPECT_EQ(shown.size(), 1U) << *shown.begin() << *shown.rbegin();
}

}  // namespace
}  // namespace swarm::test
