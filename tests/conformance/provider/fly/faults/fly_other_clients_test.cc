// The Fly provider with other clients at its Machines, partial and empty lists, kept volumes, and an API that becomes unavailable.
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

TEST_F(FlyPlaces, anAppIsANetworkOfItsOwnWithItsAddresses) {
  InstanceSpec wanted = spec();
  ProviderInstance made = create(wanted);
  std::string app = flyio::appName(config_, "swarm-1", wanted.placeId);
  EXPECT_EQ(stringAt(world_.send("GET", "/v1/apps/" + app), "network"), app);
  EXPECT_EQ(world_.count("ips"), 2);
  EXPECT_EQ(made.network.hostname, app + ".fly.localhost");
  EXPECT_TRUE(made.network.internalIp.starts_with("fdaa:"));
  InstanceSpec hidden = spec();
  hidden.config.network.flyio = FlyNetworkConfig{.privateNetwork = true};
  create(hidden);
  json::value ips = world_.send("GET", "/v1/apps/" + flyio::appName(config_, "swarm-1", hidden.placeId) + "/ip_assignments");
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
  EXPECT_EQ(integerAt(now, "config.metrics.port"), 9091);
  EXPECT_EQ(stringAt(now, "config.metadata.fly_platform_version"), "v2");
  EXPECT_EQ(stringAt(now, "config.env.ADDED"), "yes");
  EXPECT_EQ(volumeOf(now), volumeOf(before));
  EXPECT_EQ(world_.count("leases"), 0);
}

TEST_F(FlyPlaces, aLeaseThatACrashLeftIsReusedAndAnotherClientsIsNot) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string lease = path(world_.machines().front()) + "/lease";
  world_.send("POST", lease, json::object{{"description", "swarm swarm-1"}, {"ttl", 600}});
  wanted.config.env["ADDED"] = "yes";
  EXPECT_EQ(runner_.run(provider_->replaceInstance(wanted, progress_, soon())).status, InstanceStatus::running);
  EXPECT_EQ(world_.count("leases"), 0);
  world_.send("POST", lease, json::object{{"description", "another deploy"}, {"ttl", 600}});
  auto error = errorOf([&] {
    runner_.run(provider_->stopInstance(wanted.placeId, std::chrono::seconds(1), progress_, Deadline::after(std::chrono::seconds(10))));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict) << error->message();
  EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running);
}

