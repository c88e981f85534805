// kill -9 of our own process at every fault point of create, replace, delete and a change of egress rules: the same call, made again,
// completes, and loses nothing.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "async/deadline.h"
#include "base/text/format.h"
#include "integration/docker/docker_test.h"

extern char** environ;

namespace swarm::testing {
namespace {

const NetworkConfig kNoWayOut{.egress = EgressConfig{EgressPolicy::none, {}}};

class DockerKillPoints : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }
  void useConfiguration(const DockerProviderConfig& config) {
    closeProvider();
    provider_ = makeDockerProvider(config, fixture_->swarmId());
    runner_.run(provider_->open([](const ProviderEvent&) {}));
  }
  void TearDown() override {
    DockerTest::TearDown();
    ::unlink(list_.c_str());
  }

  InstanceSpec numbered(const PlaceId& id, bool changed) {
    InstanceSpec wanted = spec();
    wanted.placeId = id;
    if (changed) wanted.config.env["CHANGED"] = "yes";
    return wanted;
  }

  /// Runs `action` on the instance in a process of its own (this program again), with `fault` as SWARM_FAULT. True: it was killed.
  bool inAnotherProcess(const std::string& action, const PlaceId& id, const std::string& fault) {
    ::setenv("SWARM_TEST_WORKER", action.c_str(), 1);
    ::setenv("SWARM_TEST_INSTANCE", id.str().c_str(), 1);
    ::setenv("SWARM_TEST_SWARM", fixture_->swarmId().c_str(), 1);
    ::setenv("SWARM_TEST_WORKER_IMAGE", fixture_->image().c_str(), 1);
    if (isolation_ == Isolation::instance) ::setenv("SWARM_TEST_ISOLATION", "instance", 1);
    if (fault.empty()) ::setenv("SWARM_FAULT_LIST", list_.c_str(), 1);
    if (!fault.empty()) ::setenv("SWARM_FAULT", fault.c_str(), 1);
    std::string program = "/proc/self/exe", filter = "--gtest_filter=DockerWorker.DISABLED_doesOneCall",
                disabled = "--gtest_also_run_disabled_tests", brief = "--gtest_brief=1";
    std::array<char*, 5> arguments{program.data(), filter.data(), disabled.data(), brief.data(), nullptr};
    pid_t child = 0;
    EXPECT_EQ(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ), 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    for (const char* name : {"SWARM_TEST_WORKER", "SWARM_TEST_INSTANCE", "SWARM_TEST_SWARM", "SWARM_TEST_WORKER_IMAGE",
                             "SWARM_TEST_ISOLATION", "SWARM_FAULT_LIST", "SWARM_FAULT"}) {
      ::unsetenv(name);
    }
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << action << " at " << fault << " ended with " << status;
    return killed;
  }

  /// How often `action` passes each point.
  std::map<std::string, int> passesOf(const std::string& action, const PlaceId& id) {
    ::unlink(list_.c_str());
    EXPECT_FALSE(inAnotherProcess(action, id, ""));
    std::ifstream file(list_);
    std::map<std::string, int> passes;
    for (std::string line; std::getline(file, line);) ++passes[line];
    return passes;
  }
  std::set<std::string> pointsOf(const std::string& action, const PlaceId& id) {
    std::set<std::string> points;
    for (const auto& [point, passes] : passesOf(action, id)) points.insert(point);
    return points;
  }

  Isolation isolation_ = Isolation::owner;
  std::string list_ = "/tmp/swarm-test-points-" + std::to_string(::getpid());
};

