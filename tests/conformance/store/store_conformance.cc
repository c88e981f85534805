// The contract of store.h about settings, concurrency and places, for every implementation.
#include <thread>

#include "conformance/store/store_conformance.h"
#include "model/codec/codec.h"
#include "store/sqlite/sqlite_store.h"

namespace swarm {
namespace {

using namespace test;

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(Implementation{"sqlite", [](const auto& path) { return openSqliteStore(path); }}),
                         [](const auto& info) { return info.param.name; });

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
