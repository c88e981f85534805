// The contract of store.h, for every implementation.
#include <thread>

#include "conformance/store/fixture.h"
#include "gmock/gmock.h"
#include "model/codec/codec.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path&)> open;
};

class StoreConformance : public testing::TestWithParam<Implementation> {
 protected:
  StoreConformance() { reopen(); }
  void reopen() {
    store_.reset();
    store_ = GetParam().open(folder_.path() / "data");
  }
  Store& store() { return *store_; }
  void insert(const std::string& id, const std::string& name) {
    run(store().insertInstance(makeRecord(id, name), makeOperation("op-" + id, id)));
  }
  template <typename Set>
  std::vector<std::string> operationIds(Set set) {
    OperationFilter filter;
    set(filter);
    std::vector<std::string> ids;
    for (const Operation& operation : run(store().listOperations(filter))) ids.push_back(operation.id);
    return ids;
  }

  TempDir folder_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(Implementation{"sqlite", [](const auto& path) { return openSqliteStore(path); }}),
                         [](const auto& info) { return info.param.name; });

TEST_P(StoreConformance, keepsAnInstanceWholeAcrossRestarts) {
  InstanceRecord record = makeRecord("i-1", "web");
  insert("i-1", "web");
  reopen();
  auto loaded = run(store().loadInstances());
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(toJson(loaded[0].instance), toJson(record.instance));
  EXPECT_EQ(loaded[0].agentSecret.reveal(), record.agentSecret.reveal());
  EXPECT_EQ(loaded[0].agentKey.reveal(), record.agentKey.reveal());
  EXPECT_EQ(loaded[0].external, record.external);
}

TEST_P(StoreConformance, keepsAnOperationWholeAcrossRestarts) {
  OperationRecord operation = makeOperation("op-1", "i-1");
  operation.error = Error(ErrorCode::Unprocessable, "The image was not found.").withUpstream({404, "rq"});
  run(store().insertOperation(operation));
  reopen();
  auto loaded = run(store().getOperation("op-1"));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(toJson<Operation>(*loaded), toJson<Operation>(operation));
  EXPECT_EQ(storedParametersOf(*loaded), storedParametersOf(operation));
  EXPECT_TRUE(loaded->cancelRequested);
}

TEST_P(StoreConformance, insertsInstanceAndOperationTogetherOrNotAtAll) {
  run(store().insertOperation(makeOperation("op-i-1", "i-0")));
  Error error = errorOf(store().insertInstance(makeRecord("i-1", "web"), makeOperation("op-i-1", "i-1")));
  EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
  EXPECT_TRUE(run(store().loadInstances()).empty());
}

TEST_P(StoreConformance, refusesANameThatALiveInstanceHas) {
  insert("i-1", "web");
  Error error = errorOf(store().insertInstance(makeRecord("i-2", "web"), makeOperation("op-2", "i-2")));
  EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(error.message(), "The name \"web\" is taken by another instance.");
  EXPECT_FALSE(run(store().getOperation("op-2")));
}

TEST_P(StoreConformance, letsANameGoWithItsInstance) {
  insert("i-1", "web");
  InstanceRecord record = makeRecord("i-1", "web");
  record.instance.status = InstanceStatus::deleted;
  run(store().updateInstance(record));
  EXPECT_NO_THROW(insert("i-2", "web"));
  run(store().deleteInstanceRow(InstanceId("i-2"), departed("i-2"), std::nullopt));
  EXPECT_NO_THROW(insert("i-3", "web"));
}

TEST_P(StoreConformance, keepsTheNameOfADeletedInstanceForItsOwner) {
  insert("i-1", "web");
  const SystemTime created = makeRecord("i-1", "web").instance.createdAt;
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), NameHold{"web", "ann", created + std::chrono::hours(1)}));
  InstanceRecord other = makeRecord("i-2", "web");
  other.instance.owner = "ben";
  EXPECT_EQ(errorOf(store().insertInstance(other, makeOperation("op-2", "i-2"))).code(), ErrorCode::AlreadyExists);
  ASSERT_EQ(run(store().loadNameHolds()).size(), 1U);
  EXPECT_EQ(run(store().loadNameHolds())[0].owner, "ann");
  EXPECT_EQ(run(store().loadNameHolds())[0].until, created + std::chrono::hours(1));
  InstanceRecord own = makeRecord("i-3", "web");
  own.instance.owner = "ann";
  EXPECT_NO_THROW(run(store().insertInstance(own, makeOperation("op-3", "i-3"))));
  run(store().deleteInstanceRow(InstanceId("i-3"), departed("i-3"), NameHold{"web", "ann", created}));
  EXPECT_NO_THROW(run(store().insertInstance(other, makeOperation("op-2", "i-2")))) << "the hold has expired";
  run(store().pruneNameHolds(created));
  EXPECT_TRUE(run(store().loadNameHolds()).empty());
  run(store().deleteInstanceRow(InstanceId("i-2"), departed("i-2"), NameHold{"web", "ben", created + std::chrono::hours(1)}));
  run(store().dropNameHold("web"));
  run(store().dropNameHold("web"));
  EXPECT_TRUE(run(store().loadNameHolds()).empty());
}

