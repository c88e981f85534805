// What is special about several Engines: one that is away, a restarted server, and the same names on two of them.
#include "base/id.h"
#include "conformance/provider/docker/docker_hosts_fixture.h"

namespace swarm::testing {
namespace {

class DockerHosts : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!DockerHostsFixture::possible()) GTEST_SKIP() << "needs root and dockerd, to start an Engine";
    fixture_ = std::make_unique<DockerHostsFixture>(runner_, "local");
    restartServer();
    ASSERT_TRUE(runner_.waitFor([&] { return isHealthy(); })) << provider_->health().detail;
  }
  void TearDown() override {
    stopServer();
    if (!fixture_) return;
    bring();
    fixture_.reset();
  }
  void stopServer() {
    if (!provider_) return;
    runner_.run(provider_->close());
    provider_.reset();
  }
  void restartServer() {
    stopServer();
    provider_ = fixture_->makeProvider();
    runner_.run(provider_->open([this](const ProviderEvent& event) { events_.push_back(event); }));
  }
  /// The second Engine goes, and the provider has seen it.
  void loseTheOther() {
    other().kill();
    is_away_ = true;
    ASSERT_TRUE(runner_.waitFor([&] { return !isHealthy(); }));
  }
  void bring() {
    if (!std::exchange(is_away_, false)) return;
    other().start();
    ASSERT_TRUE(other().waitForSocket()) << other().log();
  }
  static OwnEngine& other() { return DockerHostsFixture::otherEngine(); }
  bool isHealthy() { return provider_->health().status == ProviderHealth::healthy; }

  InstanceSpec spec(const std::string& host, std::string name = "one") {
    InstanceSpec made{
        PlaceId(newId("i")), name, "ada", {}, R"({"instanceId":"x","publicKey":"00"})", Secret(R"({"instanceId":"x","secret":"00"})")};
    made.config.name = name;
    made.config.image = fixture_->image();
    made.config.resources.cpu = {0.5, 500};
    made.config.resources.memory = {0, 64};
    made.config.resources.pids = 64;
    made.config.storage = {{1, true, "/home/coder", ""}};
    if (!host.empty()) made.config.network.regions = {host};
    return made;
  }
  Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
  ProviderInstance create(const InstanceSpec& wanted) { return runner_.run(provider_->createInstance(wanted, progress_, soon())); }
  void remove(const InstanceSpec& wanted, std::vector<ExternalResource> external = {}) {
    runner_.run(provider_->deleteInstance(wanted.placeId, DeleteVolumes::Yes, std::move(external), progress_, soon()));
  }
  std::optional<ProviderInstance> get(const InstanceSpec& wanted) { return runner_.run(provider_->getInstance(wanted.placeId, soon())); }
  std::optional<Error> errorOfGet(const InstanceSpec& wanted) {
    return errorOf([&] { get(wanted); });
  }
  InstanceList list() { return runner_.run(provider_->listInstances({}, soon())); }
  void write(const InstanceSpec& wanted, const std::string& text) {
    runner_.run(provider_->executeCommand(wanted.placeId, {"tee", "/home/coder/note"}, text, soon()));
  }
  std::string read(const InstanceSpec& wanted) {
    return runner_.run(provider_->executeCommand(wanted.placeId, {"cat", "/home/coder/note"}, "", soon())).stdoutText;
  }
  int count(ProviderEvent::Kind kind, const PlaceId& id = {}) const {
    return static_cast<int>(std::count_if(events_.begin(), events_.end(),
                                          [&](const ProviderEvent& event) { return event.kind == kind && event.placeId == id; }));
  }

  CoroutineRunner runner_;
  std::unique_ptr<DockerHostsFixture> fixture_;
  ProviderPtr provider_;
  NoProgress progress_;
  std::vector<ProviderEvent> events_;
  bool is_away_ = false;
};

