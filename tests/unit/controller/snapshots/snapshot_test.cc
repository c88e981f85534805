// Snapshots in the fake world: files of one moment are kept and restored, and the files before a restore are kept, too.
#include "support/agents/fake_moves.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

using Files = std::map<std::string, std::string>;

class SnapshotTest : public ControllerTest {
 protected:
  SnapshotTest() {
    options_.moveAgents = moves_;
    options_.providerOutage = std::chrono::seconds(3);  // of real time: a busy machine must not look like an outage
    options_.reconcileInterval = std::chrono::milliseconds(5);
  }

  void makeWorkspace() {
    create("web");
    write("notes", "first");
  }
  PlaceId place() {
    const InstanceRecord& record = store_.instances.at(get("web").id);
    return record.placeId.empty() ? firstPlaceOf(record.instance.id) : record.placeId;
  }
  void write(const std::string& path, std::string text) {
    world_.writeFile(world_.container(place())->volumes.at(0), path, std::move(text));
  }
  Files files() { return filesAt(world_, place()); }
  Operation take(const std::string& name) { return finish(run(swarm().takeSnapshot("web", name, "ann"))); }
  Operation restore(const std::string& name) { return finish(run(swarm().restoreSnapshot("web", name, "ann"))); }
  std::vector<Snapshot> snapshots() { return run(swarm().listSnapshots()); }
  void waitUntilNothingElseRuns() {
    drive([&] {
      life_->loop.poll_one();
      return world_.containers().size() == 1;
    });
    EXPECT_EQ(world_.containers().at(0).spec.placeId, place());
  }

  std::shared_ptr<FakeMoves> moves_ = std::make_shared<FakeMoves>(world_);
};

TEST_F(SnapshotTest, keepsTheFilesOfAMomentWhileTheInstanceRuns) {
  boot();
  makeWorkspace();
  auto generation = route("web")->generation;
  Operation taken = take("monday");
  ASSERT_EQ(taken.status, OperationStatus::succeeded) << (taken.error ? taken.error->message() : "");
  EXPECT_EQ(route("web")->generation, generation) << "VS Code was restarted for it";
  EXPECT_TRUE(moves_->frozen.empty());
  write("notes", "second");
  ASSERT_EQ(snapshots().size(), 1U);
  Snapshot snapshot = snapshots()[0];
  EXPECT_EQ(snapshot.name, "monday");
  EXPECT_EQ(snapshot.instanceName, "web");
  EXPECT_EQ(snapshot.files, 1);
  EXPECT_EQ(snapshot.bytes, 5);
  waitUntilNothingElseRuns();
  EXPECT_EQ(world_.volumes().size(), 2U);
}

TEST_F(SnapshotTest, restoresTheFilesAndKeepsTheReplacedOnes) {
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  write("notes", "second");
  write("more", "new");
  Instance before = get("web");
  Operation restored = restore("monday");
  ASSERT_EQ(restored.status, OperationStatus::succeeded) << (restored.error ? restored.error->message() : "");
  EXPECT_EQ(files(), (Files{{"/home/coder/notes", "first"}}));
  EXPECT_EQ(get("web").id, before.id);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  waitUntilNothingElseRuns();
  ASSERT_EQ(snapshots().size(), 2U);
  std::string undo = snapshots()[0].name == "monday" ? snapshots()[1].name : snapshots()[0].name;
  EXPECT_TRUE(undo.starts_with("before-restore-"));
  ASSERT_EQ(restore(undo).status, OperationStatus::succeeded);
  EXPECT_EQ(files(), (Files{{"/home/coder/notes", "second"}, {"/home/coder/more", "new"}}));
}