TEST_P(StoreConformance, refusesARenameToATakenName) {
  insert("i-1", "web");
  insert("i-2", "api");
  EXPECT_EQ(errorOf(store().updateInstance(makeRecord("i-2", "web"))).code(), ErrorCode::AlreadyExists);
}

TEST_P(StoreConformance, updatesInstanceAndOperationTogether) {
  insert("i-1", "web");
  InstanceRecord record = makeRecord("i-1", "web");
  record.instance.status = InstanceStatus::running;
  OperationRecord operation = makeOperation("op-i-1", "i-1");
  operation.status = OperationStatus::succeeded;
  run(store().updateInstanceAndOperation(record, operation));
  EXPECT_EQ(run(store().loadInstances())[0].instance.status, InstanceStatus::running);
  EXPECT_EQ(run(store().getOperation("op-i-1"))->status, OperationStatus::succeeded);

  record.instance.status = InstanceStatus::failed;
  EXPECT_EQ(errorOf(store().updateInstanceAndOperation(record, makeOperation("op-none", "i-1"))).code(), ErrorCode::NotFound);
  EXPECT_EQ(run(store().loadInstances())[0].instance.status, InstanceStatus::running) << "half of an update was kept";
}

TEST_P(StoreConformance, refusesToUpdateWhatIsNotThere) {
  EXPECT_EQ(errorOf(store().updateInstance(makeRecord("i-1", "web"))).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().updateOperation(makeOperation("op-1", "i-1"))).code(), ErrorCode::NotFound);
  EXPECT_EQ(errorOf(store().recordExternal(InstanceId("i-1"), {ResourceKind::container, "c"})).code(), ErrorCode::NotFound);
}

TEST_P(StoreConformance, recordsExternalResourcesOnceAndInOrder) {
  insert("i-1", "web");
  run(store().recordExternal(InstanceId("i-1"), {ResourceKind::network, "n1"}));
  run(store().recordExternal(InstanceId("i-1"), {ResourceKind::network, "n1"}));
  run(store().recordExternal(InstanceId("i-1"), {ResourceKind::container, "c1"}));
  EXPECT_THAT(run(store().loadInstances())[0].external,
              ElementsAre(ExternalResource{ResourceKind::volume, "v1"}, ExternalResource{ResourceKind::container, "c1"},
                          ExternalResource{ResourceKind::network, "n1"}));
  run(store().forgetExternal(InstanceId("i-1"), {ResourceKind::volume, "v1"}));
  run(store().forgetExternal(InstanceId("i-1"), {ResourceKind::volume, "never"}));
  EXPECT_THAT(run(store().loadInstances())[0].external,
              ElementsAre(ExternalResource{ResourceKind::container, "c1"}, ExternalResource{ResourceKind::network, "n1"}));
}

/// Of a newer version that was used in between.
TEST_P(StoreConformance, keepsExternalResourcesOfAnUnknownKind) {
  const ExternalResource unknown{OpenEnum<ResourceKind>::ofName("certificate"), "c-1"};
  EXPECT_EQ(unknown.kind.value(), ResourceKind::unknown);
  insert("i-1", "web");
  run(store().recordExternal(InstanceId("i-1"), unknown));
  reopen();
  InstanceRecord record = run(store().loadInstances())[0];
  ASSERT_EQ(record.external.back(), unknown);
  PlaceRecord former = makePlace("i-1", "i-1");
  former.external = record.external;
  run(store().switchPlace(record, former, makeOperation("op-i-1", "i-1")));
  reopen();
  EXPECT_EQ(run(store().loadInstances())[0].external.back().kind.name(), "certificate");
  EXPECT_EQ(run(store().loadPlaces())[0].external.back(), unknown);
  run(store().forgetExternal(InstanceId("i-1"), unknown));
  EXPECT_THAT(run(store().loadInstances())[0].external, testing::Not(testing::Contains(unknown)));
}

