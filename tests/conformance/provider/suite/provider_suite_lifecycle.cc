// The suite's base, and what every provider owes: create, start, stop, delete, get, list.
#include <algorithm>

#include "base/id.h"
#include "conformance/provider/provider_fixture.h"

namespace swarm::testing {

void ProviderSuite::SetUp() {
  fixture_ = GetParam().make(runner_);
  ASSERT_NE(fixture_, nullptr);
  deviations_ = fixture_->deviations();
  restartServer();
}

void ProviderSuite::TearDown() {
  stopServer();
  if (fixture_) fixture_.reset();
}

void ProviderSuite::stopServer() {
  if (!provider_) return;
  runner_.run(provider_->close());
  provider_.reset();
}

void ProviderSuite::restartServer() {
  stopServer();
  provider_ = fixture_->makeProvider();
  runner_.run(provider_->open([this](const ProviderEvent& event) { events_.push_back(event); }));
}

InstanceSpec ProviderSuite::spec(std::string name, std::string owner) {
  InstanceSpec made{PlaceId(newId("i")),
                    name,
                    std::move(owner),
                    {},
                    R"({"instanceId":"x","publicKey":"00"})",
                    Secret(R"({"instanceId":"x","secret":"00"})")};
  made.config.name = name;
  made.config.image = fixture_->image();
  made.config.resources.cpu = {0.5, 500};
  made.config.resources.memory = {0, 64};
  made.config.resources.storage = {1, true};
  made.config.resources.pids = 64;
  made.config.storage = {{1, true, "/home/coder", ""}};
  fixture_->choosePlace(made.config);
  return made;
}

ProviderInstance ProviderSuite::create(const InstanceSpec& spec) {
  return runner_.run(provider_->createInstance(spec, no_progress_, soon()));
}
void ProviderSuite::start(const PlaceId& place_id) { runner_.run(provider_->startInstance(place_id, no_progress_, soon())); }
void ProviderSuite::stop(const PlaceId& place_id) {
  runner_.run(provider_->stopInstance(place_id, std::chrono::seconds(10), no_progress_, soon()));
}
void ProviderSuite::remove(const PlaceId& place_id, DeleteVolumes volumes, std::vector<ExternalResource> external) {
  runner_.run(provider_->deleteInstance(place_id, volumes, std::move(external), no_progress_, soon()));
}
std::optional<ProviderInstance> ProviderSuite::get(const PlaceId& place_id) {
  return runner_.run(provider_->getInstance(place_id, soon()));
}
InstanceStatus ProviderSuite::status(const PlaceId& place_id) {
  auto found = get(place_id);
  return found ? found->status : InstanceStatus::deleted;
}
CommandResult ProviderSuite::execute(const PlaceId& place_id, std::vector<std::string> command, std::string input) {
  return runner_.run(provider_->executeCommand(place_id, std::move(command), std::move(input), soon()));
}
void ProviderSuite::writeFile(const PlaceId& place_id, const std::string& path, const std::string& text) {
  CommandResult result = execute(place_id, {"tee", path}, text);
  ASSERT_EQ(result.exitCode, 0) << result.stderrText;
}
std::string ProviderSuite::readFile(const PlaceId& place_id, const std::string& path) {
  return execute(place_id, {"cat", path}).stdoutText;
}
std::vector<ProviderInstance> ProviderSuite::list(InstanceFilter filter) {
  InstanceList list = runner_.run(provider_->listInstances(filter, soon()));
  EXPECT_TRUE(list.complete);
  return list.instances;
}
bool ProviderSuite::saw(ProviderEvent::Kind kind, const PlaceId& place_id) const {
  return std::any_of(events_.begin(), events_.end(),
                     [&](const ProviderEvent& event) { return event.kind == kind && event.placeId == place_id; });
}

TEST_P(ProviderSuite, createMakesARunningInstanceAsSpecified) {
  InstanceSpec wanted = spec();
  ProviderInstance made = create(wanted);
  EXPECT_EQ(made.placeId, wanted.placeId);
  EXPECT_EQ(made.name, "one");
  EXPECT_EQ(made.owner, "ada");
  EXPECT_EQ(made.status, InstanceStatus::running) << made.reason;
  ResourceConfig expected = fixture_->effective(wanted.config.resources);
  EXPECT_EQ(made.resources.cpu.limit, expected.cpu.limit);
  EXPECT_EQ(made.resources.memory.max, expected.memory.max);
  EXPECT_EQ(made.resources.storage.size, 1);
  // What limits are checked against before anything is made.
  const ResourceConfig announced = provider().effectiveResources(wanted.config.resources);
  EXPECT_EQ(announced.cpu.limit, expected.cpu.limit);
  EXPECT_EQ(announced.memory.max, expected.memory.max);
  if (const auto regions = provider().possibleRegions(wanted.config.network); !regions.empty())
    EXPECT_NE(std::ranges::find(regions, made.region), regions.end()) << made.region;
  EXPECT_FALSE(made.external.empty());
  auto found = get(wanted.placeId);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, InstanceStatus::running);
  EXPECT_EQ(found->name, "one");
}

