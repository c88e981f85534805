// Shares: who gives which access to whom, and when it ends.
#include <gtest/gtest.h>

#include "auth/sharing/sharing.h"
#include "protocol/agent.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiShares : public ::testing::Test {
 protected:
  ApiShares() { id_ = server_.create("ullas", server_.user); }
  Response share(const std::string& user, const std::string& body, const std::string& token) {
    return server_.send({"PUT", "/api/instances/ullas/shares/" + user, body}, token);
  }
  Response share(const std::string& user, const std::string& body) { return share(user, body, server_.user); }
  Response end(const std::string& user) { return server_.send({"DELETE", "/api/instances/ullas/shares/" + user}, server_.user); }
  std::size_t count(const std::string& target, const std::string& token) {
    return server_.send({.target = target}, token).json.at("items").as_array().size();
  }
  int statusFor(const std::string& token, Request request) { return server_.send(std::move(request), token).status; }

  ApiServer server_;
  std::string id_;
};

constexpr const char* kViewer = R"({"access":"viewer"})";
constexpr const char* kEditor = R"({"access":"editor"})";
const Request kCommand{"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"};

TEST_F(ApiShares, showAViewerTheWorkspaceAndNothingInside) {
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 404);
  const Response shared = share("sten", "{}");
  ASSERT_EQ(shared.status, 200) << shared.text;
  EXPECT_EQ(shared.at("user"), "sten");
  EXPECT_EQ(shared.at("access"), "viewer") << "the least";
  EXPECT_EQ(shared.at("grantedBy"), "ulla");
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 200);
  EXPECT_EQ(count("/api/instances", server_.stranger), 1U);
  EXPECT_EQ(count("/api/instances?owner=ulla", server_.stranger), 1U);
  EXPECT_EQ(count("/api/instances?owner=sten", server_.stranger), 0U);
  EXPECT_EQ(count("/api/operations", server_.stranger), 1U);
  EXPECT_EQ(count("/api/operations?instance=ullas", server_.stranger), 1U);
  EXPECT_EQ(count("/api/volumes", server_.stranger), count("/api/volumes", server_.user));
  const Response entered = server_.send(kCommand, server_.stranger);
  EXPECT_EQ(entered.status, 403);
  EXPECT_EQ(entered.at("detail"), "The workspace is shared with you as viewer, which does not allow this.");
}

TEST_F(ApiShares, letAnEditorIn) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  EXPECT_NE(statusFor(server_.stranger, kCommand), 403);
  EXPECT_EQ(statusFor(server_.stranger, {"POST", "/api/instances/ullas/token", R"({"scope":"status"})"}), 200);
}

TEST_F(ApiShares, doNotLetAnEditorShareHandOverOrChange) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  EXPECT_EQ(share("vera", kViewer, server_.stranger).status, 403);
  EXPECT_EQ(statusFor(server_.stranger, {"DELETE", "/api/instances/ullas/shares/sten"}), 403);
  for (const char* action : {"start", "stop", "restart"})
    EXPECT_EQ(statusFor(server_.stranger, {"POST", std::string("/api/instances/ullas/") + action}), 403) << action;
  EXPECT_EQ(statusFor(server_.stranger, {"DELETE", "/api/instances/ullas"}), 403);
  EXPECT_EQ(statusFor(server_.stranger, {"PUT", "/api/instances/ullas", R"({"env":{"A":"b"}})"}), 403);
  EXPECT_EQ(statusFor(server_.stranger, {"PUT", "/api/instances/ullas", R"({"labels":{"A":"b"}})"}), 403);
}

TEST_F(ApiShares, doNotShowTheEnvironment) {
  ASSERT_EQ(statusFor(server_.user, {"PUT", "/api/instances/ullas?wait=10", R"({"env":{"TOKEN":"of ulla"}})"}), 200);
  for (const char* access : {kViewer, kEditor}) {
    ASSERT_EQ(share("sten", access).status, 200);
    for (const char* target : {"/api/instances/ullas", "/api/instances", "/api/operations"}) {
      const std::string text = server_.send({.target = target}, server_.stranger).text;
      EXPECT_NE(text.find("ullas"), std::string::npos) << target;
      EXPECT_EQ(text.find("of ulla"), std::string::npos) << target;
    }
  }
  EXPECT_NE(server_.send({.target = "/api/instances/ullas"}, server_.user).text.find("of ulla"), std::string::npos);
}

TEST_F(ApiShares, doNotMakeMoreOfARoleThatNeverEnters) {
  ASSERT_EQ(share("auda", kEditor).status, 200);
  ASSERT_EQ(share("olaf", kEditor).status, 200);
  EXPECT_EQ(statusFor(server_.auditor, kCommand), 403);
  EXPECT_EQ(statusFor(server_.operates, kCommand), 403);
}

