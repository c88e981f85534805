// The life of an instance after its creation: start, stop, restart, delete, and what can go wrong.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Lifecycle : public ControllerTest {
 protected:
  Lifecycle() { boot(); }
};

TEST_F(Lifecycle, stopAndStartKeepTheFiles) {
  Instance instance = create("one");
  std::string volume = world_.volumes().at(0).name;
  world_.writeFile(volume, "notes", "text");
  auto before = route("one");
  EXPECT_EQ(finish(run(swarm().stopInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  EXPECT_EQ(get("one").desired, InstanceStatus::stopped);
  drive([&] { return route("one")->status == InstanceStatus::stopped; });
  EXPECT_NE(route("one")->epoch, before->epoch);
  EXPECT_FALSE(route("one")->ready);
  EXPECT_FALSE(route("one")->agent.endpoint);
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
  drive([&] { return route("one")->ready; });
  EXPECT_NE(route("one")->generation, before->generation);
  EXPECT_EQ(world_.volume(volume)->files.at("notes"), "text");
}

TEST_F(Lifecycle, startAndStopAreIdempotent) {
  create("one");
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
  finish(run(swarm().stopInstance("one", "ann")));
  EXPECT_EQ(finish(run(swarm().stopInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
}

TEST_F(Lifecycle, theSameRequestInProgressIsJoinedAndAnotherRefused) {
  create("one");
  auto gate = world_.faults.block("stopInstance");
  auto first = run(swarm().stopInstance("one", "ann"));
  auto second = run(swarm().stopInstance("one", "bob"));
  EXPECT_EQ(first.operation.id, second.operation.id);
  EXPECT_THROW(run(swarm().startInstance("one", "ann")), Error);
  gate->open();
  EXPECT_EQ(finish(first).status, OperationStatus::succeeded);
}

TEST_F(Lifecycle, restartReplacesTheServer) {
  create("one");
  drive([&] { return route("one")->ready; });
  auto before = route("one");
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  drive([&] { return route("one")->ready && route("one")->generation != before->generation; });
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

TEST_F(Lifecycle, deleteKeepsPersistentVolumesUnlessRequested) {
  create("one");
  create("two");
  EXPECT_EQ(finish(run(swarm().deleteInstance("one", DeleteVolumes::No, "ann"))).status, OperationStatus::succeeded);
  EXPECT_FALSE(run(swarm().getInstance("one")));
  EXPECT_EQ(world_.volumes().size(), 2u);
  EXPECT_EQ(world_.networks().size(), 1u);
  finish(run(swarm().deleteInstance("two", DeleteVolumes::Yes, "ann")));
  EXPECT_EQ(world_.volumes().size(), 1u);
  EXPECT_TRUE(world_.containers().empty());
  EXPECT_TRUE(world_.networks().empty());
  EXPECT_TRUE(store_.instances.empty());
  drive([&] { return swarm().routes().current()->empty(); });
}

TEST_F(Lifecycle, deleteRollsBackACreateInProgress) {
  auto gate = world_.faults.block("createInstance/start container");
  auto started = run(swarm().createInstance(request("one")));
  run(gate->reached());
  auto deleted = run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann"));
  EXPECT_EQ(finish(deleted).status, OperationStatus::succeeded);
  EXPECT_EQ(finish(started).status, OperationStatus::cancelled);
  EXPECT_TRUE(world_.containers().empty());
  EXPECT_TRUE(world_.volumes().empty());
  EXPECT_TRUE(store_.instances.empty());
}

TEST_F(Lifecycle, cancelRollsBackACreate) {
  auto gate = world_.faults.block("createInstance/start container");
  auto started = run(swarm().createInstance(request("one")));
  run(gate->reached());
  run(swarm().cancelOperation(started.operation.id));
  EXPECT_EQ(finish(started).status, OperationStatus::cancelled);
  EXPECT_EQ(get("one").status, InstanceStatus::failed);
  EXPECT_TRUE(world_.containers().empty());
  EXPECT_THROW(run(swarm().cancelOperation(started.operation.id)), Error);
}

/// An error that a retry cannot solve ends the operation, and becomes the instance's reason.
TEST_F(Lifecycle, aStopWithAPermanentErrorEndsAtOnce) {
  create("one");
  world_.faults.fail("stopInstance", Error(ErrorCode::Unavailable, "Its host can't be reached.").withRetryable(false), 1'000);
  Operation ended = finish(run(swarm().stopInstance("one", "ann")));
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_EQ(get("one").status, InstanceStatus::running) << "it was not stopped";
  EXPECT_NE(get("one").statusReason.find("Its host can't be reached."), std::string::npos) << get("one").statusReason;
}

TEST_F(Lifecycle, aStopThatWaitsForItsProviderCanBeCancelled) {
  create("one");
  world_.faults.fail("stopInstance", Error(ErrorCode::Unavailable, "The Engine went away."), 1'000'000);
  auto stopped = run(swarm().stopInstance("one", "ann"));
  for (;;) {  // it may be within a call just now
    try {
      run(swarm().cancelOperation(stopped.operation.id));
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::Conflict);
      ASSERT_EQ(error.message().find("about to end"), std::string::npos) << error.message();
    }
  }
  EXPECT_EQ(finish(stopped).status, OperationStatus::cancelled);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

TEST_F(Lifecycle, cancelRollsBackAStart) {
  create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  auto gate = world_.faults.block("startInstance/start container/answer");
  auto started = run(swarm().startInstance("one", "ann"));
  run(gate->reached());
  run(swarm().cancelOperation(started.operation.id));
  EXPECT_EQ(finish(started).status, OperationStatus::cancelled);
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  EXPECT_EQ(world_.containers().at(0).status, InstanceStatus::stopped);
}

TEST_F(Lifecycle, deleteWaitsForAnUnreachableProviderAndCanBeCancelled) {
  create("one");
  world_.setDown(true);
  auto deleted = run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann"));
  drive([&] { return world_.faults.passes("deleteInstance") >= 2; });
  Operation live = *run(swarm().getOperation(deleted.operation.id));
  EXPECT_EQ(live.status, OperationStatus::running);
  for (;;) {  // it may be within a call just now
    try {
      run(swarm().cancelOperation(deleted.operation.id));
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::Conflict);
    }
  }
  world_.setDown(false);
  EXPECT_EQ(finish(deleted).status, OperationStatus::cancelled);
  EXPECT_EQ(world_.containers().size(), 1u);
}

TEST_F(Lifecycle, deleteEndsWhenTheProviderIsBack) {
  create("one");
  world_.setDown(true);
  auto deleted = run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann"));
  drive([&] { return world_.faults.passes("deleteInstance") >= 2; });
  world_.setDown(false);
  EXPECT_EQ(finish(deleted).status, OperationStatus::succeeded);
  EXPECT_TRUE(world_.containers().empty());
}

TEST_F(Lifecycle, deleteWorksWhenTheContainerIsGoneAlready) {
  Instance instance = create("one");
  world_.removeContainer(firstPlaceOf(instance.id));
  EXPECT_EQ(finish(run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
  EXPECT_TRUE(world_.volumes().empty());
}

TEST_F(Lifecycle, aFullDiskIsAnErrorBeforeAnythingIsMade) {
  turn(100);  // until the server has written what it writes at its start
  store_.failWrites = Error(ErrorCode::OutOfResources, "The disk is full.");
  store_.failWritesTimes = 1;
  try {
    run(swarm().createInstance(request("one")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources);
  }
  EXPECT_TRUE(world_.containers().empty());
  create("one");  // the name is free again
}

TEST_F(Lifecycle, theResultOfAnOperationIsWrittenWhenTheDiskHasRoomAgain) {
  create("one");
  auto gate = world_.faults.block("stopInstance/stop container/answer");
  auto stopped = run(swarm().stopInstance("one", "ann"));
  run(gate->reached());
  store_.failWrites = Error(ErrorCode::OutOfResources, "The disk is full.");
  store_.failWritesTimes = 4;
  gate->open();
  EXPECT_EQ(finish(stopped).status, OperationStatus::succeeded);
  EXPECT_EQ(store_.operations.at(stopped.operation.id).status, OperationStatus::succeeded);
  EXPECT_EQ(store_.instances.begin()->second.instance.status, InstanceStatus::stopped);
}

}  // namespace
}  // namespace swarm::test
