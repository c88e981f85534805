// Limits where an instance has several places: moves, snapshots and restores.
#include "unit/controller/moves/fixture.h"

namespace swarm::test {
namespace {

/// "web" has 2 cores, 4096 MiB and 10 GiB.
class LimitsOfPlaces : public MigrationTest {
 protected:
  SwarmResourceUsage usage() { return run(swarm().getSwarmStatus()).resourceUsage; }
  LimitsConfig::OfProvider& atFake() { return options_.limits.providers[ProviderType::fake]; }
  template <typename T>
  std::string refusalOf(awaitable<T> work) {
    try {
      run(std::move(work));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Conflict) << error.message();
      return error.message();
    }
    return {};
  }
  /// When everything was removed that is not needed any more.
  void expectOnlyTheInstance() {
    waitUntilOnlyTheCurrentPlaceIsLeft();
    EXPECT_EQ(usage().cpu.used, 2);
    EXPECT_EQ(usage().memory.used, 4096);
    EXPECT_EQ(usage().storage.used, 10);
  }
};

TEST_F(LimitsOfPlaces, aMoveNeedsRoomAtItsTarget) {
  atFake().regions["fra"].memory = 4095;
  atFake().regions["iad"].memory = 4096;
  boot();
  const PlaceId source = makeWorkspace();
  EXPECT_NE(refusalOf(swarm().migrateInstance("web", to("fra"), "ann")).find("The limit of fake (fra) is 4095 MiB of memory: 0 MiB in use"),
            std::string::npos);
  EXPECT_EQ(placeOf("web"), source);
  ASSERT_EQ(move(to("iad")).status, OperationStatus::succeeded);
  expectOnlyTheInstance();
}

TEST_F(LimitsOfPlaces, twoMovesDoNotTakeTheSameRoom) {
  atFake().regions["fra"].instances = 1;
  boot();
  makeWorkspace();
  create("other");
  auto first = run(swarm().migrateInstance("web", to("fra"), "ann"));
  EXPECT_NE(refusalOf(swarm().migrateInstance("other", to("fra"), "ann")), "") << "while the first one has not arrived";
  ASSERT_EQ(finish(first).status, OperationStatus::succeeded);
  EXPECT_NE(refusalOf(swarm().migrateInstance("other", to("fra"), "ann")), "");
}

TEST_F(LimitsOfPlaces, aUserAtTheirQuotaMovesAnInstance) {
  options_.limits.user = {.instances = 1, .cpu = 2, .memory = 4096, .storage = 10};
  boot();
  makeWorkspace();
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  MigrateRequest larger = to("iad");
  larger.resources = get("web").config.resources;
  larger.resources->memory.max = 4097;
  EXPECT_NE(refusalOf(swarm().migrateInstance("web", larger, "ann")).find("4096 MiB in use, 1 MiB more requested"), std::string::npos);
  expectOnlyTheInstance();
}

TEST_F(LimitsOfPlaces, aStoppedInstanceNeedsCpuAndMemoryWhileItMoves) {
  options_.limits.user.memory = 4096;
  boot();
  makeWorkspace();
  finish(run(swarm().stopInstance("web", "ann")));
  create("other");
  EXPECT_NE(refusalOf(swarm().migrateInstance("web", to("fra"), "ann")), "") << "it is started, so that its files can be read";
  finish(run(swarm().stopInstance("other", "ann")));
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  EXPECT_EQ(usage().memory.used, 0);
}

/// From the switch on, the former place does not hold what was reserved for the copy.
TEST_F(LimitsOfPlaces, aMoveHoldsAfterItsSwitchOnlyWhatItStillNeeds) {
  boot();
  makeWorkspace();
  finish(run(swarm().stopInstance("web", "ann")));
  auto gate = world_.faults.block("stopInstance");  // its last step: the instance was stopped before
  const auto started = run(swarm().migrateInstance("web", to("fra"), "ann"));
  run(gate->reached());
  EXPECT_EQ(get("web").region, "fra");
  EXPECT_EQ(usage().memory.used, 4096);
  EXPECT_EQ(usage().cpu.used, 2);
  gate->open();
  ASSERT_EQ(finish(started).status, OperationStatus::succeeded);
  EXPECT_EQ(usage().memory.used, 0);
}

TEST_F(LimitsOfPlaces, aKeptSourceCountsWhereItIsAndNotForItsOwner) {
  options_.limits.user.storage = 10;
  atFake().all.storage = 20;
  boot();
  makeWorkspace();
  MigrateRequest keeping = to("fra");
  keeping.keepSource = true;
  ASSERT_EQ(move(keeping).status, OperationStatus::succeeded);
  EXPECT_EQ(usage().storage.used, 20);
  EXPECT_NE(refusalOf(swarm().migrateInstance("web", to("iad"), "ann")).find("The limit of fake is 20 GiB of storage"), std::string::npos);
}

TEST_F(LimitsOfPlaces, aSnapshotCountsInTheStorageOfItsOwner) {
  options_.limits.user.storage = 20;
  boot();
  makeWorkspace();
  ASSERT_EQ(finish(run(swarm().takeSnapshot("web", "one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(usage().storage.used, 20);
  EXPECT_EQ(usage().memory.used, 4096) << "nothing runs at a snapshot";
  EXPECT_NE(refusalOf(swarm().takeSnapshot("web", "two", "ann")), "");
  EXPECT_NE(refusalOf(swarm().restoreSnapshot("web", "one", "ann")), "") << "the files before the restore become a snapshot, too";
  reboot();
  EXPECT_EQ(usage().storage.used, 20);
  run(swarm().deleteSnapshot(run(swarm().listSnapshots()).at(0).id));
  expectOnlyTheInstance();
}

TEST_F(LimitsOfPlaces, aRestoreLeavesWhatItsPlacesHold) {
  boot();
  makeWorkspace();
  ASSERT_EQ(finish(run(swarm().takeSnapshot("web", "one", "ann"))).status, OperationStatus::succeeded);
  ASSERT_EQ(finish(run(swarm().restoreSnapshot("web", "one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(usage().storage.used, 30);
  EXPECT_EQ(usage().cpu.used, 2);
  const double storage = usage().storage.used;
  reboot();
  EXPECT_EQ(usage().storage.used, storage);
}

/// A server that ends during a move reserves again what the move may take.
TEST_F(LimitsOfPlaces, aMoveThatIsResumedHasItsReservation) {
  atFake().regions["fra"].instances = 1;
  boot();
  makeWorkspace();
  create("other");
  run(swarm().migrateInstance("web", to("fra"), "ann"));
  reboot();
  EXPECT_NE(refusalOf(swarm().migrateInstance("other", to("fra"), "ann")), "");
}

}  // namespace
}  // namespace swarm::test
