// Sign-in, sessions, codes and cookies, on the real store.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "async/attempt.h"
#include "unit/auth/fixture.h"

namespace swarm {
namespace {

using namespace test;

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Principal principalOf(std::string user) {
  Principal principal;
  principal.user = std::move(user);
  return principal;
}

TEST_F(AuthTest, makesAnAdminWithARandomPasswordAtTheFirstStartOnly) {
  ASSERT_TRUE(password_);
  EXPECT_EQ(password_->reveal().size(), 23u);
  Secret first = *password_;
  EXPECT_EQ(run(auth_->login("admin", first, LoginOrigin{"::1"})).principal.role, Role::admin);
  open();
  EXPECT_FALSE(password_);
  EXPECT_NO_THROW(run(auth_->login("admin", first, LoginOrigin{"::1"})));
}

TEST_F(AuthTest, storesNoPasswordAndNoTokenInTheClear) {
  open(AuthOptions{});
  run(auth_->putUser("ann", Secret("correct horse"), Role::user));
  LoginResult result = login();
  auto user = run(store_->getUser("ann"));
  EXPECT_TRUE(user->passwordHash.starts_with("$argon2id$"));
  EXPECT_THAT(user->passwordHash, HasSubstr("m=65536,t=2,p=1"));
  auto sessions = run(store_->loadSessions());
  const auto session = std::ranges::find(sessions, result.principal.sessionId, &SessionRecord::id);
  ASSERT_TRUE(session != sessions.end());
  EXPECT_EQ(session->user, "ann");
}

TEST_F(AuthTest, respondsTheSameToAWrongNameAndAWrongPassword) {
  Error name = errorOf(auth_->login("unknown", Secret("correct horse"), LoginOrigin{"10.0.0.1"}));
  Error password = errorOf(auth_->login("ann", Secret("wrong"), LoginOrigin{"10.0.0.1"}));
  Error nameless = errorOf(auth_->login("", Secret("correct horse"), LoginOrigin{"10.0.0.1"}));
  Error empty = errorOf(auth_->login("ann", Secret(), LoginOrigin{"10.0.0.1"}));
  for (const Error& error : {name, nameless, password, empty}) {
    EXPECT_EQ(error.code(), ErrorCode::Unauthenticated);
    EXPECT_EQ(error.message(), name.message());
  }
}

/// With hashes that cannot be computed, a sign-in fails in another way exactly if it computes one.
TEST_F(AuthTest, computesAHashAlsoWhereThereIsNoneToCompareWith) {
  run(auth_->putUser("robot", Secret(), Role::user));
  open({.passwordCost = {.passes = 1, .kibibytes = std::size_t{1} << 40}});
  for (const char* name : {"unknown", "", "no name", "robot"})
    EXPECT_EQ(errorOf(auth_->login(name, Secret("correct horse"), LoginOrigin{"10.0.0.1"})).code(), ErrorCode::OutOfResources) << name;
}

TEST_F(AuthTest, refusesAPasswordForAUserWithoutOne) {
  run(auth_->putUser("robot", Secret(), Role::user));
  EXPECT_EQ(errorOf(auth_->login("robot", Secret(), LoginOrigin{"a"})).code(), ErrorCode::Unauthenticated);
  EXPECT_TRUE(auth_->verifyApiToken(run(auth_->issue("robot", hours(1))).token.reveal()));
}

TEST_F(AuthTest, slowsDownGuessingAndSaysHowLong) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(errorOf(auth_->login("ann", Secret("guess"), LoginOrigin{"10.0.0.9"})).code(), ErrorCode::Unauthenticated);
  Error error = errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.9"}));
  EXPECT_EQ(error.code(), ErrorCode::TooManyRequests);
  EXPECT_THAT(error.message(), HasSubstr("try again in 1 second."));
  clock_.advance(seconds(1));
  EXPECT_NO_THROW(login());
}

TEST_F(AuthTest, signsOutEverythingOfTheSessionAndNothingElse) {
  LoginResult mine = login(), other = login();
  std::string cookie = auth_->issueInstanceCookie(mine.principal, "i-1");
  std::string other_cookie = auth_->issueInstanceCookie(other.principal, "i-1");
  std::string code = auth_->issueCode(mine.principal, "i-1", "browser");
  ASSERT_TRUE(auth_->verifyInstanceCookie(cookie, "i-1"));
  auto epoch = auth_->revocationEpoch();
  int notified = 0;
  auth_->onRevoked([&] { ++notified; });
  run(auth_->logout(mine.principal));
  EXPECT_GT(auth_->revocationEpoch(), epoch);
  EXPECT_EQ(notified, 1);
  EXPECT_FALSE(auth_->verifyApiToken(mine.token.reveal()));
  EXPECT_FALSE(auth_->verifyInstanceCookie(cookie, "i-1"));
  EXPECT_FALSE(auth_->takeCode(code, "i-1", "browser"));
  EXPECT_TRUE(auth_->verifyApiToken(other.token.reveal()));
  EXPECT_TRUE(auth_->verifyInstanceCookie(other_cookie, "i-1"));
}

TEST_F(AuthTest, remembersSessionsAndSignOutsAcrossARestart) {
  LoginResult kept = login(), gone = login();
  run(auth_->logout(gone.principal));
  std::string cookie = auth_->issueInstanceCookie(kept.principal, "i-1");
  open();
  EXPECT_TRUE(auth_->verifyApiToken(kept.token.reveal()));
  EXPECT_TRUE(auth_->verifyInstanceCookie(cookie, "i-1"));
  EXPECT_FALSE(auth_->verifyApiToken(gone.token.reveal()));
}

TEST_F(AuthTest, voidsAllSessionsOfAUserWhosePasswordChanges) {
  LoginResult before = login();
  run(auth_->putUser("ann", Secret("another horse"), Role::viewer));
  EXPECT_FALSE(auth_->verifyApiToken(before.token.reveal()));
  open();
  EXPECT_FALSE(auth_->verifyApiToken(before.token.reveal()));
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"a"})).code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(run(auth_->login("ann", Secret("another horse"), LoginOrigin{"a"})).principal.role, Role::viewer);
}