TEST_P(StoreConformance, doesNotTouchExternalResourcesInAnUpdate) {
  insert("i-1", "web");
  InstanceRecord stale = makeRecord("i-1", "web");
  stale.external.clear();
  run(store().updateInstance(stale));
  EXPECT_EQ(run(store().loadInstances())[0].external.size(), 2u);
}

TEST_P(StoreConformance, deletesARowAndKeepsItsHistory) {
  insert("i-1", "web");
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  EXPECT_TRUE(run(store().loadInstances()).empty());
  EXPECT_TRUE(run(store().getOperation("op-i-1")));
}

TEST_P(StoreConformance, listsOperationsNewestFirstByEveryFilter) {
  for (int i = 1; i <= 6; ++i) {
    OperationRecord operation = makeOperation("op-" + std::to_string(i), i % 2 ? "i-odd" : "i-even");
    operation.owner = i <= 3 ? "ann" : "bob";
    operation.status = i == 6 ? OperationStatus::pending : OperationStatus::succeeded;
    run(store().insertOperation(operation));
  }
  EXPECT_THAT(operationIds([](OperationFilter&) {}), ElementsAre("op-6", "op-5", "op-4", "op-3", "op-2", "op-1"));
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.limit = 2; }), ElementsAre("op-6", "op-5"));
  EXPECT_THAT(operationIds([](OperationFilter& f) {
                f.limit = 2;
                f.before = "op-5";
              }),
              ElementsAre("op-4", "op-3"));
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.instanceId = InstanceId("i-odd"); }), ElementsAre("op-5", "op-3", "op-1"));
  EXPECT_THAT(operationIds([](OperationFilter& f) {
                f.instanceId = InstanceId("i-odd");
                f.owner = "ann";
              }),
              ElementsAre("op-3", "op-1"));
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.owner = "bob"; }), ElementsAre("op-6", "op-5", "op-4"));
  EXPECT_THAT(operationIds([](OperationFilter& f) {
                f.owner = "bob";
                f.status = OperationStatus::succeeded;
                f.limit = 1;
              }),
              ElementsAre("op-5"));
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.status = OperationStatus::pending; }), ElementsAre("op-6"));
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.owner = ""; }), ElementsAre()) << "an empty owner is not every owner";
  EXPECT_THAT(operationIds([](OperationFilter& f) {
                f.owner = "bob";
                f.shared = {InstanceId("i-odd"), InstanceId("i-other")};
                f.limit = 4;
              }),
              ElementsAre("op-6", "op-5", "op-4", "op-3"));
}

TEST_P(StoreConformance, givesUnfinishedOperationsOldestFirst) {
  OperationStatus statuses[] = {OperationStatus::running, OperationStatus::succeeded, OperationStatus::pending,
                                OperationStatus::failed,  OperationStatus::cancelled, OperationStatus::running};
  int number = 0;
  for (OperationStatus status : statuses) {
    OperationRecord operation = makeOperation("op-" + std::to_string(++number), "i-1");
    operation.status = status;
    run(store().insertOperation(operation));
  }
  std::vector<std::string> ids;
  for (const Operation& operation : run(store().unfinishedOperations())) ids.push_back(operation.id);
  EXPECT_THAT(ids, ElementsAre("op-1", "op-3", "op-6"));
}

TEST_P(StoreConformance, prunesOnlyWhatEndedBefore) {
  SystemTime limit = parseTime("2026-11-23T00:00:00Z");
  for (auto [id, status, ended] :
       {std::tuple("op-1", OperationStatus::succeeded, limit - std::chrono::milliseconds(1)),
        std::tuple("op-2", OperationStatus::succeeded, limit), std::tuple("op-3", OperationStatus::running, SystemTime{}),
        std::tuple("op-4", OperationStatus::failed, limit - std::chrono::hours(1))}) {
    OperationRecord operation = makeOperation(id, "i-1");
    operation.status = status;
    operation.endedAt = ended;
    run(store().insertOperation(operation));
  }
  EXPECT_EQ(run(store().pruneOperations(limit)), 2);
  EXPECT_THAT(operationIds([](OperationFilter&) {}), ElementsAre("op-3", "op-2"));
}

