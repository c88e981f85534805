// Sign-ins: the requests to the provider, and which responses and tokens are refused.
#include "async/attempt.h"
#include "base/id.h"
#include "base/text/format.h"
#include "fixture.h"
#include "support/net/test_certificates.h"

namespace swarm::oidc::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(SignInTest, requestsACodeWithPkceAndTakesItOnce) {
  const Departure departure = leave();
  EXPECT_EQ(departure.query.at("response_type"), "code");
  EXPECT_EQ(departure.query.at("client_id"), "swarm");
  EXPECT_EQ(departure.query.at("scope"), "openid email");
  EXPECT_EQ(departure.query.at("code_challenge_method"), "S256");
  EXPECT_EQ(departure.query.at("redirect_uri"), "https://swarm.example.com/login/oidc/corp/callback");
  const auto finished = signIn(ada());
  EXPECT_EQ(finished.login.principal.user, "ada");
  EXPECT_EQ(finished.login.principal.role, Role::user);
  EXPECT_EQ(finished.next, "/somewhere");
  const auto& request = provider_->last("/token");
  EXPECT_EQ(request.authorization, "Basic " + toBase64("swarm:client%3Asecret"));
  EXPECT_THAT(request.body, HasSubstr("code=c0de"));
  EXPECT_THAT(request.body, HasSubstr("code_verifier="));
  EXPECT_THAT(request.body, Not(HasSubstr("client_secret")));
}

TEST_F(SignInTest, verifierIsTheOneOfTheChallenge) {
  const Departure departure = leave();
  refusalOf([&] { comeBack(departure); });
  const std::string& body = provider_->last("/token").body;
  const auto at = body.find("code_verifier=") + 14;
  EXPECT_EQ(toBase64Url(sha256(body.substr(at, body.find('&', at) - at))), departure.query.at("code_challenge"));
}