TEST_F(ApiShares, areListedForTheOwnerAndEachUserSeesTheirOwn) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  ASSERT_EQ(share("vera", kViewer).status, 200);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.user), 2U);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.admin), 2U);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.auditor), 2U);
  const Response own = server_.send({.target = "/api/instances/ullas/shares"}, server_.stranger);
  ASSERT_EQ(own.json.at("items").as_array().size(), 1U);
  EXPECT_EQ(own.json.at("items").at(0).at("user").as_string(), "sten");
}

TEST_F(ApiShares, areRefusedForWhoDoesNotExistOrOwnsIt) {
  EXPECT_EQ(share("absent", kViewer).status, 400);
  EXPECT_EQ(share("ulla", kViewer).status, 400);
  EXPECT_EQ(share("sten", R"({"access":"owner"})").status, 400);
  EXPECT_EQ(share("sten", R"({"expiresAt":"2020-01-01T00:00:00Z"})").status, 400);
  EXPECT_EQ(end("sten").status, 404);
  EXPECT_EQ(share("sten", kViewer, server_.stranger).status, 404) << "not even theirs to see";
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.user), 0U);
}

TEST_F(ApiShares, doNotHelpToListTheNamesOfUsers) {
  const std::string owner = server_.issue("ulla", std::chrono::hours(9));
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += share("guess" + std::to_string(i), kViewer, owner).status == 429 ? 1 : 0;
  EXPECT_GT(refused, 5);
  EXPECT_EQ(share("sten", kViewer, owner).status, 429) << "also for a user who exists";
  server_.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(share("sten", kViewer, owner).status, 200);
}

TEST_F(ApiShares, endWithTheTimeThatTheyWereGivenFor) {
  const std::string guest = server_.issue("sten", std::chrono::hours(9));
  const std::string owner = server_.issue("ulla", std::chrono::hours(9));
  const std::string until = formatTime(server_.clock.now() + std::chrono::hours(1));
  ASSERT_EQ(share("sten", R"({"access":"editor","expiresAt":")" + until + "\"}").status, 200);
  server_.clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(statusFor(guest, {.target = "/api/instances/ullas"}), 200);
  server_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(statusFor(guest, {.target = "/api/instances/ullas"}), 404) << "at once, not only when it is removed";
  EXPECT_EQ(count("/api/instances/ullas/shares", owner), 0U);
  server_.loop.run(server_.auth->sharing().endExpired());
  EXPECT_EQ(statusFor(guest, {.target = "/api/instances/ullas"}), 404);
}

TEST_F(ApiShares, areGoneWithTheWorkspaceAndNotThoseOfOneWithItsName) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  ASSERT_EQ(statusFor(server_.user, {"DELETE", "/api/instances/ullas?volumes=true&wait=10"}), 200);
  server_.create("ullas", server_.user);
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 404);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.user), 0U);
  server_.loop.run(server_.auth->sharing().load());
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 404);
}

TEST_F(ApiShares, areLostByAUserWhoIsDisabledOrDeleted) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  EXPECT_EQ(server_.post("/api/users/sten/disable").status, 200);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.user), 0U);
  EXPECT_EQ(share("sten", kEditor).status, 400) << "like an unknown user";
  EXPECT_EQ(server_.post("/api/users/sten/enable").status, 200);
  EXPECT_EQ(statusFor(server_.issue("sten"), {.target = "/api/instances/ullas"}), 404) << "none comes back";
  ASSERT_EQ(share("sten", kEditor).status, 200);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/sten"}).status, 204);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.user), 0U);
  ASSERT_EQ(share("olaf", kViewer).status, 200);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/ulla?handOverTo=olaf"}).status, 204);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.admin), 0U) << "it is theirs now";
}

TEST_F(ApiShares, surviveARestart) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  server_.loop.run(server_.auth->sharing().load());
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 200);
}

/// The labels of volumes keep the owner at the time of their creation.
TEST_F(ApiShares, leaveTheFormerOwnerWithoutTheFiles) {
  const auto create = [&](const std::string& name, const std::string& volume, const std::string& key = {}) {
    const std::string body = R"({"provider":"fake","name":")" + name + R"(","storage":[{"mountPath":"/home/coder/data","persistent":true)" +
                             (volume.empty() ? "" : R"(,"volumeName":")" + volume + "\"") + "}]}";
    net::Headers headers;
    if (!key.empty()) headers.push_back({"Idempotency-Key", key});
    return server_.send({.method = "POST", .target = "/api/instances?wait=10", .body = body, .headers = headers}, server_.user);
  };
  ASSERT_EQ(create("gift", "", "key").status, 201);
  std::string volume;
  for (const auto& one : server_.send({.target = "/api/volumes"}, server_.user).json.at("items").as_array())
    if (one.at("mountPath") == "/home/coder/data") volume = one.at("name").as_string().c_str();
  ASSERT_FALSE(volume.empty());
  ASSERT_EQ(server_.send({"PUT", "/api/instances/gift/owner", R"({"owner":"sten"})"}, server_.user).status, 200);
  EXPECT_EQ(create("gift", "", "key").status, 409) << "a repeated request shows nothing of it";
  EXPECT_EQ(create("thief", volume).status, 422);
  ASSERT_EQ(server_.send({"DELETE", "/api/instances/gift?wait=10"}, server_.stranger).status, 200);
  EXPECT_EQ(create("thief", volume).status, 422) << "kept for its owner";
  const std::string heir = R"({"provider":"fake","name":"heir","storage":[{"mountPath":"/data","volumeName":")" + volume + "\"}]}";
  EXPECT_EQ(server_.send({"POST", "/api/instances?wait=10", heir}, server_.stranger).status, 201);
}

