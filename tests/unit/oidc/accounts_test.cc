// The accounts that sign-ins lead to, with their roles and groups.
#include <boost/json/array.hpp>

#include "auth/sharing/groups.h"
#include "fixture.h"

namespace swarm::oidc::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace swarm::oidc::testing
