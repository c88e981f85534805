// Who may use what: owners' volumes and networks, foreign containers, the agent's file, internal networks, pruned networks.
#include "integration/docker/docker_test.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

class DockerIsolation : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }
  std::string inspect(const InstanceSpec& wanted) {
    std::string container = fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId);
    return json::serialize(fixture_->engine().get("/containers/" + container + "/json"));
  }
};

TEST_F(DockerIsolation, theAgentsSettingsReachTheFirstProcessAndAreNotSecret) {
  InstanceSpec wanted = spec();
  wanted.config.env["SWARM_AGENT"] = "a person's";
  create(wanted);
  EXPECT_EQ(execute(wanted, {"printenv", "SWARM_AGENT"}).stdoutText, wanted.agentBoot + "\n");
  EXPECT_NE(execute(wanted, {"test", "-e", "/etc/swarm/agent.json"}).exitCode, 0);
  EXPECT_EQ(inspect(wanted).find(R"(\"secret\")"), std::string::npos) << "a secret must not be in labels or env";
}

TEST_F(DockerIsolation, anAgentThatKnowsNoPublicKeysGetsItsFileForRootOnly) {
  InstanceSpec wanted = spec();
  wanted.config.image = fixture_->engine().ensureImageOfSecrets();
  wanted.config.command = {"/bin/sh", "-c", "cat /etc/swarm/agent.json; exec /bin/main"};
  create(wanted);
  EXPECT_EQ(execute(wanted, {"stat", "-c", "%a %u", "/etc/swarm/agent.json"}).stdoutText, "400 0\n");
  EXPECT_EQ(inspect(wanted).find(R"(\"secret\")"), std::string::npos) << "a secret must not be in labels or env";
  EXPECT_NE(execute(wanted, {"printenv", "SWARM_AGENT"}).stdoutText, wanted.agentBoot + "\n");
  EXPECT_EQ(runner_.run(provider_->agentEndpoint(wanted.placeId, soon())).credential, AgentCredential::Secret);
  // A replacement on an image whose agent knows them: no file any more.
  wanted.config.image = spec().config.image;
  wanted.config.command.clear();
  replace(wanted);
  EXPECT_EQ(runner_.run(provider_->agentEndpoint(wanted.placeId, soon())).credential, AgentCredential::PublicKey);
  EXPECT_EQ(execute(wanted, {"printenv", "SWARM_AGENT"}).stdoutText, wanted.agentBoot + "\n");
  EXPECT_NE(execute(wanted, {"test", "-e", "/etc/swarm/agent.json"}).exitCode, 0);
}

