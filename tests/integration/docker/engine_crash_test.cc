// The Engine's own bad days: killed in the middle of a create, stopped and started, disk full.
#include <fstream>

#include "integration/docker/docker_test.h"
#include "integration/docker/own_engine.h"

namespace swarm::testing {
namespace {

/// Kills the Engine at the n-th thing that is recorded.
class KillingProgress final : public Progress {
 public:
  KillingProgress(OwnEngine& engine, int at) : engine_(engine), at_(at) {}
  awaitable<void> recorded(ExternalResource) override {
    if (++count_ == at_) engine_.kill();
    co_return;
  }
  void step(Step) override {}
  void detail(std::string, std::int64_t, std::int64_t) override {}

 private:
  OwnEngine& engine_;
  int at_;
  int count_ = 0;
};

class DockerCrash : public DockerTest {
 protected:
  void SetUp() override {
    if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
    engine_ = std::make_unique<OwnEngine>(OwnEngine::Options{.tmpfsMib = 96, .arguments = {}});
    ASSERT_TRUE(engine_->waitForSocket()) << engine_->log();
    useEngine(engine_->config());
  }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_.reset();
    engine_.reset();
  }
  bool isHealthy() { return provider_->health().status == ProviderHealth::healthy; }

  std::unique_ptr<OwnEngine> engine_;
};

TEST_F(DockerCrash, anEngineKilledInMidCreateIsSurvivedAndTheCreateCompleted) {
  for (int at = 1; at <= 3; ++at) {
    SCOPED_TRACE(at);
    ASSERT_TRUE(runner_.waitFor([&] { return isHealthy(); })) << provider_->health().detail;
    InstanceSpec wanted = spec("n" + std::to_string(at));
    KillingProgress killing(*engine_, at);
    events_.clear();
    auto error = errorOf([&] { runner_.run(provider_->createInstance(wanted, killing, soon())); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unavailable) << error->message();
    EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Disconnected) == 1; }));
    EXPECT_EQ(provider_->health().status, ProviderHealth::unavailable);
    engine_->start();
    EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Reconnected) == 1; }, std::chrono::seconds(60)))
        << engine_->log();
    auto again = errorOf([&] { EXPECT_EQ(create(wanted).status, InstanceStatus::running); });
    ASSERT_FALSE(again) << again->message() << " / " << again->cause();
    EXPECT_EQ(runner_.run(provider_->listInstances({}, soon())).instances.size(), 1u);
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_F(DockerCrash, anEngineRestartLosesNoInstanceAndNoFile) {
  InstanceSpec wanted = spec();
  create(wanted);
  execute(wanted, {"tee", "/home/coder/note"}, "kept");
  engine_->stop();
  EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Disconnected) == 1; }));
  auto error = errorOf([&] { runner_.run(provider_->getInstance(wanted.placeId, soon())); });
  ASSERT_TRUE(error) << "an unavailable Engine must not appear as a missing instance";
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  engine_->start();
  EXPECT_TRUE(runner_.waitFor([&] { return isHealthy(); }, std::chrono::seconds(60))) << engine_->log();
  EXPECT_EQ(status(wanted), InstanceStatus::stopped) << "the controller decides what is started again";
  runner_.run(provider_->startInstance(wanted.placeId, progress_, soon()));
  EXPECT_EQ(execute(wanted, {"cat", "/home/coder/note"}).stdoutText, "kept");
}

TEST_F(DockerCrash, aFullDiskIsOutOfResourcesAndCanBeCleanedUp) {
  InstanceSpec wanted = spec();
  std::filesystem::path filler = engine_->dataFolder() / "filler";
  {
    std::ofstream file(filler, std::ios::binary);
    std::string block(1024 * 1024, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error) << "the disk is not full";
  EXPECT_EQ(error->code(), ErrorCode::OutOfResources) << error->message() << " / " << error->cause();
  std::filesystem::remove(filler);
  EXPECT_EQ(create(wanted).status, InstanceStatus::running);
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace swarm::testing
