// Fly's own daily snapshots, and readers of them: what they contain, what a crash leaves, and what closing one never touches.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

class FlySnapshots : public FlyPlaces {
 protected:
  FlySnapshots() { quickServer(); }

  /// Another server, which searches only for a moment for what may have been created.
  void quickServer() {
    close();
    flyio::Tuning tuning = FlyWorld::quickTuning();
    tuning.lookFor = std::chrono::milliseconds(4);
    tuning.boundPatience = std::chrono::milliseconds(4);
    tuning.firstPause = std::chrono::milliseconds(1);
    tuning.longestPause = std::chrono::milliseconds(2);
    provider_ = std::make_unique<flyio::FlyIOProvider>(config_, "swarm-1", world_.clock(), tuning);
  }
  /// An instance whose file says "second", and a snapshot of when it said "first".
  void makeWorkspace() {
    wanted_ = spec();
    create(wanted_);
    app_ = flyio::appName(config_, "swarm-1", wanted_.placeId);
    write(wanted_.placeId, "first");
    snapshot_ = take();
    write(wanted_.placeId, "second");
  }
  std::string take() {
    json::value response = world_.send("POST", format("/v1/apps/{}/volumes/{}/snapshots", app_, dataVolume()));
    return stringAt(response, "Msg.backup.id");
  }
  json::array volumes() {
    json::value all = world_.send("GET", format("/v1/apps/{}/volumes", app_));
    json::array live;
    for (const json::value& volume : all.as_array()) {
      if (stringAt(volume, "state") != "pending_destroy") live.push_back(volume);
    }
    return live;
  }
  std::string dataVolume() {
    for (const json::value& volume : volumes()) {
      if (stringAt(volume, "name").starts_with("data")) return stringAt(volume, "id");
    }
    return "";
  }
  json::value readersVolume() {
    for (const json::value& volume : volumes()) {
      if (stringAt(volume, "name") == flyio::readerVolume(reader_)) return volume;
    }
    return nullptr;
  }
  json::value machineOf(const PlaceId& id) {
    for (const json::value& machine : world_.machines()) {
      if (stringAt(machine, "config.metadata.swarm_instance") != id.str()) continue;
      json::value whole = world_.send("GET", path(machine));
      if (stringAt(whole, "state") != "destroyed") return whole;
    }
    return nullptr;
  }
  /// The instance's, behind the provider's back.
  void loseMachine() {
    world_.send("DELETE", format("/v1/apps/{}/machines/{}?force=true", app_, stringAt(machineOf(wanted_.placeId), "id")));
    ASSERT_TRUE(runner_.waitFor([&] { return machineOf(wanted_.placeId).is_null(); }));
  }
  SnapshotReader reader() {
    SnapshotReader made{snapshot_, reader_, wanted_, progress_.resources};
    made.of.agentBoot = R"({"instanceId":"x","publicKey":"00","hold":"op-1"})";
    return made;
  }
  ProviderInstance openReader() { return runner_.run(provider_->volumeSnapshots()->openSnapshot(reader(), recorded_, soon())); }
  void closeReader() { runner_.run(provider_->deleteInstance(reader_, DeleteVolumes::Yes, recorded_.resources, recorded_, soon())); }
  std::vector<VolumeSnapshot> listed() {
    return runner_.run(provider_->volumeSnapshots()->listSnapshots(wanted_.placeId, progress_.resources, soon()));
  }
  std::vector<std::string> secrets() {
    std::vector<std::string> names;
    json::value all = world_.send("GET", format("/v1/apps/{}/secrets", app_));
    for (const json::value& secret : arrayAt(all, "secrets")) names.push_back(stringAt(secret, "name"));
    return names;
  }
  /// The instance is as it was, and nothing of a reader is left.
  void expectInstanceAlone() {
    expectOneOfEach();
    EXPECT_EQ(secrets(), std::vector<std::string>{"SWARM_STORAGE"});
    EXPECT_EQ(read(wanted_.placeId), "second");
  }
  /// Ends an open while its n-th request (from 0) is on its way, as kill -9 does.
  void cutOpenAt(int request) {
    asio::cancellation_signal stop;
    bool ended = false;
    auto limit = provider_->client().requests() + request + 1;
    auto work = [this]() -> asio::awaitable<void> { co_await provider_->volumeSnapshots()->openSnapshot(reader(), recorded_, soon()); };
    asio::co_spawn(runner_.context(), work, asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; }));
    ASSERT_TRUE(runner_.waitFor([&] { return ended || provider_->client().requests() >= limit; }));
    if (!ended) stop.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(runner_.waitFor([&] { return ended; }));
    quickServer();
  }
  int requestsOfOpen() {
    quickServer();
    auto before = provider_->client().requests();
    openReader();
    int requests = static_cast<int>(provider_->client().requests() - before);
    closeReader();
    recorded_.resources.clear();
    return requests;
  }

  InstanceSpec wanted_;
  std::string app_, snapshot_;
  PlaceId reader_{newId("i")};
  RecordingProgress recorded_;  ///< what the controller's store would know of the reader
};

