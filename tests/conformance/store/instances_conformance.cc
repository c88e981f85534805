// The contract of store.h about instances and operations, for every implementation.
#include "conformance/store/store_conformance.h"
#include "model/codec/codec.h"

namespace swarm {
namespace {

using namespace test;
using testing::ElementsAre;

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

}  // namespace
}  // namespace swarm
