// What the Fly provider does with regions, hosts and volumes, with other people's hands in its Machines, and with an API that goes away.
#include <algorithm>

#include "base/format.h"
#include "base/id.h"
#include "conformance/provider/fly_memory_backend.h"
#include "conformance/provider/provider_fixture.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/json_access.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;
using flyio::arrayAt;
using flyio::stringAt;

emulator::EmulatorOptions withoutLimits() {
  emulator::EmulatorOptions options;
  options.rateLimits = emulator::RateLimits::Off;
  return options;
}

class FlyPlaces : public ::testing::Test {
 protected:
  FlyPlaces() { restartServer(); }
  ~FlyPlaces() override { close(); }

  void close() {
    if (opened_) runner_.run(provider_->close());
    opened_ = false;
  }
  void restartServer() {
    close();
    provider_ = std::make_unique<flyio::FlyIOProvider>(config_, "swarm-1", world_.clock(), FlyWorld::quickTuning());
  }
  void open() {
    runner_.run(provider_->open([this](const ProviderEvent& event) { events_.push_back(event); }));
    opened_ = true;
  }
  InstanceSpec spec() {
    InstanceSpec made{newId("i"), "one", "ada", {}, Secret(R"({"instanceId":"x","secret":"00"})")};
    made.config.name = "one";
    made.config.image = "workspace";
    made.config.resources.cpu = {1, 0};
    made.config.resources.memory = {0, 256};
    made.config.resources.storage = {1, true};
    made.config.storage = {{1, true, "/home/coder", ""}};
    return made;
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }
  ProviderInstance create(const InstanceSpec& wanted) { return runner_.run(provider_->createInstance(wanted, progress_, soon())); }
  void start(const std::string& id) { runner_.run(provider_->startInstance(id, progress_, soon())); }
  void stop(const std::string& id) { runner_.run(provider_->stopInstance(id, std::chrono::seconds(1), progress_, soon())); }
  void remove(const std::string& id, DeleteVolumes volumes = DeleteVolumes::Yes) {
    runner_.run(provider_->deleteInstance(id, volumes, progress_.resources, progress_, soon()));
  }
  std::optional<ProviderInstance> get(const std::string& id) { return runner_.run(provider_->getInstance(id, soon())); }
  InstanceList list() { return runner_.run(provider_->listInstances({}, soon())); }
  void write(const std::string& id, const std::string& text) {
    EXPECT_EQ(runner_.run(provider_->executeCommand(id, {"tee", "/home/coder/note"}, text, soon())).exitCode, 0);
  }
  std::string read(const std::string& id) {
    return runner_.run(provider_->executeCommand(id, {"cat", "/home/coder/note"}, "", soon())).stdoutText;
  }
  /// The one Machine that exists, as Fly tells of it.
  json::value machine() {
    json::array all = world_.machines();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? json::value(nullptr) : world_.send("GET", path(all.front()));
  }
  static std::string path(const json::value& listed) {
    return format("/v1/apps/{}/machines/{}", stringAt(listed, "app_name"), stringAt(listed, "id"));
  }
  void expectOneOfEach() {
    EXPECT_EQ(world_.count("apps"), 1);
    EXPECT_EQ(world_.count("machines"), 1);
    EXPECT_EQ(world_.count("volumes"), 1);
  }
  static std::string volumeOf(const json::value& machine) { return stringAt(arrayAt(machine, "config.mounts").at(0), "volume"); }

  CoroutineRunner runner_;
  FlyWorld world_{runner_, makeTestMemoryBackend, withoutLimits()};
  FlyIOProviderConfig config_ = world_.providerConfig();
  std::unique_ptr<flyio::FlyIOProvider> provider_;
  RecordingProgress progress_;
  std::vector<ProviderEvent> events_;
  bool opened_ = false;
};

