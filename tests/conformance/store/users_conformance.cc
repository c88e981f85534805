// The contract of store.h about users, their sessions and the keys of tokens, for every implementation.
#include "conformance/store/store_conformance.h"

namespace swarm {
namespace {

using namespace test;
using testing::ElementsAre;

TEST_P(StoreConformance, keepsUsers) {
  run(store().putUser({"bob", "hash", Role::user, parseTime("2026-01-01T00:00:00Z"), 1}));
  run(store().putUser({"ann", "", Role::admin, {}, 1}));
  run(store().putUser({"bob", "hash2", Role::viewer, parseTime("2026-01-01T00:00:00Z"), 2}));
  reopen();
  auto bob = run(store().getUser("bob"));
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->passwordHash, "hash2");
  EXPECT_EQ(bob->role, Role::viewer);
  EXPECT_EQ(bob->tokenGeneration, 2);
  EXPECT_EQ(bob->createdAt, parseTime("2026-01-01T00:00:00Z"));
  EXPECT_FALSE(run(store().getUser("Bob")));
  EXPECT_FALSE(run(store().getUser("")));
  EXPECT_EQ(bob->git, GitIdentity{});
  run(store().setGitIdentity("bob", {"Bob", "bob@example.com"}));
  run(store().putUser({"bob", "hash3", Role::viewer, parseTime("2026-01-01T00:00:00Z"), 3}));
  reopen();
  EXPECT_EQ(run(store().getUser("bob"))->git, (GitIdentity{"Bob", "bob@example.com"})) << "a new password does not change it";
  EXPECT_EQ(errorOf(store().setGitIdentity("Bob", {})).code(), ErrorCode::NotFound);
  auto users = run(store().listUsers());
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].name, "ann");
}

TEST_P(StoreConformance, insertsUsersUnderNamesThatNoOtherUserHasOrHad) {
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "", Role::user, {}, 1}));
  EXPECT_EQ(errorOf(store().insertUser({"bob", "other", Role::admin, {}, 1})).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(run(store().getUser("bob"))->role, Role::user);
  run(store().deleteUser("bob", ""));
  reopen();
  EXPECT_FALSE(run(store().getUser("bob")));
  EXPECT_EQ(errorOf(store().insertUser({"bob", "", Role::user, {}, 1})).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(run(store().loadSuccessors()), (std::map<std::string, std::string>{{"bob", ""}}));
}

TEST_P(StoreConformance, changesOnlyWhatAChangeOfAUserNames) {
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "", Role::user, {}, 1}));
  run(store().setGitIdentity("bob", {"Bob", "bob@example.com"}));
  run(store().changeUser("bob", {.inviteDigest = "d1", .inviteExpires = later}));
  run(store().changeUser("ann", {.disabled = false}));
  run(store().changeUser("bob", {.role = Role::operator_, .endsSessions = true}));
  run(store().putUser({"bob", "", Role::operator_, {}, 2}));
  reopen();
  const UserRecord bob = *run(store().getUser("bob"));
  EXPECT_EQ(bob.role, Role::operator_);
  EXPECT_FALSE(bob.disabled);
  EXPECT_EQ(bob.tokenGeneration, 2);
  EXPECT_EQ(bob.inviteDigest, "d1");
  EXPECT_EQ(bob.inviteExpires, later);
  EXPECT_EQ(bob.git.name, "Bob");
  EXPECT_EQ(errorOf(store().changeUser("bob", {.passwordHash = "new", .ifInvited = "d2"})).code(), ErrorCode::NotFound);
  EXPECT_EQ(run(store().getUser("bob"))->passwordHash, "");
  const UserRecord joined = run(store().changeUser("bob", {.passwordHash = "new", .inviteDigest = "", .ifInvited = "d1"}));
  EXPECT_EQ(joined.passwordHash, "new");
  EXPECT_EQ(errorOf(store().changeUser("bob", {.passwordHash = "again", .ifInvited = "d1"})).code(), ErrorCode::NotFound) << "once";
  EXPECT_EQ(errorOf(store().changeUser("cyd", {.disabled = true})).code(), ErrorCode::NotFound);
}

TEST_P(StoreConformance, startsSessionsOfUsersAsTheyAre) {
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "hash", Role::user, {}, 1}));
  const UserRecord bob = *run(store().getUser("bob"));
  run(store().startSession({.id = "1.a", .user = "bob", .expiresAt = later, .createdAt = later, .signedInAt = later}, bob));
  const auto refused = [&](const UserRecord& user) {
    return errorOf(store().startSession({.id = "1.b", .user = user.name, .expiresAt = later}, user)).code() == ErrorCode::NotFound;
  };
  run(store().changeUser("bob", {.passwordHash = "new"}));
  EXPECT_TRUE(refused(bob)) << "the password was changed after it had been checked";
  const UserRecord second = *run(store().getUser("bob"));
  run(store().changeUser("bob", {.endsSessions = true}));
  EXPECT_TRUE(refused(second));
  EXPECT_TRUE(refused(run(store().changeUser("bob", {.disabled = true}))));
  EXPECT_TRUE(refused({"cyd", "hash", Role::user, {}, 1}));
  const UserRecord ann = *run(store().getUser("ann"));
  const SessionRecord by_link{.id = "1.c", .user = "ann", .expiresAt = later};
  run(store().putSession({.id = "1.d", .user = "ann", .expiresAt = later, .revoked = true}));
  for (const char* maker : {"1.d", "1.absent"})
    EXPECT_EQ(errorOf(store().startSession(by_link, ann, maker)).code(), ErrorCode::NotFound) << maker;
  reopen();
  const auto sessions = run(store().loadSessions());
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions[0].signedInAt, later);
}

