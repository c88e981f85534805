// Moves in the fake world: every file arrives, only one place ever has writers, and a failure before the switch leaves the source
// unchanged.
#include "model/codec/codec.h"
#include "support/fake_moves.h"
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

using Files = std::map<std::string, std::string>;

class MigrationTest : public ControllerTest {
 protected:
  MigrationTest() {
    options_.moveAgents = moves_;
    fake_options_.regions = {"fra", "iad"};
    options_.providerOutage = std::chrono::seconds(3);  // of real time: a busy machine must not look like an outage
  }

  static MigrateRequest to(std::string region) {
    MigrateRequest request;
    request.targetProvider = ProviderType::fake;
    request.region = std::move(region);
    return request;
  }
  /// An instance with two files, running.
  PlaceId makeWorkspace() {
    create("web");
    PlaceId place = placeOf("web");
    write(place, "notes", "text");
    write(place, "src/main.c", "int main;");
    return place;
  }
  void write(const PlaceId& place, const std::string& path, std::string text) {
    world_.writeFile(world_.container(place)->volumes.at(0), path, std::move(text));
  }
  PlaceId placeOf(const std::string& name) {
    const InstanceRecord& record = store_.instances.at(get(name).id);
    return record.placeId.empty() ? firstPlaceOf(record.instance.id) : record.placeId;
  }
  Operation move(MigrateRequest request) { return finish(run(swarm().migrateInstance("web", std::move(request), "ann"))); }
  /// Drives the loop until nothing is left to remove.
  void waitUntilOnlyTheCurrentPlaceIsLeft() {
    drive([&] {
      life_->loop.poll_one();
      return world_.containers().size() == 1 && store_.places.empty();
    });
    EXPECT_EQ(world_.containers().at(0).spec.placeId, placeOf("web"));
    EXPECT_EQ(world_.volumes().size(), 1U);
  }
  /// Places of the instance in which the user's processes could write now.
  int writers() {
    int count = 0;
    for (const auto& container : world_.containers())
      if (container.status == InstanceStatus::running && container.held.empty()) ++count;
    return count;
  }

  std::shared_ptr<FakeMoves> moves_ = std::make_shared<FakeMoves>(world_);
  const Files files_{{"/home/coder/notes", "text"}, {"/home/coder/src/main.c", "int main;"}};
};

TEST_F(MigrationTest, copiesEveryFileAndKeepsTheIdentityOfTheInstance) {
  boot();
  PlaceId source = makeWorkspace();
  Instance before = get("web");
  Operation moved = move(to("fra"));
  ASSERT_EQ(moved.status, OperationStatus::succeeded) << (moved.error ? moved.error->message() : "");
  Instance after = get("web");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.url, before.url);
  EXPECT_EQ(after.owner, before.owner);
  EXPECT_EQ(after.status, InstanceStatus::running);
  EXPECT_EQ(after.region, "fra");
  EXPECT_FALSE(after.keptSource);
  EXPECT_NE(placeOf("web"), source);
  EXPECT_EQ(filesAt(world_, placeOf("web")), files_);
  EXPECT_TRUE(world_.container(placeOf("web"))->held.empty());
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_FALSE(route("web")->moving);
  EXPECT_TRUE(route("web")->ready);
}

/// An image may declare volumes that the workspace's configuration does not name.
TEST_F(MigrationTest, takesVolumesOfTheImageAlong) {
  boot();
  PlaceId source = makeWorkspace();
  ASSERT_EQ(finish(run(swarm().stopInstance("web", "ann"))).status, OperationStatus::succeeded);
  fake::FakeContainer container = *world_.container(source);
  container.volumes.push_back("declared");
  container.spec.config.storage.push_back({1, true, "/data", "declared"});
  world_.plant(container, {{"declared", container.swarmId, source, "ann", "/data", true, clock_.now(), {{"rows", "precious"}}}});
  EXPECT_EQ(finish(run(swarm().startInstance("web", "ann"))).status, OperationStatus::succeeded);
  ASSERT_EQ(get("web").config.storage.size(), 2U);
  EXPECT_EQ(get("web").config.storage.at(1).mountPath, "/data");
  EXPECT_EQ(store_.instances.at(get("web").id).instance.config.storage.size(), 2U);
  Operation moved = move(to("fra"));
  ASSERT_EQ(moved.status, OperationStatus::succeeded) << (moved.error ? moved.error->message() : "");
  Files with_data = files_;
  with_data["/data/rows"] = "precious";
  EXPECT_EQ(filesAt(world_, placeOf("web")), with_data);
}

