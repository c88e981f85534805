// `swarm login` by a browser: on this machine, and elsewhere with a code.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kLogin = R"({"token":"a.b.c","user":"ada","role":"user","expiresAt":"2026-12-09T00:00:00Z"})";

TEST(LoginVerb, printsACodeAndWaitsForItsConfirmation) {
  ApiDouble api;
  api.on(
      "POST /api/auth/device", 201,
      {R"({"deviceCode":"d","userCode":"BCDF-GHJK","verificationUri":"http://swarm.localhost/login/device","expiresIn":60,"interval":0})"});
  api.on("POST /api/auth/device/token", 200, {kLogin});
  const Ran ran = runCommand(api, {"login", "--code"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("http://swarm.localhost/login/device"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("BCDF-GHJK"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("as ada (user)"), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("POST /api/auth/device/token"), boost::json::parse(R"({"deviceCode":"d"})"));
}

TEST(LoginVerb, endsWhenTheUserRefuses) {
  ApiDouble api;
  api.on(
      "POST /api/auth/device", 201,
      {R"({"deviceCode":"d","userCode":"BCDF-GHJK","verificationUri":"http://swarm.localhost/login/device","expiresIn":60,"interval":0})"});
  api.on("POST /api/auth/device/token", 403, {R"({"code":"permission_denied","detail":"The sign-in was refused in the browser."})"});
  EXPECT_EQ(runCommand(api, {"login", "--code"}).code, 4);
}

TEST(LoginVerb, takesEitherACodeOrAPassword) {
  ApiDouble api;
  EXPECT_EQ(runCommand(api, {"login", "--code", "--user", "ada"}).code, 2);
  EXPECT_EQ(runCommand(api, {"login", "--code", "--password-stdin"}).code, 2);
}

}  // namespace
}  // namespace swarm::cli::testing