TEST_P(StoreConformance, invitesNoUserWhoIsDisabled) {
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "", Role::user, {}, 1}));
  run(store().changeUser("bob", {.inviteDigest = "d1"}));
  EXPECT_EQ(errorOf(store().changeUser("bob", {.disabled = true})).code(), ErrorCode::Conflict);
  run(store().changeUser("bob", {.disabled = true, .inviteDigest = ""}));
  EXPECT_EQ(errorOf(store().changeUser("bob", {.inviteDigest = "d2"})).code(), ErrorCode::Conflict);
  EXPECT_EQ(run(store().getUser("bob"))->inviteDigest, "");
}

TEST_P(StoreConformance, revokesTheOtherSessionsOfAUserWithTheChange) {
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "hash", Role::user, {}, 1}));
  for (const char* id : {"1.a", "1.b"}) run(store().putSession({id, "bob", later, false}));
  run(store().putSession({"1.c", "ann", later, false}));
  run(store().changeUser("bob", {.passwordHash = "new", .onlySession = "1.b"}));
  reopen();
  std::vector<std::string> live;
  for (const SessionRecord& session : run(store().loadSessions()))
    if (!session.revoked) live.push_back(session.id);
  EXPECT_THAT(live, ElementsAre("1.b", "1.c"));
}

TEST_P(StoreConformance, keepsAnAdministratorWhoCanSignIn) {
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"bob", "hash", Role::admin, {}, 1}));
  run(store().insertUser({"cyd", "", Role::admin, {}, 1}));  // without a password
  run(store().changeUser("bob", {.disabled = true}));
  const auto refused = [&](awaitable<UserRecord> work) { return errorOf(std::move(work)).code() == ErrorCode::Conflict; };
  EXPECT_TRUE(refused(store().changeUser("ann", {.disabled = true})));
  EXPECT_TRUE(refused(store().changeUser("ann", {.role = Role::user})));
  EXPECT_EQ(errorOf(store().deleteUser("ann", "bob")).code(), ErrorCode::Conflict);
  reopen();
  EXPECT_EQ(run(store().getUser("ann"))->role, Role::admin);
  EXPECT_FALSE(run(store().getUser("ann"))->disabled);
  run(store().changeUser("ann", {.passwordHash = "other"}));
  run(store().changeUser("bob", {.disabled = false}));
  run(store().changeUser("ann", {.role = Role::user}));
  run(store().deleteUser("ann", ""));
  EXPECT_EQ(run(store().listUsers()).size(), 2u);
}

TEST_P(StoreConformance, deletesAUserOnlyWithTheirObjectsHandedOver) {
  run(store().insertUser({"ann", "hash", Role::admin, {}, 1}));
  for (const char* name : {"bob", "cyd", "dan"}) run(store().insertUser({name, "hash", Role::user, {}, 1}));
  InstanceRecord record = makeRecord("i-1", "web");
  record.instance.owner = "bob";
  OperationRecord operation = makeOperation("op-1", "i-1");
  operation.owner = "bob";
  run(store().insertInstance(record, operation));
  PlaceRecord place;
  place.id = PlaceId("s-1");
  place.instanceId = InstanceId("i-1");
  place.owner = "bob";
  place.role = PlaceRole::snapshot;
  run(store().putPlace(place));
  run(store().putSession({"1.a", "bob", parseTime("2026-12-05T00:00:00Z"), false}));
  EXPECT_EQ(errorOf(store().deleteUser("bob", "")).code(), ErrorCode::Conflict);
  EXPECT_EQ(errorOf(store().deleteUser("bob", "eve")).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().deleteUser("bob", "bob")).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(run(store().loadInstances())[0].instance.owner, "bob") << "a refused deletion changes nothing";
  run(store().deleteUser("bob", "cyd"));
  reopen();
  EXPECT_EQ(run(store().loadInstances())[0].instance.owner, "cyd");
  EXPECT_EQ(run(store().loadPlaces())[0].owner, "cyd");
  EXPECT_EQ(run(store().getOperation("op-1"))->owner, "cyd");
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.owner = "cyd"; }), ElementsAre("op-1"));
  EXPECT_TRUE(run(store().loadSessions()).empty());
  record.instance.id = InstanceId("i-2");
  record.instance.config.name = "late";
  EXPECT_EQ(errorOf(store().insertInstance(record, makeOperation("op-2", "i-2"))).code(), ErrorCode::NotFound)
      << "a create that was in progress";
  run(store().deleteUser("cyd", "dan"));
  EXPECT_EQ(run(store().loadSuccessors()), (std::map<std::string, std::string>{{"bob", "dan"}, {"cyd", "dan"}}));
  EXPECT_EQ(run(store().loadInstances())[0].instance.owner, "dan");
}