TEST_P(StoreConformance, remembersWhatAnIdempotencyKeyMade) {
  Store::IdempotencyEntry entry{"digest", InstanceId("i-1"), "op-1"};
  EXPECT_FALSE(run(store().findIdempotencyKey("ann", "k")));
  run(store().putIdempotencyKey("ann", "k", entry));
  run(store().putIdempotencyKey("ann", "k", entry));
  auto found = run(store().findIdempotencyKey("ann", "k"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->fingerprint, "digest");
  EXPECT_EQ(found->instanceId, InstanceId("i-1"));
  EXPECT_EQ(found->operationId, "op-1");
  EXPECT_FALSE(run(store().findIdempotencyKey("bob", "k"))) << "keys belong to their user";
  EXPECT_EQ(errorOf(store().putIdempotencyKey("ann", "k", {"other", InstanceId("i-2"), "op-2"})).code(), ErrorCode::AlreadyExists);
  run(store().pruneOperations(RealClock().now() + std::chrono::hours(1)));
  EXPECT_FALSE(run(store().findIdempotencyKey("ann", "k")));
}

TEST_P(StoreConformance, keepsUsers) {
  run(store().putUser({"bob", "hash", "user", parseTime("2026-01-01T00:00:00Z"), 1}));
  run(store().putUser({"ann", "", "admin", {}, 1}));
  run(store().putUser({"bob", "hash2", "viewer", parseTime("2026-01-01T00:00:00Z"), 2}));
  reopen();
  auto bob = run(store().getUser("bob"));
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->passwordHash, "hash2");
  EXPECT_EQ(bob->role, "viewer");
  EXPECT_EQ(bob->tokenGeneration, 2);
  EXPECT_EQ(bob->createdAt, parseTime("2026-01-01T00:00:00Z"));
  EXPECT_FALSE(run(store().getUser("Bob")));
  EXPECT_FALSE(run(store().getUser("")));
  EXPECT_EQ(bob->git, GitIdentity{});
  run(store().setGitIdentity("bob", {"Bob", "bob@example.com"}));
  run(store().putUser({"bob", "hash3", "viewer", parseTime("2026-01-01T00:00:00Z"), 3}));
  reopen();
  EXPECT_EQ(run(store().getUser("bob"))->git, (GitIdentity{"Bob", "bob@example.com"})) << "a new password does not change it";
  EXPECT_EQ(errorOf(store().setGitIdentity("Bob", {})).code(), ErrorCode::NotFound);
  auto users = run(store().listUsers());
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].name, "ann");
}

TEST_P(StoreConformance, insertsUsersUnderNamesThatNoOtherUserHasOrHad) {
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "", "user", {}, 1}));
  EXPECT_EQ(errorOf(store().insertUser({"bob", "other", "admin", {}, 1})).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(run(store().getUser("bob"))->role, "user");
  run(store().deleteUser("bob", ""));
  reopen();
  EXPECT_FALSE(run(store().getUser("bob")));
  EXPECT_EQ(errorOf(store().insertUser({"bob", "", "user", {}, 1})).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(run(store().loadSuccessors()), (std::map<std::string, std::string>{{"bob", ""}}));
}

TEST_P(StoreConformance, changesOnlyWhatAChangeOfAUserNames) {
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "", "user", {}, 1}));
  run(store().setGitIdentity("bob", {"Bob", "bob@example.com"}));
  run(store().changeUser("bob", {.inviteDigest = "d1", .inviteExpires = later}));
  run(store().changeUser("ann", {.disabled = false}));
  run(store().changeUser("bob", {.role = "operator", .endsSessions = true}));
  run(store().putUser({"bob", "", "operator", {}, 2}));
  reopen();
  const UserRecord bob = *run(store().getUser("bob"));
  EXPECT_EQ(bob.role, "operator");
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
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "hash", "user", {}, 1}));
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
  EXPECT_TRUE(refused({"cyd", "hash", "user", {}, 1}));
  reopen();
  const auto sessions = run(store().loadSessions());
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].signedInAt, later);
}

TEST_P(StoreConformance, invitesNoUserWhoIsDisabled) {
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "", "user", {}, 1}));
  run(store().changeUser("bob", {.inviteDigest = "d1"}));
  EXPECT_EQ(errorOf(store().changeUser("bob", {.disabled = true})).code(), ErrorCode::Conflict);
  run(store().changeUser("bob", {.disabled = true, .inviteDigest = ""}));
  EXPECT_EQ(errorOf(store().changeUser("bob", {.inviteDigest = "d2"})).code(), ErrorCode::Conflict);
  EXPECT_EQ(run(store().getUser("bob"))->inviteDigest, "");
}