TEST_F(DockerHosts, anInstanceIsWhereItsConfigurationSaysElseOnTheMainEngine) {
  InstanceSpec there = spec("box2");
  InstanceSpec here = spec("");
  EXPECT_EQ(create(there).region, "box2");
  EXPECT_EQ(create(here).region, "local");
  EXPECT_NE(fixture_->engine("box2").containerOf(fixture_->swarmId(), there.placeId), "");
  EXPECT_NE(fixture_->engine("local").containerOf(fixture_->swarmId(), here.placeId), "");
  ProviderCapabilities capabilities = provider_->getProviderCapabilities();
  EXPECT_TRUE(capabilities.supportsMultiRegion);
  EXPECT_EQ(capabilities.supportedRegions, (std::vector<std::string>{"local", "box2"}));
}

TEST_F(DockerHosts, anUnknownHostIsRefusedWithTheKnownOnes) {
  InstanceSpec wanted = spec("box9");
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_NE(error->message().find("local, box2"), std::string::npos) << error->message();
  ASSERT_EQ(error->fields().size(), 1u);
  EXPECT_EQ(error->fields()[0].pointer, "/network/regions");
  PlacementPreview preview = runner_.run(provider_->previewInstance(wanted, soon()));
  ASSERT_EQ(preview.problems.size(), 1u);
  EXPECT_EQ(preview.problems[0], error->message());
}

TEST_F(DockerHosts, theSameNameAndTheSameVolumeNameLiveOnTwoEngines) {
  InstanceSpec here = spec("local");
  InstanceSpec there = spec("box2");
  here.config.storage[0].volumeName = there.config.storage[0].volumeName = "files";
  create(here);
  create(there);
  write(here, "here");
  write(there, "there");
  EXPECT_EQ(read(here), "here");
  EXPECT_EQ(read(there), "there");
  std::vector<VolumeInfo> volumes = runner_.run(provider_->listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 2u);
  EXPECT_EQ(volumes[0].name, "local:files");
  EXPECT_EQ(volumes[1].name, "box2:files");

  auto ambiguous = errorOf([&] { runner_.run(provider_->deleteVolume("files", soon())); });
  ASSERT_TRUE(ambiguous);
  EXPECT_EQ(ambiguous->code(), ErrorCode::Conflict);
  runner_.run(provider_->deleteInstance(there.placeId, DeleteVolumes::No, {}, progress_, soon()));
  runner_.run(provider_->deleteVolume("box2:files", soon()));
  EXPECT_EQ(read(here), "here") << "the other Engine's volume is another one";
  EXPECT_EQ(runner_.run(provider_->listVolumes(soon())).at(0).name, "files");
}

TEST_F(DockerHosts, aRestartedServerFindsEachInstanceOnItsEngine) {
  InstanceSpec here = spec("local");
  InstanceSpec there = spec("box2");
  create(here);
  create(there);
  write(there, "kept");
  restartServer();
  EXPECT_EQ(read(there), "kept");
  restartServer();
  ASSERT_TRUE(get(there));
  EXPECT_EQ(get(there)->region, "box2");
  EXPECT_EQ(get(here)->region, "local");
  restartServer();
  remove(there);
  remove(here);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerHosts, anEngineThatIsAwayMakesNoInstanceLookAbsent) {
  InstanceSpec here = spec("local");
  InstanceSpec there = spec("box2");
  create(here);
  create(there);
  loseTheOther();
  EXPECT_EQ(provider_->health().status, ProviderHealth::degraded);
  EXPECT_EQ(provider_->health().detail.find("box2: "), 0u) << provider_->health().detail;
  EXPECT_EQ(count(ProviderEvent::Kind::Disconnected), 1);
  InstanceList partial = list();
  EXPECT_FALSE(partial.complete);
  ASSERT_EQ(partial.instances.size(), 1u);
  EXPECT_EQ(partial.instances[0].placeId, here.placeId);
  EXPECT_TRUE(get(here));
  auto remembered = errorOfGet(there);
  ASSERT_TRUE(remembered);
  EXPECT_EQ(remembered->code(), ErrorCode::Unavailable);

  restartServer();  // which remembers nothing
  ASSERT_TRUE(runner_.waitFor([&] { return provider_->health().status == ProviderHealth::degraded; }));
  auto unknown = errorOfGet(there);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code(), ErrorCode::Unavailable);
  EXPECT_NE(unknown->message().find("box2"), std::string::npos) << unknown->message();
  EXPECT_TRUE(get(here)) << "the others are not held up";
  EXPECT_EQ(create(spec("local", "two")).status, InstanceStatus::running);

  bring();
  ASSERT_TRUE(runner_.waitFor([&] { return isHealthy(); }, std::chrono::seconds(60)));
  EXPECT_TRUE(list().complete);
  EXPECT_TRUE(get(there));
}

