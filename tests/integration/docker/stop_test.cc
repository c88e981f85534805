// What ended an instance: our stop, whatever code its program then ends with, or the program itself.
#include "async/deadline.h"
#include "integration/docker/docker_test.h"
#include "integration/docker/own_engine.h"

namespace swarm::testing {
namespace {

class DockerStop : public DockerTest {
 protected:
  void SetUp() override { prepare(testEngineConfig()); }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_.reset();
  }
  void prepare(DockerProviderConfig config) {
    useEngine(std::move(config));
    wanted_ = spec();
    // As runc, when a stop meets it right behind a start and before it has become the program.
    wanted_.config.command = {"/bin/sh", "-c", R"(trap 'exit 2' TERM
trap 'exit 3' USR1
: >/tmp/ready
while :; do sleep 1000 & wait $!; done)"};
  }
  bool eventually(const std::function<bool()>& holds) {
    for (Deadline deadline = soon(); !deadline.hasPassed(); runner_.run(async::sleepFor(std::chrono::milliseconds(20))))
      if (holds()) return true;
    return false;
  }
  bool isReady() { return execute(wanted_, {"stat", "/tmp/ready"}).exitCode == 0; }
  bool isHealthy() { return provider_->health().status == ProviderHealth::healthy; }
  void stop() { runner_.run(provider_->stopInstance(wanted_.placeId, std::chrono::seconds(5), progress_, soon())); }
  void start() { runner_.run(provider_->startInstance(wanted_.placeId, progress_, soon())); }
  void fail() {
    fixture_->engine().send("POST",
                            "/containers/" + fixture_->engine().containerOf(fixture_->swarmId(), wanted_.placeId) + "/kill?signal=SIGUSR1");
  }

  std::unique_ptr<OwnEngine> own_engine_;
  InstanceSpec wanted_;
};

TEST_F(DockerStop, givesAStoppedInstanceWhateverTheExitCode) {
  create(wanted_);
  ASSERT_TRUE(eventually([&] { return isReady(); }));
  stop();
  EXPECT_EQ(status(wanted_), InstanceStatus::stopped);
  EXPECT_EQ(status(wanted_), InstanceStatus::stopped);
}

TEST_F(DockerStop, doesNotExcuseALaterRunThatFails) {
  create(wanted_);
  ASSERT_TRUE(eventually([&] { return isReady(); }));
  stop();
  EXPECT_EQ(status(wanted_), InstanceStatus::stopped);
  start();
  // Repeated, because the shell may not have set its traps yet.
  EXPECT_TRUE(eventually([&] {
    fail();
    return status(wanted_) == InstanceStatus::failed;
  }));
}

TEST_F(DockerStop, isRememberedWhenTheEngineRestarts) {
  if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
  own_engine_ = std::make_unique<OwnEngine>(OwnEngine::Options{.tmpfsMib = 96, .arguments = {}});
  ASSERT_TRUE(own_engine_->waitForSocket()) << own_engine_->log();
  prepare(own_engine_->config());
  create(wanted_);
  ASSERT_TRUE(eventually([&] { return isReady(); }));
  stop();
  own_engine_->stop();
  ASSERT_TRUE(eventually([&] { return !isHealthy(); }));
  own_engine_->start();
  ASSERT_TRUE(eventually([&] { return isHealthy(); })) << own_engine_->log();
  EXPECT_EQ(status(wanted_), InstanceStatus::stopped);
}

}  // namespace
}  // namespace swarm::testing
