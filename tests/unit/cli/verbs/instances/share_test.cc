// `swarm share`.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kListShares = "GET /api/instances/web1/shares";
constexpr const char* kPutShare = "PUT /api/instances/web1/shares/ada";
constexpr const char* kDeleteShare = "DELETE /api/instances/web1/shares/ada";
const std::string kShare = R"({"user":"ada","access":"editor","grantedBy":"ben","createdAt":"2026-01-01T00:00:00Z","expiresAt":")" +
                           formatTime(RealClock().now() + std::chrono::hours(8)) + "\"}";
const std::string kNone = R"({"items":[]})";

TEST(ShareVerb, listsTheShares) {
  ApiDouble api;
  api.on(kListShares, 200, {R"({"items":[)" + kShare + "]}", R"({"items":[]})"});
  const Ran list = runCommand(api, {"share", "web1"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_NE(list.out.find("ada"), std::string::npos);
  EXPECT_NE(list.out.find("editor"), std::string::npos);
  EXPECT_NE(list.out.find("in 8 h"), std::string::npos) << list.out;
  EXPECT_NE(runCommand(api, {"share", "web1"}).err.find("web1 is not shared. Share it with: swarm share web1 USER"), std::string::npos);
}

TEST(ShareVerb, sharesWithTheLeastAccessUnlessMoreIsGiven) {
  ApiDouble api;
  api.on(kListShares, 200, {kNone});
  api.on(kPutShare, 200, {kShare});
  const Ran ran = runCommand(api, {"share", "web1", "ada"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api.bodyOf(kPutShare), boost::json::parse("{}"));
  EXPECT_NE(ran.err.find("web1 is shared with ada as editor, ends in 8 h."), std::string::npos) << ran.err;
}

TEST(ShareVerb, saysWhenTheAccessChanges) {
  ApiDouble api;
  api.on(kListShares, 200, {R"({"items":[)" + kShare + "]}"});
  api.on(kPutShare, 200, {R"({"user":"ada","access":"viewer"})", kShare});
  EXPECT_EQ(runCommand(api, {"share", "web1", "ada"}).err, "web1 is shared with ada as editor → viewer.\n");
  EXPECT_EQ(runCommand(api, {"share", "web1", "ada", "--as", "editor"}).err, "web1 is shared with ada as editor, ends in 8 h.\n");
}

TEST(ShareVerb, sharesAsEditorForATime) {
  ApiDouble api;
  api.on(kListShares, 200, {kNone});
  api.on(kPutShare, 200, {kShare});
  ASSERT_EQ(runCommand(api, {"share", "web1", "ada", "--as", "editor", "--for", "8h"}).code, 0);
  const boost::json::value body = api.bodyOf(kPutShare);
  EXPECT_EQ(body.at("access").as_string(), "editor");
  const auto left = parseTime(std::string(body.at("expiresAt").as_string())) - RealClock().now();
  EXPECT_GT(left, std::chrono::minutes(479));
  EXPECT_LE(left, std::chrono::hours(8));
}

TEST(ShareVerb, takesGroupsBesideUsers) {
  ApiDouble api;
  constexpr const char* kOfGroup = "/api/instances/web1/shares/groups/devs";
  const std::string share = R"({"group":"devs","access":"editor","grantedBy":"ben","createdAt":"2026-01-01T00:00:00Z"})";
  api.on(kPutShare, 200, {kShare});
  api.on("PUT " + std::string(kOfGroup), 200, {share});
  api.on("DELETE " + std::string(kOfGroup), 204, {""});
  api.on(kListShares, 200, {R"({"items":[)" + kShare + "," + share + "]}"});
  const Ran ran = runCommand(api, {"share", "web1", "ada", "--group", "devs", "--as", "editor"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("web1 is shared with group devs as editor."), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("PUT " + std::string(kOfGroup)), boost::json::parse(R"({"access":"editor"})"));
  EXPECT_NE(runCommand(api, {"share", "web1"}).out.find("group devs"), std::string::npos);
  EXPECT_EQ(runCommand(api, {"share", "web1", "--group", "devs", "--end"}).code, 0);
  EXPECT_EQ(runCommand(api, {"share", "web1", "--group", "devs", "--owner", "ada"}).code, 2);
}

TEST(ShareVerb, endsShares) {
  ApiDouble api;
  api.on(kDeleteShare, 204, {""});
  const Ran ran = runCommand(api, {"share", "web1", "ada", "--end"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("web1 is not shared with ada any more."), std::string::npos);
}

class ShareVerbOwner : public ::testing::Test {
 protected:
  ShareVerbOwner() {
    api_.on("GET /api/instances/web1", 200, {R"({"id":"i-1","owner":"ben","provider":"docker","config":{"name":"web1"}})"});
    api_.on(kListShares, 200, {R"({"items":[)" + kShare + R"(,{"user":"cyd","access":"viewer"}]})"});
    api_.on(kGive, 200, {R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web1"}})"});
    signedInAs("ben");
    networksAre(R"({"networkPerOwner":true})");
  }
  void networksAre(const std::string& capabilities) {
    api_.on("GET /api/providers/docker", 200, {R"({"type":"docker","capabilities":)" + capabilities + "}"});
  }
  void signedInAs(const std::string& user) {
    api_.on("GET /api/auth/status", 200, {R"({"user":")" + user + R"(","role":"user","expiresAt":"2030-01-01T00:00:00Z"})"});
  }

  static constexpr const char* kGive = "PUT /api/instances/web1/owner";
  ApiDouble api_;
};

TEST_F(ShareVerbOwner, isChangedOnceConfirmed) {
  {
    const auto input = StandardInput::nothing();
    EXPECT_EQ(runCommand(api_, {"share", "web1", "--owner", "ada"}).code, 2) << "unconfirmed";
  }
  for (const Received& request : api_.received()) EXPECT_TRUE(request.line.starts_with("GET ")) << request.line;
  const Ran ran = runCommand(api_, {"share", "web1", "--owner", "ada", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(api_.bodyOf(kGive), boost::json::parse(R"({"owner":"ada"})"));
  EXPECT_EQ(ran.err,
            "web1 and its files will belong to ada; your access to it ends.\n"
            "web1 belongs to ada.\n"
            "It stays shared with cyd (viewer). ada can end that: swarm share web1 cyd --end\n"
            "Its container stays in your network until an update replaces it: swarm update web1 --refresh-image\n");
}

TEST_F(ShareVerbOwner, leavesTheNetworkOfItsFormerOwnerOnlyWhereOwnersHaveNetworks) {
  for (const char* capabilities : {R"({"networkPerOwner":false})", "{}"}) {
    networksAre(capabilities);
    const Ran ran = runCommand(api_, {"share", "web1", "--owner", "ada", "--yes"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.err.find("network"), std::string::npos) << ran.err;
  }
}

TEST_F(ShareVerbOwner, isNamedToAnAdministrator) {
  signedInAs("root");
  const std::string said = runCommand(api_, {"share", "web1", "--owner", "ada", "--yes"}).err;
  EXPECT_NE(said.find("will belong to ada; ben's access to it ends."), std::string::npos) << said;
  EXPECT_NE(said.find("stays in ben's network"), std::string::npos) << said;
  EXPECT_EQ(said.find("your"), std::string::npos) << said;
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