TEST_P(StoreConformance, keepsSessionsUntilTheyExpireAndNeverUndoesARevocation) {
  SystemTime now = parseTime("2026-11-23T00:00:00Z");
  run(store().putSession({"s1", "ann", now, false}));
  run(store().putSession({"s2", "ann", now + std::chrono::milliseconds(1), false}));
  run(store().putSession({"s2", "ann", now + std::chrono::milliseconds(1), true}));
  run(store().putSession({"s2", "ann", now + std::chrono::milliseconds(2), false}));
  reopen();
  auto sessions = run(store().loadSessions());
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[1].id, "s2");
  EXPECT_TRUE(sessions[1].revoked);
  run(store().pruneSessions(now));
  sessions = run(store().loadSessions());
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].id, "s2");
}

TEST_P(StoreConformance, extendsSessionsThatAreLive) {
  const SystemTime now = parseTime("2026-11-23T00:00:00Z");
  run(store().putSession({"ended", "ann", now, true}));
  run(store().putSession({"live", "ann", now, false}));
  for (const char* id : {"ended", "live", "pruned"}) run(store().extendSession(id, now + std::chrono::hours(2)));
  run(store().extendSession("live", now + std::chrono::hours(1)));
  reopen();
  const auto sessions = run(store().loadSessions());
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].expiresAt, now);
  EXPECT_TRUE(sessions[0].revoked);
  EXPECT_EQ(sessions[1].expiresAt, now + std::chrono::hours(2));
}

TEST_P(StoreConformance, keepsTokenKeysUntilTheyExpire) {
  const SystemTime now = parseTime("2026-11-23T00:00:00Z");
  const std::string seed(64, 'a');
  run(store().putTokenKey({"newer", Secret(seed), now}));
  run(store().putTokenKey({"older", Secret(seed), now - std::chrono::hours(1)}));
  run(store().putTokenKey({"older", Secret(std::string(64, 'b')), now, now + std::chrono::milliseconds(1)}));
  reopen();
  auto keys = run(store().loadTokenKeys());
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].id, "older");
  EXPECT_EQ(keys[0].seed.reveal(), seed) << "only the expiry can change";
  EXPECT_EQ(keys[0].createdAt, now - std::chrono::hours(1));
  EXPECT_EQ(keys[0].expiresAt, now + std::chrono::milliseconds(1));
  EXPECT_EQ(keys[1].id, "newer");
  EXPECT_EQ(keys[1].expiresAt, std::nullopt);
  run(store().pruneTokenKeys(now));
  EXPECT_EQ(run(store().loadTokenKeys()).size(), 2u);
  run(store().pruneTokenKeys(now + std::chrono::milliseconds(1)));
  keys = run(store().loadTokenKeys());
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].id, "newer");
}

TEST_P(StoreConformance, keepsSshKeysOnceForEachOwnerAndForgetsThoseOfADeletedUser) {
  for (const char* name : {"ann", "bob"}) run(store().insertUser({.name = name, .passwordHash = "", .role = Role::user}));
  const auto keyOf = [](const std::string& id, const std::string& owner, const std::string& fingerprint) {
    return SshKey{.id = id, .name = "laptop", .owner = owner, .fingerprint = fingerprint, .publicKey = "ssh-ed25519 AAAA"};
  };
  run(store().insertSshKey(keyOf("k-1", "ann", "SHA256:1")));
  run(store().insertSshKey(keyOf("k-2", "bob", "SHA256:2")));
  run(store().insertSshKey(keyOf("k-3", "bob", "SHA256:1")));
  for (const char* owner : {"ann", "bob"})
    EXPECT_EQ(errorOf(store().insertSshKey(keyOf("k-5", owner, "SHA256:1"))).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(errorOf(store().insertSshKey(keyOf("k-4", "cyd", "SHA256:4"))).code(), ErrorCode::NotFound);
  const SystemTime used = parseTime("2026-11-23T00:00:00Z");
  run(store().noteSshKeyUses({{"k-2", used}, {"absent", used}}));
  reopen();
  auto keys = run(store().loadSshKeys());
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(toJson(keys[0]), toJson(keyOf("k-1", "ann", "SHA256:1")));
  EXPECT_EQ(keys[1].lastUsedAt, used);
  run(store().deleteUser("ann", ""));
  keys = run(store().loadSshKeys());
  ASSERT_EQ(keys.size(), 2u);
  for (const SshKey& key : keys) EXPECT_EQ(key.owner, "bob");
  for (const char* id : {"k-2", "k-3", "absent"}) run(store().deleteSshKey(id));
  EXPECT_TRUE(run(store().loadSshKeys()).empty());
}

}  // namespace
}  // namespace swarm