TEST(DockerWorker, DISABLED_doesOneCall) {
  const char* action = std::getenv("SWARM_TEST_WORKER");
  if (!action) GTEST_SKIP() << "the other end of DockerKillPoints";
  CoroutineRunner runner;
  NoProgress progress;
  Deadline deadline = Deadline::after(std::chrono::seconds(60));
  InstanceSpec wanted{PlaceId(std::getenv("SWARM_TEST_INSTANCE")),  "one", "ada", {}, R"({"instanceId":"x","publicKey":"00"})",
                      Secret(R"({"instanceId":"x","secret":"00"})")};
  wanted.config.name = "one";
  wanted.config.image = std::getenv("SWARM_TEST_WORKER_IMAGE");
  wanted.config.resources.cpu = {0.5, 500};
  wanted.config.resources.memory = {0, 64};
  wanted.config.resources.pids = 64;
  wanted.config.storage = {{1, true, "/home/coder", ""}};
  DockerProviderConfig config = testEngineConfig();
  if (std::getenv("SWARM_TEST_ISOLATION")) config.isolation = Isolation::instance;
  const std::string what = action;
  if (what == "limit") config.workspaceImage = std::getenv("SWARM_TEST_IMAGE");
  ProviderPtr provider = makeDockerProvider(config, std::getenv("SWARM_TEST_SWARM"));
  if (what == "limit") runner.run(provider->egress()->setRules(wanted.placeId, kNoWayOut, deadline));
  if (what == "create") runner.run(provider->createInstance(wanted, progress, deadline));
  if (what == "delete") runner.run(provider->deleteInstance(wanted.placeId, DeleteVolumes::Yes, {}, progress, deadline));
  if (what == "replace") {
    wanted.config.env["CHANGED"] = "yes";
    runner.run(provider->replaceInstance(wanted, progress, deadline));
  }
}

/// The Engine completes what a killed server requested: until then a name is taken without a visible container, or a network that is
/// requested again is created twice. To the Engine, a create that is cut off at any time is the same.
TEST_F(DockerKillPoints, aCreateThatWasCutOffAtAnyTimeIsCompletedAtOnce) {
  for (int after = 0; after < 240; after += 12) {
    SCOPED_TRACE(after);
    InstanceSpec wanted = spec();
    ProviderPtr killed = fixture_->makeProvider();
    asio::cancellation_signal kill;
    bool ended = false;
    auto first = [&]() -> asio::awaitable<void> { co_await killed->createInstance(wanted, progress_, soon()); };
    asio::co_spawn(runner_.context(), first, asio::bind_cancellation_slot(kill.slot(), [&](std::exception_ptr) { ended = true; }));
    runner_.run(async::sleepFor(std::chrono::milliseconds(after)));
    if (!ended) kill.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(runner_.waitFor([&] { return ended; }));
    create(wanted);
    EXPECT_EQ(status(wanted), InstanceStatus::running);
    remove(wanted);
  }
}