TEST_F(DockerHosts, aDeleteWaitsForTheEngineThatMayHaveSomething) {
  InstanceSpec there = spec("box2");
  ProviderInstance made = create(there);
  loseTheOther();
  for (bool is_recorded : {true, false}) {
    SCOPED_TRACE(is_recorded);
    restartServer();
    auto error = errorOf([&] { remove(there, is_recorded ? made.external : std::vector<ExternalResource>{}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  }
  bring();
  ASSERT_TRUE(runner_.waitFor([&] { return isHealthy(); }, std::chrono::seconds(60)));
  remove(there);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerHosts, aDeleteOnOneEngineTakesNoVolumeOfThatNameOnAnother) {
  InstanceSpec there = spec("box2");
  there.config.storage[0].volumeName = "files";
  InstanceSpec here = spec("local", "two");
  here.config.storage[0].volumeName = "files";
  create(here);
  std::vector<ExternalResource> external = create(there).external;
  runner_.run(provider_->deleteInstance(here.placeId, DeleteVolumes::No, {}, progress_, soon()));  // its volume is kept
  remove(there, external);
  EXPECT_EQ(runner_.run(provider_->listVolumes(soon())).size(), 1u);
  // The same when its Engine is unknown: the instance is gone, and its records name the volume.
  restartServer();
  std::erase_if(external, [](const ExternalResource& resource) { return resource.kind == ResourceKind::host; });
  remove(there, external);
  EXPECT_EQ(runner_.run(provider_->listVolumes(soon())).size(), 1u);
}

TEST_F(DockerHosts, anotherConfigurationDoesNotMoveAnInstance) {
  InstanceSpec wanted = spec("box2");
  create(wanted);
  wanted.config.network.regions = {"local"};
  auto error = errorOf([&] { runner_.run(provider_->replaceInstance(wanted, progress_, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_NE(error->message().find("swarm migrate"), std::string::npos) << error->message();
  EXPECT_EQ(get(wanted)->region, "box2");
}

TEST_F(DockerHosts, checksNameTheirHost) {
  std::vector<ValidationCheck> checks = runner_.run(provider_->validate(soon()));
  for (const char* name : {"local: endpoint", "box2: endpoint"}) {
    auto found = std::find_if(checks.begin(), checks.end(), [&](const ValidationCheck& check) { return check.name == name; });
    ASSERT_NE(found, checks.end()) << name;
    EXPECT_TRUE(found->ok) << found->detail;
  }
}

TEST(DockerHostsConfig, namesAreLabelsAndDiffer) {
  auto make = [](const std::string& first, const std::string& second) {
    return errorOf([&] {
      DockerProviderConfig one, two;
      one.name = first;
      two.name = second;
      makeDockerProvider(std::vector{one, two}, "test");
    });
  };
  EXPECT_FALSE(make("", "box2"));
  EXPECT_TRUE(make("", "local")) << "an unnamed main Engine is \"local\"";
  EXPECT_TRUE(make("box2", "box2"));
  EXPECT_TRUE(make("", "Box 2"));
}

TEST(DockerHostsConfig, oneEngineIsThePlainProvider) {
  ProviderPtr provider = makeDockerProvider(std::vector{DockerProviderConfig{}}, "test");
  EXPECT_FALSE(provider->getProviderCapabilities().supportsMultiRegion);
  EXPECT_EQ(provider->getProviderCapabilities().supportedRegions, std::vector<std::string>{"local"}) << "--region accepts it";
}

}  // namespace
}  // namespace swarm::testing
