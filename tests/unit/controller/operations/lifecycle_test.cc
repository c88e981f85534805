// The life of an instance: create, start, stop, restart, delete, and what can go wrong.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Lifecycle : public ControllerTest {
 protected:
  Lifecycle() { boot(); }
};

TEST_F(Lifecycle, createRunsUntilVscodeResponds) {
  auto started = run(swarm().createInstance(request("one")));
  EXPECT_EQ(started.instance.status, InstanceStatus::creating);
  EXPECT_EQ(started.instance.operationId, started.operation.id);
  EXPECT_EQ(started.instance.url, "http://one.localhost:7420/");
  Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::succeeded);
  EXPECT_EQ(ended.steps.back().name, "wait until VS Code answers");
  Instance instance = get("one");
  EXPECT_EQ(instance.status, InstanceStatus::running);
  EXPECT_EQ(instance.statusReason, "");
  EXPECT_EQ(instance.operationId, "");
  EXPECT_EQ(instance.config.storage.at(0).mountPath, "/home/coder");
  drive([&] { return route("one")->ready; });
  EXPECT_EQ(route("one")->generation, world_.container(firstPlaceOf(instance.id))->generation);
  EXPECT_EQ(world_.volumes().size(), 1u);
}

TEST_F(Lifecycle, createRefusesATakenName) {
  create("one");
  try {
    run(swarm().createInstance(request("one")));
    FAIL() << "the second was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
    EXPECT_EQ(error.fields().at(0).pointer, "/name");
  }
  EXPECT_EQ(world_.containers().size(), 1u);
}

TEST_F(Lifecycle, aNameOfOnesOwnStoppedWorkspaceComesWithTheNextStep) {
  create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  const auto messageFor = [&](const std::string& owner) -> std::string {
    try {
      run(swarm().createInstance(request("one", owner)));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
      return error.message();
    }
    return "";
  };
  EXPECT_NE(messageFor("ann").find("it is stopped. Run `swarm start one` or `swarm delete one`."), std::string::npos) << messageFor("ann");
  EXPECT_EQ(messageFor("bob"), "There is already a workspace named \"one\".") << "the state of another user's workspace is not shown";
}

TEST_F(Lifecycle, aCommandInAStoppedWorkspaceComesWithTheNextStep) {
  create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  try {
    run(swarm().executeCommand("one", {"true"}, "", Deadline::after(std::chrono::seconds(5))));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Conflict);
    EXPECT_NE(error.message().find("Run `swarm start one` first."), std::string::npos) << error.message();
  }
}

TEST_F(Lifecycle, createWithoutANameGeneratesOne) {
  auto started = run(swarm().createInstance(request("")));
  finish(started);
  EXPECT_TRUE(started.instance.config.name.starts_with("ws-"));
  EXPECT_EQ(get(started.instance.config.name).id, started.instance.id);
}

TEST_F(Lifecycle, aFailedCreateKeepsTheRowAndNothingElse) {
  world_.faults.fail("createInstance/start container", Error(ErrorCode::Unprocessable, "Port 80 is in use."));
  auto started = run(swarm().createInstance(request("one")));
  Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_EQ(ended.error->message(), "Port 80 is in use.");
  Instance instance = get("one");
  EXPECT_EQ(instance.status, InstanceStatus::failed);
  EXPECT_EQ(instance.statusReason, "Port 80 is in use.");
  EXPECT_TRUE(world_.containers().empty());
  EXPECT_TRUE(world_.volumes().empty());
  EXPECT_TRUE(world_.networks().empty());
}

TEST_F(Lifecycle, startRepeatsAFailedCreate) {
  world_.faults.fail("createInstance/start container", Error(ErrorCode::Unprocessable, "Port 80 is in use."));
  finish(run(swarm().createInstance(request("one"))));
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

TEST_F(Lifecycle, aFailedCreateKeepsAVolumeThatExistedBefore) {
  CreateRequest first = request("one");
  first.config.storage.push_back(StorageConfig{10, true, "/data", "precious"});
  finish(run(swarm().createInstance(first)));
  world_.writeFile("precious", "file", "text");
  finish(run(swarm().deleteInstance("one", DeleteVolumes::No, "ann")));
  world_.faults.fail("createInstance/start container", Error(ErrorCode::Unprocessable, "Port 80 is in use."));
  CreateRequest second = request("two");
  second.config.storage = first.config.storage;
  EXPECT_EQ(finish(run(swarm().createInstance(second))).status, OperationStatus::failed);
  ASSERT_TRUE(world_.volume("precious"));
  EXPECT_EQ(world_.volume("precious")->files.at("file"), "text");
}

TEST_F(Lifecycle, createRetriesDuringAShortOutageOfTheProvider) {
  world_.faults.fail("createInstance/create container", Error(ErrorCode::Unavailable, "The Engine went away."), 3);
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded);
  EXPECT_EQ(world_.containers().size(), 1u);
  EXPECT_EQ(world_.volumes().size(), 1u);
}