TEST_P(ProviderSuite, createNamesItsStepsAndRecordsWhatItMakes) {
  RecordingProgress progress;
  ProviderInstance made = runner_.run(provider().createInstance(spec(), progress, soon()));
  EXPECT_FALSE(progress.steps.empty());
  for (const ExternalResource& resource : made.external) {
    EXPECT_NE(std::find(progress.resources.begin(), progress.resources.end(), resource), progress.resources.end())
        << resource.kind.name() << " " << resource.id << " was made but not recorded";
  }
}

TEST_P(ProviderSuite, createTwiceGivesTheSameInstance) {
  InstanceSpec wanted = spec();
  ProviderInstance first = create(wanted);
  ProviderInstance second = create(wanted);
  EXPECT_EQ(first.external, second.external);
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(ProviderSuite, stopAndStartAreIdempotentAndKeepTheStatus) {
  InstanceSpec wanted = spec();
  create(wanted);
  start(wanted.placeId);  // runs already
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
  for (int n = 0; n < 2; ++n) {
    stop(wanted.placeId);
    auto found = get(wanted.placeId);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->status, InstanceStatus::stopped) << found->reason;
  }
  start(wanted.placeId);
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::running);
}

TEST_P(ProviderSuite, filesSurviveARestart) {
  InstanceSpec wanted = spec();
  create(wanted);
  writeFile(wanted.placeId, "/home/coder/note", "kept");
  if (deviations_.keepsFilesOutside) writeFile(wanted.placeId, "/tmp/note", "kept too");
  stop(wanted.placeId);
  start(wanted.placeId);
  EXPECT_EQ(readFile(wanted.placeId, "/home/coder/note"), "kept");
  if (deviations_.keepsFilesOutside) {
    EXPECT_EQ(readFile(wanted.placeId, "/tmp/note"), "kept too");
  }
}

TEST_P(ProviderSuite, deleteLeavesNothingWhenVolumesGoToo) {
  InstanceSpec wanted = spec();
  create(wanted);
  remove(wanted.placeId);
  EXPECT_EQ(status(wanted.placeId), InstanceStatus::deleted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, deleteWorksOnAStoppedInstanceAndTwice) {
  InstanceSpec wanted = spec();
  create(wanted);
  stop(wanted.placeId);
  remove(wanted.placeId);
  remove(wanted.placeId);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, deleteKeepsPersistentVolumesAndDropsTheOthers) {
  InstanceSpec wanted = spec();
  wanted.config.storage.push_back({1, false, "/scratch", ""});
  create(wanted);
  remove(wanted.placeId, DeleteVolumes::No);
  auto volumes = runner_.run(provider().listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].mountPath, "/home/coder");
  EXPECT_EQ(volumes[0].placeId, wanted.placeId);
  EXPECT_EQ(volumes[0].owner, "ada");
  EXPECT_FALSE(volumes[0].inUse);
  runner_.run(provider().deleteVolume(volumes[0].name, soon()));
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, aStepThatRemovesVolumesIsReportedOnlyWhenSomeAreRemoved) {
  auto removes_volumes = [&](DeleteVolumes volumes) {
    InstanceSpec wanted = spec();
    create(wanted);
    RecordingProgress progress;
    runner_.run(provider().deleteInstance(wanted.placeId, volumes, {}, progress, soon()));
    return std::ranges::any_of(progress.steps, [](const std::string& step) { return step == "remove volumes" || step == "delete volume"; });
  };
  EXPECT_FALSE(removes_volumes(DeleteVolumes::No));
  EXPECT_TRUE(removes_volumes(DeleteVolumes::Yes));
}