TEST_P(StoreConformance, revokesTheOtherSessionsOfAUserWithTheChange) {
  const SystemTime later = parseTime("2026-12-05T00:00:00Z");
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "hash", "user", {}, 1}));
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
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  run(store().insertUser({"bob", "hash", "admin", {}, 1}));
  run(store().insertUser({"cyd", "", "admin", {}, 1}));  // without a password
  run(store().changeUser("bob", {.disabled = true}));
  const auto refused = [&](awaitable<UserRecord> work) { return errorOf(std::move(work)).code() == ErrorCode::Conflict; };
  EXPECT_TRUE(refused(store().changeUser("ann", {.disabled = true})));
  EXPECT_TRUE(refused(store().changeUser("ann", {.role = "user"})));
  EXPECT_EQ(errorOf(store().deleteUser("ann", "bob")).code(), ErrorCode::Conflict);
  reopen();
  EXPECT_EQ(run(store().getUser("ann"))->role, "admin");
  EXPECT_FALSE(run(store().getUser("ann"))->disabled);
  run(store().changeUser("ann", {.passwordHash = "other"}));
  run(store().changeUser("bob", {.disabled = false}));
  run(store().changeUser("ann", {.role = "user"}));
  run(store().deleteUser("ann", ""));
  EXPECT_EQ(run(store().listUsers()).size(), 2u);
}

TEST_P(StoreConformance, deletesAUserOnlyWithTheirObjectsHandedOver) {
  run(store().insertUser({"ann", "hash", "admin", {}, 1}));
  for (const char* name : {"bob", "cyd", "dan"}) run(store().insertUser({name, "hash", "user", {}, 1}));
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

ShareRecord shareOf(const std::string& instance, const std::string& user, ShareAccess access = ShareAccess::viewer) {
  return {.instanceId = InstanceId(instance), .grantee = user, .access = access, .grantedBy = "ada"};
}

TEST_P(StoreConformance, keepsSharesUntilTheyEndOrTheInstanceIsDeleted) {
  insert("i-1", "one");
  insert("i-2", "two");
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", "user", SystemTime(), 1}));
  const SystemTime begin{std::chrono::seconds(1'000)}, end{std::chrono::seconds(2'000)};
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), "bob", ShareAccess::editor, "ada", begin, end}))->shares, testing::SizeIs(1));
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), "ann", ShareAccess::viewer, "ada", begin, {}}))->shares, testing::SizeIs(2));
  EXPECT_THAT(run(store().putShare({InstanceId("i-2"), "ann", ShareAccess::viewer, "ada", begin, {}}))->shares, testing::SizeIs(1));
  EXPECT_THAT(run(store().putShare({InstanceId("i-1"), "bob", ShareAccess::viewer, "ann", begin, end}))->shares, testing::SizeIs(2));
  reopen();
  const std::vector<ShareRecord> all = run(store().loadShares()).shares;
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].grantee, "ann");
  EXPECT_FALSE(all[0].expiresAt);
  EXPECT_EQ(all[1].instanceId, InstanceId("i-1"));
  EXPECT_EQ(all[1].grantee, "bob");
  EXPECT_EQ(all[1].access, ShareAccess::viewer) << "replaced";
  EXPECT_EQ(all[1].grantedBy, "ann");
  EXPECT_EQ(all[1].createdAt, begin);
  EXPECT_EQ(all[1].expiresAt, end);
  run(store().pruneShares(end - std::chrono::milliseconds(1)));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(3));
  run(store().pruneShares(end));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(2)) << "one without an end stays";
  EXPECT_THAT(run(store().deleteShare(InstanceId("i-2"), "ann")).shares, testing::SizeIs(0));
  EXPECT_EQ(errorOf(store().deleteShare(InstanceId("i-2"), "ann")).code(), ErrorCode::NotFound);
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(0));
}

TEST_P(StoreConformance, endsTheSharesOfAUserWhoIsDisabledOrDeleted) {
  insert("i-1", "one");
  for (const char* user : {"ann", "bob"}) {
    run(store().putUser({user, "", "user", SystemTime(), 1}));
    run(store().putShare(shareOf("i-1", user)));
  }
  run(store().changeUser("ann", {.disabled = true}));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(1));
  EXPECT_FALSE(run(store().putShare(shareOf("i-1", "ann")))) << "like an unknown user";
  run(store().deleteUser("bob", ""));
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(0));
}

