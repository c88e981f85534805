// `swarm share`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kList = "GET /api/instances/web1/shares";
constexpr const char* kPut = "PUT /api/instances/web1/shares/ada";
constexpr const char* kDelete = "DELETE /api/instances/web1/shares/ada";
const std::string kShare =
    R"({"user":"ada","access":"editor","grantedBy":"ben","createdAt":"2026-01-01T00:00:00Z","expiresAt":"2026-01-02T00:00:00Z"})";

TEST(ShareVerb, listsTheShares) {
  ApiDouble api;
  api.on(kList, 200, {R"({"items":[)" + kShare + "]}", R"({"items":[]})"});
  const Ran list = runCommand(api, {"share", "web1"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_NE(list.out.find("ada"), std::string::npos);
  EXPECT_NE(list.out.find("editor"), std::string::npos);
  EXPECT_NE(runCommand(api, {"share", "web1"}).err.find("web1 is not shared. Share it with: swarm share web1 USER"), std::string::npos);
}

TEST(ShareVerb, sharesWithTheLeastAccessUnlessMoreIsGiven) {
  ApiDouble api;
  api.on(kPut, 200, {kShare});
  const Ran ran = runCommand(api, {"share", "web1", "ada"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api.bodyOf(kPut), boost::json::parse("{}"));
  EXPECT_NE(ran.err.find("web1 is shared with ada as editor, until 2026-01-02T00:00:00Z."), std::string::npos) << ran.err;
}

TEST(ShareVerb, sharesAsEditorForATime) {
  ApiDouble api;
  api.on(kPut, 200, {kShare});
  ASSERT_EQ(runCommand(api, {"share", "web1", "ada", "--as", "editor", "--for", "8h"}).code, 0);
  const boost::json::value body = api.bodyOf(kPut);
  EXPECT_EQ(body.at("access").as_string(), "editor");
  const auto left = parseTime(std::string(body.at("expiresAt").as_string())) - RealClock().now();
  EXPECT_GT(left, std::chrono::minutes(479));
  EXPECT_LE(left, std::chrono::hours(8));
}

TEST(ShareVerb, takesGroupsBesideUsers) {
  ApiDouble api;
  constexpr const char* kGroup = "/api/instances/web1/shares/groups/devs";
  const std::string share = R"({"group":"devs","access":"editor","grantedBy":"ben","createdAt":"2026-01-01T00:00:00Z"})";
  api.on(kPut, 200, {kShare});
  api.on("PUT " + std::string(kGroup), 200, {share});
  api.on("DELETE " + std::string(kGroup), 204, {""});
  api.on(kList, 200, {R"({"items":[)" + kShare + "," + share + "]}"});
  const Ran ran = runCommand(api, {"share", "web1", "ada", "--group", "devs", "--as", "editor"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("web1 is shared with group devs as editor."), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("PUT " + std::string(kGroup)), boost::json::parse(R"({"access":"editor"})"));
  EXPECT_NE(runCommand(api, {"share", "web1"}).out.find("group devs"), std::string::npos);
  EXPECT_EQ(runCommand(api, {"share", "web1", "--group", "devs", "--end"}).code, 0);
  EXPECT_EQ(runCommand(api, {"share", "web1", "--group", "devs", "--owner", "ada"}).code, 2);
}

TEST(ShareVerb, endsShares) {
  ApiDouble api;
  api.on(kDelete, 204, {""});
  const Ran ran = runCommand(api, {"share", "web1", "ada", "--end"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("web1 is not shared with ada any more."), std::string::npos);
}

TEST(ShareVerb, handsOverOnceConfirmed) {
  ApiDouble api;
  api.on("PUT /api/instances/web1/owner", 200,
         {R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web1"}})"});
  {
    const auto input = StandardInput::nothing();
    EXPECT_EQ(runCommand(api, {"share", "web1", "--owner", "ada"}).code, 2) << "unconfirmed";
  }
  EXPECT_TRUE(api.received().empty());
  const Ran ran = runCommand(api, {"share", "web1", "--owner", "ada", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api.bodyOf("PUT /api/instances/web1/owner"), boost::json::parse(R"({"owner":"ada"})"));
  EXPECT_NE(ran.err.find("web1 belongs to ada."), std::string::npos) << ran.err;
}

TEST(ShareVerb, refusesWhatItDoesNotUnderstand) {
  ApiDouble api;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"share", "web1", "ada", "--for", "soon"},
                                                {"share", "web1", "ada", "--for", "0h"},
                                                {"share", "web1", "ada", "--as", "owner"},
                                                {"share", "web1", "--as", "editor"},
                                                {"share", "web1", "--end"},
                                                {"share", "web1", "ada", "--end", "--as", "editor"},
                                                {"share", "web1", "bob", "--owner", "ada"}})
    EXPECT_EQ(runCommand(api, words).code, 2) << words.back();
  EXPECT_TRUE(api.received().empty());
}

}  // namespace
}  // namespace swarm::cli::testing
