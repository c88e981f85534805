// Access tokens: the form of their secrets, and what the store has of them.
#include "auth/session/access_tokens.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "fuzz/access_token/checks.h"
#include "store/sqlite/sqlite_store.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"
#include "unit/auth/fixture.h"

namespace swarm {
namespace {

TEST(AccessTokenSecret, hasAPrefixRandomDigitsAndAChecksum) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string secret = makeAccessTokenSecret().reveal();
    EXPECT_EQ(secret.size(), 58u);
    EXPECT_TRUE(secret.starts_with("swarm_pat_"));
    EXPECT_TRUE(isAccessTokenSecret(secret));
    EXPECT_TRUE(seen.insert(secret).second);
  }
}

TEST(AccessTokenSecret, isRecognisedOnlyWithItsChecksum) {
  const std::string secret = makeAccessTokenSecret().reveal();
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string changed = secret;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(isAccessTokenSecret(changed)) << i;
    EXPECT_FALSE(isAccessTokenSecret(secret.substr(0, i)));
  }
  for (const std::string& other : {std::string(), secret + "0", " " + secret, std::string(100'000, 'a')})
    EXPECT_FALSE(isAccessTokenSecret(other));
}

TEST(AccessTokenSecret, keepsItsInvariantsForTheFuzzCorpus) {
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(SWARM_FUZZ_SECRET_CORPUS)) {
    std::ifstream in(file.path(), std::ios::binary);
    fuzzAccessToken(std::string{std::istreambuf_iterator<char>(in), {}});
    ++inputs;
  }
  EXPECT_GE(inputs, 5);
}

/// A store in a folder, and Auth on it, as a server that is started again.
class AccessTokensTest : public ::testing::Test {
 protected:
  AccessTokensTest() {
    open();
    loop_.run(auth_->putUser("ann", Secret(), Role::user));
  }
  void open() {
    auth_.reset();
    store_.reset();
    store_ = openSqliteStore(folder_ / "data");
    auth_ = makeAuth(*store_, clock_, {.passwordCost = test::kLowCost});
    loop_.run(auth_->initialise());
  }
  Secret create(const std::string& name) {
    Principal ann;
    ann.user = "ann";
    return loop_.run(auth_->accessTokens().create(ann, {.name = name, .owner = "ann"}, std::chrono::hours(24))).secret;
  }
  std::optional<SystemTime> lastUse() { return auth_->accessTokens().list().at(0).lastUsedAt; }

  test::TempDir folder_;
  test::TestLoop loop_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
};

TEST_F(AccessTokensTest, areStoredAsDigests) {
  const std::string secret = create("ci").reveal();
  open();
  const auto principal = auth_->verifyApiToken(secret);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user, "ann");
  int files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ / "data")) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find(secret.substr(10, 40)), std::string::npos) << file.path();
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST_F(AccessTokensTest, writeTheirLastUseNotForEachRequest) {
  const std::string secret = create("ci").reveal();
  EXPECT_FALSE(lastUse());
  ASSERT_TRUE(auth_->verifyApiToken(secret));
  EXPECT_EQ(lastUse(), clock_.now());
  EXPECT_FALSE(loop_.run(store_->loadAccessTokens()).at(0).token.lastUsedAt) << "not yet written";
  const SystemTime used = clock_.now();
  loop_.run(auth_->accessTokens().maintain());
  open();
  EXPECT_EQ(lastUse(), used);
}

TEST_F(AccessTokensTest, areForgottenWhenTheyExpireOrAreRevoked) {
  const std::string first = create("first").reveal(), second = create("second").reveal();
  const std::uint64_t before = auth_->revocationEpoch();
  loop_.run(auth_->accessTokens().revoke(auth_->verifyApiToken(first)->sessionId));
  EXPECT_GT(auth_->revocationEpoch(), before) << "open streams check their token";
  EXPECT_FALSE(auth_->verifyApiToken(first));
  open();
  EXPECT_FALSE(auth_->verifyApiToken(first));
  EXPECT_TRUE(auth_->verifyApiToken(second));
  clock_.advance(std::chrono::hours(24));
  EXPECT_FALSE(auth_->verifyApiToken(second));
  loop_.run(auth_->accessTokens().maintain());
  EXPECT_TRUE(loop_.run(store_->loadAccessTokens()).empty());
}

TEST_F(AccessTokensTest, endWhatTheyOpenedWhenTheRoleOfTheirOwnerChanges) {
  const auto principal = auth_->verifyApiToken(create("ci").reveal());
  ASSERT_TRUE(principal && auth_->stillSignedIn(*principal));
  loop_.run(auth_->putUser("ann", Secret(), Role::auditor));
  EXPECT_FALSE(auth_->stillSignedIn(*principal));
}

TEST_F(AccessTokensTest, haveAMaximumPerUser) {
  for (int i = 0; i < 100; ++i) create("t" + std::to_string(i));
  EXPECT_THROW(create("one-more"), Error);
}

}  // namespace
}  // namespace swarm
