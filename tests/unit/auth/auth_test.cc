// Sign-in, sessions, codes and cookies, on the real store.
#include "auth/auth.h"
#include "auth/accounts/accounts.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "auth/session/api_token.h"
#include "auth/session/jwt.h"
#include "base/id.h"
#include "gmock/gmock.h"
#include "store/sqlite/sqlite_store.h"
#include "support/manual_clock.h"

namespace swarm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

template <typename T>
T run(awaitable<T> work) {
  boost::asio::io_context context;
  std::exception_ptr thrown;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
  auto keep = [&](awaitable<T> inner) -> awaitable<void> {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(inner);
    } else {
      result.emplace(co_await std::move(inner));
    }
  };
  boost::asio::co_spawn(context, keep(std::move(work)), [&](std::exception_ptr error) { thrown = error; });
  context.run();
  if (thrown) std::rethrow_exception(thrown);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename T>
Error errorOf(awaitable<T> work) {
  try {
    run(std::move(work));
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::Internal, "nothing was thrown");
}

class AuthTest : public testing::Test {
 protected:
  AuthTest() {
    open();
    run(auth_->putUser("ann", Secret("correct horse"), Role::user));
  }
  ~AuthTest() override {
    auth_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    auth_.reset();
    store_.reset();
    store_ = openSqliteStore(folder_);
    auth_ = makeAuth(*store_, clock_);
    password_ = run(auth_->initialise());
  }
  /// The key that signs, read from the store.
  ApiTokenKey signingKey() { return ApiTokenKey(Secret(*fromHex(run(store_->loadTokenKeys()).back().seed.reveal()))); }
  LoginResult login() { return run(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1"})); }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("swarm-auth-" + toHex(randomBytes(8)));
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
  std::optional<Secret> password_;
};

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
  LoginResult result = login();
  auto user = run(store_->getUser("ann"));
  EXPECT_TRUE(user->passwordHash.starts_with("$argon2id$"));
  EXPECT_THAT(user->passwordHash, HasSubstr("m=65536,t=2,p=1"));
  auto sessions = run(store_->loadSessions());
  const auto session = std::ranges::find(sessions, result.principal.sessionId, &SessionRecord::id);
  ASSERT_TRUE(session != sessions.end());
  EXPECT_EQ(session->user, "ann");
}

TEST_F(AuthTest, verifiesATokenUntilItsSecond) {
  LoginResult result = login();
  auto principal = auth_->verifyApiToken(result.token.reveal());
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user, "ann");
  EXPECT_EQ(principal->role, Role::user);
  EXPECT_EQ(principal->sessionId, result.principal.sessionId);
  clock_.advance(result.principal.expiresAt - clock_.now() - milliseconds(1));
  EXPECT_TRUE(auth_->verifyApiToken(result.token.reveal()));
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(auth_->verifyApiToken(result.token.reveal()));
}

TEST_F(AuthTest, refusesTokensThatAreNotItsOwn) {
  std::string token = login().token.reveal();
  EXPECT_FALSE(auth_->verifyApiToken(""));
  EXPECT_FALSE(auth_->verifyApiToken(token + "x"));
  EXPECT_FALSE(auth_->verifyApiToken(token.substr(0, token.size() / 2)));
  // The same claims, signed with another server's key.
  std::filesystem::path other_folder = folder_.string() + "-other";
  {
    auto other_store = openSqliteStore(other_folder);
    auto other = makeAuth(*other_store, clock_);
    run(other->initialise());
    EXPECT_FALSE(other->verifyApiToken(token));
  }
  std::filesystem::remove_all(other_folder);
}