TEST_F(SignInTest, isBoundToTheBrowserThatBeganItAndWorksOnce) {
  const Departure mine = leave(), other = leave();
  const auto finish = [&](std::string state, std::string cookie) {
    return refusalOf(
        [&] { loop_.run(providers_->finish("corp", {.code = "c", .state = state}, cookie, LoginOrigin{.address = "10.0.0.1"})); });
  };
  EXPECT_EQ(finish(mine.query.at("state"), other.cookie).code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(finish(mine.query.at("state"), "").code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(finish("", mine.cookie).code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(finish(mine.query.at("state"), mine.cookie + "x").code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(provider_->requestsTo("/token"), 0);
  // Used up by the first attempt, also by a failed one.
  refusalOf([&] { comeBack(mine); });
  EXPECT_EQ(provider_->requestsTo("/token"), 1);
  EXPECT_THAT(refusalOf([&] { comeBack(mine); }).message(), HasSubstr("finished before"));
  EXPECT_EQ(provider_->requestsTo("/token"), 1);
  clock_.advance(kSignInLife);
  EXPECT_THAT(refusalOf([&] { comeBack(other); }).message(), HasSubstr("expired"));
}

TEST_F(SignInTest, ofAnotherProvidersCookieIsRefused) {
  const Departure departure = leave();
  open([](ProviderConfig& config) { config.name = "other"; });
  // The key of cookies is new, too; an old one is refused the same way.
  EXPECT_EQ(refusalOf([&] {
              loop_.run(providers_->finish("other", {.code = "c", .state = departure.query.at("state")}, departure.cookie, LoginOrigin{}));
            }).code(),
            ErrorCode::Unauthenticated);
  EXPECT_EQ(refusalOf([&] { loop_.run(providers_->begin("corp", "/", LoginOrigin{})); }).code(), ErrorCode::NotFound);
}

TEST_F(SignInTest, withAnErrorOrAnotherIssuerInTheResponseIsRefused) {
  const auto finish = [&](IdentityProviders::Response response) {
    const Departure departure = leave();
    response.state = departure.query.at("state");
    return refusalOf([&] { loop_.run(providers_->finish("corp", response, departure.cookie, LoginOrigin{.address = "10.0.0.1"})); });
  };
  EXPECT_EQ(finish({.error = "access_denied\x1b[0m"}).code(), ErrorCode::PermissionDenied);
  EXPECT_THAT(finish({.error = "access_denied\x1b[0m"}).message(), HasSubstr("access_denied␛"));
  EXPECT_THAT(finish({.code = "c", .issuer = "https://evil.example.org"}).message(), HasSubstr("another identity provider"));
  EXPECT_THAT(finish({}).message(), HasSubstr("neither"));
  EXPECT_EQ(provider_->requestsTo("/token"), 0);
}

TEST_F(SignInTest, withATokenOfAnotherKeyOrAudienceIsRefused) {
  const TestKey attacker("one", "EdDSA");
  provider_->token = [&] { return attacker.sign(provider_->claims); };
  EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("signature"));
  provider_->token = {};
  EXPECT_THAT(refusalOf([&] { signIn({{"aud", "other"}}); }).message(), HasSubstr("audience"));
  EXPECT_THAT(refusalOf([&] { signIn({{"nonce", "replayed"}}); }).message(), HasSubstr("another sign-in"));
  EXPECT_THAT(loop_.run(store_->listUsers()), SizeIs(1));
  EXPECT_THAT(recorded("signIn"), Not(IsEmpty()));
}

TEST_F(SignInTest, readsNewKeysOnceWhenTheTokenNamesAnUnknownOne) {
  signIn(ada());
  EXPECT_EQ(provider_->requestsTo("/keys"), 1);
  clock_.advance(ProviderClient::kKeyRefetch);
  provider_->key = TestKey("two", "ES256");
  signIn(ada());
  EXPECT_EQ(provider_->requestsTo("/keys"), 2);
  const TestKey unknown("three", "EdDSA");
  provider_->token = [&] { return unknown.sign(provider_->claims); };
  for (int i = 0; i < 5; ++i) EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("unknown key"));
  EXPECT_EQ(provider_->requestsTo("/keys"), 2);
  clock_.advance(ProviderClient::kKeyRefetch);
  for (int i = 0; i < 5; ++i) refusalOf([&] { signIn(ada()); });
  EXPECT_EQ(provider_->requestsTo("/keys"), 3);
}

TEST_F(SignInTest, requestsADocumentThatFailedAgainOnlyAfterSomeSeconds) {
  const std::string description = "/.well-known/openid-configuration";
  provider_->replies[description] = {.status = 500};
  for (int i = 0; i < 5; ++i) EXPECT_THAT(refusalOf([&] { leave(); }).message(), HasSubstr("status 500"));
  EXPECT_EQ(provider_->requestsTo(description), 1);
  clock_.advance(ProviderClient::kFailureLife);
  provider_->replies.erase(description);
  provider_->replies["/keys"] = {.status = 503};
  for (int i = 0; i < 5; ++i) EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("status 503"));
  EXPECT_EQ(provider_->requestsTo(description), 2);
  EXPECT_EQ(provider_->requestsTo("/keys"), 1);
  clock_.advance(ProviderClient::kFailureLife);
  provider_->replies.clear();
  signIn(ada());
  EXPECT_EQ(provider_->requestsTo("/keys"), 2);
}

TEST_F(SignInTest, followsNoRedirectAndReadsNoLargeDocument) {
  provider_->replies["/.well-known/openid-configuration"] = {.status = 302, .headers = {{"Location", provider_->issuer() + "/other"}}};
  EXPECT_THAT(refusalOf([&] { leave(); }).message(), HasSubstr("redirect"));
  EXPECT_EQ(provider_->requestsTo("/other"), 0);
  clock_.advance(ProviderClient::kFailureLife);
  provider_->replies["/.well-known/openid-configuration"] = {.body = std::string(300 * 1024, ' ')};
  EXPECT_NE(refusalOf([&] { leave(); }).code(), ErrorCode::Internal);
  clock_.advance(ProviderClient::kFailureLife);
  provider_->replies.clear();
  provider_->replies["/token"] = {.status = 307, .headers = {{"Location", provider_->issuer() + "/other"}}};
  EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("redirect"));
  provider_->replies["/token"] = {.status = 400, .body = R"({"error":"invalid_grant"})"};
  EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("status 400"));
  provider_->replies["/token"] = {.body = "{}"};
  EXPECT_THAT(refusalOf([&] { signIn(ada()); }).message(), HasSubstr("no identity token"));
}

