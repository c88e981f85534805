// Sign-ins, the accounts that they lead to, and sign-outs.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "async/attempt.h"
#include "auth/sharing/groups.h"
#include "base/id.h"
#include "base/text/format.h"
#include "fixture.h"
#include "support/net/test_certificates.h"

namespace swarm::oidc::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

json::object ada() { return {{"preferred_username", "ada"}, {"email", "ada@example.com"}, {"email_verified", true}}; }

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

// --- Accounts ---

TEST_F(SignInTest, findsTheAccountByIssuerAndSubjectAlone) {
  EXPECT_EQ(signIn(ada()).login.principal.user, "ada");
  json::object renamed = ada();
  renamed["preferred_username"] = "root";
  renamed["email"] = "other@example.com";
  EXPECT_EQ(signIn(renamed).login.principal.user, "ada");
  json::object other = ada();
  other["sub"] = "u2";
  EXPECT_EQ(signIn(other).login.principal.user, "ada-2");
}

TEST_F(SignInTest, neverTakesOverALocalUser) {
  json::object claims = ada();
  claims["preferred_username"] = "admin";
  EXPECT_EQ(signIn(claims).login.principal.user, "admin-2");
  loop_.run(auth_->accounts().create("gone", Role::user, Secret()));
  loop_.run(store_->deleteUser("gone", ""));
  claims["sub"] = "u2";
  claims["preferred_username"] = "gone";
  EXPECT_EQ(signIn(claims).login.principal.user, "gone-2");
}

TEST_F(SignInTest, linksByVerifiedAddressOnlyWhereConfigured) {
  loop_.run(auth_->accounts().create("lovelace", Role::user, Secret()));
  open([](ProviderConfig& config) { config.links = {{"ada@example.com", "lovelace"}}; });
  json::object claims = ada();
  claims["email_verified"] = false;
  EXPECT_EQ(signIn(claims).login.principal.user, "ada");
  claims["sub"] = "u2";
  claims["email_verified"] = true;
  EXPECT_EQ(signIn(claims).login.principal.user, "lovelace");
}

TEST_F(SignInTest, linksNoSecondPersonOfAnIssuerToAnAccount) {
  loop_.run(auth_->accounts().create("lovelace", Role::user, Secret()));
  open([](ProviderConfig& config) { config.links = {{"ada@example.com", "lovelace"}}; });
  EXPECT_EQ(signIn(ada()).login.principal.user, "lovelace");
  json::object second = ada();  // for example of another person who was given the address
  second["sub"] = "u2";
  const Error refusal = refusalOf([&] { signIn(second); });
  EXPECT_EQ(refusal.code(), ErrorCode::PermissionDenied);
  EXPECT_THAT(refusal.message(), HasSubstr("another person"));
  EXPECT_THAT(loop_.run(providers_->identitiesOf("lovelace")), SizeIs(1));
  EXPECT_EQ(signIn(ada()).login.principal.user, "lovelace");
}

TEST_F(SignInTest, recordsWhichProviderMadeOrLinkedAnAccount) {
  loop_.run(auth_->accounts().create("lovelace", Role::user, Secret()));
  signIn({{"sub", "u2"}, {"preferred_username", "lovelace"}});
  EXPECT_THAT(recorded("createUser"), ElementsAre(AllOf(HasSubstr("done lovelace-2"), HasSubstr(R"("provider":"corp")"))));
  open([](ProviderConfig& config) { config.links = {{"ada@example.com", "lovelace"}}; });
  signIn(ada());
  EXPECT_THAT(recorded("linkIdentity"), ElementsAre(AllOf(HasSubstr("done lovelace "), HasSubstr(R"("provider":"corp")"))));
  signIn(ada());
  EXPECT_THAT(recorded("linkIdentity"), SizeIs(1));
}

TEST_F(SignInTest, withoutAnAccountIsRefusedUnlessAccountsAreCreated) {
  open([](ProviderConfig& config) { config.createUsers = false; });
  EXPECT_EQ(refusalOf([&] { signIn(ada()); }).code(), ErrorCode::PermissionDenied);
  EXPECT_THAT(loop_.run(store_->listUsers()), SizeIs(1));
}

TEST_F(SignInTest, ofADisabledUserOrAServiceIsRefused) {
  signIn(ada());
  loop_.run(auth_->accounts().setDisabled("ada", true));
  EXPECT_EQ(refusalOf([&] { signIn(ada()); }).code(), ErrorCode::PermissionDenied);
  loop_.run(auth_->accounts().create("bot", Role::user, Secret(), UserKind::service));
  open([](ProviderConfig& config) { config.links = {{"bot@example.com", "bot"}}; });
  EXPECT_EQ(refusalOf([&] { signIn({{"sub", "b"}, {"email", "bot@example.com"}, {"email_verified", true}}); }).code(),
            ErrorCode::PermissionDenied);
}

TEST_F(SignInTest, isRefusedOutsideOfAllowedDomains) {
  open([](ProviderConfig& config) { config.allowedDomains = {"example.com"}; });
  EXPECT_EQ(signIn(ada()).login.principal.user, "ada");
  EXPECT_EQ(refusalOf([&] { signIn({{"sub", "u2"}, {"email", "eve@example.org"}, {"email_verified", true}}); }).code(),
            ErrorCode::PermissionDenied);
  EXPECT_THAT(recorded("signIn"), ElementsAre(HasSubstr("refused corp"), HasSubstr("done ada")));
}