TEST_F(AuthTest, refusesTokensOfItsOwnKeyWithAnotherMeaning) {
  const LoginResult mine = login();
  const ApiTokenKey key = signingKey();
  const ApiTokenClaims claims = readApiToken(key, mine.token.reveal()).value();
  const auto accepts = [&](auto change) {
    ApiTokenClaims changed = claims;
    change(changed);
    return auth_->verifyApiToken(signApiToken(key, changed)).has_value();
  };
  EXPECT_TRUE(accepts([](ApiTokenClaims&) {}));
  for (const char* audience : {"", "swarm-browser", "swarm-device", "swarm-instance:i-1", "swarm-api "})
    EXPECT_FALSE(accepts([&](ApiTokenClaims& other) { other.audience = audience; })) << audience;
  for (const char* issuer : {"", "localhost", "http://swarm.localhost"})
    EXPECT_FALSE(accepts([&](ApiTokenClaims& other) { other.issuer = issuer; })) << issuer;
  EXPECT_FALSE(accepts([](ApiTokenClaims& other) { other.user = "admin"; })) << "the session is ann's";
  EXPECT_FALSE(accepts([](ApiTokenClaims& other) { other.session = "1.unknown"; }));
  const std::int64_t now = claims.issuedAt;
  EXPECT_FALSE(accepts([&](ApiTokenClaims& other) { other.expiresAt = now; })) << "expired";
  EXPECT_TRUE(accepts([&](ApiTokenClaims& other) { other.expiresAt = now + 1; }));
  EXPECT_FALSE(accepts([&](ApiTokenClaims& other) { other.validFrom = now + 61; })) << "not yet valid";
  EXPECT_TRUE(accepts([&](ApiTokenClaims& other) { other.validFrom = now + 60; })) << "the clock was set back";
  clock_.advance(mine.principal.expiresAt - clock_.now());
  EXPECT_FALSE(accepts([&](ApiTokenClaims& other) { other.expiresAt = now + 1'000'000'000; })) << "its session has expired";
}

TEST_F(AuthTest, acceptsTokensOfVersionsBeforeEd25519UntilTheyExpire) {
  const LoginResult mine = login(), other = login();
  const SystemTime replaced = auth_->tokenKeys().front().createdAt;
  const std::string secret = hmacSha256(*fromHex(*run(store_->getSetting("auth.key"))), "api token");
  const auto former = [&](const LoginResult& result, std::string_view audience = "swarm-api") {
    const auto seconds_of = [](SystemTime time) { return std::chrono::floor<seconds>(time).time_since_epoch().count(); };
    return signJwt(Secret(secret), {{"sub", "ann"},
                                    {"role", "user"},
                                    {"jti", result.principal.sessionId},
                                    {"aud", audience},
                                    {"iat", seconds_of(clock_.now())},
                                    {"exp", seconds_of(result.principal.expiresAt)}});
  };
  const std::string token = former(mine), ended = former(other);
  EXPECT_EQ(auth_->verifyApiToken(token)->user, "ann");
  EXPECT_FALSE(auth_->verifyApiToken(former(mine, "swarm-browser")));
  EXPECT_FALSE(auth_->verifySessionCookie(token));
  run(auth_->logout(other.principal));
  EXPECT_FALSE(auth_->verifyApiToken(ended));
  open();
  EXPECT_TRUE(auth_->verifyApiToken(token));
  clock_.advance(seconds(60) - (clock_.now() - replaced));
  EXPECT_TRUE(auth_->verifyApiToken(former(mine)));
  clock_.advance(seconds(1));
  EXPECT_FALSE(auth_->verifyApiToken(former(mine))) << "signed after the key was replaced";
  EXPECT_TRUE(auth_->verifyApiToken(token));
  clock_.advance(mine.principal.expiresAt - clock_.now());
  EXPECT_FALSE(auth_->verifyApiToken(token));
}

/// A replaced key that was copied signs nothing that is accepted.
TEST_F(AuthTest, acceptsOfAReplacedKeyOnlyWhatItSignedBefore) {
  const LoginResult mine = login();
  const ApiTokenKey key = signingKey();
  ApiTokenClaims claims = readApiToken(key, mine.token.reveal()).value();
  run(auth_->rotateTokenKey());
  const auto accepts = [&] { return auth_->verifyApiToken(signApiToken(key, claims)).has_value(); };
  EXPECT_TRUE(accepts());
  claims.issuedAt += 61;
  EXPECT_FALSE(accepts()) << "issued later";
  claims.issuedAt -= 61;
  clock_.advance(seconds(61));
  claims.session = login().principal.sessionId;
  EXPECT_FALSE(accepts()) << "of a session that began later";
}

TEST_F(AuthTest, extendsASessionUpToItsMaximumLife) {
  const LoginResult first = login();
  clock_.advance(hours(24 * 5));
  const LoginResult second = run(auth_->refresh(first.principal)).value();
  EXPECT_EQ(second.principal.sessionId, first.principal.sessionId);
  EXPECT_EQ(second.principal.expiresAt, first.principal.expiresAt + hours(24 * 5));
  EXPECT_TRUE(auth_->verifyApiToken(first.token.reveal())) << "it has its own expiry";
  open();
  clock_.advance(hours(24 * 2));
  EXPECT_FALSE(auth_->verifyApiToken(first.token.reveal()));
  EXPECT_TRUE(auth_->verifyApiToken(second.token.reveal()));
  LoginResult last = second;
  for (int day = 7; day < 90; ++day) {
    last = run(auth_->refresh(last.principal)).value();
    clock_.advance(hours(24));
  }
  EXPECT_EQ(last.principal.expiresAt, first.principal.expiresAt - kSessionLife + kMaxSessionLife);
  EXPECT_FALSE(auth_->verifyApiToken(last.token.reveal()));
  EXPECT_FALSE(run(auth_->refresh(last.principal)));
}

TEST_F(AuthTest, extendsNoSessionThatHasEndedAndShortensNone) {
  const LoginResult ended = login();
  run(auth_->logout(ended.principal));
  EXPECT_FALSE(run(auth_->refresh(ended.principal)));
  open();
  EXPECT_FALSE(auth_->verifyApiToken(ended.token.reveal()));
  const LoginResult machine = run(auth_->issue("ann", hours(24 * 90)));
  EXPECT_EQ(run(auth_->refresh(machine.principal))->principal.expiresAt, machine.principal.expiresAt);
}

/// A key that was replaced has to outlive the tokens that it signed before its sessions were extended, and no more.
TEST_F(AuthTest, signsRefreshedTokensWithTheCurrentKey) {
  const LoginResult first = login();
  clock_.advance(hours(1));
  run(auth_->rotateTokenKey());
  const LoginResult second = run(auth_->refresh(first.principal)).value();
  EXPECT_TRUE(readApiToken(signingKey(), second.token.reveal()));
  EXPECT_EQ(auth_->tokenKeys().front().expiresAt, first.principal.expiresAt);
}

TEST_F(AuthTest, replacesTheKeyAndEndsNoToken) {
  const LoginResult before = login();
  const std::string first = auth_->tokenKeys().back().id;
  clock_.advance(seconds(1));
  const TokenKeyInfo made = run(auth_->rotateTokenKey());
  EXPECT_NE(made.id, first);
  const LoginResult after = login();
  EXPECT_FALSE(readApiToken(signingKey(), before.token.reveal()));
  EXPECT_TRUE(readApiToken(signingKey(), after.token.reveal()));
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(auth_->verifyApiToken(before.token.reveal()));
    EXPECT_TRUE(auth_->verifyApiToken(after.token.reveal()));
    const std::vector<TokenKeyInfo> keys = auth_->tokenKeys();
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].id, first);
    EXPECT_EQ(keys[0].expiresAt, before.principal.expiresAt);
    EXPECT_EQ(keys[1].id, made.id);
    EXPECT_EQ(keys[1].expiresAt, std::nullopt);
    open();
  }
  clock_.advance(before.principal.expiresAt - clock_.now());
  run(auth_->renewTokenKey());
  EXPECT_EQ(auth_->tokenKeys().size(), 1U);
  EXPECT_EQ(run(store_->loadTokenKeys()).size(), 1U);
}