TEST_P(StoreConformance, handsAnInstanceOverWholeAndIgnoresLateWritesOfItsFormerOwner) {
  insert("i-1", "one");
  insert("i-2", "two");
  run(store().putPlace(makePlace("p-1", "i-1")));
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", "user", SystemTime(), 1}));
  run(store().putShare(shareOf("i-1", "ann")));
  run(store().putShare(shareOf("i-1", "bob")));
  const InstanceRecord former = run(store().loadInstances()).front();
  InstanceRecord given = former;
  given.instance.owner = "bob";
  ++given.instance.version;
  run(store().handOverInstance(given));
  run(store().updateInstance(former));
  reopen();
  const auto loaded = run(store().loadInstances());
  EXPECT_EQ(loaded[0].instance.owner, "bob");
  EXPECT_NE(loaded[1].instance.owner, "bob");
  EXPECT_EQ(run(store().loadPlaces()).front().owner, "bob");
  EXPECT_THAT(operationIds([](OperationFilter& f) { f.owner = "bob"; }), ElementsAre("op-i-1"));
  EXPECT_EQ(run(store().getOperation("op-i-1"))->owner, "bob");
  const auto left = run(store().loadShares()).shares;
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].grantee, "ann");
  InstanceRecord absent = makeRecord("i-9", "nine");
  EXPECT_EQ(errorOf(store().handOverInstance(absent)).code(), ErrorCode::NotFound);
}

TEST_P(StoreConformance, numbersTheSharesThatAreReadOneAfterTheOther) {
  insert("i-1", "one");
  for (const char* user : {"ann", "bob"}) run(store().putUser({user, "", "user", SystemTime(), 1}));
  const std::uint64_t first = run(store().putShare(shareOf("i-1", "ann")))->sequence;
  const std::uint64_t second = run(store().putShare(shareOf("i-1", "bob")))->sequence;
  const std::uint64_t third = run(store().deleteShare(InstanceId("i-1"), "bob")).sequence;
  EXPECT_GT(second, first);
  EXPECT_GT(third, second);
  EXPECT_GT(run(store().loadShares()).sequence, third);
}

TEST_P(StoreConformance, sharesWithUsersOfInstancesOnlyAndNotWithoutALimit) {
  insert("i-1", "one");
  EXPECT_FALSE(run(store().putShare(shareOf("i-1", "absent"))));
  run(store().putUser({"ann", "", "user", SystemTime(), 1}));
  EXPECT_EQ(errorOf(store().putShare(shareOf("i-9", "ann"))).code(), ErrorCode::NotFound);
  for (std::size_t i = 0; i < kMaxSharesOfInstance; ++i) {
    const std::string user = "user" + std::to_string(i);
    run(store().putUser({user, "", "user", SystemTime(), 1}));
    EXPECT_TRUE(run(store().putShare(shareOf("i-1", user))));
  }
  EXPECT_EQ(errorOf(store().putShare(shareOf("i-1", "ann"))).code(), ErrorCode::Conflict);
  EXPECT_TRUE(run(store().putShare(shareOf("i-1", "user1", ShareAccess::editor)))) << "replaces one";
  EXPECT_THAT(run(store().loadShares()).shares, testing::SizeIs(kMaxSharesOfInstance));
}

TEST_P(StoreConformance, keepsAccessTokensUntilTheyExpire) {
  const SystemTime now = parseTime("2026-11-23T00:00:00Z");
  const AccessToken first{.id = "t-1",
                          .name = "ci",
                          .owner = "ann",
                          .scopes = {AccessScope::read, AccessScope::write},
                          .namePrefix = "ci-",
                          .maxInstances = 5,
                          .createdAt = now,
                          .expiresAt = now + std::chrono::hours(1)};
  AccessToken second = first;
  second.id = "t-2";
  second.name = "agent";
  second.expiresAt += std::chrono::hours(1);
  run(store().insertAccessToken({second, "digest-2"}));
  run(store().insertAccessToken({first, "digest-1"}));
  run(store().noteAccessTokenUses({{"t-2", now + std::chrono::minutes(1)}, {"absent", now}}));
  reopen();
  auto tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(toJson(tokens[0].token), toJson(first));
  EXPECT_EQ(tokens[0].digest, "digest-1");
  EXPECT_EQ(tokens[1].token.lastUsedAt, now + std::chrono::minutes(1));
  EXPECT_EQ(tokens[1].digest, "digest-2");
  run(store().pruneAccessTokens(first.expiresAt));
  tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].token.id, "t-2");
  for (const char* id : {"t-2", "absent"}) run(store().deleteAccessToken(id));
  reopen();
  EXPECT_TRUE(run(store().loadAccessTokens()).empty());
}

