// No program of a user runs before the rules of its network stand.
#include <gmock/gmock.h>

#include "support/agents/fake_moves.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

using ::testing::HasSubstr;

class Egress : public ControllerTest {
 protected:
  Egress() {
    moves_ = std::make_shared<FakeMoves>(world_);
    options_.moveAgents = moves_;
    boot();
  }
  CreateRequest limited(const std::string& name, EgressPolicy policy = EgressPolicy::none) const {
    CreateRequest wanted = request(name);
    wanted.config.network.egress = EgressConfig{policy, {}};
    return wanted;
  }
  Instance createLimited(const std::string& name) {
    const Operation ended = finish(run(swarm().createInstance(limited(name))));
    EXPECT_EQ(ended.status, OperationStatus::succeeded) << (ended.error ? ended.error->message() : "");
    return get(name);
  }
  /// Its agent is released, and its VS Code takes an hour.
  InstanceAndOperation beginLimited(std::string name) {
    kill();
    fake_options_.times.ready = std::chrono::hours(1);
    boot();
    const InstanceAndOperation started = run(swarm().createInstance(limited(std::move(name))));
    drive([&] {
      const auto made = world_.container(firstPlaceOf(started.instance.id));
      return made && made->rules && made->held.empty();
    });
    return started;
  }
  fake::FakeContainer container(const Instance& instance) { return *world_.container(firstPlaceOf(instance.id)); }

  std::shared_ptr<FakeMoves> moves_;
};

TEST_F(Egress, anAgentStartsHeldAndIsReleasedWhenTheRulesStand) {
  auto gate = world_.faults.block("setRules");
  const InstanceAndOperation started = run(swarm().createInstance(limited("one")));
  run(gate->reached());
  EXPECT_EQ(container(started.instance).held, "egress");
  EXPECT_FALSE(route("one")->ready);
  gate->open();
  ASSERT_EQ(finish(started).status, OperationStatus::succeeded);
  EXPECT_EQ(container(started.instance).held, "");
  EXPECT_TRUE(container(started.instance).rules);
  EXPECT_EQ(get("one").network.egress, (EgressReport{EgressPolicy::none, 0}));
  EXPECT_EQ(run(swarm().getNetworkInfo("one")).egress, (EgressReport{EgressPolicy::none, 7}));
}

TEST_F(Egress, openIsAsBefore) {
  const Instance instance = create("one");
  EXPECT_FALSE(container(instance).rules);
  EXPECT_FALSE(instance.network.egress);
  EXPECT_EQ(container(instance).spec.agentBoot.find("hold"), std::string::npos);
  EXPECT_FALSE(run(swarm().getNetworkInfo("one")).egress);
}

