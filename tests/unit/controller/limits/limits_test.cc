// Limits as requests meet them: reservations, refusals, and the sums that the status reports.
#include <rapidcheck.h>

#include "model/codec/codec.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class LimitsTest : public ControllerTest {
 protected:
  CreateRequest sized(const std::string& name, double cores, std::int64_t memory, std::int64_t storage, const std::string& owner = "ann") {
    CreateRequest sized = request(name, owner);
    sized.config.resources.cpu.cores = cores;
    sized.config.resources.memory.max = memory;
    sized.config.storage = {{storage, true, "/home/coder", ""}};
    sized.actor.sees = [owner](const Instance& instance) { return instance.owner == owner; };
    return sized;
  }
  Instance make(const CreateRequest& request) {
    finish(run(swarm().createInstance(request)));
    return get(request.config.name);
  }
  /// The refusal of a request; empty: it was accepted.
  template <typename T>
  std::string refusalOf(awaitable<T> work, ErrorCode code = ErrorCode::Conflict) {
    try {
      run(std::move(work));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      return error.message();
    }
    return {};
  }
  SwarmResourceUsage usage() { return run(swarm().getSwarmStatus()).resourceUsage; }
  std::string usageText() { return boost::json::serialize(toJson(usage())); }
};

TEST_F(LimitsTest, aHundredConcurrentCreatesDoNotExceedALimitByOne) {
  options_.limits.swarm.instances = 7;
  boot();
  int accepted = 0, refused = 0;
  for (int i = 0; i < 100; ++i)
    boost::asio::co_spawn(loop(), swarm().createInstance(request("w" + std::to_string(i), i % 2 ? "ann" : "bob")),
                          [&](std::exception_ptr thrown, InstanceAndOperation) { ++(thrown ? refused : accepted); });
  drive([&] { return accepted + refused == 100; });
  EXPECT_EQ(accepted, 7);
  EXPECT_EQ(run(swarm().getSwarmStatus()).totalInstances, 7);
}

TEST_F(LimitsTest, concurrentStartsDoNotExceedTheMemoryOfAProvider) {
  options_.limits.providers[ProviderType::fake].all.memory = 3000;
  boot();
  for (const char* name : {"a", "b", "c", "d"}) {
    make(sized(name, 1, 1000, 1));
    finish(run(swarm().stopInstance(name, "ann")));
  }
  int accepted = 0, refused = 0;
  for (const char* name : {"a", "b", "c", "d"})
    boost::asio::co_spawn(loop(), swarm().startInstance(name, "ann"),
                          [&](std::exception_ptr thrown, InstanceAndOperation) { ++(thrown ? refused : accepted); });
  drive([&] { return accepted + refused == 4; });
  EXPECT_EQ(accepted, 3);
  EXPECT_EQ(usage().memory.used, 3000);
}

TEST_F(LimitsTest, aRefusalSaysHowMuchIsUsedByWhatAndWhatWouldFit) {
  options_.limits.user.memory = 8192;
  boot();
  make(sized("small", 1, 1024, 1));
  make(sized("large", 1, 4096, 1));
  make(sized("other", 1, 4096, 1, "bob"));
  const std::string refusal = refusalOf(swarm().createInstance(sized("more", 1, 4096, 1)));
  EXPECT_EQ(
      refusal,
      "The quota of ann is 8192 MiB of memory: 5120 MiB in use, 4096 MiB more requested, 3072 MiB would fit. Largest: large (4096 MiB), "
      "small (1024 MiB). Stop a workspace, request less, or ask an administrator to raise the limit ([limits.user] of the server's "
      "configuration).");
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("more", 1, 3072, 1))), "");
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("theirs", 1, 4096, 1, "bob"))), "");
}

TEST_F(LimitsTest, aRefusalNamesOnlyInstancesThatTheActorMaySee) {
  options_.limits.swarm.cpu = 3;
  boot();
  make(sized("mine", 1, 512, 1));
  make(sized("secret", 1.5, 512, 1, "bob"));
  const std::string refusal = refusalOf(swarm().createInstance(sized("more", 1, 512, 1)));
  EXPECT_NE(refusal.find("The limit of this server is 3 cores: 2.5 cores in use, 1 core more requested, 0.5 cores would fit."),
            std::string::npos)
      << refusal;
  EXPECT_NE(refusal.find("mine (1 core)"), std::string::npos);
  EXPECT_EQ(refusal.find("secret"), std::string::npos);
}