TEST_F(SignInTest, sendsRequestsOnlyToAProviderWithATrustedCertificateOfItsName) {
  test::TestAuthority authority;
  const auto faultWith = [&](const std::string& name, const std::filesystem::path& ca) {
    const test::CertificateFiles files = authority.issue(name);
    providers_.reset();
    provider_ = std::make_unique<ScriptedProvider>(loop_, net::makeTlsServer(files.certificate, files.key));
    open([&](ProviderConfig& config) { config.caFile = ca; });
    return refusalOf([&] { signIn(ada()); }).message();
  };
  EXPECT_THAT(faultWith("127.0.0.1", {}), HasSubstr("certificate")) << "an unknown authority";
  EXPECT_THAT(faultWith("id.example.com", authority.ca()), HasSubstr("certificate")) << "another name";
  EXPECT_THAT(loop_.run(store_->listUsers()), SizeIs(1));
  EXPECT_EQ(faultWith("127.0.0.1", authority.ca()), "nothing was thrown");
  EXPECT_THAT(loop_.run(store_->listUsers()), SizeIs(2));
}

TEST_F(SignInTest, afterManyFailuresFromAnAddressIsDelayed) {
  const Departure departure = leave();
  ErrorCode last{};
  for (int i = 0; i < 400 && last != ErrorCode::TooManyRequests; ++i) last = refusalOf([&] { comeBack({{{"state", "x"}}, ""}); }).code();
  EXPECT_EQ(last, ErrorCode::TooManyRequests);
}

TEST_F(SignInTest, isBegunOnlySoOftenFromAnAddress) {
  const auto begin = [&](const std::string& address) {
    return refusalOf([&] { loop_.run(providers_->begin("corp", "/", LoginOrigin{.address = address})); }).code();
  };
  ErrorCode last{};
  for (int i = 0; i < 400 && last != ErrorCode::TooManyRequests; ++i) last = begin("10.0.0.9");
  EXPECT_EQ(last, ErrorCode::TooManyRequests);
  EXPECT_EQ(begin("10.0.0.10"), ErrorCode::Internal) << "nothing is thrown";
}

TEST_F(SignInTest, afterManyFailuresRequestsNothingForTheAddress) {
  signIn(ada());
  for (int i = 0; i < 400; ++i) refusalOf([&] { comeBack({{{"state", "x"}}, ""}); });
  const int requests = provider_->requestsTo("/token");
  const Departure departure = leave("10.0.0.77");
  EXPECT_EQ(refusalOf([&] { comeBack(departure); }).code(), ErrorCode::TooManyRequests);
  EXPECT_EQ(provider_->requestsTo("/token"), requests);
  EXPECT_EQ(refusalOf([&] { loop_.run(providers_->endSessions("corp", "x", LoginOrigin{.address = "10.0.0.1"})); }).code(),
            ErrorCode::TooManyRequests);
}

TEST_F(SignInTest, oneClientAndOneProviderTakeOnlyTheirPartOfTheRequests) {
  provider_->silent = "/.well-known/openid-configuration";
  int refused = 0, begun = 0;
  const auto begin = [&](std::string address) -> awaitable<void> {
    ++begun;
    const auto done = co_await async::attempt(providers_->begin("corp", "/", LoginOrigin{.address = address}));
    if (!done && done.error().code() == ErrorCode::TooManyRequests) ++refused;
  };
  const auto beginMany = [&](int count, const std::string& address) {
    refused = begun = 0;
    for (int i = 0; i < count; ++i) loop_.spawn(begin(address));
    loop_.runUntil([&] { return begun == count; });
    return refused;
  };
  EXPECT_EQ(beginMany(RequestSlots::kOfAddress + 3, "10.0.0.1"), 3);
  EXPECT_EQ(beginMany(1, "10.0.0.2"), 0) << "another client";
  for (int i = 3; i < 3 + RequestSlots::kOfWork / RequestSlots::kOfAddress; ++i)
    beginMany(RequestSlots::kOfAddress, format("10.0.0.{}", i));
  EXPECT_EQ(beginMany(1, "10.0.0.99"), 1) << "the provider does not respond, and has no slot left";
  // A sign-out has slots of its own: the token is read.
  EXPECT_NE(refusalOf([&] { loop_.run(providers_->endSessions("corp", "x.y.z", LoginOrigin{.address = "10.0.0.98"})); }).code(),
            ErrorCode::TooManyRequests);
  provider_->release();
}

}  // namespace
}  // namespace swarm::oidc::testing
