// Idempotency keys, updates, lists, waiting.
#include "controller/agents/agent_watch.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class Requests : public ControllerTest {
 protected:
  Requests() { boot(); }

  CreateRequest keyed(const std::string& name, const std::string& key) {
    CreateRequest keyed = request(name);
    keyed.idempotencyKey = key;
    return keyed;
  }
};

TEST_F(Requests, aRepeatedIdempotencyKeyReturnsTheFirstResponse) {
  auto first = run(swarm().createInstance(keyed("one", "k")));
  auto second = run(swarm().createInstance(keyed("one", "k")));
  EXPECT_FALSE(first.replayed);
  EXPECT_TRUE(second.replayed);
  EXPECT_EQ(first.instance.id, second.instance.id);
  EXPECT_EQ(first.operation.id, second.operation.id);
  finish(first);
  reboot();
  auto third = run(swarm().createInstance(keyed("one", "k")));
  EXPECT_EQ(third.operation.id, first.operation.id);
  EXPECT_EQ(third.operation.status, OperationStatus::succeeded);
  EXPECT_EQ(world_.containers().size(), 1u);
}

/// Otherwise each later update would be refused for a size that no user requested.
TEST_F(Requests, aDefaultThatTheMachineLacksIsReducedWithWhatItBounds) {
  options_.defaultResources.memory.max = std::int64_t{4} * 1024 * 1024;
  options_.defaultResources.shmSize = options_.defaultResources.memory.max;
  reboot();
  CreateRequest plain = request("one");
  plain.config.resources = {};
  const ResourceConfig made = run(swarm().createInstance(plain)).instance.config.resources;
  EXPECT_LT(made.memory.max, options_.defaultResources.memory.max);
  EXPECT_EQ(made.shmSize, made.memory.max);
}

/// By facts that the provider knows: no operation, no row, and the name stays free.
TEST_F(Requests, anImpossibleCreateIsRefusedBeforeItsNameIsTaken) {
  fake_options_.checksRequests = true;
  reboot();
  CreateRequest too_large = request("one");
  too_large.config.resources.memory.max = std::int64_t{1024} * 1024 * 1024;
  try {
    run(swarm().createInstance(too_large));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  }
  EXPECT_TRUE(run(swarm().listInstances({})).items.empty());
  EXPECT_TRUE(run(swarm().listOperations({})).empty());
  EXPECT_EQ(finish(run(swarm().createInstance(request("one")))).status, OperationStatus::succeeded);
  UpdateRequest update;
  update.resources = too_large.config.resources;
  EXPECT_THROW(run(swarm().updateInstance("one", update, "ann")), Error);
  EXPECT_NE(get("one").config.resources.memory.max, too_large.config.resources.memory.max);
}