TEST_P(ProviderSuite, aVolumeInUseCanNotBeDeleted) {
  InstanceSpec wanted = spec();
  create(wanted);
  auto volumes = runner_.run(provider().listVolumes(soon()));
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_TRUE(volumes[0].inUse);
  auto error = errorOf([&] { runner_.run(provider().deleteVolume(volumes[0].name, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
}

TEST_P(ProviderSuite, aNamedVolumeIsAttachedAgainByItsName) {
  InstanceSpec first = spec("one");
  std::string volume = "shared-" + first.placeId.str();
  first.config.storage[0].volumeName = volume;
  create(first);
  writeFile(first.placeId, "/home/coder/note", "from the first");
  remove(first.placeId, DeleteVolumes::No);
  InstanceSpec second = spec("two");
  second.config.storage[0].volumeName = volume;
  create(second);
  EXPECT_EQ(readFile(second.placeId, "/home/coder/note"), "from the first");
  remove(second.placeId, DeleteVolumes::Yes);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

/// After a hand-over its label has the former owner.
TEST_P(ProviderSuite, aVolumeIsAttachedForItsPresentOwnerWhateverItsLabelSays) {
  InstanceSpec first = spec("one", "ada");
  const std::string volume = "given-" + first.placeId.str();
  first.config.storage[0].volumeName = volume;
  create(first);
  writeFile(first.placeId, "/home/coder/note", "from ada");
  remove(first.placeId, DeleteVolumes::No);
  InstanceSpec second = spec("two", "bob");
  second.config.storage[0].volumeName = volume;
  second.volumeOwner = [&](const VolumeInfo& one) {
    EXPECT_EQ(one.owner, "ada");
    EXPECT_EQ(one.placeId, first.placeId);
    return one.name == volume ? "bob" : "";
  };
  create(second);
  EXPECT_EQ(readFile(second.placeId, "/home/coder/note"), "from ada");
  remove(second.placeId, DeleteVolumes::Yes);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_P(ProviderSuite, listFindsEveryInstanceAndFilters) {
  InstanceSpec first = spec("one"), second = spec("two"), third = spec("three", "grace");
  create(first);
  create(second);
  create(third);
  stop(second.placeId);
  EXPECT_EQ(list().size(), 3u);
  EXPECT_EQ(list({.placeId = first.placeId, .owner = {}, .status = {}}).size(), 1u);
  EXPECT_EQ(list({.placeId = {}, .owner = "ada", .status = {}}).size(), 2u);
  auto stopped = list({.placeId = {}, .owner = {}, .status = InstanceStatus::stopped});
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].placeId, second.placeId);
  start(second.placeId);
  EXPECT_EQ(list({.placeId = {}, .owner = {}, .status = InstanceStatus::running}).size(), 3u);
}

TEST_P(ProviderSuite, wrongIdsAreNotFound) {
  const PlaceId wrong{newId("i")};
  EXPECT_FALSE(get(wrong));
  EXPECT_TRUE(list({.placeId = wrong, .owner = {}, .status = {}}).empty());
  auto codeOf = [&](auto&& work) {
    auto error = errorOf(work);
    return error ? error->code() : ErrorCode::Internal;
  };
  EXPECT_EQ(codeOf([&] { start(wrong); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { stop(wrong); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { execute(wrong, {"true"}); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { runner_.run(provider().getResourceUsage(wrong, UsageDepth::Full, soon())); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { runner_.run(provider().getNetworkInfo(wrong, soon())); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { runner_.run(provider().agentEndpoint(wrong, soon())); }), ErrorCode::NotFound);
  EXPECT_EQ(codeOf([&] { runner_.run(provider().deleteVolume("no-such-volume", soon())); }), ErrorCode::NotFound);
  remove(wrong);  // gone already is fine
}

TEST_P(ProviderSuite, tenCreatesAtOnceAllSucceed) {
  std::vector<InstanceSpec> specs;
  for (int i = 0; i < 10; ++i) specs.push_back(spec("n" + std::to_string(i)));
  std::vector<asio::awaitable<void>> works;
  auto one = [&](const InstanceSpec& wanted) -> asio::awaitable<void> {
    ProviderInstance made = co_await provider().createInstance(wanted, no_progress_, soon());
    EXPECT_EQ(made.status, InstanceStatus::running);
  };
  for (const InstanceSpec& wanted : specs) works.push_back(one(wanted));
  runner_.runAll(std::move(works));
  EXPECT_EQ(list().size(), 10u);
  works.clear();
  auto drop = [&](const InstanceSpec& wanted) -> asio::awaitable<void> {
    co_await provider().deleteInstance(wanted.placeId, DeleteVolumes::Yes, {}, no_progress_, soon());
  };
  for (const InstanceSpec& wanted : specs) works.push_back(drop(wanted));
  runner_.runAll(std::move(works));
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

}  // namespace swarm::testing