TEST_F(LimitsTest, nothingIsMadeByARefusedCreate) {
  options_.limits.instance.memory = 2048;
  options_.limits.user.storage = 5;
  boot();
  EXPECT_NE(refusalOf(swarm().createInstance(sized("one", 1, 4096, 1)), ErrorCode::Unprocessable), "");
  EXPECT_NE(refusalOf(swarm().createInstance(sized("one", 1, 1024, 6))), "");
  EXPECT_TRUE(world_.containers().empty());
  EXPECT_TRUE(run(swarm().listOperations({})).empty());
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("one", 1, 1024, 5))), "") << "its name was not taken";
}

TEST_F(LimitsTest, defaultsAreReducedToWhatAnInstanceMayHave) {
  options_.limits.instance = {.cpu = 1.5, .memory = 1024, .storage = 4};
  boot();
  const Instance made = make(request("one"));
  EXPECT_EQ(made.config.resources.cpu.cores, 1.5);
  EXPECT_EQ(made.config.resources.memory.max, 1024);
  EXPECT_EQ(made.config.storage.at(0).size, 4);
}

TEST_F(LimitsTest, aStoppedInstanceCountsItsStorageAlone) {
  boot();
  make(sized("one", 2, 1024, 20));
  EXPECT_EQ(usageText(),
            R"({"cpu":{"used":2E0,"total":6.4E1},"memory":{"used":1.024E3,"total":1.048576E6},"storage":{"used":2E1,"total":0E0}})");
  finish(run(swarm().stopInstance("one", "ann")));
  EXPECT_EQ(usage().cpu.used, 0);
  EXPECT_EQ(usage().memory.used, 0);
  EXPECT_EQ(usage().storage.used, 20);
  finish(run(swarm().deleteInstance("one", DeleteVolumes::Yes, "ann")));
  EXPECT_EQ(usage().storage.used, 0);
}

TEST_F(LimitsTest, aFailedCreateHoldsNothingButItsRow) {
  options_.limits.user.instances = 1;
  boot();
  world_.faults.fail("createInstance/start container", Error(ErrorCode::UpstreamFailed, "No."));
  finish(run(swarm().createInstance(sized("one", 2, 1024, 20))));
  ASSERT_EQ(get("one").status, InstanceStatus::failed);
  EXPECT_EQ(usage().cpu.used, 0);
  EXPECT_EQ(usage().storage.used, 0);
  EXPECT_NE(refusalOf(swarm().createInstance(sized("two", 1, 512, 1))), "") << "it counts as a workspace";
}

TEST_F(LimitsTest, aGrowthIsRefusedAndAReductionIsNot) {
  options_.limits.user.memory = 4096;
  boot();
  const Instance one = make(sized("one", 1, 4096, 1));
  UpdateRequest update;
  update.resources = one.config.resources;
  update.resources->memory.max = 4097;
  EXPECT_NE(refusalOf(swarm().updateInstance("one", update, "ann")), "");
  EXPECT_EQ(world_.container(firstPlaceOf(one.id))->spec.config.resources.memory.max, 4096) << "the provider was not called";
  // Above a limit that was lowered later, an instance keeps what it has.
  options_.limits.user.memory = 1024;
  reboot();
  waitForStatus("one", InstanceStatus::running);
  update.resources->memory.max = 2048;
  EXPECT_EQ(refusalOf(swarm().updateInstance("one", update, "ann")), "");
  EXPECT_EQ(refusalOf(swarm().restartInstance("one", "ann")), "") << "it holds what it needs";
}

TEST_F(LimitsTest, anInstanceThatIsBeingMadeCountsInEachRegionInWhichItMayBe) {
  fake_options_.regions = {"ams", "fra"};
  options_.limits.providers[ProviderType::fake].regions["ams"].instances = 1;
  boot();
  CreateRequest first = sized("one", 1, 512, 1);
  first.config.network.regions = {"ams"};
  make(first);
  CreateRequest second = sized("two", 1, 512, 1);
  second.config.network.regions = {"ams"};
  EXPECT_NE(refusalOf(swarm().createInstance(second)).find("The limit of fake (ams) is 1 workspace: 1 in use"), std::string::npos);
}