TEST_F(Requests, anIdempotencyKeyForAnotherRequestIsRefused) {
  finish(run(swarm().createInstance(keyed("one", "k"))));
  try {
    run(swarm().createInstance(keyed("two", "k")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
  }
  CreateRequest of_bob = keyed("two", "k");
  of_bob.actor = "bob";
  of_bob.owner = "bob";
  EXPECT_FALSE(run(swarm().createInstance(of_bob)).replayed) << "keys belong to a user";
}

TEST_F(Requests, aKeyWhoseRowWasNeverWrittenIsUsedForTheRetry) {
  turn(100);
  store_.failWrites = Error(ErrorCode::OutOfResources, "The disk is full.");
  Store::IdempotencyEntry unused;
  boost::asio::co_spawn(loop(), swarm().createInstance(keyed("one", "k")), [](std::exception_ptr, InstanceAndOperation) {});
  while (!run(store_.findIdempotencyKey("ann", "k"))) {
  }
  kill();  // between the key and the row, or just after it
  boot();
  auto retried = run(swarm().createInstance(keyed("one", "k")));
  finish(retried);
  EXPECT_EQ(world_.containers().size(), 1u);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
}

TEST_F(Requests, aLiveChangeIsAppliedAtOnce) {
  Instance before = create("one");
  UpdateRequest change;
  change.resources = before.config.resources;
  change.resources->memory.max = 8192;
  InstanceRef as_it_was("one", {.any = false, .versions = {before.version}});
  UpdateResult result = run(swarm().updateInstance(as_it_was, change, "ann"));
  EXPECT_EQ(result.effect, UpdateEffect::live);
  EXPECT_FALSE(result.operation);
  EXPECT_EQ(result.instance.version, before.version + 1);
  EXPECT_EQ(world_.container(firstPlaceOf(before.id))->spec.config.resources.memory.max, 8192);
  try {
    run(swarm().updateInstance(as_it_was, change, "ann"));
    FAIL() << "a version that is gone was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::PreconditionFailed);
  }
}

TEST_F(Requests, aRefusedChangeChangesNothing) {
  Instance before = create("one");
  UpdateRequest change;
  change.resources = before.config.resources;
  change.resources->memory.max = 1;
  EXPECT_THROW(run(swarm().updateInstance("one", change, "ann")), Error);
  EXPECT_EQ(get("one").version, before.version);
  EXPECT_EQ(get("one").config.resources.memory.max, before.config.resources.memory.max);
}

TEST_F(Requests, aChangedEnvironmentRecreatesTheContainerOnItsVolumes) {
  Instance before = create("one");
  std::string volume = world_.volumes().at(0).name;
  world_.writeFile(volume, "notes", "text");
  std::string container = world_.container(firstPlaceOf(before.id))->id;
  UpdateRequest change;
  change.env = std::map<std::string, std::string>{{"EDITOR", "vi"}};
  UpdateResult result = run(swarm().updateInstance("one", change, "ann"));
  EXPECT_EQ(result.effect, UpdateEffect::restart);
  ASSERT_TRUE(result.operation);
  EXPECT_EQ(run(swarm().waitForOperation(result.operation->id, Deadline::after(std::chrono::seconds(30)))).status,
            OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::running);
  EXPECT_EQ(get("one").config.env.at("EDITOR"), "vi");
  EXPECT_NE(world_.container(firstPlaceOf(before.id))->id, container);
  EXPECT_EQ(world_.container(firstPlaceOf(before.id))->spec.config.env.at("EDITOR"), "vi");
  EXPECT_EQ(world_.volume(volume)->files.at("notes"), "text");
}

TEST_F(Requests, aReplacementOfAStoppedInstanceLeavesItStopped) {
  create("one");
  finish(run(swarm().stopInstance("one", "ann")));
  UpdateRequest change;
  change.env = std::map<std::string, std::string>{{"EDITOR", "vi"}};
  UpdateResult result = run(swarm().updateInstance("one", change, "ann"));
  EXPECT_EQ(run(swarm().waitForOperation(result.operation.value().id, Deadline::after(std::chrono::seconds(30)))).status,
            OperationStatus::succeeded);
  EXPECT_EQ(get("one").status, InstanceStatus::stopped);
  EXPECT_EQ(world_.containers().at(0).spec.config.env.at("EDITOR"), "vi");
}

TEST_F(Requests, aFailedReplacementRestoresTheLastConfiguration) {
  create("one");
  UpdateRequest change;
  change.env = std::map<std::string, std::string>{{"EDITOR", "vi"}};
  world_.faults.fail("replaceInstance/create container", Error(ErrorCode::Unprocessable, "Port 80 is in use."));
  UpdateResult result = run(swarm().updateInstance("one", change, "ann"));
  Operation ended = run(swarm().waitForOperation(result.operation.value().id, Deadline::after(std::chrono::seconds(30))));
  EXPECT_EQ(ended.status, OperationStatus::failed);
  Instance instance = get("one");
  EXPECT_EQ(instance.status, InstanceStatus::running);
  EXPECT_TRUE(instance.config.env.empty());
  EXPECT_NE(instance.statusReason.find("Port 80 is in use."), std::string::npos);
}

TEST_F(Requests, aChangeOfLabelsNeedsNoProvider) {
  Instance before = create("one");
  UpdateRequest change;
  change.labels = std::map<std::string, std::string>{{"team", "core"}};
  UpdateResult result = run(swarm().updateInstance("one", change, "ann"));
  EXPECT_EQ(result.effect, UpdateEffect::none);
  InstanceQuery query;
  query.labels["team"] = "core";
  EXPECT_EQ(run(swarm().listInstances(query)).items.size(), 1u);
  EXPECT_EQ(store_.instances.at(before.id).instance.version, before.version + 1);
}

TEST_F(Requests, listsArePagedAndFiltered) {
  for (const char* name : {"a", "b", "c", "d", "e"}) create(name);
  InstanceQuery query;
  query.limit = 2;
  std::vector<std::string> names;
  do {
    InstancePage page = run(swarm().listInstances(query));
    EXPECT_LE(page.items.size(), 2u);
    for (const Instance& instance : page.items) names.push_back(instance.config.name);
    query.after = page.next;
  } while (!query.after.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  InstanceQuery of_bob;
  of_bob.owner = "bob";
  EXPECT_TRUE(run(swarm().listInstances(of_bob)).items.empty());
}

TEST_F(Requests, aPageOfLargeInstancesEndsBeforeItsLimit) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    CreateRequest large = request(name);
    for (const char* variable : {"W", "X", "Y", "Z"}) large.config.env[variable] = std::string(32'000, '\x01');  // 6 bytes each in JSON
    finish(run(swarm().createInstance(large)));
  }
  InstanceQuery query;
  query.limit = 1000;
  std::vector<std::size_t> sizes;
  do {
    InstancePage page = run(swarm().listInstances(query));
    sizes.push_back(page.items.size());
    query.after = page.next;
  } while (!query.after.empty());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1}));
}