TEST_F(MigrationTest, reportsItsStepsInOrder) {
  boot();
  makeWorkspace();
  Operation moved = move(to("fra"));
  std::vector<std::string> steps;
  for (const OperationStep& step : moved.steps)
    if (step.name != "wait until VS Code answers" && step.name != "start container") steps.push_back(step.name);  // parts of the start
  EXPECT_EQ(steps, (std::vector<std::string>{"validate", "plan", "create target", "copy", "verify what was copied", "copy changes", "pause",
                                             "final changes", "verify", "switch", "start", "retire source"}));
}

TEST_F(MigrationTest, countsTheSentPartOfAnIncompleteFile) {
  boot();
  makeWorkspace();
  moves_->report = transfer::TransferProgress{.filesDone = 0, .bytesDone = 0, .bytesSent = 5};
  moves_->failRound = Error(ErrorCode::UpstreamFailed, "It ends here.");
  Operation moved = move(to("fra"));
  auto copy = std::ranges::find(moved.steps, "copy", &OperationStep::name);
  ASSERT_NE(copy, moved.steps.end());
  EXPECT_EQ(copy->bytesDone, 5);
}

TEST_F(MigrationTest, copiesWhatIsWrittenDuringTheCopy) {
  boot();
  PlaceId source = makeWorkspace();
  moves_->onRound = [&](transfer::RoundKind kind) {
    if (kind == transfer::RoundKind::Live && moves_->rounds == 2) write(source, "notes", "longer text");
  };
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  EXPECT_EQ(filesAt(world_, placeOf("web")).at("/home/coder/notes"), "longer text");
}

TEST_F(MigrationTest, keepsTheSourceStoppedAndReturnsWithTheDifferencesOnly) {
  boot();
  PlaceId source = makeWorkspace();
  MigrateRequest there = to("fra");
  there.keepSource = true;
  there.keepHours = 5;
  ASSERT_EQ(move(there).status, OperationStatus::succeeded);
  ASSERT_TRUE(get("web").keptSource);
  EXPECT_GT(get("web").keptSource->until, clock_.now() + std::chrono::hours(4));
  EXPECT_EQ(world_.container(source)->status, InstanceStatus::stopped);
  write(placeOf("web"), "notes", "changed");
  moves_->filesSent = 0;
  MigrateRequest back;
  back.back = true;
  Operation returned = move(back);
  ASSERT_EQ(returned.status, OperationStatus::succeeded) << (returned.error ? returned.error->message() : "");
  EXPECT_EQ(placeOf("web"), source);
  EXPECT_EQ(moves_->filesSent, 1);
  EXPECT_EQ(filesAt(world_, source).at("/home/coder/notes"), "changed");
  EXPECT_FALSE(get("web").keptSource);
  waitUntilOnlyTheCurrentPlaceIsLeft();
}

TEST_F(MigrationTest, removesAKeptSourceWhenItExpires) {
  options_.reconcileInterval = std::chrono::milliseconds(5);
  boot();
  PlaceId source = makeWorkspace();
  MigrateRequest there = to("fra");
  there.keepSource = true;
  ASSERT_EQ(move(there).status, OperationStatus::succeeded);
  kill();
  store_.places.at(source).expiresAt = clock_.now() - std::chrono::hours(1);
  boot();
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_FALSE(get("web").keptSource);
}

TEST_F(MigrationTest, movesAStoppedInstanceWhichStaysStopped) {
  boot();
  makeWorkspace();
  finish(run(swarm().stopInstance("web", "ann")));
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").status, InstanceStatus::stopped);
  EXPECT_EQ(filesAt(world_, placeOf("web")), files_);
  EXPECT_EQ(writers(), 0);
  finish(run(swarm().startInstance("web", "ann")));
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  EXPECT_EQ(writers(), 1);
}

TEST_F(MigrationTest, removesTheSourceOnce) {
  boot();
  makeWorkspace();
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_EQ(world_.faults.passes("deleteInstance"), 1);
}