TEST_F(AuthTest, bindsAnInstanceCookieToItsInstanceAndItsUse) {
  LoginResult result = login();
  std::string cookie = auth_->issueInstanceCookie(result.principal, "i-1");
  EXPECT_EQ(auth_->verifyInstanceCookie(cookie, "i-1")->user, "ann");
  EXPECT_FALSE(auth_->verifyInstanceCookie(cookie, "i-2"));
  EXPECT_FALSE(auth_->verifyApiToken(cookie)) << "a workspace must not reach the API with its cookie";
  EXPECT_FALSE(auth_->verifyInstanceCookie(result.token.reveal(), "i-1"));
  EXPECT_EQ(auth_->verifyAnyInstanceCookie(cookie)->user, "ann");
  EXPECT_FALSE(auth_->verifyAnyInstanceCookie(auth_->issueSessionCookie(result.principal)));
  EXPECT_FALSE(auth_->verifyAnyInstanceCookie(result.token.reveal()));
  clock_.advance(result.principal.expiresAt - clock_.now());
  EXPECT_FALSE(auth_->verifyInstanceCookie(cookie, "i-1")) << "it ends with its session";
  EXPECT_FALSE(auth_->verifyAnyInstanceCookie(cookie));
}

TEST_F(AuthTest, acceptsNoCookieAsATokenAndNoTokenAsACookie) {
  LoginResult result = login();
  const std::string cookie = auth_->issueSessionCookie(result.principal);
  EXPECT_EQ(auth_->verifySessionCookie(cookie)->user, "ann");
  EXPECT_FALSE(auth_->verifyApiToken(cookie)) << "a program on another port that receives the cookie must not reach the API";
  EXPECT_FALSE(auth_->verifySessionCookie(result.token.reveal()));
  EXPECT_FALSE(auth_->verifySessionCookie(auth_->issueInstanceCookie(result.principal, "i-1")));
  EXPECT_FALSE(auth_->verifyInstanceCookie(cookie, "i-1"));
  EXPECT_FALSE(auth_->verifySessionCookie(auth_->issueDevice(principalOf("ann"), ""))) << "a known device is not signed in";
  run(auth_->logout(result.principal));
  EXPECT_FALSE(auth_->verifySessionCookie(cookie));
  EXPECT_FALSE(auth_->stillSignedIn(result.principal));
}