TEST_F(LimitsTest, theNewOwnerOfAnInstanceNeedsRoomForIt) {
  options_.limits.user.storage = 10;
  boot();
  make(sized("one", 1, 512, 6));
  make(sized("two", 1, 512, 6, "bob"));
  EXPECT_NE(
      refusalOf(swarm().handOver("one", "ann", "bob")).find("The quota of bob is 10 GiB of storage: 6 GiB in use, 6 GiB more requested"),
      std::string::npos);
  EXPECT_EQ(get("one").owner, "ann");
  EXPECT_EQ(refusalOf(swarm().handOver("one", "ann", "eve")), "");
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("three", 1, 512, 10))), "") << "it does not count for its former owner";
}

TEST_F(LimitsTest, theLimitOfTheProviderPerUserHolds) {
  fake_options_.maxInstancesPerUser = 1;
  boot();
  make(sized("one", 1, 512, 1));
  EXPECT_NE(refusalOf(swarm().createInstance(sized("two", 1, 512, 1))).find("The limit of a user at fake is 1 workspace"),
            std::string::npos);
}

TEST_F(LimitsTest, byDefaultOneUserIsBoundedByTheMachineThatIsThere) {
  fake_options_.isOneMachine = true;  // 64 cores, 1 TiB
  boot();
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("one", 64, 1024 * 1024, 1))), "");
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("two", 64, 1024 * 1024, 1))), "");
  EXPECT_NE(refusalOf(swarm().createInstance(sized("three", 1, 512, 1))).find("The default limit of ann at fake is 2097152 MiB of memory"),
            std::string::npos);
  options_.limits.user.memory = 0;  // no limit, as an administrator decided
  reboot();
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("three", 1, 512, 1))), "");
}

TEST_F(LimitsTest, aTotalThatIsLimitedIsReportedWithTheLimit) {
  options_.limits.swarm.cpu = 10;
  options_.limits.swarm.storage = 100;
  boot();
  EXPECT_EQ(usage().cpu.total, 10);
  EXPECT_EQ(usage().storage.total, 100);
  EXPECT_EQ(usage().memory.total, 1024 * 1024) << "the capacity";
}

TEST_F(LimitsTest, quotasApplyToTheNextRequestAndAfterARestart) {
  boot();
  make(sized("one", 1, 1024, 1));
  run(swarm().setQuota({QuotaKind::user, "ann"}, {.memory = 1500}));
  EXPECT_NE(refusalOf(swarm().createInstance(sized("two", 1, 1024, 1))).find("(swarm quota set user ann)"), std::string::npos);
  EXPECT_EQ(get("one").status, InstanceStatus::running) << "what exists stays";
  reboot();
  EXPECT_NE(refusalOf(swarm().createInstance(sized("two", 1, 1024, 1))), "");
  run(swarm().removeQuota({QuotaKind::user, "ann"}));
  EXPECT_EQ(refusalOf(swarm().createInstance(sized("two", 1, 1024, 1))), "");
}

TEST_F(LimitsTest, theMembersOfAGroupShareItsQuota) {
  options_.directory = {.standingOf = [](const std::string&) { return Standing{Role::user, {"devs"}}; },
                        .membersOf = [](const std::string&) { return std::vector<std::string>{"ann", "bob"}; }};
  boot();
  run(swarm().setQuota({QuotaKind::group, "devs"}, {.memory = 3000}));
  make(sized("one", 1, 2000, 1));
  const std::string refusal = refusalOf(swarm().createInstance(sized("two", 1, 2000, 1, "bob")));
  EXPECT_NE(refusal.find("The quota of the group devs is 3000 MiB of memory: 2000 MiB in use"), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find("Largest"), std::string::npos) << "bob may not see the workspace of ann";
  EXPECT_EQ(refusalOf(swarm().handOver("one", "ann", "bob")), "") << "it stays in the group";
}