TEST_F(FlySnapshots, everyVolumeIsBackedUpEachDayForAsLongAsIsConfigured) {
  makeWorkspace();
  json::value volume = volumes().at(0);
  EXPECT_TRUE(boolAt(volume, "auto_backup_enabled"));
  EXPECT_EQ(integerAt(volume, "snapshot_retention"), 14);
  config_.volumeSnapshotRetentionDays = 61;
  EXPECT_TRUE(errorOf([&] { quickServer(); }));
  config_.volumeSnapshotRetentionDays = 60;
  quickServer();
  remove(wanted_.placeId);
  makeWorkspace();
  EXPECT_EQ(integerAt(volumes().at(0), "snapshot_retention"), 60);
}

TEST_F(FlySnapshots, areListedWithTheirDates) {
  makeWorkspace();
  EXPECT_TRUE(provider_->volumeSnapshots()->isSnapshotId(snapshot_));
  EXPECT_FALSE(provider_->volumeSnapshots()->isSnapshotId(wanted_.placeId.str()));
  std::string second = take();
  openReader();
  std::vector<VolumeSnapshot> all = listed();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].id == second || all[1].id == second);
  EXPECT_EQ(all[0].expiresAt - all[0].createdAt, std::chrono::days(14));
  EXPECT_GE(all[0].createdAt, all[1].createdAt);
  EXPECT_TRUE(runner_.run(provider_->volumeSnapshots()->listSnapshots(PlaceId("i-none"), {}, soon())).empty());
}

TEST_F(FlySnapshots, aReaderHasTheFilesOfThatMomentAndIsHeldBesideTheInstance) {
  makeWorkspace();
  std::optional<ProviderInstance> before = get(wanted_.placeId);
  ProviderInstance made = openReader();
  EXPECT_EQ(made.placeId, reader_);
  EXPECT_EQ(made.status, InstanceStatus::running);
  EXPECT_EQ(read(reader_), "first");
  EXPECT_EQ(read(wanted_.placeId), "second");
  write(wanted_.placeId, "third");
  EXPECT_EQ(read(reader_), "first");
  auto settingsOf = [&](const PlaceId& id) {
    auto print = provider_->executeCommand(id, {"printenv", "SWARM_AGENT"}, "", soon());
    return json::parse(runner_.run(std::move(print)).stdoutText);
  };
  EXPECT_EQ(settingsOf(reader_).at("hold").as_string(), "op-1");
  EXPECT_EQ(settingsOf(reader_).at("binds"), settingsOf(wanted_.placeId).at("binds")) << "the files lie where the instance has put them";
  EXPECT_FALSE(settingsOf(wanted_.placeId).as_object().contains("hold"));
  EXPECT_FALSE(boolAt(readersVolume(), "auto_backup_enabled"));
  net::HttpEndpoint endpoint = runner_.run(provider_->agentEndpoint(reader_, soon()));
  EXPECT_EQ(net::findHeader(endpoint.headers, "fly-force-instance-id"), stringAt(machineOf(reader_), "id"));
  EXPECT_EQ(get(wanted_.placeId)->external, before->external);
  for (const ExternalResource& resource : made.external) {
    EXPECT_NE(resource.kind, ResourceKind::app) << "the instance's app must not count as the reader's";
    EXPECT_NE(std::ranges::find(recorded_.resources, resource), recorded_.resources.end()) << resource.kind.name();
  }
}

