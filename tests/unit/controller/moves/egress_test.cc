// Moves and restores of an instance with an egress policy: at no place does a program of the user run before the rules stand, and no
// earlier place brings back a policy of its time.
#include <gmock/gmock.h>

#include "unit/controller/moves/fixture.h"

namespace swarm::test {
namespace {

using ::testing::HasSubstr;

class EgressMoves : public MigrationTest {
 protected:
  EgressMoves() {
    fake_options_.regions = {"fra", "iad"};
    options_.reconcileInterval = std::chrono::milliseconds(5);
  }
  ~EgressMoves() override { EXPECT_EQ(world_.unlimited(), std::set<PlaceId>{}) << "a program ran before the rules stood"; }

  void makeLimited(EgressPolicy policy = EgressPolicy::none) {
    CreateRequest wanted = request("web");
    wanted.config.network.egress = EgressConfig{policy, {}};
    ASSERT_EQ(finish(run(swarm().createInstance(wanted))).status, OperationStatus::succeeded);
    write(placeOf("web"), "notes", "text");
  }
  void limit(EgressPolicy policy) {
    UpdateRequest update;
    update.network = get("web").config.network;
    update.network->egress = EgressConfig{policy, {}};
    const UpdateResult result = run(swarm().updateInstance("web", update, "ann"));
    if (result.operation) EXPECT_EQ(run(swarm().waitForOperation(result.operation->id, soon())).status, OperationStatus::succeeded);
  }
  MigrateRequest keeping(std::string region) {
    MigrateRequest request = to(std::move(region));
    request.keepSource = true;
    return request;
  }
  static MigrateRequest back() {
    MigrateRequest request;
    request.back = true;
    return request;
  }
  Operation take(const std::string& name) { return finish(run(swarm().takeSnapshot("web", name, "ann"))); }
  Operation restore(const std::string& name) { return finish(run(swarm().restoreSnapshot("web", name, "ann"))); }
  /// Holds the rules back that are set from the first round of a copy on: those of the target.
  void blockRules() {
    moves_->onRound = [this](transfer::RoundKind) {
      if (!gate_) gate_ = world_.faults.block("setRules");
    };
  }
  void awaitBlocked() {
    drive([&] { return gate_ != nullptr; });
    run(gate_->reached());
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(30)); }
  fake::FakeContainer current() { return *world_.container(placeOf("web")); }
  void expectLimited(EgressPolicy policy) {
    EXPECT_EQ(get("web").status, InstanceStatus::running);
    EXPECT_EQ(get("web").network.egress, (EgressReport{policy, 0}));
    ASSERT_TRUE(current().rules);
    EXPECT_EQ(current().rules->policy, policy);
    EXPECT_EQ(current().held, "");
  }