TEST_F(LimitsTest, theListHasWhatTheStatusReports) {
  options_.limits.swarm.memory = 8000;
  options_.limits.instance.cpu = 4;
  boot();
  make(sized("one", 1.5, 1024, 7));
  run(swarm().setQuota({QuotaKind::user, "ann"}, {.cpu = 2}));
  std::map<LimitScope, QuotaResponse> rows;
  for (QuotaResponse& row : run(swarm().listQuotas({"ann"}))) rows[row.scope] = std::move(row);
  ASSERT_TRUE(rows[LimitScope::swarm].used);
  EXPECT_EQ(rows[LimitScope::swarm].used->cpu, usage().cpu.used);
  EXPECT_EQ(rows[LimitScope::swarm].used->memory, usage().memory.used);
  EXPECT_EQ(rows[LimitScope::swarm].used->storage, usage().storage.used);
  EXPECT_EQ(rows[LimitScope::swarm].limits, (ResourceLimits{.memory = 8000}));
  EXPECT_EQ(rows[LimitScope::provider].used->instances, 1);
  EXPECT_EQ(rows[LimitScope::instance].limits, (ResourceLimits{.cpu = 4}));
  EXPECT_EQ(rows[LimitScope::user].name, "ann");
  EXPECT_EQ(rows[LimitScope::user].used->storage, 7);
  EXPECT_EQ(rows[LimitScope::user].limits, (ResourceLimits{.cpu = 2}));
  EXPECT_EQ(rows[LimitScope::user].quota, (ResourceLimits{.cpu = 2}));
  EXPECT_EQ(rows[LimitScope::user].sources.at("cpu"), "swarm quota set user ann");
}

/// Whatever happened: after a restart, the sums that are made from the store are those that were kept up to date, and an empty swarm holds
/// nothing.
TEST_F(LimitsTest, sumsAfterARestartAreThoseBeforeIt) {
  rc::check([&] {
    options_.limits.user.instances = 4;
    options_.limits.swarm.memory = 6000;
    boot();
    const auto name = rc::gen::element<std::string>("a", "b", "c", "d", "e");
    const int steps = *rc::gen::inRange(1, 15);
    for (int i = 0; i < steps; ++i) {
      const std::string one = *name;
      try {
        switch (*rc::gen::inRange(0, 7)) {
          case 0:
          case 1:
            run(swarm().createInstance(sized(one, 1, *rc::gen::inRange(1, 5) * 1000, *rc::gen::inRange(1, 5))));
            break;
          case 2:
            run(swarm().startInstance(one, "ann"));
            break;
          case 3:
            run(swarm().stopInstance(one, "ann"));
            break;
          case 4: {
            UpdateRequest update;
            update.resources = get(one).config.resources;
            update.resources->memory.max = *rc::gen::inRange(1, 5) * 1000;
            run(swarm().updateInstance(one, update, "ann"));
            break;
          }
          case 5:
            run(swarm().deleteInstance(one, DeleteVolumes::Yes, "ann"));
            break;
          default:
            run(swarm().handOver(one, get(one).owner, *rc::gen::element<std::string>("ann", "bob")));
        }
      } catch (const std::exception&) {  // refused, or there is no such instance
      }
      const SwarmStatus status = run(swarm().getSwarmStatus());
      RC_ASSERT(status.resourceUsage.memory.used <= 6000);
      if (*rc::gen::inRange(0, 2) == 0) {
        for (const Operation& operation : run(swarm().listOperations({})))
          run(swarm().waitForOperation(operation.id, Deadline::after(std::chrono::seconds(30))));
      }
    }
    for (const Operation& operation : run(swarm().listOperations({})))
      run(swarm().waitForOperation(operation.id, Deadline::after(std::chrono::seconds(30))));
    const std::string before = usageText();
    reboot();
    RC_ASSERT(usageText() == before);
    for (const Instance& instance : run(swarm().listInstances({})).items)
      finish(run(swarm().deleteInstance(instance.id.str(), DeleteVolumes::Yes, "ann")));
    RC_ASSERT(usage().memory.used == 0);
    RC_ASSERT(usage().storage.used == 0);
    kill();
  });
}

}  // namespace
}  // namespace swarm::test
