// Second factors over REST.
#include <gtest/gtest.h>

#include "auth/second_factor/second_factors.h"
#include "base/text/format.h"
#include "support/auth/authenticator.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

class ApiSecondFactor : public ::testing::Test {
 protected:
  ApiSecondFactor() { server_.loop.run(server_.auth->putUser("ben", Secret("long enough"), Role::user)); }

  Response signIn(const std::string& code = {}) {
    boost::json::object body{{"user", "ben"}, {"password", "long enough"}};
    if (!code.empty()) body["code"] = code;
    return server_.send({"POST", "/api/auth/login", boost::json::serialize(body)}, "");
  }
  Response post(const std::string& part, const boost::json::object& body) {
    return server_.send({"POST", "/api/users/me/second-factor" + part, boost::json::serialize(body)}, token_);
  }
  std::string codeOfSecret(const std::string& secret) { return Authenticator(secret).codeAt(server_.clock.now()); }
  /// Of the next step: the present one may have been used.
  std::string nextCode(const std::string& secret) {
    server_.clock.advance(std::chrono::seconds(totp::kStepSeconds));
    return codeOfSecret(secret);
  }

  ApiServer server_;
  std::string token_;
};

TEST_F(ApiSecondFactor, isSetUpUsedAndDisabled) {
  token_ = signIn().at("token");
  EXPECT_EQ(post("", {{"password", "wrong"}}).status, 400);
  const Response begun = post("", {{"password", "long enough"}});
  ASSERT_EQ(begun.status, 201) << begun.text;
  EXPECT_EQ(begun.at("secret").size(), 32u);
  EXPECT_TRUE(begun.at("uri").starts_with("otpauth://totp/Swarm%20")) << begun.text;
  EXPECT_EQ(signIn().status, 200) << "it counts once it is confirmed";

  EXPECT_EQ(post("/confirm", {{"ticket", begun.at("ticket")}, {"code", "000000"}}).status, 400);
  EXPECT_EQ(server_
                .send({"POST", "/api/users/me/second-factor/confirm",
                       boost::json::serialize(boost::json::object{{"ticket", begun.at("ticket")}, {"code", "000000"}})})
                .json.at("errors")
                .at(0)
                .at("pointer"),
            "/ticket")
      << "another user's";
  const std::string secret = begun.at("secret");
  const Response confirmed = post("/confirm", {{"ticket", begun.at("ticket")}, {"code", codeOfSecret(secret)}});
  ASSERT_EQ(confirmed.status, 200) << confirmed.text;
  EXPECT_EQ(confirmed.json.at("recoveryCodes").as_array().size(), 10u);

  const Response missing = signIn();
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(missing.json.at("errors").at(0).at("pointer"), "/code") << missing.text;
  const std::string code = nextCode(secret);
  EXPECT_EQ(signIn(code).status, 200);
  EXPECT_EQ(signIn(code).status, 401) << "used";
  EXPECT_TRUE(server_.get("/api/users/ben").json.at("hasSecondFactor").as_bool());
  EXPECT_EQ(server_.get("/api/users/ben/second-factor").json.at("recoveryCodes"), 10);

  EXPECT_EQ(post("/disable", {{"password", "long enough"}, {"code", "000000"}}).status, 400);
  EXPECT_EQ(post("/disable", {{"password", "long enough"}, {"code", nextCode(secret)}}).status, 204);
  EXPECT_EQ(signIn().status, 200);
  for (const auto* action : {"setUpSecondFactor", "confirmSecondFactor", "disableSecondFactor"})
    for (const auto& record : server_.recorded(action)) {
      const std::string text = boost::json::serialize(record.after);
      for (const std::string& secret_text : {std::string("long enough"), secret, code, begun.at("ticket")})
        EXPECT_EQ(text.find(secret_text), std::string::npos) << text;
    }
}

TEST_F(ApiSecondFactor, isResetByAdministrators) {
  token_ = signIn().at("token");
  const Response begun = post("", {{"password", "long enough"}});
  ASSERT_EQ(post("/confirm", {{"ticket", begun.at("ticket")}, {"code", codeOfSecret(begun.at("secret"))}}).status, 200);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/ben/second-factor"}, token_).status, 403);
  EXPECT_EQ(server_.send({"DELETE", "/api/users/admin/second-factor"}).status, 409) << "one's own";
  EXPECT_EQ(server_.send({"DELETE", "/api/users/ben/second-factor"}).status, 204);
  EXPECT_EQ(server_.send({.target = "/api/auth/status"}, token_).status, 401) << "the sessions ended";
  EXPECT_EQ(signIn().status, 200);
  EXPECT_EQ(server_.recorded("resetSecondFactor").front().object, "ben");
}

TEST_F(ApiSecondFactor, recordsRefusedCodesAndThrottledOnes) {
  token_ = signIn().at("token");
  const Response begun = post("", {{"password", "long enough"}});
  ASSERT_EQ(post("/confirm", {{"ticket", begun.at("ticket")}, {"code", codeOfSecret(begun.at("secret"))}}).status, 200);
  SecondFactors& factors = server_.auth->secondFactors();
  const auto step = server_.loop.run(factors.beginSignIn("ben", Secret("long enough"), {.address = "192.0.2.1"}));
  const std::string ticket = std::get<CodeRequired>(step).ticket;
  for (int tried = 1; tried <= 11; ++tried) {
    const std::string address = format("192.0.2.{}", tried);
    EXPECT_THROW(server_.loop.run(factors.signIn(ticket, "000000", {.address = address})), Error);
    const AuditRecord record = server_.recorded("signIn").front();
    EXPECT_EQ(record.status, tried <= 10 ? 401 : 429);
    EXPECT_EQ(record.result, AuditResult::refused);
    EXPECT_EQ(record.object, "ben");
    EXPECT_EQ(record.address, address);
  }
}

}  // namespace
}  // namespace swarm::test
