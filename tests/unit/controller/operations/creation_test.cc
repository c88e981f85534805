// Creation: what exists while it runs and after it failed, and what its end reports.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Creation : public ControllerTest {
 protected:
  Creation() { boot(); }
};

TEST_F(Creation, createRunsUntilVscodeResponds) {
  auto started = run(swarm().createInstance(request("one")));
  EXPECT_EQ(started.instance.status, InstanceStatus::creating);
  EXPECT_EQ(started.instance.operationId, started.operation.id);
  EXPECT_EQ(started.instance.url, "http://one.localhost:7420/");
  Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::succeeded);
  EXPECT_EQ(ended.steps.back().name, "wait until VS Code responds");
  Instance instance = get("one");
  EXPECT_EQ(instance.status, InstanceStatus::running);
  EXPECT_EQ(instance.statusReason, "");
  EXPECT_EQ(instance.operationId, "");
  EXPECT_EQ(instance.config.storage.at(0).mountPath, "/home/coder");
  drive([&] { return route("one")->ready; });
  EXPECT_EQ(route("one")->generation, world_.container(firstPlaceOf(instance.id))->generation);
  EXPECT_EQ(world_.volumes().size(), 1u);
}

TEST_F(Creation, createRefusesATakenName) {
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

TEST_F(Creation, aNameOfOnesOwnStoppedWorkspaceComesWithTheNextStep) {
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

TEST_F(Creation, aCommandInAStoppedWorkspaceComesWithTheNextStep) {
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

TEST_F(Creation, createWithoutANameGeneratesOne) {
  auto started = run(swarm().createInstance(request("")));
  finish(started);
  EXPECT_TRUE(started.instance.config.name.starts_with("ws-"));
  EXPECT_EQ(get(started.instance.config.name).id, started.instance.id);
}

TEST_F(Creation, aFailedCreateKeepsTheRowAndNothingElse) {
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

TEST_F(Creation, startRepeatsAFailedCreate) {
  world_.faults.fail("createInstance/start container", Error(ErrorCode::Unprocessable, "Port 80 is in use."));
  finish(run(swarm().createInstance(request("one"))));
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

TEST_F(Creation, aFailedCreateKeepsAVolumeThatExistedBefore) {
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

TEST_F(Creation, createRetriesDuringAShortOutageOfTheProvider) {
  world_.faults.fail("createInstance/create container", Error(ErrorCode::Unavailable, "The Engine went away."), 3);
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded);
  EXPECT_EQ(world_.containers().size(), 1u);
  EXPECT_EQ(world_.volumes().size(), 1u);
}

TEST_F(Creation, createIsRefusedAtOnceWhileTheProviderIsDown) {
  world_.setDown(true);
  try {
    run(swarm().createInstance(request("one")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  }
  EXPECT_TRUE(store_.instances.empty());
}

TEST_F(Creation, anImageWithoutAnAgentFailsItsOperationAndKeepsRunning) {
  world_.addImageWithoutAgent("plain");
  CreateRequest plain = request("one");
  plain.config.image = "plain";
  Operation ended = finish(run(swarm().createInstance(plain)));
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_EQ(ended.steps.back().name, "wait until VS Code responds");
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

TEST_F(Creation, aVscodeThatAlwaysExitsFailsTheOperationWithItsReason) {
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

TEST_F(Creation, aCreateReportsWhyVscodeDoesNotStartWhileItWaits) {
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

TEST_F(Creation, theStatusReasonReportsTheSetupScript) {
  auto health = std::make_shared<agent::AgentHealth>();
  health->ready = true;
  health->setup = agent::SetupState::Running;
  options_.setupInterval = std::chrono::milliseconds(1);
  options_.probe = [health](agent::AgentTarget, Deadline) {
    return [](agent::AgentHealth now) -> awaitable<agent::AgentHealth> { co_return now; }(*health);
  };
  reboot();
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded) << "the operation does not wait for it";
  drive([&] { return get("one").statusReason.find("setup script") != std::string::npos; });
  EXPECT_NE(get("one").statusReason.find("still running"), std::string::npos);
  health->setup = agent::SetupState::Failed;
  health->setupExitCode = 3;
  drive([&] { return get("one").statusReason.find("failed with exit code 3") != std::string::npos; });
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  reboot();  // the server's next run reports it, too
  drive([&] { return get("one").statusReason.find("failed with exit code 3") != std::string::npos; });
  health->setup = agent::SetupState::Succeeded;
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Creation, aFailedSetupScriptIsReportedWhenTheCreateEnds) {
  options_.setupInterval = std::chrono::hours(1);
  options_.probe = [](agent::AgentTarget, Deadline) -> awaitable<agent::AgentHealth> {
    agent::AgentHealth health;
    health.ready = true;
    health.setup = agent::SetupState::Failed;
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

TEST_F(Creation, theStatusReasonHasTheAgentsWarningUntilItHasNone) {
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
  health->setup = agent::SetupState::Failed;
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_NE(get("one").statusReason.find("The setup script"), std::string::npos);
  EXPECT_TRUE(get("one").statusReason.ends_with(" " + health->warning)) << get("one").statusReason;
  *health = {};
  health->ready = true;
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Creation, aContainerThatExitsBeforeVscodeRespondsFailsTheCreate) {
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

}  // namespace
}  // namespace swarm::test