TEST_F(SnapshotTest, worksForAStoppedInstanceWhichStaysStopped) {
  boot();
  makeWorkspace();
  finish(run(swarm().stopInstance("web", "ann")));
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").status, InstanceStatus::stopped);
  ASSERT_EQ(restore("monday").status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").status, InstanceStatus::stopped);
  finish(run(swarm().startInstance("web", "ann")));
  EXPECT_EQ(files(), (Files{{"/home/coder/notes", "first"}}));
}

TEST_F(SnapshotTest, refusesInvalidRequests) {
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  EXPECT_THROW(take("monday"), Error);
  EXPECT_THROW(take("a/b"), Error);
  EXPECT_THROW(restore("tuesday"), Error);
  EXPECT_THROW(run(swarm().deleteSnapshot("i-none")), Error);
}

TEST_F(SnapshotTest, differingFilesFailTheSnapshotAndLeaveNothing) {
  boot();
  makeWorkspace();
  moves_->corruptions = 100;
  EXPECT_EQ(take("monday").status, OperationStatus::failed);
  EXPECT_TRUE(snapshots().empty());
  EXPECT_TRUE(moves_->frozen.empty());
  waitUntilNothingElseRuns();
  drive([&] {
    life_->loop.poll_one();
    return world_.volumes().size() == 1;
  });
  EXPECT_EQ(get("web").status, InstanceStatus::running);
}

TEST_F(SnapshotTest, aDeletedSnapshotIsRemovedWithItsFiles) {
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  run(swarm().deleteSnapshot(snapshots()[0].id));
  EXPECT_TRUE(snapshots().empty());
  drive([&] {
    life_->loop.poll_one();
    return world_.volumes().size() == 1 && store_.places.empty();
  });
}

TEST_F(SnapshotTest, outlivesItsInstanceUnlessVolumesAreDeleted) {
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  finish(run(swarm().deleteInstance("web", DeleteVolumes::No, "ann")));
  EXPECT_EQ(snapshots().size(), 1U);
  create("web");
  ASSERT_EQ(restore(snapshots()[0].id).status, OperationStatus::succeeded);
  EXPECT_EQ(files(), (Files{{"/home/coder/notes", "first"}}));
  finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann")));
}

/// The files of snapshots are removed after the deletion has ended: a server that ends in between continues at its next start.
TEST_F(SnapshotTest, aDeletionWithVolumesLeavesNothingWhereverTheServerEnds) {
  for (int turns = 1; turns < 150; turns += turns < 10 ? 1 : 7) {
    SCOPED_TRACE(testing::Message() << "killed after " << turns << " turns");
    boot();
    makeWorkspace();
    ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
    waitUntilNothingElseRuns();
    const InstanceId id = get("web").id;
    boost::asio::co_spawn(loop(), swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"),
                          [](std::exception_ptr, InstanceAndOperation) {});
    turn(turns);
    const bool was_accepted = std::ranges::any_of(
        store_.operations, [&](const auto& row) { return row.second.kind == OperationKind::remove && row.second.instanceId == id; });
    kill();
    boot();
    if (!was_accepted) finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann")));
    drive([&] {
      life_->loop.poll_one();
      return store_.instances.empty() && store_.places.empty() && world_.containers().empty() && world_.volumes().empty();
    });
    kill();
  }
}

/// kill -9 at every turn: the instance's files exist, a snapshot is complete or absent, and only the instance runs.
TEST_F(SnapshotTest, everyTurnIsSurvived) {
  for (bool restoring : {false, true}) {
    for (int turns = 1; turns < 1500; turns += turns < 30 ? 1 : 5) {
      SCOPED_TRACE(testing::Message() << (restoring ? "restoring" : "taking") << ", killed after " << turns << " turns");
      boot();
      makeWorkspace();
      if (restoring) {
        ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
        waitUntilNothingElseRuns();
        write("notes", "second");
        boost::asio::co_spawn(loop(), swarm().restoreSnapshot("web", "monday", "ann"), [](std::exception_ptr, InstanceAndOperation) {});
      } else {
        boost::asio::co_spawn(loop(), swarm().takeSnapshot("web", "monday", "ann"), [](std::exception_ptr, InstanceAndOperation) {});
      }
      turn(turns);
      auto wanted = restoring ? OperationKind::restore : OperationKind::snapshot;
      bool ended = std::ranges::any_of(
          store_.operations, [&](const auto& row) { return row.second.kind == wanted && row.second.status == OperationStatus::succeeded; });
      kill();
      boot();
      drive([&] {
        life_->loop.poll_one();
        return get("web").operationId.empty() && get("web").status == InstanceStatus::running && world_.containers().size() == 1;
      });
      std::string text = files().at("/home/coder/notes");
      if (!restoring) ASSERT_EQ(text, "first");
      for (const Snapshot& snapshot : snapshots()) {
        ASSERT_EQ(restore(snapshot.id).status, OperationStatus::succeeded);
        ASSERT_EQ(files().at("/home/coder/notes"), snapshot.name == "monday" ? "first" : "second");
        break;
      }
      ASSERT_EQ(finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
      drive([&] {
        life_->loop.poll_one();
        return world_.containers().empty() && store_.places.empty();
      });
      ASSERT_TRUE(world_.volumes().empty());
      kill();
      store_.operations.clear();
      if (ended) break;
    }
  }
}

}  // namespace
}  // namespace swarm::test