TEST_P(StoreConformance, hasOneAccessTokenOfANameAndForgetsThoseOfADeletedUser) {
  for (const char* name : {"ann", "ci"})
    run(store().insertUser(
        {.name = name, .passwordHash = "", .role = "user", .kind = name == std::string("ci") ? UserKind::service : UserKind::person}));
  const auto tokenOf = [](const std::string& id, const std::string& owner) {
    return AccessTokenRecord{{.id = id, .name = "build", .owner = owner}, "digest-" + id};
  };
  run(store().insertAccessToken(tokenOf("t-1", "ann")));
  run(store().insertAccessToken(tokenOf("t-2", "ci")));
  EXPECT_EQ(errorOf(store().insertAccessToken(tokenOf("t-3", "ann"))).code(), ErrorCode::AlreadyExists);
  reopen();
  EXPECT_EQ(run(store().getUser("ann"))->kind, UserKind::person);
  EXPECT_EQ(run(store().getUser("ci"))->kind, UserKind::service);
  run(store().deleteUser("ci", ""));
  const auto tokens = run(store().loadAccessTokens());
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(tokens[0].token.owner, "ann");
}

TEST_P(StoreConformance, keepsSettingsByteForByte) {
  std::string value("a\0b\xff\n", 5);
  EXPECT_FALSE(run(store().getSetting("key")));
  run(store().putSetting("key", "first"));
  run(store().putSetting("key", value));
  reopen();
  EXPECT_EQ(run(store().getSetting("key")), value);
}

TEST_P(StoreConformance, failsOneOfManySimultaneousWritesAlone) {
  std::vector<awaitable<void>> works;
  for (int i = 0; i < 200; ++i) {
    std::string id = "i-" + std::to_string(i);
    // Every fourth uses the name of the one before it.
    works.push_back(store().insertInstance(makeRecord(id, "n" + std::to_string(i % 4 == 3 ? i - 1 : i)), makeOperation("op-" + id, id)));
  }
  auto errors = runTogether(std::move(works));
  for (int i = 0; i < 200; ++i) {
    auto at = static_cast<std::size_t>(i);
    if (i % 4 == 3) {
      ASSERT_TRUE(errors[at]) << i;
      EXPECT_EQ(errors[at]->code(), ErrorCode::AlreadyExists);
    } else {
      EXPECT_FALSE(errors[at]) << i << ": " << errors[at]->message();
    }
  }
  reopen();
  EXPECT_EQ(run(store().loadInstances()).size(), 150u);
}

TEST_P(StoreConformance, givesReadYourWritesConsistency) {
  auto chain = [](Store& store, int number) -> awaitable<void> {
    std::string name = "s" + std::to_string(number);
    for (int i = 0; i < 10; ++i) {
      co_await store.putSetting(name, std::to_string(i));
      auto value = co_await store.getSetting(name);
      if (value != std::to_string(i)) throw Error(ErrorCode::Internal, "An older value was read.");
    }
  };
  std::vector<awaitable<void>> works;
  for (int i = 0; i < 20; ++i) works.push_back(chain(store(), i));
  for (const auto& error : runTogether(std::move(works))) EXPECT_FALSE(error);
}

TEST_P(StoreConformance, resumesTheCallerOnItsOwnThread) {
  auto work = [](Store& store, std::thread::id& before, std::thread::id& after) -> awaitable<void> {
    before = std::this_thread::get_id();
    co_await store.putSetting("a", "b");
    after = std::this_thread::get_id();
  };
  std::thread::id before, after;
  run(work(store(), before, after));
  EXPECT_TRUE(before == after);
}

TEST_P(StoreConformance, finishesWhatWasQueuedBeforeItCloses) {
  boost::asio::io_context context;
  boost::asio::co_spawn(context, store().putSetting("last", "word"), boost::asio::detached);
  context.poll();  // submitted, without a waiter
  store_.reset();
  context.run();
  reopen();
  EXPECT_EQ(run(store().getSetting("last")), "word");
}