  std::shared_ptr<fake::Gate> gate_;
};

TEST_F(EgressMoves, theTargetIsReleasedWhenItsRulesStand) {
  boot();
  makeLimited();
  const PlaceId source = placeOf("web");
  blockRules();
  const InstanceAndOperation moving = run(swarm().migrateInstance("web", to("fra"), "ann"));
  awaitBlocked();
  EXPECT_NE(placeOf("web"), source) << "it has switched";
  EXPECT_FALSE(current().rules);
  EXPECT_EQ(writers(), 0) << "no program runs at either place";
  EXPECT_FALSE(route("web")->ready);
  gate_->open();
  ASSERT_EQ(finish(moving).status, OperationStatus::succeeded);
  expectLimited(EgressPolicy::none);
}

TEST_F(EgressMoves, aServerThatIsKilledAfterTheSwitchSetsTheRulesOfTheTarget) {
  boot();
  makeLimited();
  blockRules();
  run(swarm().migrateInstance("web", to("fra"), "ann"));
  awaitBlocked();
  kill();
  gate_->open();
  EXPECT_EQ(writers(), 0);
  boot();
  waitUntilOnlyTheCurrentPlaceIsLeft();
  waitForStatus("web", InstanceStatus::running);
  drive([&] { return current().held.empty(); });
  expectLimited(EgressPolicy::none);
}

TEST_F(EgressMoves, aTargetWhoseRulesCannotBeSetIsStopped) {
  boot();
  makeLimited();
  world_.faults.fail("setRules", Error(ErrorCode::Unprocessable, "There is no nft."), 100);
  const Operation moved = move(keeping("fra"));
  EXPECT_EQ(moved.status, OperationStatus::failed);
  EXPECT_THAT(moved.error->message(), HasSubstr("There is no nft."));
  EXPECT_EQ(get("web").status, InstanceStatus::failed);
  EXPECT_EQ(writers(), 0);
}

TEST_F(EgressMoves, theSourceOfAMoveThatFailsGoesOnWithItsRules) {
  boot();
  makeLimited();
  moves_->onRound = [&](transfer::RoundKind kind) {
    if (kind == transfer::RoundKind::Final) moves_->failRound = Error(ErrorCode::UpstreamFailed, "It ends here.");
  };
  EXPECT_EQ(move(to("fra")).status, OperationStatus::failed);
  expectLimited(EgressPolicy::none);
}

TEST_F(EgressMoves, aSourceThatStartsAgainDuringThePauseGetsRulesBeforeItGoesOn) {
  boot();
  makeLimited();
  moves_->onRound = [&, source = placeOf("web")](transfer::RoundKind kind) {
    if (kind != transfer::RoundKind::Final || moves_->failRound) return;
    world_.stop(source);
    world_.start(source, {});
    moves_->failRound = Error(ErrorCode::UpstreamFailed, "It ends here.");
  };
  EXPECT_EQ(move(to("fra")).status, OperationStatus::failed);
  expectLimited(EgressPolicy::none);
}

TEST_F(EgressMoves, goBackWithThePresentPolicy) {
  boot();
  makeWorkspace();  // without one
  ASSERT_EQ(move(keeping("fra")).status, OperationStatus::succeeded);
  limit(EgressPolicy::none);
  expectLimited(EgressPolicy::none);
  UpdateRequest update;
  update.network = get("web").config.network;
  update.network->internalNetwork = true;
  const UpdateResult changed = run(swarm().updateInstance("web", update, "ann"));
  if (changed.operation) run(swarm().waitForOperation(changed.operation->id, soon()));
  ASSERT_EQ(move(back()).status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").region, "");
  EXPECT_TRUE(get("web").config.network.internalNetwork);
  EXPECT_EQ(get("web").config.network.regions, std::vector<std::string>{}) << "those of the place";
  expectLimited(EgressPolicy::none);
}

TEST_F(EgressMoves, aRestoreStartsWithThePresentPolicy) {
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  limit(EgressPolicy::none);
  blockRules();
  const InstanceAndOperation restoring = run(swarm().restoreSnapshot("web", "monday", "ann"));
  awaitBlocked();
  EXPECT_EQ(writers(), 0);
  gate_->open();
  ASSERT_EQ(finish(restoring).status, OperationStatus::succeeded);
  expectLimited(EgressPolicy::none);
  EXPECT_EQ(filesAt(world_, placeOf("web")), files_);
}

TEST_F(EgressMoves, aRestoreToAnotherProviderStartsWithThePresentPolicy) {
  fake::FakeOptions other = fake_options_;
  other.type = ProviderType::docker;
  other.swarmId = "other-swarm";
  other.regions = {"box"};
  other_providers_.push_back(other);
  options_.defaultProvider = ProviderType::fake;
  boot();
  makeWorkspace();
  ASSERT_EQ(take("monday").status, OperationStatus::succeeded);
  MigrateRequest elsewhere;
  elsewhere.targetProvider = ProviderType::docker;
  elsewhere.region = "box";
  ASSERT_EQ(move(elsewhere).status, OperationStatus::succeeded);
  limit(EgressPolicy::none);
  ASSERT_EQ(restore("monday").status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").provider, ProviderType::fake);
  expectLimited(EgressPolicy::none);
}

}  // namespace
}  // namespace swarm::test
