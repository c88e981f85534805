// Changes outside of swarm, outages, orphans, and how the server reacts.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Reconcile : public ControllerTest {
 protected:
  Reconcile() {
    options_.reconcileInterval = std::chrono::milliseconds(50);
    boot();
  }
};

TEST_F(Reconcile, aRemovedContainerFailsWithAReasonAndStartRecreatesIt) {
  Instance instance = create("one");
  std::string volume = world_.volumes().at(0).name;
  world_.writeFile(volume, "notes", "text");
  world_.removeContainer(firstPlaceOf(instance.id));
  waitForStatus("one", InstanceStatus::failed);
  EXPECT_NE(get("one").statusReason.find("removed outside of swarm"), std::string::npos);
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(world_.volume(volume)->files.at("notes"), "text");
}

TEST_F(Reconcile, volumesAreCalledIntactOnlyAfterAQueryAndAreNotReplacedWithoutARequest) {
  Instance one = create("one"), two = create("two");
  world_.removeContainer(firstPlaceOf(one.id));
  waitForStatus("one", InstanceStatus::failed);
  EXPECT_NE(get("one").statusReason.find("Its volumes are intact"), std::string::npos) << get("one").statusReason;
  std::string volume;
  for (const fake::FakeVolume& found : world_.volumes())
    if (found.placeId == firstPlaceOf(two.id)) volume = found.name;
  world_.emitEvents(false);  // both are gone before the next query
  world_.removeContainer(firstPlaceOf(two.id));
  world_.dropVolume(volume);
  world_.emitEvents(true);
  waitForStatus("two", InstanceStatus::failed);
  EXPECT_EQ(get("two").statusReason.find("intact"), std::string::npos) << get("two").statusReason;
  EXPECT_NE(get("two").statusReason.find(volume), std::string::npos) << get("two").statusReason;
  Operation refused = finish(run(swarm().startInstance("two", "ann")));
  EXPECT_EQ(refused.status, OperationStatus::failed);
  EXPECT_NE(refused.error->message().find("--empty-volumes"), std::string::npos) << refused.error->message();
  EXPECT_FALSE(world_.volume(volume)) << "an empty one hides that it is lost";
  EXPECT_EQ(finish(run(swarm().startInstance("two", "ann", EmptyVolumes::Yes))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("two").status, InstanceStatus::running);
}

TEST_F(Reconcile, aKillAtTheMemoryLimitIsReportedToTheOwner) {
  Instance instance = create("one");
  drive([&] { return route("one")->ready; });
  std::uint64_t before = swarm().events().lastId();
  world_.killAtMemoryLimit(firstPlaceOf(instance.id));
  drive([&] { return !get("one").statusReason.empty(); });
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_NE(get("one").statusReason.find("memory limit"), std::string::npos) << get("one").statusReason;
  auto events = run(swarm().events().after(before, Deadline::after(std::chrono::seconds(5))));
  auto notice = std::ranges::find(events, EventType::notice, &Event::type);
  ASSERT_NE(notice, events.end());
  EXPECT_EQ(notice->owner, "ann");
  finish(run(swarm().restartInstance("one", "ann")));
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Reconcile, anUnexpectedExitIsReportedWithItsReason) {
  Instance one = create("one");
  Instance two = create("two");
  world_.exitContainer(firstPlaceOf(one.id), 137);
  world_.exitContainer(firstPlaceOf(two.id), 0);
  waitForStatus("one", InstanceStatus::failed);
  waitForStatus("two", InstanceStatus::stopped);
  EXPECT_EQ(get("one").statusReason, "Its container exited with code 137.");
  EXPECT_EQ(get("two").desired, InstanceStatus::stopped);
  EXPECT_FALSE(route("one")->agent.endpoint);
}

/// A provider may not know any more who ended a container: then its exit code looks like a failure.
TEST_F(Reconcile, aStoppedWorkspaceStaysStoppedWhateverItsProviderReports) {
  Instance instance = create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  SystemTime observed = get("one").observedAt;
  world_.exitContainer(firstPlaceOf(instance.id), 2);
  drive([&] { return get("one").observedAt > observed; });
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  reboot();
  observed = get("one").observedAt;
  drive([&] { return get("one").observedAt > observed; });
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  EXPECT_EQ(get("one").statusReason, "");
}

TEST_F(Reconcile, thePeriodicListCoversALostEvent) {
  Instance instance = create("one");
  drive([&] { return route("one")->ready; });
  world_.emitEvents(false);
  world_.exitContainer(firstPlaceOf(instance.id), 1);
  waitForStatus("one", InstanceStatus::failed);
}

TEST_F(Reconcile, anUnreachableProviderLeavesTheLastKnownStateMarkedStale) {
  create("one");
  SystemTime observed = get("one").observedAt;
  world_.setDown(true);
  drive([&] { return get("one").stale; });
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(get("one").observedAt, observed);
  SwarmStatus status = run(swarm().getSwarmStatus());
  EXPECT_EQ(status.providers.at(0).status, ProviderHealth::unavailable);
  EXPECT_EQ(status.runningInstances, 1);
  world_.setDown(false);
  drive([&] { return !get("one").stale; });
}

TEST_F(Reconcile, aFailedInstanceWithoutAContainerIsNotStaleOnceItsProviderResponds) {
  Instance instance = create("one");
  world_.removeContainer(firstPlaceOf(instance.id));
  waitForStatus("one", InstanceStatus::failed);
  world_.setDown(true);
  drive([&] { return get("one").stale; });
  world_.setDown(false);
  drive([&] { return !get("one").stale; });
  EXPECT_EQ(get("one").status, InstanceStatus::failed);
  reboot();
  drive([&] { return !get("one").stale; });
}

TEST_F(Reconcile, afterAnEngineRestartWhatRanIsStartedAgain) {
  create("one");
  create("two");
  finish(run(swarm().stopInstance("two", "ann")));
  std::string generation = world_.containers().at(0).generation;
  world_.setDown(true);
  world_.stopAll();
  world_.setDown(false);
  drive([&] { return world_.containers().at(0).status == InstanceStatus::running; });
  drive([&] { return get("one").status == InstanceStatus::running && route("one")->ready; });
  EXPECT_EQ(get("two").status, InstanceStatus::stopped);
}

TEST_F(Reconcile, whatEndedTogetherWithItsEngineIsStartedAgain) {
  Instance instance = create("one");
  world_.exitContainer(firstPlaceOf(instance.id), 143);  // the Engine stops its containers, still responds for a while …
  waitForStatus("one", InstanceStatus::failed);
  world_.setDown(true);  // … and disconnects
  drive([&] { return get("one").stale; });
  world_.setDown(false);
  waitForStatus("one", InstanceStatus::running);
}

TEST_F(Reconcile, whatAlwaysStopsAgainFailsInTheEnd) {
  Instance instance = create("one");
  // An observation may precede the outage that caused the exit: that failure is not final.
  auto has_given_up = [&] {
    Instance now = get("one");
    return now.status == InstanceStatus::failed && now.statusReason.find("5 times") != std::string::npos;
  };
  for (int i = 0; i < 6; ++i) {
    world_.setDown(true);
    drive([&] { return get("one").stale; });
    world_.emitEvents(false);
    world_.exitContainer(firstPlaceOf(instance.id), 1);
    world_.emitEvents(true);
    world_.setDown(false);
    drive([&] {
      Instance now = get("one");
      bool up = now.status == InstanceStatus::running && now.operationId.empty() &&
                world_.container(firstPlaceOf(instance.id))->status == InstanceStatus::running;
      return up || has_given_up();
    });
    EXPECT_EQ(has_given_up(), i == 5) << get("one").statusReason;
  }
}

TEST_F(Reconcile, aRestartOfTheServerBringsRoutesBackWithoutTouchingInstances) {
  create("one");
  drive([&] { return route("one")->ready; });
  std::string container = world_.containers().at(0).id;
  std::string generation = world_.containers().at(0).generation;
  reboot();
  drive([&] { return route("one") && route("one")->ready; });
  EXPECT_EQ(world_.containers().at(0).id, container);
  EXPECT_EQ(route("one")->generation, generation);
  EXPECT_EQ(route("one")->status, InstanceStatus::running);
}

TEST_F(Reconcile, nothingIsConcludedFromAPartialList) {
  for (const char* name : {"one", "two", "three"}) create(name);
  drive([&] { return route("one")->ready && route("two")->ready && route("three")->ready; });
  world_.setListsPartial(true);
  int looks = world_.faults.passes("listInstances");
  drive([&] { return world_.faults.passes("listInstances") >= looks + 3; });
  for (const char* name : {"one", "two", "three"}) EXPECT_EQ(get(name).status, InstanceStatus::running);
  EXPECT_EQ(world_.containers().size(), 3u);
}

TEST_F(Reconcile, anOrphanOfOurSwarmIsSweptAndAForeignOneIsNot) {
  auto plant = [&](const std::string& swarm_id, const std::string& id) {
    fake::FakeContainer container;
    container.id = "container-" + id;
    container.swarmId = swarm_id;
    container.spec.placeId = PlaceId(id);
    container.spec.owner = "ann";
    container.status = InstanceStatus::running;
    container.createdAt = clock_.now() - std::chrono::minutes(5);
    container.volumes = {"volume-" + id};
    fake::FakeVolume volume;
    volume.name = "volume-" + id;
    volume.swarmId = swarm_id;
    volume.placeId = PlaceId(id);
    volume.owner = "ann";
    world_.plant(container, {volume});
  };
  plant(fake_options_.swarmId, "i-lost");
  plant("another-swarm", "i-foreign");
  drive([&] { return !world_.container(PlaceId("i-lost")); });
  EXPECT_TRUE(world_.container(PlaceId("i-foreign")));
  EXPECT_TRUE(world_.volume("volume-i-lost")) << "a persistent volume of an orphan is kept";
}

/// As if the provider had finished the create of a deleted instance late.
TEST_F(Reconcile, leftoversOfADeletedInstanceAreRemovedAsRequested) {
  Instance purged = create("one"), kept = create("two");
  InstanceSpec spec_of_purged = world_.container(firstPlaceOf(purged.id))->spec,
               spec_of_kept = world_.container(firstPlaceOf(kept.id))->spec;
  finish(run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann")));
  finish(run(swarm().deleteInstance("two", DeleteVolumes::No, "ann")));
  std::string old = world_.volumes().at(0).name;
  reboot();
  for (const InstanceSpec* late : {&spec_of_purged, &spec_of_kept}) {
    world_.ensureVolume(fake_options_.swarmId, *late, 0);
    world_.ensureContainer(fake_options_.swarmId, *late);
  }
  drive([&] { return world_.containers().empty() && world_.volumes().size() == 1; });
  EXPECT_EQ(world_.volumes().at(0).name, old);
}

TEST_F(Reconcile, aNewUnknownResourceIsNotRemoved) {
  options_.orphanGrace = std::chrono::minutes(1);
  reboot();
  fake::FakeContainer container;
  container.swarmId = fake_options_.swarmId;
  container.spec.placeId = PlaceId("i-young");
  container.createdAt = clock_.now();
  world_.plant(container, {});
  int looks = world_.faults.passes("listInstances");
  drive([&] { return world_.faults.passes("listInstances") >= looks + 3; });
  EXPECT_TRUE(world_.container(PlaceId("i-young")));
}

TEST_F(Reconcile, aReplacedVscodeServerGivesTheRouteANewGeneration) {
  Instance instance = create("one");
  drive([&] { return route("one")->ready; });
  std::string before = route("one")->generation;
  std::uint64_t epoch = route("one")->epoch;
  world_.restartVscode(firstPlaceOf(instance.id));
  swarm().routes().reportDoubt(instance.id);
  drive([&] { return route("one")->generation != before; });
  EXPECT_EQ(route("one")->epoch, epoch) << "the connections to ports inside stay";
  EXPECT_TRUE(route("one")->ready);
}

TEST_F(Reconcile, theLastUseOfAnOpenInstanceIsQueried) {
  SystemTime used = clock_.now() + std::chrono::milliseconds(1);
  int queries = 0;
  options_.activity = [&](agent::AgentTarget, Deadline) -> awaitable<agent::AgentActivity> {
    ++queries;
    co_return agent::AgentActivity{used, 1};
  };
  reboot();
  Instance instance = create("one");
  drive([&] { return route("one")->ready; });
  while (clock_.now() < used) {
  }
  used = clock_.now();
  swarm().routes().reportUse(instance.id);
  drive([&] { return get("one").lastActive == used; });
  used -= std::chrono::hours(1);  // the agent was restarted and has forgotten
  int before = queries;
  swarm().routes().reportUse(instance.id);
  drive([&] { return queries > before; });
  EXPECT_EQ(get("one").lastActive, used + std::chrono::hours(1)) << "it never goes back";
  used = clock_.now() + std::chrono::hours(5);  // its clock is wrong
  before = queries;
  swarm().routes().reportUse(instance.id);
  drive([&] { return queries > before; });
  EXPECT_LE(get("one").lastActive, clock_.now());
}

TEST_F(Reconcile, theActivityOfAStoppedInstanceIsNotQueried) {
  int queries = 0;
  options_.activity = [&](agent::AgentTarget, Deadline) -> awaitable<agent::AgentActivity> {
    ++queries;
    co_return agent::AgentActivity{};
  };
  reboot();
  Instance instance = create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  int before = queries;
  swarm().routes().reportUse(instance.id);
  turn(50);
  EXPECT_EQ(queries, before);
}

TEST_F(Reconcile, aContainerStartedOutsideOfSwarmIsAdopted) {
  Instance instance = create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  world_.start(firstPlaceOf(instance.id), std::chrono::milliseconds(0));
  waitForStatus("one", InstanceStatus::running);
  drive([&] { return route("one")->ready; });
  EXPECT_EQ(get("one").desired, InstanceStatus::running);
}

/// Without the periodic list, which would find it later.
TEST_F(Reconcile, aContainerThatIsStartedSeveralTimesInARowIsReachableAfterEach) {
  options_.reconcileInterval = std::chrono::hours(1);
  reboot();
  const Instance instance = create("one");
  for (int n = 0; n < 3; ++n) {
    world_.stop(firstPlaceOf(instance.id));
    waitForStatus("one", InstanceStatus::stopped);
    world_.start(firstPlaceOf(instance.id), {});
    waitForStatus("one", InstanceStatus::running);
    drive([&] { return route("one")->ready; });
  }
}

TEST_F(Reconcile, anIdleSwarmSendsOnlyPeriodicLists) {
  options_.reconcileInterval = std::chrono::hours(1);
  reboot();
  create("one");
  drive([&] { return route("one")->ready; });
  auto quiet_since = std::chrono::steady_clock::now();  // checks right after another one are delayed
  while (std::chrono::steady_clock::now() - quiet_since < std::chrono::milliseconds(500))
    if (turn(1)) quiet_since = std::chrono::steady_clock::now();
  int handlers = 0;
  life_->loop.restart();
  handlers = static_cast<int>(life_->loop.run_for(std::chrono::milliseconds(300)));
  EXPECT_EQ(handlers, 0) << "something runs while nothing happens";
}

TEST_F(Reconcile, afterARestartInstancesAreInspectedConcurrentlyWithALimit) {
  constexpr int kInstances = 40;
  for (int i = 0; i < kInstances; ++i) create("one" + std::to_string(i));
  kill();
  auto gate = world_.faults.block("getInstance");
  int before = world_.faults.passes("getInstance");
  boot();
  drive([&] { return world_.faults.passes("getInstance") >= before + 32; });
  while (turn(1)) {
  }
  EXPECT_EQ(world_.faults.passes("getInstance"), before + 32);  // not all of them: the number of concurrent calls is limited
  gate->open();
  auto all_are_back = [&] {
    for (int i = 0; i < kInstances; ++i)
      if (!route("one" + std::to_string(i))->ready) return false;
    return true;
  };
  drive(all_are_back);
  for (int i = 0; i < kInstances; ++i) EXPECT_FALSE(get("one" + std::to_string(i)).stale);
}

}  // namespace
}  // namespace swarm::test
