// `swarm git-identity`, and the script of `swarm create --setup`.
#include <filesystem>
#include <fstream>

#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kShow = "GET /api/users/me/git-identity";
constexpr const char* kSet = "PUT /api/users/me/git-identity";

TEST(GitIdentityVerb, showsAndSets) {
  ApiDouble api;
  api.on(kShow, 200, {R"({"name":"","email":""})", R"({"name":"Ada","email":"ada@example.com"})"});
  api.on(kSet, 200, {R"({"name":"Ada","email":"ada@example.com"})"});
  EXPECT_NE(runCommand(api, {"git-identity"}).out.find("No git identity is set"), std::string::npos);
  const Ran set = runCommand(api, {"git-identity", "Ada", "ada@example.com"});
  EXPECT_EQ(set.code, 0) << set.err;
  EXPECT_EQ(set.out, "Ada <ada@example.com>\n");
  EXPECT_EQ(runCommand(api, {"git-identity"}).out, "Ada <ada@example.com>\n");
  EXPECT_EQ(api.received()[1].body, boost::json::parse(R"({"name":"Ada","email":"ada@example.com"})"));
}

TEST(GitIdentityVerb, isRemovedByClearAndWantsBothParts) {
  ApiDouble api;
  api.on(kSet, 200, {R"({"name":"","email":""})"});
  EXPECT_NE(runCommand(api, {"git-identity", "Ada"}).code, 0);
  EXPECT_TRUE(api.received().empty());
  EXPECT_EQ(runCommand(api, {"git-identity", "--clear"}).code, 0);
  EXPECT_EQ(api.received()[0].body, boost::json::parse(R"({"name":"","email":""})"));
}

TEST(CreateVerb, sendsTheSetupScriptOrSaysWhyNot) {
  ApiDouble api;
  api.on("POST /api/instances", 400, {R"({"status":400,"code":"invalid_argument","detail":"no"})"});
  auto script = std::filesystem::temp_directory_path() / "swarm-cli-setup.sh";
  std::ofstream(script) << "#!/bin/sh\necho hi\n";
  runCommand(api, {"create", "one", "--setup", script.string()});
  ASSERT_EQ(api.received().size(), 1u);
  EXPECT_EQ(api.received()[0].body.at("setup").as_string(), "#!/bin/sh\necho hi\n");
  std::filesystem::remove(script);
  const Ran missing = runCommand(api, {"create", "one", "--setup", script.string()});
  EXPECT_NE(missing.code, 0);
  EXPECT_NE(missing.err.find("can't be read"), std::string::npos) << missing.err;
  EXPECT_EQ(api.received().size(), 1u);
}

}  // namespace
}  // namespace swarm::cli::testing