TEST_F(FlyPlaces, theNextRegionIsTakenWhenTheFirstHasNoRoom) {
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E22"}})");
  InstanceSpec wanted = spec();
  EXPECT_EQ(create(wanted).status, InstanceStatus::running);
  EXPECT_EQ(stringAt(machine(), "region"), "fra");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aRegionWithoutRoomForAVolumeIsLeftToo) {
  world_.fault(R"({"match":{"action":"volume_create"},"effect":{"error":"E24"}})");
  create(spec());
  EXPECT_EQ(stringAt(machine(), "region"), "fra");
  expectOneOfEach();
}

TEST_F(FlyPlaces, theRegionThatAnInstanceAsksForCountsMoreThanTheConfiguredOnes) {
  InstanceSpec wanted = spec();
  wanted.config.network.flyio = FlyNetworkConfig{false, {"iad"}, true};
  create(wanted);
  EXPECT_EQ(stringAt(machine(), "region"), "iad");
  wanted = spec();
  wanted.config.network.flyio = FlyNetworkConfig{false, {"atlantis"}, true};
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
}

TEST_F(FlyPlaces, noRoomAnywhereSaysWhereItWasLookedFor) {
  world_.fault(R"({"match":{"action":"machine_create"},"count":-1,"effect":{"error":"E22"}})");
  InstanceSpec wanted = spec();
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::OutOfResources);
  EXPECT_NE(error->message().find("ams, fra, iad"), std::string::npos) << error->message();
  EXPECT_EQ(world_.count("volumes"), 0);
  remove(wanted.instanceId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, aVolumeOnAFullHostIsMadeAnewWhenNothingIsOnIt) {
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  create(spec());
  EXPECT_EQ(stringAt(machine(), "region"), "ams");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aVolumeWithFilesOnAFullHostIsCopiedAndNothingIsLost) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.instanceId, "precious");
  std::string before = volumeOf(machine());
  world_.send("DELETE", path(world_.machines().front()) + "?force=true");  // as if Fly had lost it
  restartServer();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  create(wanted);
  EXPECT_EQ(read(wanted.instanceId), "precious");
  EXPECT_NE(volumeOf(machine()), before);
  expectOneOfEach();
}

