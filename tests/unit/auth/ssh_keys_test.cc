// SSH keys: what they prove, until when, and what the store has of them.
#include "auth/accounts/ssh_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/attempt.h"
#include "auth/accounts/accounts.h"
#include "protocol/ssh.h"
#include "store/sqlite/sqlite_store.h"
#include "support/auth/low_cost.h"
#include "support/coroutine_test.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"
#include "unit/auth/ssh_key_line.h"

namespace swarm {
namespace {

/// A store in a folder, and Auth on it, as a server that is started again.
class SshKeysTest : public ::testing::Test {
 protected:
  SshKeysTest() {
    open();
    for (const char* user : {"ann", "bob"}) loop_.run(auth_->putUser(user, Secret(), Role::user));
  }
  void open() {
    auth_.reset();
    store_.reset();
    store_ = openSqliteStore(folder_ / "data");
    auth_ = makeAuth(*store_, clock_, {.passwordCost = test::kLowCost});
    loop_.run(auth_->initialise());
  }
  SshKeys& keys() { return auth_->sshKeys(); }
  SshKey add(const std::string& owner, const std::string& seed) {
    const auto key = *agent::parseSshPublicKey(test::sshKeyLine(seed));
    return loop_.run(keys().add({.name = seed, .owner = owner, .type = key.type, .fingerprint = key.fingerprint, .publicKey = key.line}));
  }
  std::optional<Principal> signIn(const std::string& user, const std::string& fingerprint) {
    return loop_.run(keys().signIn(user, fingerprint, {}));
  }

  test::TempDir folder_;
  ManualClock clock_;
  test::TestLoop loop_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Auth> auth_;
};

TEST_F(SshKeysTest, proveTheirOwnerAndNoOtherUser) {
  const SshKey key = add("ann", "laptop");
  const auto principal = signIn("ann", key.fingerprint);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->user, "ann");
  EXPECT_EQ(principal->role, Role::user);
  EXPECT_FALSE(signIn("bob", key.fingerprint));
  EXPECT_FALSE(signIn("", key.fingerprint));
  EXPECT_FALSE(signIn("ann", "SHA256:other"));
  EXPECT_TRUE(keys().isRegistered(key.fingerprint));
  EXPECT_FALSE(keys().isRegistered("SHA256:other"));
}

/// A user who registers the key of another one neither locks them out, nor signs in as them.
TEST_F(SshKeysTest, ofSeveralOwnersProveTheOneWhoIsNamed) {
  const SshKey bobs = add("bob", "laptop"), anns = add("ann", "laptop");
  const auto ann = signIn("ann", anns.fingerprint), bob = signIn("bob", anns.fingerprint);
  ASSERT_TRUE(ann && bob);
  EXPECT_EQ(ann->user, "ann");
  EXPECT_EQ(ann->sessionId, anns.id);
  EXPECT_EQ(bob->user, "bob");
  loop_.run(keys().remove(bobs.id));
  EXPECT_FALSE(signIn("bob", anns.fingerprint));
  EXPECT_TRUE(signIn("ann", anns.fingerprint));
  EXPECT_TRUE(keys().isRegistered(anns.fingerprint));
  loop_.run(keys().remove(anns.id));
  EXPECT_FALSE(keys().isRegistered(anns.fingerprint));
}

TEST_F(SshKeysTest, endWithTheirRemovalAndTheirOwner) {
  const SshKey key = add("ann", "laptop"), other = add("ann", "desk"), bobs = add("bob", "bob");
  const Principal ann = *signIn("ann", key.fingerprint), bob = *signIn("bob", bobs.fingerprint);
  EXPECT_TRUE(keys().find(ann));
  const auto epoch = auth_->revocationEpoch();
  loop_.run(keys().remove(key.id));
  EXPECT_GT(auth_->revocationEpoch(), epoch);
  EXPECT_FALSE(keys().find(ann));
  EXPECT_FALSE(signIn("ann", key.fingerprint));
  const Principal desk = *signIn("ann", other.fingerprint);
  loop_.run(auth_->accounts().setRole("ann", Role::operator_));
  EXPECT_FALSE(keys().find(desk)) << "it was opened with another role";
  EXPECT_EQ(signIn("ann", other.fingerprint)->role, Role::operator_);
  loop_.run(auth_->accounts().setDisabled("bob", true));
  EXPECT_FALSE(keys().find(bob));
  EXPECT_FALSE(signIn("bob", bobs.fingerprint));
  EXPECT_FALSE(keys().isRegistered(bobs.fingerprint));
  loop_.run(auth_->accounts().setDisabled("bob", false));
  EXPECT_TRUE(signIn("bob", bobs.fingerprint));
  loop_.run(store_->deleteUser("bob", ""));
  auth_->accounts().forget("bob");
  EXPECT_FALSE(keys().isRegistered(bobs.fingerprint));
  EXPECT_THAT(keys().list(), testing::SizeIs(1));
}

/// A thief of the password may have added one.
TEST_F(SshKeysTest, endWhenThePasswordIsReset) {
  const SshKey key = add("ann", "laptop"), bobs = add("bob", "bob");
  const Principal ann = *signIn("ann", key.fingerprint);
  loop_.run(auth_->accounts().resetPassword("ann", Secret("another horse")));
  EXPECT_FALSE(keys().find(ann));
  open();
  ASSERT_THAT(keys().list(), testing::SizeIs(1));
  EXPECT_EQ(keys().list()[0].fingerprint, bobs.fingerprint);
}

/// What removes the keys of a user cannot see the one that is being stored.
TEST_F(SshKeysTest, areNotAddedWhenTheirOwnersKeysEndBeforeTheyAreStored) {
  std::optional<std::expected<SshKey, Error>> result;
  const auto adding = [&]() -> awaitable<void> {
    result = co_await async::attempt(
        keys().add({.name = "late", .owner = "ann", .fingerprint = "SHA256:late", .publicKey = test::sshKeyLine("late")}));
  };
  const auto ending = [&]() -> awaitable<void> {
    EXPECT_FALSE(result);
    keys().forgetOf("ann");
    co_return;
  };
  loop_.spawn(adding());
  loop_.run(ending());
  loop_.runUntil([&] { return result.has_value(); });
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code(), ErrorCode::Conflict);
  EXPECT_TRUE(keys().list().empty());
  EXPECT_FALSE(keys().isRegistered("SHA256:late"));
  open();
  EXPECT_TRUE(keys().list().empty());
}

TEST_F(SshKeysTest, surviveARestartWithTheirLastUse) {
  const SshKey key = add("ann", "laptop");
  EXPECT_FALSE(keys().list().at(0).lastUsedAt);
  clock_.advance(std::chrono::hours(1));
  signIn("ann", key.fingerprint);
  const auto used = keys().list().at(0).lastUsedAt;
  EXPECT_EQ(used, clock_.now());
  loop_.run(keys().maintain());
  open();
  ASSERT_EQ(keys().list().size(), 1U);
  EXPECT_EQ(keys().list()[0].lastUsedAt, used);
  EXPECT_EQ(keys().list()[0].fingerprint, key.fingerprint);
  loop_.run(keys().remove(key.id));
  open();
  EXPECT_TRUE(keys().list().empty());
}

TEST_F(SshKeysTest, areGivenFromTheOneThatWasUsed) {
  add("ann", "first");
  add("bob", "bobs");
  const SshKey used = add("ann", "second");
  const auto all = keys().publicKeysOf(*signIn("ann", used.fingerprint));
  EXPECT_EQ(all, (std::vector<std::string>{test::sshKeyLine("second"), test::sshKeyLine("first")}));
}

}  // namespace
}  // namespace swarm