TEST_F(Requests, theRouteOfANewInstanceExistsWhenItsCreationIsConfirmed) {
  for (const char* name : {"a", "b", "c"}) {
    run(swarm().createInstance(request(name)));
    EXPECT_TRUE(route(name)) << "the URL in the response led nowhere: " << name;
  }
}

TEST_F(Requests, anOperationHasNotEndedWhileItsInstanceIsStillBusy) {
  create("one");
  auto gate = world_.faults.block("stopInstance/stop container/answer");
  InstanceAndOperation stop = run(swarm().stopInstance("one", "ann"));
  run(gate->reached());
  turn(100);  // until its pending writes have ended
  store_.failWrites = Error(ErrorCode::OutOfResources, "The disk is full.");
  store_.failWritesTimes = 1'000'000;
  gate->open();
  drive([&] { return store_.failWritesTimes < 999'990; });  // its result cannot be written
  EXPECT_EQ(run(swarm().getOperation(stop.operation.id))->status, OperationStatus::running);
  EXPECT_EQ(run(swarm().waitForOperation(stop.operation.id, Deadline::after(std::chrono::milliseconds(1)))).status,
            OperationStatus::running);
  EXPECT_EQ(run(swarm().listOperations({})).front().status, OperationStatus::running);
  EXPECT_THROW(run(swarm().startInstance("one", "ann")), Error);
  store_.failWritesTimes = 0;
  EXPECT_EQ(finish(stop).status, OperationStatus::succeeded);
  EXPECT_EQ(finish(run(swarm().startInstance("one", "ann"))).status, OperationStatus::succeeded);
}

TEST_F(Requests, waitingForAnOperationEndsAtTheDeadlineWithItsState) {
  auto gate = world_.faults.block("createInstance/start container");
  auto started = run(swarm().createInstance(request("one")));
  run(gate->reached());
  Operation now = run(swarm().waitForOperation(started.operation.id, Deadline::after(std::chrono::milliseconds(1))));
  EXPECT_EQ(now.status, OperationStatus::running);
  EXPECT_EQ(now.steps.back().name, "start container");
  gate->open();
  EXPECT_EQ(finish(started).status, OperationStatus::succeeded);
}

TEST_F(Requests, anUnknownProviderIsRefusedByItsPointer) {
  CreateRequest wrong = request("one");
  wrong.provider = ProviderType::flyio;
  try {
    run(swarm().createInstance(wrong));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fields().at(0).pointer, "/provider");
  }
}

TEST_F(Requests, aRegionThatDoesNotExistIsRefusedByItsPointerBeforeAnOperationBegins) {
  fake_options_.regions = {"ams", "fra"};
  reboot();
  const auto refusal = [&](auto work) -> std::string {
    try {
      run(work());
    } catch (const Error& error) {
      EXPECT_EQ(error.fields().at(0).pointer, "/network/regions");
      return error.message();
    }
    return "was accepted";
  };
  CreateRequest wrong = request("one");
  wrong.config.network.regions = {"mars"};
  EXPECT_EQ(refusal([&] { return swarm().createInstance(wrong); }), "No provider of this server has the region \"mars\".");
  wrong.provider = ProviderType::fake;
  EXPECT_EQ(refusal([&] { return swarm().createInstance(wrong); }), "The provider \"fake\" has no region \"mars\"; it has ams, fra.");
  EXPECT_TRUE(store_.operations.empty());

  wrong.config.network.regions = {"mars", "fra", "ams"};
  ASSERT_EQ(finish(run(swarm().createInstance(wrong))).status, OperationStatus::succeeded);
  EXPECT_EQ(get("one").config.network.regions, (std::vector<std::string>{"fra", "ams"})) << "those that are there, in this order";
  EXPECT_EQ(get("one").region, "fra");
  const auto operations = store_.operations.size();
  UpdateRequest change;
  change.network.emplace().regions = {"mars"};
  EXPECT_EQ(refusal([&] { return swarm().updateInstance("one", change, "ann"); }),
            "The provider \"fake\" has no region \"mars\"; it has ams, fra.");
  EXPECT_EQ(refusal([&] { return swarm().planUpdate("one", change); }), "The provider \"fake\" has no region \"mars\"; it has ams, fra.");
  EXPECT_EQ(store_.operations.size(), operations);
}

TEST(AgentWatch, increasesThePauseAfterEachInvalidResponse) {
  using control::pauseAfterInvalidResponses;
  EXPECT_EQ(pauseAfterInvalidResponses(0).count(), 0);
  for (int count = 1; count < 100; ++count) EXPECT_LE(pauseAfterInvalidResponses(count), pauseAfterInvalidResponses(count + 1));
  EXPECT_EQ(pauseAfterInvalidResponses(1), std::chrono::milliseconds(200));
  EXPECT_EQ(pauseAfterInvalidResponses(1'000'000), std::chrono::seconds(10));
}

TEST_F(Requests, aClosedControllerLeavesItsOperationsForTheNextRun) {
  auto gate = world_.faults.block("createInstance/start container");
  auto started = run(swarm().createInstance(request("one")));
  run(gate->reached());
  run(swarm().close(std::chrono::seconds(0)));
  EXPECT_EQ(store_.operations.at(started.operation.id).status, OperationStatus::running);
  world_.faults.clear();
  reboot();
  EXPECT_EQ(finish(started).status, OperationStatus::succeeded);
  EXPECT_EQ(world_.containers().size(), 1u);
}

TEST_F(Requests, aThousandInstancesAreListedAndCounted) {
  InstanceAndOperation last;
  for (int i = 0; i < 1000; ++i) last = run(swarm().createInstance(request("n" + std::to_string(i))));
  drive([&] {
    for (auto& [id, row] : store_.operations)
      if (row.status != OperationStatus::succeeded) return false;
    return true;
  });
  EXPECT_EQ(run(swarm().listInstances({})).items.size(), 100u);
  SwarmStatus status = run(swarm().getSwarmStatus());
  EXPECT_EQ(status.totalInstances, 1000);
  EXPECT_EQ(status.runningInstances, 1000);
  drive([&] { return swarm().routes().current()->size() == 1000; });
}

}  // namespace
}  // namespace swarm::test