TEST_F(FlyPlaces, anInstanceWhoseHostIsFullStartsOnAnother) {
  InstanceSpec wanted = spec();
  ProviderInstance made = create(wanted);
  write(wanted.instanceId, "precious");
  stop(wanted.instanceId);
  std::string before = volumeOf(machine());
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  start(wanted.instanceId);
  EXPECT_EQ(read(wanted.instanceId), "precious");
  EXPECT_NE(volumeOf(machine()), before);
  expectOneOfEach();
  EXPECT_NE(get(wanted.instanceId)->external, made.external);
  remove(wanted.instanceId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, aMoveThatIsCutOffAnywhereIsFinishedAndLosesNothing) {
  for (int cut = 0; cut < 14; ++cut) {
    SCOPED_TRACE(cut);
    InstanceSpec wanted = spec();
    create(wanted);
    write(wanted.instanceId, "precious");
    stop(wanted.instanceId);
    restartServer();
    world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
    world_.fault(format(R"({{"match":{{"path":"/v1/apps/**"}},"skip":{},"count":-1,"effect":{{"status":500,"body":""}}}})", cut));
    errorOf([&] { runner_.run(provider_->startInstance(wanted.instanceId, progress_, Deadline::after(std::chrono::milliseconds(60)))); });
    world_.clearFaults();
    EXPECT_GE(world_.count("volumes"), 1);
    restartServer();
    start(wanted.instanceId);
    EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running);
    EXPECT_EQ(read(wanted.instanceId), "precious");
    expectOneOfEach();
    remove(wanted.instanceId);
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

TEST_F(FlyPlaces, theOldVolumeStaysUntilItsCopyIsWhole) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.instanceId, "precious");
  stop(wanted.instanceId);
  world_.send("PUT", "/emulator/settings", json::object{{"times_ms", json::object{{"volume_hydrate", 600}}}});
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  runner_.run(provider_->startInstance(wanted.instanceId, progress_, Deadline::after(std::chrono::milliseconds(2'300))));
  EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running) << "it runs while the rest is copied";
  EXPECT_EQ(world_.count("volumes"), 2);
  EXPECT_EQ(world_.count("machines"), 1);
  start(wanted.instanceId);
  EXPECT_EQ(read(wanted.instanceId), "precious");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aSizeThatTheHostHasNoRoomForMovesTheInstance) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.instanceId, "precious");
  wanted.config.resources.memory.max = 1024;
  EXPECT_EQ(runner_.run(provider_->allocateResources(wanted.instanceId, wanted.config.resources, soon())), AllocationEffect::NeedsRestart);
  EXPECT_EQ(get(wanted.instanceId)->resources.memory.max, 256) << "a restart is said beforehand, and not done";
  world_.fault(R"({"match":{"action":"machine_update"},"effect":{"error":"E19"}})");
  ProviderInstance now = runner_.run(provider_->replaceInstance(wanted, progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  EXPECT_EQ(now.resources.memory.max, 1024);
  EXPECT_EQ(read(wanted.instanceId), "precious");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aHostThatCanNotBeReachedIsShownAndNothingIsMadeInItsPlace) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string id = stringAt(machine(), "id");
  world_.send("POST", "/emulator/machines/" + id + "/host", json::object{{"status", "unreachable"}});
  auto found = get(wanted.instanceId);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason, "its host at Fly can't be reached");
  for (auto&& call : {std::function<void()>([&] { start(wanted.instanceId); }), std::function<void()>([&] { create(wanted); }),
                      std::function<void()>([&] { stop(wanted.instanceId); })}) {
    auto error = errorOf(call);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unavailable) << error->message();
  }
  expectOneOfEach();
  world_.send("POST", "/emulator/machines/" + id + "/host", json::object{{"status", "ok"}});
  EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running);
}

TEST_F(FlyPlaces, aMachineThatFlyMovedIsFollowed) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.instanceId, "precious");
  json::value before = machine();
  world_.send("POST", "/emulator/machines/" + stringAt(before, "id") + "/migrate");
  ASSERT_TRUE(runner_.waitFor([&] { return volumeOf(machine()) != volumeOf(before) && stringAt(machine(), "state") == "started"; }));
  auto found = get(wanted.instanceId);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, InstanceStatus::running);
  EXPECT_EQ(found->network.internalIp, stringAt(machine(), "private_ip"));
  EXPECT_NE(found->network.internalIp, stringAt(before, "private_ip"));
  stop(wanted.instanceId);
  restartServer();
  start(wanted.instanceId);
  EXPECT_EQ(read(wanted.instanceId), "precious");
  expectOneOfEach();
  remove(wanted.instanceId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, anAppIsANetworkOfItsOwnWithItsAddresses) {
  InstanceSpec wanted = spec();
  ProviderInstance made = create(wanted);
  std::string app = flyio::appName(config_, "swarm-1", wanted.instanceId);
  EXPECT_EQ(stringAt(world_.send("GET", "/v1/apps/" + app), "network"), app);
  EXPECT_EQ(world_.count("ips"), 2);
  EXPECT_EQ(made.network.hostname, app + ".fly.localhost");
  EXPECT_TRUE(made.network.internalIp.starts_with("fdaa:"));
  InstanceSpec hidden = spec();
  hidden.config.network.flyio = FlyNetworkConfig{true, {}, true};
  create(hidden);
  json::value ips = world_.send("GET", "/v1/apps/" + flyio::appName(config_, "swarm-1", hidden.instanceId) + "/ip_assignments");
  ASSERT_EQ(arrayAt(ips, "ips").size(), 1u);
  EXPECT_TRUE(stringAt(arrayAt(ips, "ips")[0], "ip").starts_with("fdaa:"));
}

TEST_F(FlyPlaces, anUpdateKeepsWhatOtherToolsHavePutIntoTheConfiguration) {
  InstanceSpec wanted = spec();
  create(wanted);
  json::value before = machine();
  json::object config = before.at("config").as_object();
  config["metrics"] = json::object{{"port", 9091}, {"path", "/metrics"}};
  config["metadata"].as_object()["fly_platform_version"] = "v2";
  world_.send("POST", path(world_.machines().front()), json::object{{"config", config}});
  ASSERT_TRUE(runner_.waitFor([&] { return stringAt(machine(), "state") == "started"; }));
  wanted.config.env["ADDED"] = "yes";
  runner_.run(provider_->replaceInstance(wanted, progress_, soon()));
  json::value now = machine();
  EXPECT_EQ(flyio::integerAt(now, "config.metrics.port"), 9091);
  EXPECT_EQ(stringAt(now, "config.metadata.fly_platform_version"), "v2");
  EXPECT_EQ(stringAt(now, "config.env.ADDED"), "yes");
  EXPECT_EQ(volumeOf(now), volumeOf(before));
  EXPECT_EQ(world_.count("leases"), 0);
}

TEST_F(FlyPlaces, aLeaseThatACrashLeftBehindIsTakenOverAndSomebodyElsesIsNot) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string lease = path(world_.machines().front()) + "/lease";
  world_.send("POST", lease, json::object{{"description", "swarm swarm-1"}, {"ttl", 600}});
  wanted.config.env["ADDED"] = "yes";
  EXPECT_EQ(runner_.run(provider_->replaceInstance(wanted, progress_, soon())).status, InstanceStatus::running);
  EXPECT_EQ(world_.count("leases"), 0);
  world_.send("POST", lease, json::object{{"description", "somebody's deploy"}, {"ttl", 600}});
  auto error = errorOf([&] {
    runner_.run(
        provider_->stopInstance(wanted.instanceId, std::chrono::seconds(1), progress_, Deadline::after(std::chrono::milliseconds(100))));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict) << error->message();
  EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running);
}

TEST_F(FlyPlaces, moreStorageIsGivenLiveAndLessIsNot) {
  InstanceSpec wanted = spec();
  create(wanted);
  ResourceConfig more = wanted.config.resources;
  more.storage.size = 5;
  EXPECT_EQ(runner_.run(provider_->allocateResources(wanted.instanceId, more, soon())), AllocationEffect::Live);
  EXPECT_EQ(get(wanted.instanceId)->resources.storage.size, 5);
  more.storage.size = 2;
  runner_.run(provider_->allocateResources(wanted.instanceId, more, soon()));
  EXPECT_EQ(get(wanted.instanceId)->resources.storage.size, 5) << "a volume never shrinks";
}

TEST_F(FlyPlaces, aPartialListSaysSo) {
  InstanceSpec wanted = spec();
  create(wanted);
  world_.fault(R"({"match":{"path":"/v1/orgs/**"},"effect":{"error_regions":["ams"]}})");
  restartServer();
  InstanceList partial = list();
  EXPECT_FALSE(partial.complete);
  EXPECT_TRUE(list().complete);
  EXPECT_EQ(list().instances.size(), 1u);
}

TEST_F(FlyPlaces, anEmptyListNeitherMakesASecondOneNorHidesTheFirst) {
  InstanceSpec wanted = spec();
  create(wanted);
  for (const char* action : {"machine_list", "volume_list"}) {
    restartServer();
    world_.fault(format(R"({{"match":{{"action":"{}"}},"count":2,"effect":{{"empty_list":true}}}})", action));
    create(wanted);
    world_.clearFaults();
    expectOneOfEach();
  }
  restartServer();
  world_.fault(R"({"match":{"action":"machine_list"},"count":-1,"effect":{"empty_list":true}})");
  EXPECT_TRUE(errorOf([&] { remove(wanted.instanceId, DeleteVolumes::No); }) || world_.count("volumes") == 1);
  expectOneOfEach();
}

TEST_F(FlyPlaces, aKeptVolumeKeepsItsAppAndNothingElse) {
  InstanceSpec wanted = spec();
  wanted.config.storage.push_back({1, false, "/scratch", ""});
  create(wanted);
  write(wanted.instanceId, "precious");
  remove(wanted.instanceId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  restartServer();
  auto volumes = runner_.run(provider_->listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].owner, "ada");
  EXPECT_FALSE(get(wanted.instanceId));
  InstanceSpec next = spec();
  next.config.storage[0].volumeName = volumes[0].name;
  create(next);
  EXPECT_EQ(read(next.instanceId), "precious");
  restartServer();
  EXPECT_EQ(get(next.instanceId)->status, InstanceStatus::running) << "it lives in the app of the volume, and is found";
  InstanceSpec third = spec();
  third.config.storage[0].volumeName = volumes[0].name;
  auto error = errorOf([&] { create(third); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
  third.owner = "mallory";
  error = errorOf([&] { create(third); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
}

TEST_F(FlyPlaces, anApiThatGoesAwayIsToldAndSoIsItsReturn) {
  auto saw = [&](ProviderEvent::Kind kind) {
    return std::any_of(events_.begin(), events_.end(), [&](const ProviderEvent& event) { return event.kind == kind; });
  };
  open();
  ASSERT_TRUE(runner_.waitFor([&] { return saw(ProviderEvent::Kind::Reconnected); }));
  EXPECT_EQ(provider_->health().status, ProviderHealth::healthy);
  EXPECT_EQ(provider_->getProviderCapabilities().supportedRegions, (std::vector<std::string>{"ams", "fra", "iad"}));
  InstanceSpec wanted = spec();
  create(wanted);
  world_.goAway();
  ASSERT_TRUE(runner_.waitFor([&] { return saw(ProviderEvent::Kind::Disconnected); }));
  EXPECT_EQ(provider_->health().status, ProviderHealth::unavailable);
  auto error = errorOf([&] { get(wanted.instanceId); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  events_.clear();
  world_.comeBack();
  ASSERT_TRUE(runner_.waitFor([&] { return saw(ProviderEvent::Kind::Reconnected); }));
  EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running);
}

TEST_F(FlyPlaces, aCommandThatFlysExecCanNotTakeIsRefusedBeforeItIsSent) {
  InstanceSpec wanted = spec();
  create(wanted);
  auto codeOf = [&](std::vector<std::string> command, std::string input) {
    auto error = errorOf([&] { runner_.run(provider_->executeCommand(wanted.instanceId, std::move(command), std::move(input), soon())); });
    return error ? error->code() : ErrorCode::Internal;
  };
  EXPECT_EQ(codeOf({"cat"}, std::string(20'000, 'x')), ErrorCode::PayloadTooLarge);
  EXPECT_EQ(codeOf({"cat"}, std::string("\xff\xfe", 2)), ErrorCode::Unprocessable);
  EXPECT_EQ(codeOf({}, ""), ErrorCode::InvalidArgument);
  world_.fault(R"({"match":{"action":"machine_exec"},"effect":{"error":"E30"}})");
  EXPECT_EQ(codeOf({"cat"}, "small"), ErrorCode::PayloadTooLarge);
  world_.fault(R"({"match":{"action":"machine_exec"},"effect":{"error":"E29"}})");
  EXPECT_EQ(codeOf({"true"}, ""), ErrorCode::Conflict);
}

TEST_F(FlyPlaces, validationTellsEachThingApart) {
  auto checks = runner_.run(provider_->validate(soon()));
  auto find = [&](std::string_view name) {
    return std::find_if(checks.begin(), checks.end(), [&](const ValidationCheck& check) { return check.name == name; });
  };
  for (std::string_view name : {"token", "organization", "regions", "capacity"}) {
    ASSERT_NE(find(name), checks.end()) << name;
    EXPECT_TRUE(find(name)->ok) << name << ": " << find(name)->detail;
  }
  EXPECT_FALSE(find("workspace image")->ok) << "none was pushed";
  EXPECT_NE(find("workspace image")->detail.find("docker push"), std::string::npos);
  config_.apiToken = Secret("fm2_wrong");
  config_.regions = {"atlantis"};
  config_.workspaceImage = "registry.fly.io/acme/work:1";
  restartServer();
  checks = runner_.run(provider_->validate(soon()));
  EXPECT_FALSE(find("token")->ok);
  EXPECT_EQ(find("token")->detail.find("fm2_wrong"), std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
