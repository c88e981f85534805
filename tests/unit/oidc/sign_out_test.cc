// Sign-outs: those that the provider requests, and those that lead to it.
#include "fixture.h"
#include "support/auth/low_cost.h"

namespace swarm::oidc::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(SignInTest, endsTheSessionsThatALogoutTokenNames) {
  json::object claims = ada();
  claims["sid"] = "s1";
  const auto one = signIn(claims).login.principal;
  claims["sid"] = "s2";
  const auto two = signIn(claims).login.principal;
  const auto by_link = loop_.run(auth_->takeLoginLink(auth_->issueLoginLink(one), LoginOrigin{}))->principal;
  loop_.run(providers_->endSessions("corp", logoutToken({{"sid", "s1"}}), LoginOrigin{}));
  EXPECT_FALSE(auth_->stillSignedIn(one));
  EXPECT_FALSE(auth_->stillSignedIn(by_link));
  EXPECT_TRUE(auth_->stillSignedIn(two));
  EXPECT_THAT(recorded("signOut"), SizeIs(2));
  loop_.run(providers_->endSessions("corp", logoutToken({{"sub", "u1"}, {"jti", "j2"}}), LoginOrigin{}));
  EXPECT_FALSE(auth_->stillSignedIn(two));
}

TEST_F(SignInTest, refusesALogoutTokenThatIsNotOne) {
  const auto session = signIn(ada()).login.principal;
  const auto end = [&](const std::string& token) {
    return refusalOf([&] { loop_.run(providers_->endSessions("corp", token, LoginOrigin{.address = "10.0.0.2"})); }).code();
  };
  const TestKey attacker("one", "EdDSA");
  EXPECT_EQ(end(""), ErrorCode::UpstreamFailed);
  EXPECT_EQ(end(provider_->key.sign(provider_->claims)), ErrorCode::UpstreamFailed);
  EXPECT_EQ(end(logoutToken({{"sub", "u1"}, {"nonce", "n"}})), ErrorCode::UpstreamFailed);
  EXPECT_EQ(end(logoutToken({{"sub", "u1"}, {"aud", "other"}})), ErrorCode::UpstreamFailed);
  EXPECT_EQ(end(attacker.sign({{"sub", "u1"}})), ErrorCode::UpstreamFailed);
  EXPECT_TRUE(auth_->stillSignedIn(session));
}

TEST_F(SignInTest, repeatedLogoutTokenEndsNoLaterSession) {
  signIn(ada());
  const std::string token = logoutToken({{"sub", "u1"}});
  loop_.run(providers_->endSessions("corp", token, LoginOrigin{}));
  const auto later = signIn(ada()).login.principal;
  loop_.run(providers_->endSessions("corp", token, LoginOrigin{}));
  EXPECT_TRUE(auth_->stillSignedIn(later));
}

TEST_F(SignInTest, repeatedLogoutTokenEndsWhatTheFirstAttemptCouldNot) {
  refuseRevocations();
  const auto one = signIn(ada()).login.principal, two = signIn(ada()).login.principal;
  const std::string token = logoutToken({{"sub", "u1"}});
  loop_.run(store_->putSetting("full", one.sessionId));
  EXPECT_NE(refusalOf([&] { loop_.run(providers_->endSessions("corp", token, LoginOrigin{})); }).message(), "nothing was thrown");
  EXPECT_FALSE(auth_->stillSignedIn(two)) << "one failure does not keep the other sessions";
  loop_.run(store_->putSetting("full", ""));
  loop_.run(providers_->endSessions("corp", token, LoginOrigin{}));
  closeStore();
  openStore();
  EXPECT_FALSE(auth_->stillSignedIn(one));
  EXPECT_FALSE(auth_->stillSignedIn(two));
}

TEST_F(SignInTest, logoutTokenEndsNoSessionThatBeganAfterIt) {
  signIn(ada());
  const std::string token = logoutToken({{"sub", "u1"}});
  clock_.advance(2 * kClockSkew);
  const auto later = signIn(ada()).login.principal;
  open();  // a restarted server does not know which tokens it has taken
  loop_.run(providers_->endSessions("corp", token, LoginOrigin{}));
  EXPECT_TRUE(auth_->stillSignedIn(later));
}

TEST_F(SignInTest, sendsNoLargeTokenToTheProvidersSignOut) {
  provider_->endpoints = {{"end_session_endpoint", provider_->issuer() + "/logout"}};
  json::object claims = ada();
  claims["photo"] = std::string(6000, 'x');
  const auto session = signIn(claims).login.principal;
  EXPECT_THAT(loop_.run(providers_->signOutUrl(session)), Not(HasSubstr("id_token_hint")));
}

TEST_F(SignInTest, leadsToTheProvidersSignOut) {
  provider_->endpoints = {{"end_session_endpoint", provider_->issuer() + "/logout?x=1"}};
  const auto session = signIn(ada()).login.principal;
  const std::string url = loop_.run(providers_->signOutUrl(session));
  EXPECT_THAT(url, HasSubstr("/logout?x=1&client_id=swarm&"));
  EXPECT_THAT(url, HasSubstr("post_logout_redirect_uri=https%3A%2F%2Fswarm.example.com%2Flogout%2Fdone"));
  EXPECT_THAT(url, HasSubstr("id_token_hint="));
  open([](ProviderConfig& config) { config.signOutAtProvider = false; });
  EXPECT_EQ(loop_.run(providers_->signOutUrl(session)), "");
}

TEST_F(SignInTest, sessionsFollowTheProviderAfterARestartToo) {
  json::object claims = ada();
  claims["sid"] = "s1";
  const auto session = signIn(claims).login.principal;
  providers_.reset();
  auth_ = makeAuth(*store_, clock_, {.audit = audit_.get(), .passwordCost = test::kLowCost});
  loop_.run(auth_->initialise());
  open();
  EXPECT_TRUE(auth_->stillSignedIn(session));
  loop_.run(providers_->endSessions("corp", logoutToken({{"sid", "s1"}}), LoginOrigin{}));
  EXPECT_FALSE(auth_->stillSignedIn(session));
}

}  // namespace
}  // namespace swarm::oidc::testing