TEST_F(DockerKillPoints, createIsCompletedAfterEach) {
  PlaceId trial{newId("i")};
  std::set<std::string> points = pointsOf("create", trial);
  EXPECT_GE(points.size(), 10u);
  remove(numbered(trial, false));
  for (const std::string& point : points) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = numbered(PlaceId(newId("i")), false);
    EXPECT_TRUE(inAnotherProcess("create", wanted.placeId, point + "=kill"));
    EXPECT_EQ(create(wanted).status, InstanceStatus::running);
    EXPECT_EQ(execute(wanted, {"printenv", "SWARM_AGENT"}).stdoutText, wanted.agentBoot + "\n");
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_F(DockerKillPoints, replaceIsCompletedAfterEach) {
  InstanceSpec trial = numbered(PlaceId(newId("i")), false);
  create(trial);
  std::set<std::string> points = pointsOf("replace", trial.placeId);
  EXPECT_GE(points.size(), 6u);
  remove(trial);
  for (const std::string& point : points) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = numbered(PlaceId(newId("i")), false);
    create(wanted);
    execute(wanted, {"tee", "/home/coder/note"}, "kept");
    EXPECT_TRUE(inAnotherProcess("replace", wanted.placeId, point + "=kill"));
    EXPECT_NE(status(wanted), InstanceStatus::deleted) << "the instance was lost";
    wanted.config.env["CHANGED"] = "yes";
    EXPECT_EQ(replace(wanted).status, InstanceStatus::running);
    EXPECT_EQ(execute(wanted, {"cat", "/home/coder/note"}).stdoutText, "kept");
    EXPECT_EQ(execute(wanted, {"printenv", "CHANGED"}).stdoutText, "yes\n");
    EXPECT_EQ(runner_.run(provider_->listInstances({}, soon())).instances.size(), 1u);
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_F(DockerKillPoints, deleteIsCompletedAfterEach) {
  InstanceSpec trial = numbered(PlaceId(newId("i")), false);
  create(trial);
  std::set<std::string> points = pointsOf("delete", trial.placeId);
  EXPECT_GE(points.size(), 6u);
  for (const std::string& point : points) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = numbered(PlaceId(newId("i")), false);
    create(wanted);
    EXPECT_TRUE(inAnotherProcess("delete", wanted.placeId, point + "=kill"));
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

/// Each instance has a network of its own here: no other instance's create or delete completes its.
TEST_F(DockerKillPoints, theNetworkOfOneInstanceIsMadeAndRemovedAfterEach) {
  isolation_ = Isolation::instance;
  DockerProviderConfig config = testEngineConfig();
  config.isolation = isolation_;
  useConfiguration(config);
  for (const char* point : {"docker.create.network.before", "docker.create.network.after", "docker.create.container.before"}) {
    SCOPED_TRACE(point);
    InstanceSpec abandoned = numbered(PlaceId(newId("i")), false), completed = numbered(PlaceId(newId("i")), false);
    EXPECT_TRUE(inAnotherProcess("create", abandoned.placeId, std::string(point) + "=kill"));
    runner_.run(provider_->settle(abandoned, soon()));
    remove(abandoned);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
    EXPECT_TRUE(inAnotherProcess("create", completed.placeId, std::string(point) + "=kill"));
    EXPECT_EQ(create(completed).status, InstanceStatus::running);
    remove(completed);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
  for (const char* point : {"docker.delete.network.before", "docker.delete.network.after"}) {
    SCOPED_TRACE(point);
    InstanceSpec wanted = numbered(PlaceId(newId("i")), false);
    create(wanted);
    EXPECT_TRUE(inAnotherProcess("delete", wanted.placeId, std::string(point) + "=kill"));
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_F(DockerKillPoints, egressRulesAreSetAndTheirHelperIsRemovedAfterEach) {
  const char* image = std::getenv("SWARM_TEST_IMAGE");
  if (!image) GTEST_SKIP() << "SWARM_TEST_IMAGE names no workspace image, whose nft sets the rules";
  DockerProviderConfig config = testEngineConfig();
  config.workspaceImage = image;
  useConfiguration(config);
  const auto set = [&](const InstanceSpec& which) { return runner_.run(provider_->egress()->setRules(which.placeId, kNoWayOut, soon())); };
  const InstanceSpec trial = numbered(PlaceId(newId("i")), false);
  create(trial);
  // The first helper reads the machine's addresses, the last one sets the rules in the workspace's network.
  std::set<std::string> points;
  for (const auto& [point, passes] : passesOf("limit", trial.placeId)) points.insert({point + ":1", format("{}:{}", point, passes)});
  EXPECT_GE(points.size(), 9u);
  EXPECT_EQ(set(trial), EgressRules::Stood) << "the other process has set them";
  remove(trial);
  for (const std::string& point : points) {
    SCOPED_TRACE(point);
    const InstanceSpec wanted = numbered(PlaceId(newId("i")), false);
    create(wanted);
    EXPECT_TRUE(inAnotherProcess("limit", wanted.placeId, point + "=kill"));
    set(wanted);
    execute(wanted, {"/bin/busybox", "nc", "-w", "2", "198.51.100.1", "80"});
    EXPECT_GE(runner_.run(provider_->egress()->countDenied(wanted.placeId, soon())), 1);
    EXPECT_EQ(runner_.run(provider_->listInstances({}, soon())).instances.size(), 1u) << "helpers are removed with it";
    remove(wanted);
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace swarm::testing