TEST_F(MigrationTest, continuesARollbackAfterTheServerWasKilled) {
  boot();
  PlaceId source = makeWorkspace();
  moves_->corruptions = 100;
  auto gate = world_.faults.block("deleteInstance");
  std::string id = run(swarm().migrateInstance("web", to("fra"), "ann")).operation.id;
  drive([&] {
    life_->loop.poll_one();
    return world_.faults.passes("deleteInstance") > 0;
  });
  kill();
  world_.faults.clear();
  moves_->corruptions = 0;
  boot();
  Operation moved = run(swarm().waitForOperation(id, Deadline::after(std::chrono::seconds(10))));
  EXPECT_EQ(moved.status, OperationStatus::failed);
  EXPECT_NE(get("web").statusReason.find("being rolled back"), std::string::npos) << get("web").statusReason;
  EXPECT_EQ(placeOf("web"), source);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  EXPECT_EQ(filesAt(world_, source), files_);
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_EQ(writers(), 1);
}

TEST_F(MigrationTest, neverSwitchesToFilesThatDiffer) {
  boot();
  PlaceId source = makeWorkspace();
  moves_->corruptions = 100;
  Operation moved = move(to("fra"));
  EXPECT_EQ(moved.status, OperationStatus::failed);
  ASSERT_TRUE(moved.error);
  EXPECT_NE(moved.error->message().find("home/coder/notes"), std::string::npos) << moved.error->message();
  EXPECT_EQ(placeOf("web"), source);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  EXPECT_NE(get("web").statusReason.find("The workspace was not moved"), std::string::npos);
  EXPECT_EQ(filesAt(world_, source), files_);
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_EQ(writers(), 1);
}

TEST_F(MigrationTest, verifiesAgainWhenTheFilesDifferOnce) {
  boot();
  makeWorkspace();
  moves_->corruptions = 1;
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  EXPECT_EQ(filesAt(world_, placeOf("web")), files_);
}

