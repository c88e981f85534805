// Moves in the fake world: every file arrives, and what a move is and is not allowed to do.
#include "model/codec/codec.h"
#include "unit/controller/moves/fixture.h"

namespace swarm::test {
namespace {

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
    if (step.name != "wait until VS Code responds" && step.name != "start container") steps.push_back(step.name);  // parts of the start
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

}  // namespace
}  // namespace swarm::test