TEST_F(FlyPlaces, moreStorageIsGivenLiveAndLessIsNot) {
  InstanceSpec wanted = spec();
  create(wanted);
  ResourceConfig more = wanted.config.resources;
  more.storage.size = 5;
  EXPECT_EQ(runner_.run(provider_->allocateResources(wanted.placeId, more, soon())), AllocationEffect::Live);
  EXPECT_EQ(get(wanted.placeId)->resources.storage.size, 5);
  more.storage.size = 2;
  runner_.run(provider_->allocateResources(wanted.placeId, more, soon()));
  EXPECT_EQ(get(wanted.placeId)->resources.storage.size, 5) << "a volume never shrinks";
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

TEST_F(FlyPlaces, concurrentRequestsForTheListShareOne) {
  create(spec());
  restartServer();
  world_.fault(R"({"match":{"path":"/v1/orgs/**"},"count":-1,"effect":{"latency_ms":200}})");
  std::vector<std::size_t> listed;
  auto readList = [&]() -> asio::awaitable<void> { listed.push_back((co_await provider_->listInstances({}, soon())).instances.size()); };
  auto before = provider_->client().requests();
  std::vector<asio::awaitable<void>> lists;
  for (int i = 0; i < 5; ++i) lists.push_back(readList());
  runner_.runAll(std::move(lists));
  EXPECT_EQ(listed, std::vector<std::size_t>(5, 1));
  EXPECT_EQ(provider_->client().requests() - before, 1);
  EXPECT_EQ(list().instances.size(), 1u);
  EXPECT_EQ(provider_->client().requests() - before, 2) << "a later one is a new one";
}

TEST_F(FlyPlaces, aListThatItsAskerGivesUpIsReadForTheOthersAllTheSame) {
  create(spec());
  restartServer();
  world_.fault(R"({"match":{"path":"/v1/orgs/**"},"count":1,"effect":{"latency_ms":5000}})");
  asio::cancellation_signal stop;
  bool given_up = false;
  auto leader = [this]() -> asio::awaitable<void> { co_await provider_->listInstances({}, soon()); };
  asio::co_spawn(runner_.context(), leader, asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { given_up = true; }));
  ASSERT_TRUE(runner_.waitFor([&] { return provider_->client().requests() > 0; }));
  std::vector<std::size_t> listed;
  auto follower = [&]() -> asio::awaitable<void> { listed.push_back((co_await provider_->listInstances({}, soon())).instances.size()); };
  auto impatient = [&]() -> asio::awaitable<void> {
    co_await provider_->listInstances({}, Deadline::after(std::chrono::milliseconds(50)));
  };
  auto error = errorOf([&] { runner_.run(impatient()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::DeadlineExceeded);
  asio::post(runner_.context(), [&] { stop.emit(asio::cancellation_type::terminal); });
  runner_.runAll([&] {
    std::vector<asio::awaitable<void>> followers;
    for (int i = 0; i < 3; ++i) followers.push_back(follower());
    return followers;
  }());
  EXPECT_TRUE(given_up);
  EXPECT_EQ(listed, std::vector<std::size_t>(3, 1));
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
  EXPECT_TRUE(errorOf([&] { remove(wanted.placeId, DeleteVolumes::No); }) || world_.count("volumes") == 1);
  expectOneOfEach();
}

TEST_F(FlyPlaces, aKeptVolumeKeepsItsAppAndNothingElse) {
  InstanceSpec wanted = spec();
  wanted.config.storage.push_back({1, false, "/scratch", ""});
  create(wanted);
  write(wanted.placeId, "precious");
  remove(wanted.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  restartServer();
  auto volumes = runner_.run(provider_->listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].owner, "ada");
  EXPECT_FALSE(get(wanted.placeId));
  InstanceSpec next = spec();
  next.config.storage[0].volumeName = volumes[0].name;
  create(next);
  EXPECT_EQ(read(next.placeId), "precious");
  restartServer();
  EXPECT_EQ(get(next.placeId)->status, InstanceStatus::running) << "it lives in the app of the volume, and is found";
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

TEST_F(FlyPlaces, whatAnEarlierInstanceLeftOnTheVolumeIsNotDeletedWithALaterOne) {
  InstanceSpec first = spec();
  first.config.storage.push_back({1, true, "/models", "models"});
  create(first);
  remove(first.placeId, DeleteVolumes::No);
  auto names = [&] {
    std::vector<std::string> found;
    for (const VolumeInfo& volume : runner_.run(provider_->listVolumes(soon()))) found.push_back(volume.mountPath);
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(names(), (std::vector<std::string>{"/home/coder", "/models"}));
  InstanceSpec second = spec();
  second.config.storage = {{1, true, "/models", "models"}};
  create(second);
  second.config.env["ADDED"] = "yes";
  runner_.run(provider_->replaceInstance(second, progress_, soon()));
  restartServer();
  remove(second.placeId, DeleteVolumes::Yes);
  EXPECT_EQ(names(), std::vector<std::string>{"/home/coder"});
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  auto left = runner_.run(provider_->listVolumes(soon()));
  EXPECT_EQ(left[0].placeId, first.placeId);
  runner_.run(provider_->deleteVolume(left[0].name, soon()));
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, anApiThatBecomesUnavailableIsReportedAndSoIsItsReturn) {
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
  auto error = errorOf([&] { get(wanted.placeId); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable);
  events_.clear();
  world_.comeBack();
  ASSERT_TRUE(runner_.waitFor([&] { return saw(ProviderEvent::Kind::Reconnected); }));
  EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running);
}

TEST_F(FlyPlaces, aCommandThatFlysExecCanNotTakeIsRefusedBeforeItIsSent) {
  InstanceSpec wanted = spec();
  create(wanted);
  auto codeOf = [&](std::vector<std::string> command, std::string input) {
    auto error = errorOf([&] { runner_.run(provider_->executeCommand(wanted.placeId, std::move(command), std::move(input), soon())); });
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

TEST_F(FlyPlaces, validationReportsEachCheckSeparately) {
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

/// Transients, slow propagation and rate limits as Fly has them, and the times that production uses.
TEST(FlyAsItIs, manyLivesAtOnceMeetNoRateLimit) {
  CoroutineRunner runner;
  emulator::EmulatorOptions options;
  options.times = emulator::TransitionTimes::likeFly();
  FlyWorld world(runner, makeTestMemoryBackend, options);
  flyio::FlyIOProvider provider(world.providerConfig(), "swarm-1", world.clock());
  NoProgress progress;
  auto live = [&](InstanceSpec spec) -> asio::awaitable<void> {
    Deadline deadline = Deadline::after(std::chrono::seconds(50));
    ProviderInstance made = co_await provider.createInstance(spec, progress, deadline);
    EXPECT_EQ(made.status, InstanceStatus::running) << made.reason;
    co_await provider.stopInstance(spec.placeId, std::chrono::seconds(1), progress, deadline);
    co_await provider.startInstance(spec.placeId, progress, deadline);
    spec.config.env["ADDED"] = "yes";
    made = co_await provider.replaceInstance(spec, progress, deadline);
    EXPECT_EQ(made.status, InstanceStatus::running) << made.reason;
    co_await provider.deleteInstance(spec.placeId, DeleteVolumes::Yes, {}, progress, deadline);
  };
  std::vector<asio::awaitable<void>> lives;
  for (int i = 0; i < 20; ++i) {
    InstanceSpec spec{PlaceId(newId("i")), format("n{}", i), "ada", {}, "{}", {}};
    spec.config.name = spec.name;
    spec.config.image = "workspace";
    spec.config.storage = {{1, true, "/home/coder", ""}};
    lives.push_back(live(std::move(spec)));
  }
  runner.runAll(std::move(lives));
  EXPECT_EQ(provider.client().refusedForRate(), 0);
  EXPECT_EQ(world.count("machines"), 0);
  EXPECT_EQ(world.count("volumes"), 0);
  EXPECT_EQ(world.count("apps"), 0);
}

}  // namespace
}  // namespace swarm::testing
