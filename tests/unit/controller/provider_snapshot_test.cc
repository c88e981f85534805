// Automatic snapshots of a provider: listed beside ours, and restored when the instance's host is lost.
#include "support/agents/fake_moves.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

using Files = std::map<std::string, std::string>;

class ProviderSnapshotTest : public ControllerTest {
 protected:
  ProviderSnapshotTest() {
    fake_options_.takesVolumeSnapshots = true;
    options_.moveAgents = moves_;
    options_.providerOutage = std::chrono::seconds(3);  // of real time: a busy machine must not look like an outage
    options_.reconcileInterval = std::chrono::milliseconds(5);
  }

  /// An instance whose files are "second" now, and were "first" at the provider's snapshot.
  void makeWorkspace() {
    create("web");
    write("first");
    taken_ = world_.takeVolumeSnapshot(place());
    write("second");
  }
  PlaceId place() {
    const InstanceRecord& record = store_.instances.at(get("web").id);
    return record.placeId.empty() ? firstPlaceOf(record.instance.id) : record.placeId;
  }
  void write(std::string text) { world_.writeFile(world_.container(place())->volumes.at(0), "notes", std::move(text)); }
  std::string notes() { return filesAt(world_, place()).at("/home/coder/notes"); }
  Operation restore(const std::string& snapshot) { return finish(run(swarm().restoreSnapshot("web", snapshot, "ann"))); }
  SnapshotList listed() { return run(swarm().listSnapshotsOf("web")); }
  /// The instance alone runs, and besides its volume there are `kept` more.
  void waitUntilNothingElseIsThere(std::size_t kept) {
    drive([&] {
      life_->loop.poll_one();
      return world_.containers().size() == 1 && world_.volumes().size() == 1 + kept;
    });
    EXPECT_EQ(world_.containers().at(0).spec.placeId, place());
  }
  std::string refusal(std::function<void()> call) {
    try {
      call();
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }

  std::shared_ptr<FakeMoves> moves_ = std::make_shared<FakeMoves>(world_);
  std::string taken_;
};

TEST_F(ProviderSnapshotTest, areListedWithTheInstanceAndTheirExpiry) {
  boot();
  makeWorkspace();
  finish(run(swarm().takeSnapshot("web", "monday", "ann")));
  SnapshotList list = listed();
  EXPECT_EQ(list.missing, "");
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].name, "monday");
  EXPECT_FALSE(list.items[0].automatic);
  EXPECT_EQ(list.items[0].expiresAt, SystemTime{});
  EXPECT_EQ(list.items[1].id, taken_);
  EXPECT_TRUE(list.items[1].automatic);
  EXPECT_EQ(list.items[1].expiresAt - list.items[1].createdAt, std::chrono::days(14));
  EXPECT_EQ(list.items[1].owner, "ann");
  EXPECT_EQ(run(swarm().listSnapshots()).size(), 1U) << "a list of all would be a call for each instance";
}

TEST_F(ProviderSnapshotTest, areMissingWhileTheProviderIsUnavailableAndTheListReportsIt) {
  boot();
  makeWorkspace();
  finish(run(swarm().takeSnapshot("web", "monday", "ann")));
  world_.setDown(true);
  SnapshotList list = listed();
  ASSERT_EQ(list.items.size(), 1U);
  EXPECT_NE(list.missing.find("are not available"), std::string::npos) << list.missing;
  EXPECT_NE(refusal([&] { restore(taken_); }).find("can't be reached"), std::string::npos);
}

TEST_F(ProviderSnapshotTest, aProviderWithoutAutomaticSnapshotsHasNone) {
  fake_options_.takesVolumeSnapshots = false;
  boot();
  makeWorkspace();
  EXPECT_TRUE(listed().items.empty());
  EXPECT_NE(refusal([&] { restore(taken_); }).find("There is no snapshot"), std::string::npos);
  EXPECT_NE(refusal([&] { run(swarm().deleteSnapshot(taken_)); }).find("There is no snapshot"), std::string::npos);
}

TEST_F(ProviderSnapshotTest, areRestoredAndTheReplacedFilesBecomeASnapshot) {
  boot();
  makeWorkspace();
  PlaceId former = place();
  Operation restored = restore(taken_);
  ASSERT_EQ(restored.status, OperationStatus::succeeded) << (restored.error ? restored.error->message() : "");
  EXPECT_EQ(notes(), "first");
  EXPECT_NE(place(), former);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  waitUntilNothingElseIsThere(1);
  std::vector<Snapshot> ours = run(swarm().listSnapshots());
  ASSERT_EQ(ours.size(), 1U);
  EXPECT_TRUE(ours[0].name.starts_with("before-restore-"));
  ASSERT_EQ(restore(ours[0].id).status, OperationStatus::succeeded);
  EXPECT_EQ(notes(), "second");
}

