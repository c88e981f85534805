// `swarm groups`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kGroup = R"({"name":"devs","managedBy":"","members":["ada","ben"],"createdAt":"2026-12-01T00:00:00Z"})";

TEST(GroupsVerb, listsThemWithTheirMembers) {
  ApiDouble api;
  api.on("GET /api/groups", 200, {R"({"items":[)" + kGroup + "]}"});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"groups"}, {"groups", "list"}}) {
    const Ran ran = runCommand(api, words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("ada, ben"), std::string::npos) << ran.out;
  }
  EXPECT_EQ(runCommand(api, {"groups", "-o", "name"}).out, "devs\n");
}

TEST(GroupsVerb, createsAndDeletes) {
  ApiDouble api;
  api.on("POST /api/groups", 201, {kGroup});
  api.on("DELETE /api/groups/devs", 204, {""});
  const Ran ran = runCommand(api, {"groups", "create", "devs"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "devs\n");
  EXPECT_EQ(api.bodyOf("POST /api/groups"), boost::json::parse(R"({"name":"devs"})"));
  {
    const auto input = StandardInput::nothing();
    EXPECT_EQ(runCommand(api, {"groups", "delete", "devs"}).code, 2) << "unconfirmed";
  }
  EXPECT_EQ(runCommand(api, {"groups", "delete", "devs", "--yes"}).code, 0);
}

TEST(GroupsVerb, addsAndRemovesUsers) {
  ApiDouble api;
  for (const char* user : {"ada", "ben"}) {
    api.on("PUT /api/groups/devs/members/" + std::string(user), 200, {kGroup});
    api.on("DELETE /api/groups/devs/members/" + std::string(user), 204, {""});
  }
  const Ran added = runCommand(api, {"groups", "add", "devs", "ada", "ben"});
  EXPECT_EQ(added.code, 0) << added.err;
  EXPECT_NE(added.err.find("ben is a member of devs."), std::string::npos);
  EXPECT_EQ(runCommand(api, {"groups", "remove", "devs", "ada", "ben"}).code, 0);
  EXPECT_EQ(api.received().size(), 4U);
  EXPECT_EQ(runCommand(api, {"groups", "add", "devs"}).code, 2);
}

}  // namespace
}  // namespace swarm::cli::testing
