// Groups: who makes them, who sees them, and what a share with one gives its members.
#include "auth/sharing/groups.h"

#include <gtest/gtest.h>

#include "controller/state/events.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

constexpr const char* kEditors = R"({"access":"editor"})";
const Request kEntry{"POST", "/api/instances/ullas/exec", R"({"command":["true"]})"};

class ApiGroups : public ::testing::Test {
 protected:
  ApiGroups() {
    server_.create("ullas", server_.user);
    EXPECT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
  }
  int add(const std::string& user, const std::string& group = "devs") {
    return server_.send({"PUT", "/api/groups/" + group + "/members/" + user}).status;
  }
  int remove(const std::string& user) { return server_.send({"DELETE", "/api/groups/devs/members/" + user}).status; }
  Response share(const std::string& group, const std::string& body = kEditors) {
    return server_.send({"PUT", "/api/instances/ullas/shares/groups/" + group, body}, server_.user);
  }
  boost::json::array list(const std::string& target, const std::string& token) {
    return server_.send({.target = target}, token).json.at("items").as_array();
  }
  int statusFor(const std::string& token, Request request) { return server_.send(std::move(request), token).status; }
  bool mayEnter(const std::string& token) {
    const int status = statusFor(token, kEntry);
    return status != 403 && status != 404;
  }

  ApiServer server_;
};

TEST_F(ApiGroups, giveTheirMembersWhatIsSharedWithThem) {
  ASSERT_EQ(add("sten"), 200);
  EXPECT_FALSE(mayEnter(server_.stranger));
  const Response shared = share("devs");
  ASSERT_EQ(shared.status, 200) << shared.text;
  EXPECT_EQ(shared.at("group"), "devs");
  EXPECT_FALSE(shared.json.as_object().contains("user"));
  EXPECT_TRUE(mayEnter(server_.stranger));
  EXPECT_EQ(list("/api/instances", server_.stranger).size(), 1U);
  ASSERT_EQ(remove("sten"), 204);
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 404);
  ASSERT_EQ(add("sten"), 200);
  EXPECT_TRUE(mayEnter(server_.stranger)) << "who joins later has it, too";
  ASSERT_EQ(statusFor(server_.user, {"DELETE", "/api/instances/ullas/shares/groups/devs"}), 204);
  EXPECT_FALSE(mayEnter(server_.stranger));
}

TEST_F(ApiGroups, giveALaterGroupOfTheirNameNothing) {
  ASSERT_EQ(add("sten"), 200);
  ASSERT_EQ(share("devs").status, 200);
  ASSERT_EQ(server_.send({"DELETE", "/api/groups/devs"}).status, 204);
  EXPECT_FALSE(mayEnter(server_.stranger));
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 201);
  ASSERT_EQ(add("sten"), 200);
  EXPECT_FALSE(mayEnter(server_.stranger));
  EXPECT_TRUE(list("/api/instances/ullas/shares", server_.user).empty());
}

TEST_F(ApiGroups, mayHaveTheNameOfAUserWhoGetsNothingByIt) {
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"sten"})").status, 201);
  ASSERT_EQ(add("vera", "sten"), 200);
  ASSERT_EQ(share("sten", "{}").status, 200);
  EXPECT_EQ(statusFor(server_.stranger, {.target = "/api/instances/ullas"}), 404);
  EXPECT_EQ(statusFor(server_.viewer, {.target = "/api/instances/ullas"}), 200);
  EXPECT_EQ(statusFor(server_.user, {"DELETE", "/api/instances/ullas/shares/sten"}), 404) << "not the user's share";
}

TEST_F(ApiGroups, losesAUserWhoIsDisabledOrDeleted) {
  ASSERT_EQ(add("sten"), 200);
  ASSERT_EQ(share("devs").status, 200);
  ASSERT_EQ(server_.post("/api/users/sten/disable").status, 200);
  ASSERT_EQ(server_.post("/api/users/sten/enable").status, 200);
  EXPECT_FALSE(mayEnter(server_.issue("sten")));
  ASSERT_EQ(add("sten"), 200);
  ASSERT_EQ(server_.send({"DELETE", "/api/users/sten"}).status, 204);
  EXPECT_EQ(server_.get("/api/groups/devs").json.at("members").as_array().size(), 0U);
}