TEST_F(ProviderSnapshotTest, aStoppedInstanceStaysStopped) {
  boot();
  makeWorkspace();
  finish(run(swarm().stopInstance("web", "ann")));
  ASSERT_EQ(restore(taken_).status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").status, InstanceStatus::stopped);
  finish(run(swarm().startInstance("web", "ann")));
  EXPECT_EQ(notes(), "first");
}

TEST_F(ProviderSnapshotTest, areRestoredToAFailedInstanceWhichThenRuns) {
  boot();
  makeWorkspace();
  world_.exitContainer(place(), 137);
  waitForStatus("web", InstanceStatus::failed);
  Operation restored = restore(taken_);
  ASSERT_EQ(restored.status, OperationStatus::succeeded) << (restored.error ? restored.error->message() : "");
  EXPECT_EQ(notes(), "first");
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  EXPECT_EQ(get("web").statusReason, "");
  waitUntilNothingElseIsThere(1);
}

/// Our record says running, but the instance and its host are gone.
TEST_F(ProviderSnapshotTest, areRestoredWhenTheOldAgentIsUnreachable) {
  options_.reconcileInterval = std::chrono::hours(1);
  boot();
  makeWorkspace();
  world_.emitEvents(false);
  world_.exitContainer(place(), 1);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  world_.faults.fail("stopInstance", Error(ErrorCode::Unavailable, "The host can't be reached."), 1'000);
  Operation restored = restore(taken_);
  ASSERT_EQ(restored.status, OperationStatus::succeeded) << (restored.error ? restored.error->message() : "");
  EXPECT_EQ(notes(), "first");
}

TEST_F(ProviderSnapshotTest, filesThatDifferChangeNothingAndLeaveNothing) {
  boot();
  makeWorkspace();
  moves_->corruptions = 100;
  Operation restored = restore(taken_);
  EXPECT_EQ(restored.status, OperationStatus::failed);
  EXPECT_NE(restored.error->message().find("differ from the snapshot"), std::string::npos) << restored.error->message();
  EXPECT_EQ(notes(), "second");
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  waitUntilNothingElseIsThere(0);
  EXPECT_TRUE(store_.places.empty());
}

TEST_F(ProviderSnapshotTest, anExpiredOneIsReportedAndAFailedInstanceStaysFailed) {
  boot();
  makeWorkspace();
  EXPECT_NE(refusal([&] { restore("vs_none"); }).find("There is no snapshot \"vs_none\" of web"), std::string::npos);
  world_.exitContainer(place(), 137);
  waitForStatus("web", InstanceStatus::failed);
  auto gate = world_.faults.block("openSnapshot");
  InstanceAndOperation begun = run(swarm().restoreSnapshot("web", taken_, "ann"));
  world_.dropVolumeSnapshot(taken_);
  gate->open();
  Operation ended = finish(begun);
  ASSERT_EQ(ended.status, OperationStatus::failed);
  EXPECT_EQ(ended.error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(get("web").status, InstanceStatus::failed);
  EXPECT_NE(get("web").statusReason.find("The snapshot was not restored"), std::string::npos);
  EXPECT_EQ(notes(), "second");
  waitUntilNothingElseIsThere(0);
}

TEST_F(ProviderSnapshotTest, cannotBeDeleted) {
  boot();
  makeWorkspace();
  EXPECT_NE(refusal([&] { run(swarm().deleteSnapshot(taken_)); }).find("deletes it automatically"), std::string::npos);
  EXPECT_EQ(listed().items.size(), 1U);
}

/// A failed create has left no files: its restore keeps no snapshot of them.
TEST_F(ProviderSnapshotTest, aSnapshotOfAnotherInstanceFillsAFailedCreate) {
  boot();
  makeWorkspace();
  finish(run(swarm().takeSnapshot("web", "monday", "ann")));
  std::string monday = run(swarm().listSnapshots()).at(0).id;
  world_.faults.fail("createInstance", Error(ErrorCode::UpstreamFailed, "Not today."));
  EXPECT_EQ(finish(run(swarm().createInstance(request("other")))).status, OperationStatus::failed);
  Operation restored = finish(run(swarm().restoreSnapshot("other", monday, "ann")));
  ASSERT_EQ(restored.status, OperationStatus::succeeded) << (restored.error ? restored.error->message() : "");
  EXPECT_EQ(get("other").status, InstanceStatus::running);
  EXPECT_EQ(run(swarm().listSnapshots()).size(), 1U);
}

/// kill -9 at every turn: the instance runs with the files of one of the two moments, and nothing else is left.
TEST_F(ProviderSnapshotTest, everyTurnIsSurvived) {
  for (bool failed : {false, true}) {
    for (int turns = 1; turns < 1500; turns += turns < 30 ? 1 : 5) {
      SCOPED_TRACE(testing::Message() << (failed ? "failed, " : "") << "killed after " << turns << " turns");
      boot();
      makeWorkspace();
      if (failed) {
        world_.exitContainer(place(), 1);
        waitForStatus("web", InstanceStatus::failed);
      }
      boost::asio::co_spawn(loop(), swarm().restoreSnapshot("web", taken_, "ann"), [](std::exception_ptr, InstanceAndOperation) {});
      turn(turns);
      bool accepted = false, ended = false;
      for (const auto& [id, row] : store_.operations) {
        accepted = accepted || row.kind == OperationKind::restore;
        ended = ended || (row.kind == OperationKind::restore && row.status == OperationStatus::succeeded);
      }
      kill();
      boot();
      drive([&] {
        life_->loop.poll_one();
        return get("web").operationId.empty() && world_.containers().size() == 1 &&
               (get("web").status == InstanceStatus::running || !accepted);
      });
      ASSERT_EQ(notes(), accepted ? "first" : "second");
      if (accepted) waitUntilNothingElseIsThere(1);
      std::size_t ours = run(swarm().listSnapshots()).size();
      ASSERT_EQ(ours, accepted ? 1U : 0U);
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

/// A delete at any moment of a restore removes everything, including the reader.
TEST_F(ProviderSnapshotTest, aDeleteDuringTheRestoreLeavesNothing) {
  for (int turns = 1; turns < 200; turns += 3) {
    SCOPED_TRACE(turns);
    boot();
    makeWorkspace();
    boost::asio::co_spawn(loop(), swarm().restoreSnapshot("web", taken_, "ann"), [](std::exception_ptr, InstanceAndOperation) {});
    turn(turns);
    ASSERT_EQ(finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
    drive([&] {
      life_->loop.poll_one();
      return world_.containers().empty() && world_.volumes().empty() && store_.places.empty();
    });
    kill();
    store_.operations.clear();
  }
}

}  // namespace
}  // namespace swarm::test