TEST_F(Egress, theRulesAreSetAtEveryStartAlsoByOthers) {
  const Instance instance = createLimited("one");
  EXPECT_EQ(finish(run(swarm().restartInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_TRUE(container(instance).rules);
  EXPECT_EQ(container(instance).held, "");
  world_.stop(firstPlaceOf(instance.id));
  waitForStatus("one", InstanceStatus::stopped);
  EXPECT_FALSE(get("one").network.egress) << "nothing is claimed of what does not run";
  world_.start(firstPlaceOf(instance.id), {});  // by hand, at the Engine
  drive([&] { return container(instance).rules && container(instance).held.empty(); });
}

TEST_F(Egress, aServerThatIsKilledBeforeTheRulesStandSetsThemAtItsNextStart) {
  auto gate = world_.faults.block("setRules");
  const InstanceAndOperation started = run(swarm().createInstance(limited("one")));
  run(gate->reached());
  kill();
  gate->open();
  EXPECT_FALSE(container(started.instance).rules);
  boot();
  waitForStatus("one", InstanceStatus::running);
  drive([&] { return container(started.instance).held.empty(); });
  EXPECT_TRUE(container(started.instance).rules);
}

TEST_F(Egress, whereRulesCannotBeSetNothingRuns) {
  world_.faults.fail("setRules", Error(ErrorCode::Unprocessable, "There is no nft."), 100);
  const InstanceAndOperation started = run(swarm().createInstance(limited("one")));
  const Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_THAT(ended.error->message(), HasSubstr("There is no nft."));
  EXPECT_FALSE(world_.container(firstPlaceOf(started.instance.id))) << "a failed create is rolled back";
}

TEST_F(Egress, anAgentThatWasNotHeldIsStopped) {
  const Instance instance = createLimited("one");
  const PlaceId place = firstPlaceOf(instance.id);
  EXPECT_EQ(finish(run(swarm().stopInstance("one", "ann"))).status, OperationStatus::succeeded);
  auto gate = world_.faults.block("setRules");
  const InstanceAndOperation started = run(swarm().startInstance("one", "ann"));
  run(gate->reached());
  world_.release(place);  // as an agent that does not know that it should wait
  gate->open();
  const Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_THAT(ended.error->message(), HasSubstr("did not wait for the rules"));
  EXPECT_NE(container(instance).status, InstanceStatus::running);
  EXPECT_EQ(get("one").status, InstanceStatus::failed);
}

TEST_F(Egress, anAgentThatWasNotHeldIsStoppedAlsoWhenAnotherProgramStartedIt) {
  const Instance instance = createLimited("one");
  const PlaceId place = firstPlaceOf(instance.id);
  EXPECT_EQ(finish(run(swarm().stopInstance("one", "ann"))).status, OperationStatus::succeeded);
  auto gate = world_.faults.block("setRules");
  world_.start(place, {});
  run(gate->reached());
  world_.release(place);
  gate->open();
  drive([&] { return container(instance).status != InstanceStatus::running; });
  waitForStatus("one", InstanceStatus::failed);
  EXPECT_THAT(get("one").statusReason, HasSubstr("egress policy could not be enforced"));
}

/// Rules end with each run, and the wait for VS Code may see several.
TEST_F(Egress, aRunThatBeginsWhileVscodeIsAwaitedGetsRulesOfItsOwn) {
  const InstanceAndOperation started = beginLimited("one");
  const PlaceId place = firstPlaceOf(started.instance.id);
  auto gate = world_.faults.block("setRules");
  world_.stop(place);
  world_.start(place, {});
  drive([&] { return world_.faults.passes("setRules") > 1 || container(started.instance).held.empty(); });
  EXPECT_EQ(container(started.instance).held, "egress");
  gate->open();
  EXPECT_EQ(finish(started).status, OperationStatus::succeeded);
  EXPECT_TRUE(container(started.instance).rules);
  EXPECT_EQ(world_.unlimited(), std::set<PlaceId>{});
}

TEST_F(Egress, aRunThatDoesNotBeginHeldWhileVscodeIsAwaitedIsStopped) {
  const InstanceAndOperation started = beginLimited("one");
  const PlaceId place = firstPlaceOf(started.instance.id);
  world_.stop(place);
  world_.start(place, {});
  world_.release(place);
  const Operation ended = finish(started);
  EXPECT_EQ(ended.status, OperationStatus::failed);
  EXPECT_THAT(ended.error->message(), HasSubstr("did not wait for the rules"));
}

TEST_F(Egress, aRunOfWhichNoEventHasComeIsNotTakenForTheOneWhoseRulesStand) {
  world_.emitEvents(false);
  const Instance instance = createLimited("one");
  world_.emitEvents(true);
  world_.stop(firstPlaceOf(instance.id));
  world_.start(firstPlaceOf(instance.id), {});
  world_.release(firstPlaceOf(instance.id));
  drive([&] { return container(instance).status != InstanceStatus::running; });
  waitForStatus("one", InstanceStatus::failed);
  EXPECT_THAT(get("one").statusReason, HasSubstr("egress policy could not be enforced"));
}

TEST_F(Egress, aReleaseIsForTheRunWhoseRulesStand) {
  int releases = 0;
  moves_->onRelease = [&] {
    if (++releases > 1) return;
    const PlaceId place = world_.containers().front().spec.placeId;
    world_.stop(place);  // between the rules and the release
    world_.start(place, {});
  };
  const Instance instance = createLimited("one");
  EXPECT_GT(releases, 1);
  EXPECT_TRUE(container(instance).rules);
  EXPECT_EQ(world_.unlimited(), std::set<PlaceId>{});
}

TEST_F(Egress, commandsRunOnlyWhereTheRulesStand) {
  const Instance instance = createLimited("one");
  auto command = [&] { return run(swarm().executeCommand("one", {"true"}, "", Deadline::after(std::chrono::seconds(5)))).exitCode; };
  EXPECT_EQ(command(), 0);
  auto gate = world_.faults.block("setRules");
  world_.stop(firstPlaceOf(instance.id));
  waitForStatus("one", InstanceStatus::stopped);
  world_.start(firstPlaceOf(instance.id), {});  // by hand, at the Engine
  run(gate->reached());
  waitForStatus("one", InstanceStatus::running);
  try {
    command();
    ADD_FAILURE() << "it ran before the rules stood";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unavailable);
    EXPECT_TRUE(error.retryable());
  }
  gate->open();
  drive([&] { return route("one") && route("one")->ready; });
  EXPECT_EQ(command(), 0);
  EXPECT_EQ(world_.unlimited(), std::set<PlaceId>{});
}

TEST_F(Egress, anotherPolicyAppliesWhileItRunsAndAFirstOneNeedsAnotherContainer) {
  createLimited("one");
  UpdateRequest update;
  update.network = get("one").config.network;
  update.network->egress = EgressConfig{EgressPolicy::standard, {"10.0.0.1"}};
  EXPECT_EQ(run(swarm().planUpdate("one", update)).effect, UpdateEffect::live);
  EXPECT_EQ(run(swarm().updateInstance("one", update, "ann")).effect, UpdateEffect::live);
  EXPECT_EQ(container(get("one")).rules->policy, EgressPolicy::standard);
  create("two");
  EXPECT_EQ(run(swarm().planUpdate("two", update)).effect, UpdateEffect::restart);
  EXPECT_EQ(run(swarm().updateInstance("two", update, "ann")).effect, UpdateEffect::restart);
  waitForStatus("two", InstanceStatus::running);
  drive([&] { return container(get("two")).rules && container(get("two")).held.empty(); });
}

}  // namespace
}  // namespace swarm::test
