// Moves that fail, are cancelled, or lose their server: only one place ever has writers, and a failure before the switch leaves the source
// unchanged.
#include "model/codec/codec.h"
#include "unit/controller/moves/fixture.h"

namespace swarm::test {
namespace {

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