void manage(ProviderConfig& config) { config.roles = {{"ops", Role::operator_}, {"boss", Role::admin}}; }

TEST_F(SignInTest, appliesTheRoleOfTheClaimsAtEachSignInAndEndsFormerSessions) {
  open(manage);
  json::object claims = ada();
  claims["groups"] = json::array{"ops"};
  const auto first = signIn(claims).login.principal;
  EXPECT_EQ(first.role, Role::operator_);
  EXPECT_EQ(providers_->managerOf("ada"), "corp");
  claims["groups"] = json::array{};
  EXPECT_EQ(signIn(claims).login.principal.role, Role::user);
  EXPECT_FALSE(auth_->stillSignedIn(first));
  EXPECT_THAT(recorded("changeRole"), ElementsAre(HasSubstr(R"("role":"user")")));
  open(manage);
  EXPECT_EQ(providers_->managerOf("ada"), "corp");
  open();
  EXPECT_EQ(providers_->managerOf("ada"), "");
}

TEST_F(SignInTest, withoutTheClaimKeepsTheRoleAndRecordsIt) {
  open(manage);
  json::object claims = ada();
  claims["groups"] = json::array{"boss"};
  signIn(claims);
  EXPECT_EQ(signIn(ada()).login.principal.role, Role::admin);
  EXPECT_EQ(signIn(ada()).login.principal.role, Role::admin);
  EXPECT_THAT(recorded("mapClaims"), ElementsAre(HasSubstr("the role stays"))) << "once, not at each sign-in";
  const auto identities = loop_.run(providers_->identitiesOf("ada"));
  ASSERT_THAT(identities, SizeIs(1));
  EXPECT_THAT(identities[0].notes, ElementsAre(HasSubstr("the role stays")));
  EXPECT_EQ(identities[0].role, "");
}

TEST_F(SignInTest, setsTheGroupsOfTheClaimsAtEachSignIn) {
  Principal admin;
  admin.user = "admin";
  loop_.run(auth_->groups().create("local", admin));
  json::object claims = ada();
  claims["groups"] = json::array{"devs", "local", "Not/A/Name"};
  signIn(claims);
  EXPECT_EQ(auth_->groups().find("devs")->managedBy, "corp");
  EXPECT_TRUE(auth_->groups().isMember("devs", "ada"));
  EXPECT_FALSE(auth_->groups().isMember("local", "ada")) << "a provider does not add members to a group of this server";
  const auto identity = loop_.run(providers_->identitiesOf("ada")).at(0);
  EXPECT_THAT(identity.groups, ElementsAre("devs"));
  EXPECT_THAT(identity.notes, ElementsAre(HasSubstr("local is not managed by this provider")));
  signIn(ada());
  EXPECT_TRUE(auth_->groups().isMember("devs", "ada")) << "a missing claim changes nothing";
  claims["groups"] = json::array{"ops"};
  signIn(claims);
  signIn(claims);
  EXPECT_FALSE(auth_->groups().isMember("devs", "ada"));
  EXPECT_TRUE(auth_->groups().isMember("ops", "ada"));
  EXPECT_THAT(recorded("changeGroups"), ElementsAre(HasSubstr(R"(["ops"])"), HasSubstr(R"(["devs"])")));
}

TEST_F(SignInTest, doesNotTakeTheLastAdministratorsRole) {
  open([](ProviderConfig& config) {
    manage(config);
    config.links = {{"ada@example.com", "admin"}};
  });
  json::object claims = ada();
  claims["groups"] = json::array{};
  EXPECT_EQ(signIn(claims).login.principal.role, Role::admin);
  EXPECT_THAT(loop_.run(providers_->identitiesOf("admin")).at(0).notes, ::testing::Contains(HasSubstr("last administrator")));
}

TEST_F(SignInTest, keepsTheClaimsForAdministratorsWithoutTokens) {
  json::object claims = ada();
  claims["name"] = "Ada\x1b[31m";
  claims["groups"] = json::array{"staff"};
  signIn(claims);
  const auto identities = loop_.run(providers_->identitiesOf("ada"));
  ASSERT_THAT(identities, SizeIs(1));
  EXPECT_EQ(identities[0].claims.at("name"), "Ada␛[31m");
  EXPECT_EQ(identities[0].email, "ada@example.com");
  EXPECT_THAT(identities[0].groups, ElementsAre("staff"));
  EXPECT_FALSE(identities[0].claims.contains("nonce"));
  loop_.run(store_->deleteUser("ada", ""));
  EXPECT_THAT(loop_.run(providers_->identitiesOf("ada")), IsEmpty());
}

TEST_F(SignInTest, leavesTheLocalAdministratorAlone) {
  provider_->replies["/.well-known/openid-configuration"] = {.status = 500};
  refusalOf([&] { leave(); });
  loop_.run(auth_->putUser("admin", Secret("correct horse"), Role::admin));
  EXPECT_EQ(loop_.run(auth_->login("admin", Secret("correct horse"), LoginOrigin{.address = "10.0.0.1"})).principal.role, Role::admin);
}

// --- Sign-out ---

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
  auth_ = makeAuth(*store_, clock_, {.audit = audit_.get()});
  loop_.run(auth_->initialise());
  open();
  EXPECT_TRUE(auth_->stillSignedIn(session));
  loop_.run(providers_->endSessions("corp", logoutToken({{"sid", "s1"}}), LoginOrigin{}));
  EXPECT_FALSE(auth_->stillSignedIn(session));
}

}  // namespace
}  // namespace swarm::oidc::testing