TEST_F(AuthTest, forgetsAReplacedKeyThatNoTokenNeeds) {
  run(auth_->rotateTokenKey());
  EXPECT_EQ(auth_->tokenKeys().size(), 1U);
  EXPECT_EQ(run(store_->loadTokenKeys()).size(), 1U);
}

TEST_F(AuthTest, replacesTheKeyAtItsAge) {
  const std::string first = auth_->tokenKeys().back().id;
  clock_.advance(hours(24 * 90) - milliseconds(1));
  const LoginResult mine = login();
  run(auth_->renewTokenKey());
  EXPECT_EQ(auth_->tokenKeys().back().id, first);
  clock_.advance(milliseconds(1));
  run(auth_->renewTokenKey());
  EXPECT_NE(auth_->tokenKeys().back().id, first);
  EXPECT_EQ(auth_->tokenKeys().size(), 2U);
  EXPECT_TRUE(auth_->verifyApiToken(mine.token.reveal()));
}

/// The server ended between storing the new key and limiting the life of the former one.
TEST_F(AuthTest, completesAReplacementThatWasInterrupted) {
  const LoginResult mine = login();
  clock_.advance(seconds(1));
  const ApiTokenKey made(Secret(randomBytes(32)));
  run(store_->putTokenKey({made.id(), Secret(toHex(made.seed().reveal())), clock_.now()}));
  open();
  ASSERT_EQ(auth_->tokenKeys().size(), 2U);
  EXPECT_EQ(auth_->tokenKeys().front().expiresAt, mine.principal.expiresAt);
  EXPECT_EQ(auth_->tokenKeys().back().id, made.id());
  EXPECT_TRUE(readApiToken(made, login().token.reveal()));
  EXPECT_TRUE(auth_->verifyApiToken(mine.token.reveal()));
}