TEST_F(AuthTest, letsAKnownDeviceInWhileOthersGuessFromItsAddress) {
  const std::string device = auth_->issueDevice(principalOf("ann"), "");
  for (int i = 0; i < 5; ++i) errorOf(auth_->login("ann", Secret("guess"), LoginOrigin{"10.0.0.1"}));
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1"})).code(), ErrorCode::TooManyRequests);
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", device + "x"})).code(),
            ErrorCode::TooManyRequests);
  EXPECT_EQ(
      errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", auth_->issueDevice(principalOf("ben"), "")})).code(),
      ErrorCode::TooManyRequests);
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("wrong"), LoginOrigin{"10.0.0.1", device})).code(), ErrorCode::Unauthenticated);
  EXPECT_EQ(run(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", device})).principal.user, "ann");
}

TEST_F(AuthTest, signsInByALinkOnceWithinItsTimeAndItsMakersSession) {
  LoginResult maker = login();
  std::string link = auth_->issueLoginLink(maker.principal);
  EXPECT_EQ(auth_->userOfLoginLink(link), "ann");
  auto taken = run(auth_->takeLoginLink(link));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->principal.user, "ann");
  EXPECT_NE(taken->principal.sessionId, maker.principal.sessionId);
  EXPECT_FALSE(run(auth_->takeLoginLink(link))) << "a second use";
  EXPECT_FALSE(auth_->userOfLoginLink(link));

  link = auth_->issueLoginLink(maker.principal);
  clock_.advance(kLoginLinkLife);
  EXPECT_FALSE(auth_->userOfLoginLink(link));
  EXPECT_FALSE(run(auth_->takeLoginLink(link)));

  link = auth_->issueLoginLink(maker.principal);
  EXPECT_FALSE(auth_->takeCode(link, "login", "")) << "it opens no instance";
  run(auth_->logout(maker.principal));
  EXPECT_FALSE(run(auth_->takeLoginLink(link)));
}

TEST_F(AuthTest, endsSessionsThatLinksStartedWhenTheirMakerSignsOutEverywhere) {
  const LoginResult maker = login();
  const LoginResult first = run(auth_->takeLoginLink(auth_->issueLoginLink(maker.principal))).value();
  const LoginResult second = run(auth_->takeLoginLink(auth_->issueLoginLink(first.principal))).value();
  const std::string open_link = auth_->issueLoginLink(second.principal);
  run(auth_->accounts().endSessions("ann"));
  for (int life = 0; life < 2; ++life) {
    for (const LoginResult& one : {maker, first, second}) EXPECT_FALSE(auth_->verifyApiToken(one.token.reveal()));
    EXPECT_FALSE(run(auth_->takeLoginLink(open_link)));
    open();
  }
}

/// A link that is opened at the moment of the sign-out.
TEST_F(AuthTest, startsNoSessionByALinkWhileItsMakerSignsOutEverywhere) {
  const std::string link = auth_->issueLoginLink(login().principal);
  boost::asio::io_context context;
  std::optional<LoginResult> taken;
  boost::asio::co_spawn(context, auth_->accounts().endSessions("ann"), boost::asio::detached);
  boost::asio::co_spawn(context, auth_->takeLoginLink(link),
                        [&](std::exception_ptr, std::optional<LoginResult> result) { taken = result; });
  context.run();
  EXPECT_FALSE(taken);
  EXPECT_TRUE(auth_->listSessions("ann").empty());
}

TEST_F(AuthTest, endsAChainOfLinksNinetyDaysAfterItsSignIn) {
  const LoginResult first = login();
  LoginResult last = first;
  for (int day = 6; day < 90; day += 6) {
    clock_.advance(hours(24 * 6));
    if (day == 48) open();
    last = run(auth_->takeLoginLink(auth_->issueLoginLink(last.principal))).value();
  }
  EXPECT_EQ(last.principal.expiresAt, first.principal.expiresAt - kSessionLife + kMaxSessionLife);
  EXPECT_EQ(run(auth_->refresh(last.principal))->principal.expiresAt, last.principal.expiresAt);
}

