// The Engine's bad days, seen from the docker backend: it is killed, and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "conformance/provider/coroutine_runner.h"
#include "conformance/provider/docker/test_engine.h"
#include "emulator/docker/docker_backend.h"
#include "integration/docker/own_engine.h"

namespace swarm::emulator {
namespace {

using swarm::testing::errorOf;
using swarm::testing::OwnEngine;

class BackendAndItsEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!OwnEngine::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
    engine = std::make_unique<OwnEngine>(OwnEngine::Options{.tmpfsMib = 96, .arguments = {}});
    ASSERT_TRUE(engine->waitForSocket()) << engine->log();
    swarm::testing::TestEngine raw(runner, engine->config());
    plan.image = raw.ensureImage();
    plan.app = plan.network = "app";
    plan.machineId = "m1";
    plan.volumeId = "vol1";
    plan.mountPath = "/data";
    DockerBackendOptions options;
    options.engine = engine->config();
    options.emulatorId = "crash-" + toHex(randomBytes(4));
    options.guestTool = SWARM_TEST_GUEST_TOOL;
    backend = makeDockerBackend(std::move(options));
    runner.run(backend->open([this](const GuestExit& exit) { exits.push_back(exit); }));
  }
  void TearDown() override {
    if (backend) runner.run(backend->close());
    backend.reset();
    engine.reset();
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(40)); }
  std::string shell(std::string script) {
    GuestExec request;
    request.command = {"sh", "-c", std::move(script)};
    return runner.run(backend->exec("m1", std::move(request), soon())).stdoutText;
  }

  swarm::testing::CoroutineRunner runner;
  std::unique_ptr<OwnEngine> engine;
  BackendPtr backend;
  MachinePlan plan;
  std::vector<GuestExit> exits;
};

TEST_F(BackendAndItsEngine, theEndOfAMachineWithItsEngineIsReportedOnceTheEngineIsBack) {
  runner.run(backend->createVolume("vol1", 1, soon()));
  runner.run(backend->boot(plan, soon()));
  shell("echo kept > /data/file; sync");
  engine->kill();
  auto error = errorOf([&] { runner.run(backend->isRunning("m1", Deadline::after(std::chrono::seconds(5)))); });
  ASSERT_TRUE(error) << "an unavailable Engine must not appear as a Machine that has ended";
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  EXPECT_TRUE(exits.empty()) << "a crash reports nothing";
  engine->start();
  ASSERT_TRUE(engine->waitForSocket()) << engine->log();
  ASSERT_TRUE(runner.waitFor([&] { return !exits.empty(); }, std::chrono::seconds(60))) << engine->log();
  EXPECT_EQ(exits[0].machineId, "m1");
  EXPECT_EQ(exits.size(), 1U);
  EXPECT_FALSE(runner.run(backend->isRunning("m1", soon())));
  runner.run(backend->boot(plan, soon()));
  EXPECT_EQ(shell("cat /data/file"), "kept\n");
  runner.run(backend->destroy("m1", soon()));
}

}  // namespace
}  // namespace swarm::emulator