TEST_F(AuthTest, startsAndGoesOnSigningWhenTheKeyIsDueAndTheirNumberIsAtItsBound) {
  const LoginResult machine = run(auth_->issue("ann", hours(24 * 100)));
  while (auth_->tokenKeys().size() < 256) run(auth_->rotateTokenKey());
  clock_.advance(hours(24 * 90));
  open();
  EXPECT_NO_THROW(run(auth_->renewTokenKey()));
  EXPECT_EQ(auth_->tokenKeys().size(), 256U);
  EXPECT_TRUE(auth_->verifyApiToken(login().token.reveal()));
  EXPECT_TRUE(auth_->verifyApiToken(machine.token.reveal()));
}

TEST_F(AuthTest, boundsTheNumberOfKeysWithValidTokens) {
  const LoginResult mine = login();
  while (auth_->tokenKeys().size() < 256) run(auth_->rotateTokenKey());
  EXPECT_EQ(errorOf(auth_->rotateTokenKey()).code(), ErrorCode::Conflict);
  EXPECT_TRUE(auth_->verifyApiToken(mine.token.reveal()));
  clock_.advance(mine.principal.expiresAt - clock_.now());
  run(auth_->renewTokenKey());
  EXPECT_NO_THROW(run(auth_->rotateTokenKey()));
}

TEST_F(AuthTest, refusesToStartWithADamagedKey) {
  run(store_->putTokenKey({"damaged", Secret("00ff"), clock_.now()}));
  EXPECT_EQ(errorOf(makeAuth(*store_, clock_)->initialise()).code(), ErrorCode::Unprocessable);
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
  EXPECT_FALSE(auth_->verifySessionCookie(auth_->issueDevice("ann"))) << "a known device is not signed in";
  run(auth_->logout(result.principal));
  EXPECT_FALSE(auth_->verifySessionCookie(cookie));
  EXPECT_FALSE(auth_->stillSignedIn(result.principal));
}

TEST_F(AuthTest, letsAKnownDeviceInWhileOthersGuessFromItsAddress) {
  const std::string device = auth_->issueDevice("ann");
  for (int i = 0; i < 5; ++i) errorOf(auth_->login("ann", Secret("guess"), LoginOrigin{"10.0.0.1"}));
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1"})).code(), ErrorCode::TooManyRequests);
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", device + "x"})).code(),
            ErrorCode::TooManyRequests);
  EXPECT_EQ(errorOf(auth_->login("ann", Secret("correct horse"), LoginOrigin{"10.0.0.1", auth_->issueDevice("ben")})).code(),
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