TEST_F(ApiShares, endWithTheWorkspaceInOtherHands) {
  ASSERT_EQ(share("sten", kEditor).status, 200);
  ASSERT_EQ(share("vera", kViewer).status, 200);
  ASSERT_EQ(server_.send({"POST", "/api/instances/ullas/snapshots?wait=10", R"({"name":"first"})"}, server_.user).status, 200);
  const auto give = [&](const std::string& owner, const std::string& token) {
    return server_.send({"PUT", "/api/instances/ullas/owner", R"({"owner":")" + owner + "\"}"}, token);
  };
  EXPECT_EQ(give("sten", server_.stranger).status, 403) << "an editor takes nothing";
  EXPECT_EQ(give("absent", server_.user).status, 400);
  EXPECT_EQ(give("auda", server_.user).status, 400) << "an auditor owns nothing";
  EXPECT_EQ(give("vera", server_.user).status, 400);
  const Response given = give("sten", server_.user);
  ASSERT_EQ(given.status, 200) << given.text;
  EXPECT_EQ(given.at("owner"), "sten");
  EXPECT_EQ(statusFor(server_.user, {.target = "/api/instances/ullas"}), 404);
  EXPECT_EQ(server_.controller->routes().current()->at("ullas")->owner, "sten");
  EXPECT_EQ(count("/api/operations", server_.user), 0U);
  EXPECT_EQ(count("/api/operations", server_.stranger), 2U);
  EXPECT_EQ(count("/api/snapshots", server_.stranger), 1U);
  EXPECT_EQ(count("/api/instances/ullas/shares", server_.stranger), 1U) << "the other share stays, their own ends";
  EXPECT_EQ(statusFor(server_.viewer, {.target = "/api/instances/ullas"}), 200);
  EXPECT_EQ(statusFor(server_.stranger, {"DELETE", "/api/instances/ullas/shares/vera"}), 204) << "the new owner ends it";
  EXPECT_EQ(statusFor(server_.viewer, {.target = "/api/instances/ullas"}), 404);
  EXPECT_EQ(statusFor(server_.stranger, {"POST", "/api/instances/ullas/stop?wait=10"}), 200);
  EXPECT_EQ(statusFor(server_.stranger, {"DELETE", "/api/instances/ullas?volumes=true&wait=10"}), 200);
}

TEST_F(ApiShares, sayWhoMayEnterAndWhoseEntryIsRecorded) {
  struct Access {
    bool mayEnter, isRecorded;
    bool operator==(const Access&) const = default;
  };
  const auto access_of = [](ApiServer& server, const std::string& token) {
    const Response access = server.send({.target = "/api/instances/ullas/access"}, token);
    EXPECT_EQ(access.at("owner"), "ulla") << access.text;
    return Access{access.json.at("mayEnter").as_bool(), access.json.at("entryIsRecorded").as_bool()};
  };
  constexpr Access enters{true, false}, is_recorded{true, true}, stays_outside{false, false};
  EXPECT_EQ(access_of(server_, server_.user), enters);
  EXPECT_EQ(access_of(server_, server_.admin), is_recorded);
  EXPECT_EQ(access_of(server_, server_.operates), stays_outside);
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas/access"}), 404);
  share("sten", kViewer);
  EXPECT_EQ(access_of(server_, server_.stranger), stays_outside);
  share("sten", kEditor);
  EXPECT_EQ(access_of(server_, server_.stranger), enters);
  share("admin", kEditor);
  EXPECT_EQ(access_of(server_, server_.admin), enters) << "the owner has let them in";
  ApiServer strict({}, {.adminsMayEnter = false});
  strict.create("ullas", strict.user);
  EXPECT_EQ(access_of(strict, strict.admin), stays_outside);
}

TEST_F(ApiShares, areOfNoUseToAdminsWhoMayNotEnterWorkspacesOfOthers) {
  ApiServer server({}, {.adminsMayEnter = false});
  server.create("ullas", server.user);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/admin", kEditor}).status, 403);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/sten", kEditor}).status, 403);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/admin", kViewer}, server.user).status, 200);
  EXPECT_EQ(server.send({"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"}).status, 403);
  EXPECT_EQ(server.send({"PUT", "/api/instances/ullas/shares/admin", kEditor}, server.user).status, 200);
  EXPECT_NE(server.send({"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"}).status, 403) << "the owner has let them in";
}

}  // namespace
}  // namespace swarm::test