TEST_F(ApiGroups, areSeenByTheirMembersWhoDoNotSeeOneAnother) {
  for (const char* user : {"sten", "vera"}) ASSERT_EQ(add(user), 200);
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"others"})").status, 201);
  EXPECT_EQ(list("/api/groups", server_.user).size(), 0U);
  EXPECT_EQ(statusFor(server_.user, {.target = "/api/groups/devs"}), 404) << "like a missing one";
  const auto own = list("/api/groups", server_.stranger);
  ASSERT_EQ(own.size(), 1U);
  ASSERT_EQ(own[0].at("members").as_array().size(), 1U);
  EXPECT_EQ(own[0].at("members").at(0).as_string(), "sten");
  for (const std::string& token : {server_.admin, server_.auditor}) {
    const auto all = list("/api/groups", token);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].at("members").as_array().size(), 2U);
  }
  for (const std::string& token : {server_.stranger, server_.auditor, server_.operates}) {
    EXPECT_EQ(statusFor(token, {"POST", "/api/groups", R"({"name":"mine"})"}), 403);
    EXPECT_EQ(statusFor(token, {"DELETE", "/api/groups/devs/members/sten"}), 403);
  }
}

TEST_F(ApiGroups, areShownToAMemberAmongTheSharesOfAWorkspace) {
  ASSERT_EQ(add("sten"), 200);
  ASSERT_EQ(server_.post("/api/groups", R"({"name":"others"})").status, 201);
  ASSERT_EQ(share("devs").status, 200);
  ASSERT_EQ(share("others").status, 200);
  EXPECT_EQ(list("/api/instances/ullas/shares", server_.user).size(), 2U);
  const auto seen = list("/api/instances/ullas/shares", server_.stranger);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at("group").as_string(), "devs");
}

TEST_F(ApiGroups, areReportedToThoseWhomTheyConcern) {
  ASSERT_EQ(add("sten"), 200);
  EventBus& events = server_.controller->events();
  const auto shares_after = [&](std::uint64_t id) {
    std::vector<Event> found;
    for (Event& event : server_.loop.run(events.after(id, Deadline::after(std::chrono::seconds(10)))))
      if (event.type == EventType::share) found.push_back(std::move(event));
    return found;
  };
  std::uint64_t before = events.lastId();
  ASSERT_EQ(share("devs").status, 200);
  auto seen = shares_after(before);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].owner, "ulla");
  EXPECT_EQ(seen[0].users, std::vector<std::string>{"sten"});
  before = events.lastId();
  ASSERT_EQ(remove("sten"), 204);
  seen = shares_after(before);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].owner, "") << "who is a member is not for the owner to know";
  EXPECT_EQ(seen[0].users, std::vector<std::string>{"sten"});
  EXPECT_NE(seen[0].data->find(R"("member":"sten")"), std::string::npos);
}

TEST_F(ApiGroups, refuseWrongNamesAndUnknownUsers) {
  for (const char* name : {"", "me", "The Team", "-x", "a/b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    EXPECT_EQ(server_.post("/api/groups", R"({"name":")" + std::string(name) + "\"}").status, 400) << name;
  EXPECT_EQ(server_.post("/api/groups", R"({"name":"devs"})").status, 409);
  EXPECT_EQ(add("absent"), 404);
  EXPECT_EQ(add("sten", "absent"), 404);
  EXPECT_EQ(share("absent").status, 400);
}

TEST_F(ApiGroups, doNotHelpToListTheirNames) {
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += share("guess" + std::to_string(i)).status == 429 ? 1 : 0;
  EXPECT_GT(refused, 5);
  EXPECT_EQ(share("devs").status, 429) << "also for a group that exists";
}

TEST_F(ApiGroups, haveTheMembersThatTheirIdentityProviderNames) {
  Groups& groups = server_.auth->groups();
  server_.loop.run(groups.setManaged("sten", "corp", {"staff", "devs", "No Name", std::string(50, 'x')}));
  EXPECT_EQ(list("/api/groups", server_.stranger).size(), 1U) << "not the server's own group, and not what cannot be a name";
  EXPECT_EQ(server_.get("/api/groups/staff").at("managedBy"), "corp");
  EXPECT_EQ(add("vera", "staff"), 409);
  EXPECT_EQ(server_.send({"DELETE", "/api/groups/staff/members/sten"}).status, 409);
  ASSERT_EQ(share("staff").status, 200);
  EXPECT_TRUE(mayEnter(server_.stranger));
  server_.loop.run(groups.setManaged("sten", "corp", {}));
  EXPECT_FALSE(mayEnter(server_.stranger));
}

}  // namespace
}  // namespace swarm::test