TEST_F(FlySnapshots, aReaderIsNeverTakenForTheInstance) {
  makeWorkspace();
  openReader();
  for (bool remembered : {true, false}) {
    if (!remembered) quickServer();
    int instances = 0;
    for (const ProviderInstance& one : list().instances) instances += one.placeId == wanted_.placeId ? 1 : 0;
    EXPECT_EQ(instances, 1);
    EXPECT_EQ(stringAt(machineOf(wanted_.placeId), "id"), get(wanted_.placeId)->external.at(1).id);
    std::vector<VolumeInfo> known = runner_.run(provider_->listVolumes(soon()));
    ASSERT_EQ(known.size(), 1u);
    EXPECT_EQ(known[0].placeId, wanted_.placeId);
    EXPECT_TRUE(known[0].inUse);
  }
  stop(wanted_.placeId);
  start(wanted_.placeId);
  wanted_.config.env["ADDED"] = "yes";
  runner_.run(provider_->replaceInstance(wanted_, progress_, soon()));
  EXPECT_EQ(read(wanted_.placeId), "second");
  EXPECT_EQ(read(reader_), "first") << "what the instance does is none of the reader's business";
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, openingAgainFindsTheFirst) {
  makeWorkspace();
  ProviderInstance first = openReader();
  EXPECT_EQ(openReader().external, first.external);
  quickServer();
  EXPECT_EQ(openReader().external, first.external);
  EXPECT_EQ(world_.count("machines"), 2);
  EXPECT_EQ(world_.count("volumes"), 2);
  closeReader();
  expectInstanceAlone();
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, anOpenThatIsCutOffAnywhereIsFinishedByTheNext) {
  makeWorkspace();
  int requests = requestsOfOpen();
  ASSERT_GT(requests, 6);
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(at);
    cutOpenAt(at);
    openReader();
    EXPECT_EQ(read(reader_), "first");
    EXPECT_EQ(world_.count("machines"), 2);
    EXPECT_EQ(world_.count("volumes"), 2);
    closeReader();
    expectInstanceAlone();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, anOpenThatIsCutOffAnywhereIsRemoved) {
  makeWorkspace();
  int requests = requestsOfOpen();
  for (int at = 0; at < requests; ++at) {
    SCOPED_TRACE(at);
    cutOpenAt(at);
    closeReader();
    expectInstanceAlone();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, answersThatSayNothingMakeNoSecondOne) {
  makeWorkspace();
  int requests = requestsOfOpen();
  int failed = 0;
  for (const char* effect :
       {R"({"cut":"after"})", R"({"cut":"before"})", R"({"status":408,"body":{"error":"deadline_exceeded: x"},"commit":true})",
        R"({"status":500,"body":"","commit":true})", R"({"status":200,"body":"<html>"})", R"({"empty_list":true})", R"({"error":"E23"})",
        R"({"status":429,"body":"","headers":{"Retry-After":"0"}})", R"({"error":"E6"})"}) {
    for (int at = 0; at < requests; ++at) {
      SCOPED_TRACE(format("{} at {}", effect, at));
      world_.fault(format(R"({{"skip":{},"count":1,"effect":{}}})", at, effect));
      failed += errorOf([&] { openReader(); }) ? 1 : 0;
      world_.clearFaults();
      EXPECT_LE(world_.count("machines"), 2);
      quickServer();
      openReader();
      EXPECT_EQ(read(reader_), "first");
      EXPECT_EQ(world_.count("machines"), 2);
      closeReader();
      expectInstanceAlone();
      recorded_.resources.clear();
    }
  }
  EXPECT_GT(failed, 0);
}

TEST_F(FlySnapshots, aCloseThatMeetsTroubleIsFinishedByTheNext) {
  makeWorkspace();
  for (const char* effect : {R"({"cut":"after"})", R"({"status":500,"body":""})", R"({"empty_list":true})", R"({"error":"E6"})"}) {
    for (int at = 0; at < 8; ++at) {
      SCOPED_TRACE(format("{} at {}", effect, at));
      openReader();
      quickServer();
      world_.fault(format(R"({{"skip":{},"count":1,"effect":{}}})", at, effect));
      auto error = errorOf([&] { closeReader(); });
      world_.clearFaults();
      if (!error) expectInstanceAlone();  // what says that it is done is done
      closeReader();
      expectInstanceAlone();
      recorded_.resources.clear();
    }
  }
}

TEST_F(FlySnapshots, anExpiredSnapshotIsReportedAndNothingIsMade) {
  makeWorkspace();
  std::string real = std::exchange(snapshot_, "vs_0123456789abcdef");
  auto error = errorOf([&] { openReader(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  EXPECT_NE(error->message().find("vs_0123456789abcdef"), std::string::npos);
  snapshot_ = real;  // it is deleted between the check and the copy
  world_.fault(R"({"match":{"action":"volume_create"},"effect":{"status":404,"body":{"error":"snapshot not found"}}})");
  error = errorOf([&] { openReader(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable) << error->message();
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, aCopyIsAsLargeAsTheVolumeWasAlsoWhenThatIsGone) {
  makeWorkspace();
  ResourceConfig more = wanted_.config.resources;
  more.storage.size = 5;
  runner_.run(provider_->allocateResources(wanted_.placeId, more, soon()));
  write(wanted_.placeId, "first");
  snapshot_ = take();
  std::string volume = dataVolume();
  loseMachine();
  world_.send("DELETE", format("/v1/apps/{}/volumes/{}", app_, volume));
  quickServer();
  EXPECT_EQ(listed().size(), 2u);
  openReader();
  EXPECT_EQ(integerAt(readersVolume(), "size_gb"), 5);
  EXPECT_EQ(read(reader_), "first");
}

TEST_F(FlySnapshots, deletingTheInstanceTakesItsReaderAlong) {
  for (bool closed_later : {false, true}) {
    makeWorkspace();
    openReader();
    quickServer();
    remove(wanted_.placeId);
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    if (closed_later) closeReader();
    progress_.resources.clear();
    recorded_.resources.clear();
  }
}

TEST_F(FlySnapshots, aVolumeThatIsKeptIsKeptAloneAndAReaderOfItsInstanceGoes) {
  makeWorkspace();
  openReader();
  remove(wanted_.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  EXPECT_TRUE(stringAt(volumes().at(0), "name").starts_with("data"));
  closeReader();
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
  EXPECT_EQ(secrets(), std::vector<std::string>{"SWARM_STORAGE"});
}

/// Whatever is left of the instance is not the reader's to take: not when its Machine is gone, nor when nothing is known of the reader.
TEST_F(FlySnapshots, closingAReaderNeverTouchesWhatIsTheInstances) {
  for (bool known : {true, false}) {
    for (bool remembered : {true, false}) {
      SCOPED_TRACE(format("known {} remembered {}", known, remembered));
      makeWorkspace();
      openReader();
      loseMachine();
      if (!known) recorded_.resources.clear();
      if (!remembered) quickServer();
      closeReader();
      EXPECT_EQ(world_.count("machines"), 0);
      EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes", "2 ips"}));
      closeReader();
      quickServer();
      closeReader();
      create(wanted_);
      expectInstanceAlone();
      remove(wanted_.placeId);
      progress_.resources.clear();
      recorded_.resources.clear();
    }
  }
}

/// A reader's id gives no access to the instance: no call with it changes, moves or removes what is not the reader's.
TEST_F(FlySnapshots, noCallOnAReaderChangesTheInstance) {
  makeWorkspace();
  openReader();
  for (bool remembered : {true, false}) {
    if (!remembered) quickServer();
    stop(reader_);
    start(reader_);
    InstanceSpec changed = wanted_;
    changed.placeId = reader_;
    changed.config.env["ADDED"] = "yes";
    EXPECT_TRUE(errorOf([&] { runner_.run(provider_->replaceInstance(changed, recorded_, soon())); }));
    EXPECT_TRUE(errorOf([&] { runner_.run(provider_->allocateResources(reader_, changed.config.resources, soon())); }));
    stop(reader_);
    world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
    auto error = errorOf([&] { start(reader_); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::OutOfResources) << error->message();
    start(reader_);
    EXPECT_EQ(read(reader_), "first");
    EXPECT_EQ(world_.count("volumes"), 2) << "no fork that could be taken for the instance's volume";
  }
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, aHostWithoutRoomIsLeftForAnother) {
  makeWorkspace();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  openReader();
  EXPECT_EQ(read(reader_), "first");
  EXPECT_EQ(world_.count("volumes"), 2);
  closeReader();
  recorded_.resources.clear();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E22"}})");
  openReader();
  EXPECT_EQ(stringAt(machineOf(reader_), "region"), "fra");
  closeReader();
  expectInstanceAlone();
}

TEST_F(FlySnapshots, areThereWhenTheInstancesHostIsDead) {
  makeWorkspace();
  world_.send("POST", "/emulator/machines/" + stringAt(machineOf(wanted_.placeId), "id") + "/host",
              json::object{{"status", "unreachable"}});
  EXPECT_EQ(get(wanted_.placeId)->status, InstanceStatus::failed);
  EXPECT_EQ(listed().size(), 1u);
  openReader();
  EXPECT_EQ(read(reader_), "first");
  closeReader();
  EXPECT_EQ(world_.count("machines"), 1);
  EXPECT_EQ(world_.count("volumes"), 1);
}

TEST_F(FlySnapshots, ofAnInstanceThatTookOverAKeptVolumeAreInThatVolumesApp) {
  makeWorkspace();
  remove(wanted_.placeId, DeleteVolumes::No);
  progress_.resources.clear();
  std::string kept = runner_.run(provider_->listVolumes(soon())).at(0).name;
  wanted_ = spec();
  wanted_.config.storage[0].volumeName = kept;
  create(wanted_);
  EXPECT_EQ(listed().size(), 1u);
  openReader();
  EXPECT_EQ(read(reader_), "first");
  remove(wanted_.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), (std::vector<std::string>{"1 apps", "1 volumes"}));
}

}  // namespace
}  // namespace swarm::testing