TEST_F(MigrationTest, continuesAfterAnInterruptedConnectionInAnyCall) {
  for (const char* call : {"connect", "scan", "round", "file", "digest", "sync", "hold"}) {
    for (int n = 1; n <= 4; ++n) {
      SCOPED_TRACE(testing::Message() << "cut at " << call << " " << n);
      boot();
      makeWorkspace();
      moves_->cutAt = {{call, n}};
      Operation moved = move(to("fra"));
      ASSERT_EQ(moved.status, OperationStatus::succeeded) << (moved.error ? moved.error->message() : "");
      ASSERT_EQ(filesAt(world_, placeOf("web")), files_);
      ASSERT_EQ(finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
      ASSERT_TRUE(world_.containers().empty());
      kill();
    }
  }
}

TEST_F(MigrationTest, progressAloneExtendsNoCopyWithoutEnd) {
  using std::chrono::minutes;
  struct Hostile {
    const char* what;
    std::function<transfer::TransferProgress(std::int64_t)> report;  ///< the n-th
    const char* reason;
    minutes between;  ///< two reports: less than the time without progress that ends a command
    bool interrupts;
  };
  const Hostile cases[] = {
      {"always further", [](std::int64_t n) { return transfer::TransferProgress{n, n, n}; }, "not copied within 7 d", minutes(50), false},
      {"always further, with new connections", [](std::int64_t n) { return transfer::TransferProgress{n, n, n}; }, "within 7 d",
       minutes(50), true},
      {"there and back", [](std::int64_t n) { return transfer::TransferProgress{n % 2, n % 2, 0}; }, "no progress for 60 min", minutes(20),
       false},
      {"nothing", [](std::int64_t) { return transfer::TransferProgress{}; }, "no progress for 60 min", minutes(20), false},
  };
  boot();
  const PlaceId source = makeWorkspace();
  for (const Hostile& one : cases) {
    std::int64_t reports = 0;
    moves_->endless = [&] {
      clock_.advance(one.between);
      if (one.interrupts) moves_->cutAt["report"] = 1;
      return one.report(++reports);
    };
    const Operation moved = move(to("fra"));
    moves_->endless = {};
    EXPECT_EQ(moved.status, OperationStatus::failed) << one.what;
    EXPECT_NE(moved.error->message().find(one.reason), std::string::npos) << one.what << ": " << moved.error->message();
    EXPECT_EQ(placeOf("web"), source);
    EXPECT_EQ(filesAt(world_, source), files_);
    waitForStatus("web", InstanceStatus::running);
    waitUntilOnlyTheCurrentPlaceIsLeft();
  }
}

TEST_F(MigrationTest, refusesATargetThatIsTooSmallAndLeavesTheSourceUnchanged) {
  boot();
  PlaceId source = makeWorkspace();
  auto epoch = route("web")->epoch;
  moves_->freeAtTarget = 3;
  Operation moved = move(to("fra"));
  EXPECT_EQ(moved.status, OperationStatus::failed);
  EXPECT_EQ(moved.error->code(), ErrorCode::OutOfResources);
  EXPECT_EQ(placeOf("web"), source);
  EXPECT_EQ(route("web")->epoch, epoch) << "connections to a workspace that was never paused were cut";
  waitUntilOnlyTheCurrentPlaceIsLeft();
}

TEST_F(MigrationTest, aTargetThatBecomesFullLeavesNothingBehind) {
  boot();
  PlaceId source = makeWorkspace();
  moves_->failRound = Error(ErrorCode::OutOfResources, "The target is full.");
  EXPECT_EQ(move(to("fra")).error->code(), ErrorCode::OutOfResources);
  EXPECT_EQ(placeOf("web"), source);
  waitUntilOnlyTheCurrentPlaceIsLeft();
}

TEST_F(MigrationTest, anEndThatStopsFailsTheMoveAndTheSourceRuns) {
  for (bool target_dies : {false, true}) {
    for (int at = 1; at <= 3; ++at) {
      SCOPED_TRACE(testing::Message() << (target_dies ? "target" : "source") << " dies in round " << at);
      boot();
      PlaceId source = makeWorkspace();
      moves_->rounds = 0;
      moves_->onRound = [&](transfer::RoundKind) {
        if (moves_->rounds != at) return;
        for (const auto& container : world_.containers())
          if ((container.spec.placeId != source) == target_dies) world_.exitContainer(container.spec.placeId, 137);
      };
      EXPECT_EQ(move(to("fra")).status, OperationStatus::failed);
      moves_->onRound = {};
      EXPECT_EQ(placeOf("web"), source);
      EXPECT_EQ(get("web").status, InstanceStatus::running);
      EXPECT_EQ(filesAt(world_, source), files_);
      waitUntilOnlyTheCurrentPlaceIsLeft();
      ASSERT_EQ(writers(), 1);
      finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann")));
      kill();
    }
  }
}

TEST_F(MigrationTest, canBeCancelledUntilTheSwitch) {
  boot();
  PlaceId source = makeWorkspace();
  std::string id;
  moves_->onRound = [&](transfer::RoundKind kind) {
    if (kind == transfer::RoundKind::Final)
      boost::asio::co_spawn(loop(), swarm().cancelOperation(id), [](std::exception_ptr, Operation) {});
  };
  InstanceAndOperation begun = run(swarm().migrateInstance("web", to("fra"), "ann"));
  id = begun.operation.id;
  EXPECT_EQ(finish(begun).status, OperationStatus::cancelled);
  EXPECT_EQ(placeOf("web"), source);
  EXPECT_EQ(get("web").status, InstanceStatus::running);
  waitUntilOnlyTheCurrentPlaceIsLeft();
  EXPECT_EQ(writers(), 1);
}

TEST_F(MigrationTest, aDeleteDuringTheMoveLeavesNothingAtEitherEnd) {
  boot();
  makeWorkspace();
  bool requested = false;
  moves_->onRound = [&](transfer::RoundKind) {
    if (std::exchange(requested, true)) return;
    boost::asio::co_spawn(loop(), swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"),
                          [](std::exception_ptr, InstanceAndOperation) {});
  };
  finish(run(swarm().migrateInstance("web", to("fra"), "ann")));
  drive([&] {
    life_->loop.poll_one();
    return world_.containers().empty() && store_.places.empty() && store_.instances.empty();
  });
  EXPECT_TRUE(world_.volumes().empty());
}

TEST_F(MigrationTest, aPlanChangesNothing) {
  boot();
  PlaceId source = makeWorkspace();
  auto operations = store_.operations.size();
  MigrationPlan plan = run(swarm().planMigration("web", to("fra")));
  EXPECT_TRUE(plan.fits);
  EXPECT_EQ(plan.files, 2);
  EXPECT_EQ(plan.bytes, 13);
  EXPECT_EQ(plan.to.region, "fra");
  EXPECT_GT(plan.expectedPauseSeconds, 0);
  EXPECT_EQ(store_.operations.size(), operations);
  EXPECT_EQ(world_.containers().size(), 1U);
  EXPECT_EQ(placeOf("web"), source);
}

TEST_F(MigrationTest, aRegionThatTheProviderDoesNotOfferIsRefusedBeforeAnOperationBegins) {
  boot();
  makeWorkspace();
  const auto operations = store_.operations.size();
  for (bool is_dry_run : {false, true}) {
    try {
      if (is_dry_run)
        run(swarm().planMigration("web", to("mars")));
      else
        run(swarm().migrateInstance("web", to("mars"), "ann"));
      FAIL() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      EXPECT_EQ(error.message(), "The provider \"fake\" has no region \"mars\"; it has fra, iad.");
      ASSERT_EQ(error.fields().size(), 1U);
      EXPECT_EQ(error.fields()[0].pointer, "/region");
    }
  }
  EXPECT_EQ(store_.operations.size(), operations);
}

TEST_F(MigrationTest, whatTheTargetDoesNotAllowIsRefusedBeforeAnOperationBegins) {
  fake_options_.checksRequests = true;
  boot();
  makeWorkspace();
  const auto operations = store_.operations.size();
  world_.addMissingImage(get("web").config.image);
  EXPECT_THROW(run(swarm().migrateInstance("web", to("fra"), "ann")), Error);
  EXPECT_EQ(store_.operations.size(), operations);
}

TEST_F(MigrationTest, theConfigurationNamesTheRegionOfTheTargetAlone) {
  boot();
  makeWorkspace();
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").config.network.regions, std::vector<std::string>{"fra"});
  ASSERT_EQ(move(to("iad")).status, OperationStatus::succeeded);
  EXPECT_EQ(get("web").config.network.regions, std::vector<std::string>{"iad"});
}

TEST_F(MigrationTest, reportsWhyItCannotStart) {
  boot();
  makeWorkspace();
  ASSERT_EQ(move(to("fra")).status, OperationStatus::succeeded);
  auto refusal = [&](MigrateRequest request) {
    try {
      run(swarm().migrateInstance("web", std::move(request), "ann"));
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refusal(to("fra")), "Workspace web is already at fake (fra).");
  MigrateRequest elsewhere;
  elsewhere.targetProvider = ProviderType::flyio;
  EXPECT_EQ(refusal(elsewhere), "This server has no provider \"flyio\".");
  MigrateRequest back;
  back.back = true;
  EXPECT_NE(refusal(back).find("No earlier place of web is kept"), std::string::npos);
}

TEST_F(MigrationTest, anInstanceIsAlreadyInTheOnlyRegionOfItsProvider) {
  fake_options_.regions = {"local"};
  boot();
  makeWorkspace();
  ASSERT_EQ(get("web").region, "");
  EXPECT_THROW(run(swarm().migrateInstance("web", to("local"), "ann")), Error);
}

/// kill -9 of the server at every turn of its loop, for a move and for the move back: one place has the files in the end, and never do two
/// have writers.
TEST_F(MigrationTest, everyTurnOfAMoveIsSurvived) {
  for (bool back : {false, true}) {
    for (int turns = 1; turns < 1500; turns += turns < 40 ? 1 : 3) {
      SCOPED_TRACE(testing::Message() << (back ? "back" : "there") << ", killed after " << turns << " turns");
      boot();
      makeWorkspace();
      MigrateRequest request = to("fra");
      if (back) {
        request.keepSource = true;
        ASSERT_EQ(move(request).status, OperationStatus::succeeded);
        request = {};
        request.back = true;
      }
      boost::asio::co_spawn(loop(), swarm().migrateInstance("web", request, "ann"), [](std::exception_ptr, InstanceAndOperation) {});
      bool busy = true;
      for (int i = 0; i < turns && busy; ++i) {
        busy = turn(1);
        ASSERT_LE(writers(), 1) << "two places with writers, after " << i << " turns";
      }
      kill();
      boot();
      drive([&] {
        life_->loop.poll_one();
        EXPECT_LE(writers(), 1);
        bool settled = get("web").operationId.empty() && get("web").status == InstanceStatus::running;
        for (auto& [id, place] : store_.places) settled = settled && (busy ? place.role == PlaceRole::kept : true);
        return settled || HasFailure();
      });
      ASSERT_FALSE(HasFailure());
      ASSERT_EQ(filesAt(world_, placeOf("web")), files_);
      ASSERT_TRUE(world_.container(placeOf("web"))->held.empty() || !route("web")->ready);
      ASSERT_EQ(finish(run(swarm().deleteInstance("web", DeleteVolumes::Yes, "ann"))).status, OperationStatus::succeeded);
      drive([&] {
        life_->loop.poll_one();
        return world_.containers().empty() && store_.places.empty();
      });
      ASSERT_TRUE(world_.volumes().empty());
      kill();
      store_.operations.clear();
      if (!busy) break;
    }
  }
}

}  // namespace
}  // namespace swarm::test