TEST_F(AuthTest, endsTheOldestOfAUsersSessionsWhenThereAreVeryMany) {
  const LoginResult machine = run(auth_->issue("ann", hours(1)));
  const LoginResult first = login();
  const LoginResult other = run(auth_->login("admin", *password_, LoginOrigin{"::1"}));
  auto signInByLink = [&] {
    clock_.advance(milliseconds(1));
    return run(auth_->takeLoginLink(auth_->issueLoginLink(machine.principal)));
  };
  while (run(store_->loadSessions()).size() < 502) ASSERT_TRUE(signInByLink());
  EXPECT_TRUE(auth_->stillSignedIn(first.principal));
  const auto last = signInByLink();
  EXPECT_FALSE(auth_->stillSignedIn(first.principal));
  EXPECT_EQ(run(store_->loadSessions()).size(), 502U);
  for (const Principal& kept : {machine.principal, other.principal, last->principal}) EXPECT_TRUE(auth_->stillSignedIn(kept));
}

TEST_F(AuthTest, issuesMarksThatOnlyThisServerCanMake) {
  EXPECT_EQ(auth_->markOf("i-1"), auth_->markOf("i-1"));
  EXPECT_NE(auth_->markOf("i-1"), auth_->markOf("i-2"));
  const auto mark = auth_->markOf("i-1");
  open();
  EXPECT_EQ(auth_->markOf("i-1"), mark) << "also after a restart";
}