TEST_P(StoreConformance, keepsPlacesWholeAcrossRestartsAndBeyondTheirInstance) {
  insert("i-1", "web");
  PlaceRecord place = makePlace("i-2", "i-1");
  run(store().putPlace(place));
  place.external.push_back({ResourceKind::volume, "v"});
  place.role = PlaceRole::discarded;
  run(store().putPlace(place));
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1"), std::nullopt));
  reopen();
  auto loaded = run(store().loadPlaces());
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(loaded[0].id, place.id);
  EXPECT_EQ(loaded[0].instanceId, InstanceId("i-1"));
  EXPECT_EQ(loaded[0].owner, place.owner);
  EXPECT_EQ(loaded[0].role, PlaceRole::discarded);
  EXPECT_EQ(loaded[0].provider, ProviderType::flyio);
  EXPECT_EQ(loaded[0].region, "ams");
  EXPECT_EQ(toJson(loaded[0].config), toJson(place.config));
  EXPECT_EQ(loaded[0].external, place.external);
  EXPECT_EQ(loaded[0].expiresAt, place.expiresAt);
  EXPECT_EQ(loaded[0].name, "before");
  EXPECT_EQ(loaded[0].files, 7);
  EXPECT_EQ(loaded[0].bytes, 1'000);
  run(store().deletePlace(PlaceId("i-2"), departed("i-2")));
  run(store().deletePlace(PlaceId("i-2"), departed("i-2")));
  EXPECT_TRUE(run(store().loadPlaces()).empty());
}

TEST_P(StoreConformance, remembersDeletedPlacesWithTheirVolumePolicy) {
  insert("i-1", "web");
  run(store().deleteInstanceRow(InstanceId("i-1"), departed("i-1", DeleteVolumes::No), std::nullopt));
  run(store().deletePlace(PlaceId("i-2"), departed("i-2", DeleteVolumes::Yes)));
  run(store().deletePlace(PlaceId("i-2"), departed("i-2", DeleteVolumes::Yes)));
  reopen();
  auto loaded = run(store().loadDepartures());
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded[0].placeId, PlaceId("i-1"));
  EXPECT_EQ(loaded[0].volumes, DeleteVolumes::No);
  EXPECT_EQ(loaded[1].placeId, PlaceId("i-2"));
  EXPECT_EQ(loaded[1].owner, "ada");
  EXPECT_EQ(loaded[1].provider, ProviderType::flyio);
  EXPECT_EQ(loaded[1].volumes, DeleteVolumes::Yes);
  EXPECT_EQ(loaded[1].since, departed("i-2").since);
  run(store().pruneOperations(departed("i-2").since + std::chrono::milliseconds(1)));
  EXPECT_TRUE(run(store().loadDepartures()).empty());
}

TEST_P(StoreConformance, switchesAnInstanceToItsNewPlaceInOneStep) {
  insert("i-1", "web");
  run(store().putPlace(makePlace("i-2", "i-1")));
  InstanceRecord record = run(store().loadInstances())[0];
  PlaceRecord former = makePlace("i-1", "i-1");
  former.role = PlaceRole::kept;
  former.external = record.external;
  record.placeId = PlaceId("i-2");
  record.external = {{ResourceKind::machine, "m"}, {ResourceKind::app, "a"}};
  record.instance.provider = ProviderType::flyio;
  OperationRecord operation = makeOperation("op-i-1", "i-1");
  std::get<MigrateParameters>(operation.parameters).phase = SwitchPhase::switched;
  run(store().switchPlace(record, former, operation));
  reopen();
  auto loaded = run(store().loadInstances());
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(loaded[0].placeId, PlaceId("i-2"));
  EXPECT_EQ(loaded[0].instance.provider, ProviderType::flyio);
  EXPECT_EQ(loaded[0].external, record.external);
  auto places = run(store().loadPlaces());
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].id, PlaceId("i-1"));
  EXPECT_EQ(places[0].role, PlaceRole::kept);
  EXPECT_EQ(places[0].external, former.external);
  EXPECT_EQ(std::get<MigrateParameters>(run(store().getOperation("op-i-1"))->parameters).phase, SwitchPhase::switched);
}

TEST_P(StoreConformance, switchesNothingWhenThereIsNoSuchOperation) {
  insert("i-1", "web");
  run(store().putPlace(makePlace("i-2", "i-1")));
  InstanceRecord record = run(store().loadInstances())[0];
  record.placeId = PlaceId("i-2");
  EXPECT_EQ(errorOf(store().switchPlace(record, makePlace("i-1", "i-1"), makeOperation("op-none", "i-1"))).code(), ErrorCode::NotFound);
  EXPECT_EQ(run(store().loadInstances())[0].placeId, PlaceId());
  EXPECT_EQ(run(store().loadPlaces())[0].id, PlaceId("i-2"));
}

}  // namespace
}  // namespace swarm