TEST_F(DockerIsolation, aVolumeOfAnotherOwnerIsRefused) {
  InstanceSpec hers = spec("hers", "ada");
  hers.config.storage[0].volumeName = "vault-" + hers.placeId.str();
  create(hers);
  InstanceSpec his = spec("his", "eve");
  his.config.storage[0].volumeName = hers.config.storage[0].volumeName;
  auto error = errorOf([&] { create(his); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  remove(his);
  EXPECT_EQ(execute(hers, {"true"}).exitCode, 0);
}

TEST_F(DockerIsolation, aNetworkOfAnotherOwnerOrTheHostsIsRefused) {
  InstanceSpec hers = spec("hers", "ada");
  create(hers);
  InstanceSpec his = spec("his", "eve");
  for (std::string name :
       {docker::planNetwork(hers, {}, fixture_->swarmId()).name, std::string("host"), std::string("bridge"), std::string("container:x")}) {
    his.config.network.docker = DockerNetworkConfig{.networkName = name};
    auto error = errorOf([&] { create(his); });
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << name;
  }
}

/// A network without our labels that has the name of the owner's, as another program on the Engine's machine can make one.
class DockerForeignNetwork : public DockerIsolation {
 protected:
  void SetUp() override {
    DockerIsolation::SetUp();
    wanted_ = spec();
    create(wanted_);
    name_ = docker::planNetwork(wanted_, {}, fixture_->swarmId()).name;
    ours_ = engine::stringAt(fixture_->engine().get("/networks/" + name_), "Id");
  }
  void TearDown() override {
    if (!foreign_.empty()) fixture_->engine().send("DELETE", "/networks/" + foreign_);
    DockerIsolation::TearDown();
  }
  void makeForeign() {
    engine::Reply made = fixture_->engine().send("POST", "/networks/create", json::object{{"Name", name_}, {"CheckDuplicate", false}});
    if (!made.ok()) GTEST_SKIP() << "this Engine has one network of a name at most: " << made.body;
    foreign_ = engine::stringAt(made.json("make a network"), "Id");
  }
  std::size_t joined(const std::string& network) {
    const auto listed = fixture_->engine().get("/networks/" + network);
    return engine::member(listed, "Containers")->as_object().size();
  }
  void stop(const InstanceSpec& which) { runner_.run(provider_->stopInstance(which.placeId, std::chrono::seconds(5), progress_, soon())); }
  void start(const InstanceSpec& which) { runner_.run(provider_->startInstance(which.placeId, progress_, soon())); }

  InstanceSpec wanted_;
  std::string name_, ours_, foreign_;
};

TEST_F(DockerForeignNetwork, isNotJoinedBesideOursAndStays) {
  makeForeign();
  InstanceSpec second = spec("second");
  create(second);
  stop(wanted_);
  start(wanted_);
  openProvider();  // one that remembers no network
  InstanceSpec third = spec("third");
  create(third);
  EXPECT_EQ(joined(ours_), 3u);
  EXPECT_EQ(joined(foreign_), 0u);
}

TEST_F(DockerForeignNetwork, isNotJoinedInThePlaceOfOurs) {
  stop(wanted_);
  makeForeign();
  ASSERT_TRUE(fixture_->engine().send("DELETE", "/networks/" + ours_).ok());
  auto error = errorOf([&] { start(wanted_); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  EXPECT_EQ(joined(foreign_), 0u);
  // It starts once the other network is gone.
  fixture_->engine().send("DELETE", "/networks/" + std::exchange(foreign_, ""));
  start(wanted_);
  EXPECT_EQ(status(wanted_), InstanceStatus::running);
}

TEST_F(DockerIsolation, labelsOfARequestCanNotTakeOurs) {
  InstanceSpec wanted = spec();
  wanted.config.labels = {{"swarm.owner", "root"}, {"team", "blue"}};
  EXPECT_EQ(create(wanted).owner, "ada");
}

TEST_F(DockerIsolation, aForeignContainerOfTheSameNameIsLeftAlone) {
  InstanceSpec wanted = spec();
  std::string name = docker::containerName(wanted);
  auto made = fixture_->engine().send("POST", "/containers/create?name=" + name,
                                      json::object{{"Image", fixture_->image()}, {"Labels", json::object{{"mine", "yes"}}}});
  ASSERT_TRUE(made.ok()) << made.body;
  auto error = errorOf([&] { create(wanted); });
  EXPECT_TRUE(error && error->code() == ErrorCode::AlreadyExists);
  remove(wanted);
  EXPECT_TRUE(fixture_->engine().send("GET", "/containers/" + name + "/json").ok()) << "it is not ours to remove";
  fixture_->engine().send("DELETE", "/containers/" + name + "?force=true");
}

TEST_F(DockerIsolation, anInternalNetworkHasNoPortsButAnAgent) {
  InstanceSpec wanted = spec();
  wanted.config.network.internalNetwork = true;
  wanted.config.network.exposedPorts = {8080};
  ProviderInstance made = create(wanted);
  EXPECT_TRUE(made.network.ports.empty());
  EXPECT_FALSE(made.network.internalIp.empty());
  auto talk = [&]() -> asio::awaitable<bool> {
    net::Connector connect = (co_await provider_->agentEndpoint(wanted.placeId, soon())).connect;
    for (int i = 0; i < 200; ++i) {
      try {
        co_await connect(soon());
        co_return true;
      } catch (const Error&) {  // does not listen yet
      }
      co_await provider_->getInstance(wanted.placeId, soon());
    }
    co_return false;
  };
  EXPECT_TRUE(runner_.run(talk()));
}

TEST_F(DockerIsolation, deviceNodesCanNotBeMadeInside) {
  InstanceSpec wanted = spec();
  create(wanted);
  EXPECT_NE(execute(wanted, {"mknod", "/tmp/disk", "b", "8", "0"}).exitCode, 0);
}

TEST_F(DockerIsolation, startMakesAPrunedNetworkAgain) {
  InstanceSpec wanted = spec();
  create(wanted);
  runner_.run(provider_->stopInstance(wanted.placeId, std::chrono::seconds(5), progress_, soon()));
  std::string network = docker::planNetwork(wanted, {}, fixture_->swarmId()).name;
  ASSERT_TRUE(fixture_->engine().send("DELETE", "/networks/" + network).ok());
  runner_.run(provider_->startInstance(wanted.placeId, progress_, soon()));
  EXPECT_EQ(status(wanted), InstanceStatus::running);
  EXPECT_FALSE(runner_.run(provider_->getNetworkInfo(wanted.placeId, soon())).internalIp.empty());
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerIsolation, createMakesANetworkAgainThatWasRemovedBehindItsMemory) {
  InstanceSpec first = spec("first"), second = spec("second");
  create(first);
  fixture_->removeBehindBack(first.placeId);
  ASSERT_TRUE(fixture_->engine().send("DELETE", "/networks/" + docker::planNetwork(first, {}, fixture_->swarmId()).name).ok());
  EXPECT_EQ(create(second).status, InstanceStatus::running);
}

TEST_F(DockerIsolation, aCommandThatCanNotBeStartedIsSaidAndCleanedUp) {
  InstanceSpec wanted = spec();
  wanted.config.command = {"/no/such/program"};
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  EXPECT_NE(error->message().find("/no/such/program"), std::string::npos) << error->message();
  EXPECT_EQ(status(wanted), InstanceStatus::failed);
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerIsolation, aReplacementThatDoesNotStartGivesTheOldOneBack) {
  InstanceSpec wanted = spec();
  create(wanted);
  execute(wanted, {"tee", "/home/coder/note"}, "kept");
  InstanceSpec wrong = wanted;
  wrong.config.command = {"/no/such/program"};
  EXPECT_TRUE(errorOf([&] { replace(wrong); }));
  EXPECT_EQ(status(wanted), InstanceStatus::running);
  EXPECT_EQ(execute(wanted, {"cat", "/home/coder/note"}).stdoutText, "kept");
  wanted.config.env["ADDED"] = "yes";
  EXPECT_EQ(replace(wanted).status, InstanceStatus::running);
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerIsolation, outOfMemoryIsTheReasonOfTheFailure) {
  InstanceSpec wanted = spec();
  wanted.config.resources.memory.max = 16;
  wanted.config.command = {"/bin/sh", "-c", "echo ready; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"};
  create(wanted);
  EXPECT_TRUE(runner_.waitFor([&] { return status(wanted) == InstanceStatus::failed; }));
  auto found = runner_.run(provider_->getInstance(wanted.placeId, soon()));
  EXPECT_NE(found->reason.find("out of memory"), std::string::npos) << found->reason;
}

TEST_F(DockerIsolation, aLocalImageIsNeverPulledFromARegistry) {
  InstanceSpec wanted = spec();
  wanted.config.image = "swarm-workspace:no-such-tag";
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_NE(error->message().find("images/workspace/build"), std::string::npos) << error->message();
}

}  // namespace
}  // namespace swarm::testing