TEST_F(Lifecycle, createIsRefusedAtOnceWhileTheProviderIsDown) {
  world_.setDown(true);
  try {
    run(swarm().createInstance(request("one")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  }
  EXPECT_TRUE(store_.instances.empty());
}

TEST_F(Lifecycle, anImageWithoutAnAgentFailsItsOperationAndKeepsRunning) {
  world_.addImageWithoutAgent("plain");
  CreateRequest plain = request("one");
  plain.config.image = "plain";
  Operation ended = finish(run(swarm().createInstance(plain)));
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_EQ(ended.steps.back().name, "wait until VS Code answers");
  EXPECT_EQ(ended.steps.back().status, OperationStatus::failed);
  EXPECT_NE(ended.error->message().find("VS Code is unreachable"), std::string::npos);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(get("one").desired, InstanceStatus::running);
  EXPECT_EQ(get("one").statusReason, ended.error->message());
  EXPECT_EQ(world_.containers().size(), 1u) << "it stays, so that a person can look";
  EXPECT_EQ(world_.volumes().size(), 1u);
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ada"))).status, OperationStatus::failed);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(world_.containers().size(), 1u);
}

TEST_F(Lifecycle, aVscodeThatAlwaysExitsFailsTheOperationWithItsReason) {
  options_.startTimeout = std::chrono::hours(1);
  options_.probe = [](agent::AgentTarget, Deadline) -> awaitable<agent::AgentHealth> {
    agent::AgentHealth health;
    health.vscodeEnded = true;
    health.reason = "VS Code ended with exit code 9 (node: bad option).";
    co_return health;
  };
  reboot();
  Operation ended = finish(run(swarm().createInstance(request("one"))));
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_NE(ended.error->message().find("node: bad option"), std::string::npos) << ended.error->message();
  EXPECT_EQ(get("one").statusReason, ended.error->message());
}

TEST_F(Lifecycle, aCreateReportsWhyVscodeDoesNotStartWhileItWaits) {
  auto health = std::make_shared<agent::AgentHealth>();
  health->vscodeEnded = true;
  health->reason = "VS Code ended with exit code 1 (mkdir: No space left on device). Restarting in 0.5 s.";
  options_.startTimeout = std::chrono::hours(1);
  options_.agentRefusal = std::chrono::hours(1);
  options_.probe = [health](agent::AgentTarget, Deadline) {
    return [](agent::AgentHealth now) -> awaitable<agent::AgentHealth> { co_return now; }(*health);
  };
  reboot();
  const std::string id = run(swarm().createInstance(request("one"))).operation.id;
  const auto detail = [&] {
    const std::vector<OperationStep> steps = run(swarm().getOperation(id))->steps;
    return steps.empty() ? std::string() : steps.back().detail;
  };
  drive([&] { return detail() == health->reason; });
  health->vscodeEnded = false;
  health->ready = true;
  drive([&] { return run(swarm().getOperation(id))->status == OperationStatus::succeeded; });
  EXPECT_EQ(detail(), "");
}

TEST_F(Lifecycle, theStatusReasonReportsTheSetupScript) {
  auto health = std::make_shared<agent::AgentHealth>();
  health->ready = true;
  health->setup = "running";
  options_.setupInterval = std::chrono::milliseconds(1);
  options_.probe = [health](agent::AgentTarget, Deadline) {
    return [](agent::AgentHealth now) -> awaitable<agent::AgentHealth> { co_return now; }(*health);
  };
  reboot();
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded) << "the operation does not wait for it";
  drive([&] { return get("one").statusReason.find("setup script") != std::string::npos; });
  EXPECT_NE(get("one").statusReason.find("still running"), std::string::npos);
  health->setup = "failed";
  health->setupExitCode = 3;
  drive([&] { return get("one").statusReason.find("failed with exit code 3") != std::string::npos; });
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  reboot();  // the server's next run reports it, too
  drive([&] { return get("one").statusReason.find("failed with exit code 3") != std::string::npos; });
  health->setup = "succeeded";
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Lifecycle, aFailedSetupScriptIsReportedWhenTheCreateEnds) {
  options_.setupInterval = std::chrono::hours(1);
  options_.probe = [](agent::AgentTarget, Deadline) -> awaitable<agent::AgentHealth> {
    agent::AgentHealth health;
    health.ready = true;
    health.setup = "failed";
    health.setupExitCode = 3;
    co_return health;
  };
  reboot();
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded);
  const std::string reason = get("one").statusReason;
  EXPECT_NE(reason.find("failed with exit code 3"), std::string::npos) << reason;
  EXPECT_NE(reason.find("swarm logs one"), std::string::npos) << reason;
  EXPECT_NE(reason.find("swarm exec one -- "), std::string::npos) << reason;
}

TEST_F(Lifecycle, theStatusReasonHasTheAgentsWarningUntilItHasNone) {
  auto health = std::make_shared<agent::AgentHealth>();
  health->ready = true;
  health->warning = "/dev/shm could not be resized.";
  options_.probe = [health](agent::AgentTarget, Deadline) {
    return [](agent::AgentHealth now) -> awaitable<agent::AgentHealth> { co_return now; }(*health);
  };
  reboot();
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").statusReason, health->warning);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  health->setup = "failed";
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_NE(get("one").statusReason.find("The setup script"), std::string::npos);
  EXPECT_TRUE(get("one").statusReason.ends_with(" " + health->warning)) << get("one").statusReason;
  *health = {};
  health->ready = true;
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Lifecycle, aContainerThatExitsBeforeVscodeRespondsFailsTheCreate) {
  fake_options_.times.ready = std::chrono::seconds(60);
  reboot();
  auto started = run(swarm().createInstance(request("one")));
  drive([&] {
    auto container = world_.container(firstPlaceOf(started.instance.id));
    return container && container->status == InstanceStatus::running;
  });
  world_.exitContainer(firstPlaceOf(started.instance.id), 3);
  Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_NE(ended.error->message().find("exited with code 3"), std::string::npos) << ended.error->message();
  EXPECT_TRUE(world_.containers().empty());
}

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
