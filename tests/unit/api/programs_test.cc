// Sign-ins of programs that a user confirms in a browser, and what the API shows of identity providers.
#include <gtest/gtest.h>

#include "auth/programs/program_sign_ins.h"
#include "base/id.h"
#include "base/text/format.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

Principal principalOf(ApiServer& server, const std::string& token) { return *server.auth->verifyApiToken(token); }

Response poll(ApiServer& server, const std::string& device_code) {
  return server.send({"POST", "/api/auth/device/token", format(R"({{"deviceCode":"{}"}})", device_code)}, "");
}

TEST(ApiPrograms, areSignedInWhenAUserConfirmsTheirCode) {
  ApiServer server;
  const Response begun = server.send({"POST", "/api/auth/device"}, "");
  ASSERT_EQ(begun.status, 201) << begun.text;
  EXPECT_TRUE(begun.at("verificationUri").ends_with("/login/device")) << begun.text;
  EXPECT_EQ(poll(server, begun.at("deviceCode")).status, 204);
  ASSERT_TRUE(server.auth->programs().decide(begun.at("userCode"), principalOf(server, server.user), ProgramSignIns::Decision::Approve));
  const Response login = poll(server, begun.at("deviceCode"));
  ASSERT_EQ(login.status, 200) << login.text;
  EXPECT_EQ(login.at("user"), "ulla");
  EXPECT_EQ(login.header("Set-Cookie"), "");
  EXPECT_EQ(server.send({.target = "/api/auth/status"}, login.at("token")).at("user"), "ulla");
  EXPECT_EQ(poll(server, begun.at("deviceCode")).status, 422) << "once";
  const auto records = server.recorded("signIn");
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].after.at("by"), "program");
  EXPECT_EQ(records[0].after.at("bySession").as_string(), principalOf(server, server.user).sessionId) << "who approved it";
}

TEST(ApiPrograms, areNotSignedInAfterTheUserRefusedOrSignedOut) {
  ApiServer server;
  const Response refused = server.send({"POST", "/api/auth/device"}, "");
  server.auth->programs().decide(refused.at("userCode"), principalOf(server, server.user), ProgramSignIns::Decision::Deny);
  EXPECT_EQ(poll(server, refused.at("deviceCode")).status, 403);
  const Response late = server.send({"POST", "/api/auth/device"}, "");
  const std::string browser = server.issue("ulla");
  server.auth->programs().decide(late.at("userCode"), principalOf(server, browser), ProgramSignIns::Decision::Approve);
  ASSERT_EQ(server.send({"POST", "/api/auth/logout"}, browser).status, 204);
  EXPECT_EQ(poll(server, late.at("deviceCode")).status, 422);
}

TEST(ApiPrograms, needTheSecretBehindTheChallengeOfTheirCode) {
  ApiServer server;
  const std::string challenge = toBase64Url(sha256("verifier"));
  const auto login = [&](const std::string& verifier) {
    const std::string code = server.auth->programs().issueCode(principalOf(server, server.user), challenge);
    return server.send({"POST", "/api/auth/program", format(R"({{"code":"{}","verifier":"{}"}})", code, verifier)}, "");
  };
  EXPECT_EQ(login("another").status, 422);
  EXPECT_EQ(login("verifier").at("user"), "ulla");
}

TEST(ApiIdentities, ofAUserAreForAdministrators) {
  ApiServer server;
  EXPECT_EQ(server.send({.target = "/api/identity-providers"}, server.user).status, 200);
  EXPECT_EQ(server.send({.target = "/api/users/ulla/identities"}, server.admin).status, 200);
  EXPECT_EQ(server.send({.target = "/api/users/me/identities"}, server.user).status, 403);
  EXPECT_EQ(server.send({.target = "/api/users/ulla/identities"}, server.auditor).status, 403);
}

}  // namespace
}  // namespace swarm::test
