// What users do to a container at the Engine, and what the kernel does in it, is reported as it is; start or restart repairs it.
#include "integration/docker/docker_test.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

class DockerHands : public DockerTest {
 protected:
  void SetUp() override {
    useEngine();
    wanted_ = spec();
    create(wanted_);
    container_ = fixture_->engine().containerOf(fixture_->swarmId(), wanted_.placeId);
    ASSERT_TRUE(runner_.waitFor([this] { return provider_->health().status == ProviderHealth::healthy; }));
  }
  void TearDown() override {
    remove(wanted_);
    DockerTest::TearDown();
  }

  void disconnect() {
    std::string network = docker::planNetwork(wanted_, {}, fixture_->swarmId()).name;
    engine::Reply reply =
        fixture_->engine().send("POST", "/networks/" + network + "/disconnect", json::object{{"Container", container_}, {"Force", true}});
    ASSERT_TRUE(reply.ok()) << reply.body;
  }
  ProviderInstance get() { return runner_.run(provider_->getInstance(wanted_.placeId, soon())).value(); }
  ProviderInstance listed() { return runner_.run(provider_->listInstances({}, soon())).instances.at(0); }
  void start() { runner_.run(provider_->startInstance(wanted_.placeId, progress_, soon())); }
  void stop() { runner_.run(provider_->stopInstance(wanted_.placeId, std::chrono::seconds(5), progress_, soon())); }
  bool agentResponds() {
    auto talk = [this]() -> asio::awaitable<bool> {
      net::Connector connect = (co_await provider_->agentEndpoint(wanted_.placeId, soon())).connect;
      try {
        co_await connect(soon());
      } catch (const Error&) {
        co_return false;
      }
      co_return true;
    };
    return runner_.run(talk());
  }

  InstanceSpec wanted_;
  std::string container_;
};

TEST_F(DockerHands, whatWasDisconnectedFromItsNetworkDoesNotCountAsRunning) {
  EXPECT_EQ(listed().status, InstanceStatus::running);
  int seen = countEvents(ProviderEvent::Kind::Changed);
  disconnect();
  EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::Changed) > seen; })) << "no event was sent";
  EXPECT_EQ(get().status, InstanceStatus::failed);
  EXPECT_EQ(listed().status, InstanceStatus::failed);
  EXPECT_NE(get().reason.find("is not connected to its network"), std::string::npos) << get().reason;
}

TEST_F(DockerHands, aRestartConnectsItsNetworkAgain) {
  disconnect();
  stop();
  start();
  EXPECT_EQ(get().status, InstanceStatus::running) << get().reason;
  EXPECT_TRUE(runner_.waitFor([this] { return agentResponds(); }));
}

TEST_F(DockerHands, aStartConnectsItsNetworkAgainWhileItRuns) {
  disconnect();
  start();
  EXPECT_EQ(get().status, InstanceStatus::running) << get().reason;
  EXPECT_TRUE(runner_.waitFor([this] { return agentResponds(); }));
}

TEST_F(DockerHands, whatIsPausedIsShownAndStartGoesOnWithIt) {
  ASSERT_TRUE(fixture_->engine().send("POST", "/containers/" + container_ + "/pause").ok());
  EXPECT_EQ(get().status, InstanceStatus::stopped);
  EXPECT_NE(get().reason.find("is paused"), std::string::npos) << get().reason;
  std::string since = engine::stringAt(fixture_->engine().get("/containers/" + container_ + "/json"), "State.StartedAt");
  start();
  EXPECT_EQ(get().status, InstanceStatus::running);
  EXPECT_EQ(engine::stringAt(fixture_->engine().get("/containers/" + container_ + "/json"), "State.StartedAt"), since)
      << "it was started again";
}

TEST_F(DockerHands, whatIsPausedCanBeStopped) {
  ASSERT_TRUE(fixture_->engine().send("POST", "/containers/" + container_ + "/pause").ok());
  stop();
  EXPECT_EQ(engine::stringAt(fixture_->engine().get("/containers/" + container_ + "/json"), "State.Status"), "exited");
}

TEST_F(DockerHands, aProcessKilledAtTheMemoryLimitIsReportedAndIsNotTheInstancesEnd) {
  execute(wanted_, {"dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"});
  EXPECT_TRUE(runner_.waitFor([&] { return countEvents(ProviderEvent::Kind::OutOfMemory) > 0; })) << "no event was sent";
  EXPECT_EQ(get().status, InstanceStatus::running);
  fixture_->engine().send("POST", "/containers/" + container_ + "/stop?t=5");  // by hand: with exit code 0
  EXPECT_EQ(get().status, InstanceStatus::stopped) << get().reason;
  EXPECT_EQ(get().reason, "");
}

}  // namespace
}  // namespace swarm::testing
