// API tokens: what is verified, how long, and by which key.
#include "auth/session/jwt.h"
#include "unit/auth/fixture.h"

namespace swarm {
namespace {

using namespace test;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

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
    auto other = makeAuth(*other_store, clock_, {.passwordCost = kLowCost});
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
  const std::string secret = hmacSha256(*fromHex(run(store_->getSecret("auth.key"))->reveal()), "api token");
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

}  // namespace
}  // namespace swarm