TEST_F(AuthTest, takesACodeOnceForItsInstanceWithinAMinute) {
  Principal ann = login().principal;
  std::string code = auth_->issueCode(ann, "i-1", "browser");
  EXPECT_EQ(auth_->takeCode(code, "i-1", "browser")->user, "ann");
  EXPECT_FALSE(auth_->takeCode(code, "i-1", "browser")) << "a second use";

  code = auth_->issueCode(ann, "i-1", "browser");
  EXPECT_FALSE(auth_->takeCode(code, "i-2", "browser")) << "another instance";
  EXPECT_FALSE(auth_->takeCode(code, "i-1", "browser")) << "its use at another host ended it";

  code = auth_->issueCode(ann, "i-1", "browser");
  clock_.advance(milliseconds(59'999));
  EXPECT_TRUE(auth_->takeCode(code, "i-1", "browser"));
  code = auth_->issueCode(ann, "i-1", "browser");
  clock_.advance(seconds(60));
  EXPECT_FALSE(auth_->takeCode(code, "i-1", "browser"));
  code = auth_->issueCode(ann, "i-1", "browser");
  EXPECT_FALSE(auth_->takeCode(code, "i-1", "another browser"));
  EXPECT_FALSE(auth_->takeCode("", "i-1", "browser"));
  EXPECT_FALSE(auth_->takeCode("never-issued", "i-1", "browser"));
}

TEST_F(AuthTest, aFloodOfOneUsersCodesEndsNoOtherUsersCode) {
  run(auth_->putUser("ben", Secret("correct horse"), Role::user));
  Principal ann = login().principal;
  Principal ben = run(auth_->login("ben", Secret("correct horse"), LoginOrigin{"10.0.0.2"})).principal;
  const std::string code = auth_->issueCode(ann, "i-1", "browser"), link = auth_->issueLoginLink(ann);
  const std::string first = auth_->issueCode(ben, "i-1", "browser");
  std::string last;
  for (int i = 0; i < 20'000; ++i) {
    last = auth_->issueCode(ben, "i-1", "browser");
    auth_->issueLoginLink(ben);
  }
  EXPECT_FALSE(auth_->takeCode(first, "i-1", "browser")) << "the flood's own codes are bounded";
  EXPECT_TRUE(auth_->takeCode(last, "i-1", "browser"));
  EXPECT_TRUE(auth_->takeCode(code, "i-1", "browser"));
  EXPECT_TRUE(run(auth_->takeLoginLink(link)));
}

TEST_F(AuthTest, issuesLongLivedTokensToUsersThatExist) {
  LoginResult result = run(auth_->issue("ann", hours(24 * 365)));
  clock_.advance(hours(24 * 364));
  EXPECT_TRUE(auth_->verifyApiToken(result.token.reveal()));
  EXPECT_EQ(errorOf(auth_->issue("unknown", hours(1))).code(), ErrorCode::NotFound);
}

TEST_F(AuthTest, refusesBadUserNamesAndShortPasswords) {
  for (const char* name : {"", "Ann", "a b", "-a", ".a", "a/b", "ann\n", "a=b", "\xc3\xa4"})
    EXPECT_EQ(errorOf(auth_->putUser(name, Secret("long enough"), Role::user)).code(), ErrorCode::InvalidArgument) << name;
  EXPECT_EQ(errorOf(auth_->putUser("bob", Secret("1234567"), Role::user)).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(errorOf(auth_->putUser("bob", Secret(std::string(1025, 'x')), Role::user)).code(), ErrorCode::InvalidArgument);
  EXPECT_FALSE(run(store_->getUser("bob")));
}

TEST_F(AuthTest, keepsInvitationsAndDisabledUsersOverARestart) {
  run(auth_->accounts().create("ben", Role::user, Secret()));
  const Invitation invitation = run(auth_->accounts().invite("ben"));
  const LoginResult ann = login();
  run(auth_->accounts().setDisabled("ann", true));
  open();
  EXPECT_EQ(auth_->accounts().invited(invitation.code.reveal()), "ben");
  EXPECT_FALSE(auth_->accounts().invited("other"));
  EXPECT_FALSE(auth_->verifyApiToken(ann.token.reveal()));
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1"})).code(), ErrorCode::Unauthenticated);
  ASSERT_TRUE(run(auth_->accounts().acceptInvitation(invitation.code.reveal(), Secret("battery staple"), {"::1"})));
  open();
  EXPECT_FALSE(auth_->accounts().invited(invitation.code.reveal()));
  run(auth_->accounts().setDisabled("ann", false));
  EXPECT_FALSE(auth_->verifyApiToken(ann.token.reveal())) << "the sessions from before do not come back";
  EXPECT_EQ(login().principal.user, "ann");
}

/// A hash of a password takes 64 MiB and much time.
TEST_F(AuthTest, limitsTheConcurrentUsesOfAnInvitation) {
  open(AuthOptions{});
  run(auth_->accounts().create("ben", Role::user, Secret()));
  const std::string code = run(auth_->accounts().invite("ben")).code.reveal();
  int accepted = 0, refused = 0;
  boost::asio::io_context context;
  const auto accept = [&]() -> awaitable<void> {
    try {
      if (co_await auth_->accounts().acceptInvitation(code, Secret("battery staple"), {"10.0.0.1"})) ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::TooManyRequests);
      ++refused;
    }
  };
  for (int i = 0; i < 8; ++i) boost::asio::co_spawn(context, accept(), boost::asio::detached);
  context.run();
  EXPECT_EQ(accepted, 1);
  EXPECT_GE(refused, 1);
}

TEST_F(AuthTest, endsSessionsOnceARoleChanges) {
  const LoginResult ann = login();
  std::uint64_t epoch = auth_->revocationEpoch();
  run(auth_->accounts().setRole("ann", Role::auditor));
  EXPECT_GT(auth_->revocationEpoch(), epoch);
  EXPECT_FALSE(auth_->stillSignedIn(ann.principal));
  EXPECT_EQ(login().principal.role, Role::auditor);
}

TEST_F(AuthTest, recoversTheAdministrator) {
  run(auth_->accounts().setRole("ann", Role::admin));
  run(auth_->accounts().setDisabled("admin", true));
  const Accounts::Recovered recovered = run(auth_->accounts().recoverAdmin());
  EXPECT_EQ(recovered.name, "admin");
  EXPECT_EQ(run(auth_->login("admin", recovered.password, LoginOrigin{"::1"})).principal.role, Role::admin);
  run(store_->deleteUser("admin", ""));
  auth_->accounts().forget("admin");
  EXPECT_EQ(run(auth_->accounts().recoverAdmin()).name, "ann");
}

}  // namespace
}  // namespace swarm
