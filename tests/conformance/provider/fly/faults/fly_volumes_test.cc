// Which volume has the files: names need not be unique at Fly, and a request that a proxy performs twice makes two of one name.
#include "conformance/provider/fly/faults/fly_faults.h"
#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

class FlyVolumes : public FlyPlaces {
 protected:
  void twice(std::string_view action, std::string_view who_answers) {
    world_.fault(format(R"({{"match":{{"action":"{}"}},"effect":{{"twice":"{}"}}}})", action, who_answers));
  }
  std::string appOf(const InstanceSpec& of) { return flyio::appName(config_, "swarm-1", of.placeId); }
  std::vector<VolumeInfo> listed() { return runner_.run(provider_->listVolumes(soon())); }
  std::vector<VolumeInfo> strays() {
    std::vector<VolumeInfo> all = listed();
    std::erase_if(all, [](const VolumeInfo& volume) { return !volume.isStray; });
    return all;
  }
  std::string nameOfStorage() {
    for (const VolumeInfo& volume : listed()) {
      if (!volume.isStray) return volume.name;
    }
    return "";
  }
  /// Those of an app that are there, by id.
  std::set<std::string> volumesIn(const std::string& app) {
    std::set<std::string> ids;
    json::value all = world_.send("GET", format("/v1/apps/{}/volumes", app));
    for (const json::value& volume : all.as_array()) {
      if (stringAt(volume, "state") != "pending_destroy") ids.insert(stringAt(volume, "id"));
    }
    return ids;
  }
  InstanceSpec mounting(const std::string& name) {
    InstanceSpec next = spec();
    next.config.storage[0].volumeName = name;
    return next;
  }
};

/// After each step by a server that remembers nothing.
TEST_F(FlyVolumes, ofTwoOfOneNameTheOneWithTheFilesIsKeptAndMountedAgain) {
  for (const char* who : {"first", "last"}) {
    SCOPED_TRACE(who);
    InstanceSpec first = spec();
    twice("volume_create", who);
    create(first);
    write(first.placeId, "precious");
    std::string files = volumeOf(machine());
    ASSERT_EQ(volumesIn(appOf(first)).size(), 2u);
    restartServer();
    stop(first.placeId);
    start(first.placeId);
    ASSERT_EQ(volumesIn(appOf(first)).size(), 2u) << "a start removes no volume that it did not make";
    remove(first.placeId, DeleteVolumes::No);
    restartServer();
    ASSERT_EQ(strays().size(), 1u);
    EXPECT_NE(strays()[0].name, files);
    InstanceSpec next = mounting(nameOfStorage());
    create(next);
    EXPECT_EQ(volumeOf(machine()), files);
    EXPECT_EQ(read(next.placeId), "precious");
    restartServer();
    stop(next.placeId);
    start(next.placeId);
    EXPECT_EQ(read(next.placeId), "precious");
    EXPECT_EQ(volumesIn(appOf(first)).size(), 2u);
    remove(next.placeId);
    EXPECT_EQ(strays().size(), 1u) << "the other one is in the app of an earlier instance";
    runner_.run(provider_->deleteVolume(strays()[0].name, soon()));
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

TEST_F(FlyVolumes, aStrayIsListedWithItsIdAndCanBeDeletedWhileItsInstanceRuns) {
  InstanceSpec wanted = spec();
  twice("volume_create", "first");
  create(wanted);
  restartServer();
  std::vector<VolumeInfo> found = strays();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].placeId, wanted.placeId);
  EXPECT_EQ(found[0].owner, "ada");
  EXPECT_FALSE(found[0].inUse);
  EXPECT_NE(found[0].name, volumeOf(machine()));
  runner_.run(provider_->deleteVolume(found[0].name, soon()));
  EXPECT_EQ(strays().size(), 0u);
  expectOneOfEach();
  EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running);
}

TEST_F(FlyVolumes, anInstanceThatIsDeletedWithItsVolumesTakesItsStraysAlong) {
  InstanceSpec wanted = spec();
  twice("volume_create", "last");
  create(wanted);
  restartServer();
  remove(wanted.placeId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyVolumes, aVolumeThatAPersonPutIntoTheAppStays) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string app = appOf(wanted);
  std::string theirs = stringAt(
      world_.send("POST", format("/v1/apps/{}/volumes", app), json::object{{"name", "backup"}, {"region", "ams"}, {"size_gb", 1}}), "id");
  remove(wanted.placeId);
  EXPECT_EQ(volumesIn(app), std::set<std::string>{theirs});
  ASSERT_EQ(strays().size(), 1u);
  EXPECT_EQ(strays()[0].name, theirs);
}

/// A record that an earlier version of the server wrote names no volume.
TEST_F(FlyVolumes, whereNothingSaysWhichHasTheFilesNoneIsTakenAndBothAreNamed) {
  InstanceSpec first = spec();
  create(first);
  write(first.placeId, "precious");
  std::string app = appOf(first), files = volumeOf(machine());
  std::string record = stringAt(machine(), "config.metadata.swarm_storage");
  remove(first.placeId, DeleteVolumes::No);
  world_.send("POST", format("/v1/apps/{}/secrets", app), json::object{{"values", json::object{{"SWARM_STORAGE", record}}}});
  std::string other = stringAt(
      world_.send("POST", format("/v1/apps/{}/volumes", app), json::object{{"name", "data"}, {"region", "ams"}, {"size_gb", 1}}), "id");
  restartServer();
  std::string name = nameOfStorage();
  ASSERT_EQ(strays().size(), 2u);
  for (const std::function<void()>& call : {std::function<void()>([&] { create(mounting(name)); }),
                                            std::function<void()>([&] { runner_.run(provider_->deleteVolume(name, soon())); })}) {
    auto error = errorOf(call);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Conflict);
    EXPECT_NE(error->message().find(files), std::string::npos) << error->message();
    EXPECT_NE(error->message().find(other), std::string::npos) << error->message();
  }
  EXPECT_EQ(volumesIn(app).size(), 2u);
  runner_.run(provider_->deleteVolume(other, soon()));
  InstanceSpec next = mounting(name);
  create(next);
  EXPECT_EQ(read(next.placeId), "precious");
}

TEST_F(FlyVolumes, aKeptVolumeThatIsGoneIsNotReplacedByAnother) {
  InstanceSpec first = spec();
  twice("volume_create", "first");
  create(first);
  std::string files = volumeOf(machine()), app = appOf(first);
  remove(first.placeId, DeleteVolumes::No);
  restartServer();
  std::string name = nameOfStorage();
  world_.send("DELETE", format("/v1/apps/{}/volumes/{}", app, files));
  restartServer();
  auto error = errorOf([&] { create(mounting(name)); });
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find(files), std::string::npos) << error->message();
  EXPECT_EQ(world_.count("machines"), 0);
}

/// `request`: from there on nothing is answered; the next server deletes it once more.
TEST_F(FlyVolumes, aDeletionThatIsCutOffAnywhereKeepsTheOneWithTheFiles) {
  for (int request = 0; request < 14; ++request) {
    SCOPED_TRACE(request);
    InstanceSpec first = spec();
    twice("volume_create", request % 2 == 0 ? "first" : "last");
    create(first);
    write(first.placeId, "precious");
    restartServer();
    world_.fault(format(R"({{"match":{{"path":"/v1/apps/**"}},"skip":{},"count":-1,"effect":{{"cut":"after"}}}})", request));
    errorOf([&] {
      runner_.run(provider_->deleteInstance(first.placeId, DeleteVolumes::No, progress_.resources, progress_,
                                            Deadline::after(std::chrono::milliseconds(60))));
    });
    world_.clearFaults();
    restartServer();
    remove(first.placeId, DeleteVolumes::No);
    restartServer();
    InstanceSpec next = mounting(nameOfStorage());
    create(next);
    EXPECT_EQ(read(next.placeId), "precious");
    remove(next.placeId);
    for (const VolumeInfo& stray : strays()) runner_.run(provider_->deleteVolume(stray.name, soon()));
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

/// What the store knows of an instance whose Machine Fly lost.
TEST_F(FlyVolumes, theIdThatWasRecordedCountsMoreThanTheName) {
  for (const char* who : {"first", "last"}) {
    InstanceSpec wanted = spec();
    twice("volume_create", who);
    create(wanted);
    write(wanted.placeId, "precious");
    world_.send("DELETE", path(world_.machines().front()) + "?force=true");
    restartServer();
    wanted.known = progress_.resources;
    create(wanted);
    EXPECT_EQ(read(wanted.placeId), "precious");
    remove(wanted.placeId);
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

TEST_F(FlyVolumes, aMissingVolumeIsNamedAndAnEmptyOneIsMadeOnlyOnRequest) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string files = volumeOf(machine()), app = appOf(wanted);
  auto lost = [&] {
    auto found = runner_.run(provider_->findLostVolumes(wanted, soon()));
    return found && !found->empty() ? found->front().name : std::string();
  };
  wanted.known = progress_.resources;
  EXPECT_EQ(lost(), "");
  world_.send("DELETE", path(world_.machines().front()) + "?force=true");
  restartServer();
  EXPECT_EQ(lost(), "") << "the volume is there";
  world_.send("DELETE", format("/v1/apps/{}/volumes/{}", app, files));
  restartServer();
  EXPECT_EQ(lost(), files);
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
  EXPECT_NE(error->message().find(files), std::string::npos) << error->message();
  EXPECT_EQ(world_.count("volumes"), 0);
  wanted.emptyVolumes = true;
  create(wanted);
  EXPECT_EQ(read(wanted.placeId), "");
  expectOneOfEach();
}

TEST_F(FlyVolumes, aVolumeThatWasMadeAndNotUsedIsNoneThatIsLost) {
  InstanceSpec wanted = spec();
  wanted.known = {{ResourceKind::app, appOf(wanted)}, {ResourceKind::volume, "vol_dropped"}};
  EXPECT_EQ(create(wanted).status, InstanceStatus::running);
}

TEST_F(FlyVolumes, aCopyThatIsMadeTwiceReplacesTheOldVolumeOnce) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  stop(wanted.placeId);
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  twice("volume_create", "first");
  start(wanted.placeId);
  EXPECT_EQ(read(wanted.placeId), "precious");
  expectOneOfEach();
  remove(wanted.placeId, DeleteVolumes::No);
  restartServer();
  InstanceSpec next = mounting(nameOfStorage());
  create(next);
  EXPECT_EQ(read(next.placeId), "precious");
}

/// Every request of every operation, performed twice: one Machine, the instance's files, and nothing left at the end.
class FlyTwice : public ::testing::TestWithParam<FlyOperation> {
 protected:
  CoroutineRunner runner_;
};

TEST_P(FlyTwice, makesOneInstanceAndLeavesNothing) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (const char* who : {"first", "last"}) {
    for (int at = 0; at < requests; ++at) {
      SCOPED_TRACE(format("request {} of {}, answered by the {}", at, toString(GetParam()), who));
      FlyLife life(runner_);
      life.prepare(GetParam());
      life.world().fault(format(R"({{"skip":{},"effect":{{"twice":"{}"}}}})", at, who));
      auto error = errorOf([&] { runner_.run(life.perform(GetParam(), life.recorded())); });
      EXPECT_FALSE(error) << error->message();
      EXPECT_EQ(life.world().count("machines"), GetParam() == FlyOperation::Delete ? 0 : 1);
      life.expectNothingAfterDelete();
    }
  }
}

/// Every response of every operation, without its body or with the beginning of one: the content is requested again.
TEST_P(FlyTwice, aResponseThatWasCutOffIsRequestedAgain) {
  int requests = FlyLife::requestsOf(runner_, GetParam());
  for (const char* effect : {R"({"status":200,"body":"","commit":true})", R"({"status":200,"body":"{\"id\":\"1","commit":true})"}) {
    for (int at = 0; at < requests; ++at) {
      SCOPED_TRACE(format("request {} of {}, {}", at, toString(GetParam()), effect));
      FlyLife life(runner_);
      life.prepare(GetParam());
      life.world().fault(format(R"({{"skip":{},"effect":{}}})", at, effect));
      auto error = errorOf([&] { runner_.run(life.perform(GetParam(), life.recorded())); });
      EXPECT_FALSE(error) << error->message();
      life.world().clearFaults();
      life.expectOutcome(GetParam());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fly, FlyTwice, ::testing::ValuesIn(kFlyOperations),
                         [](const ::testing::TestParamInfo<FlyOperation>& info) { return std::string(toString(info.param)); });

}  // namespace
}  // namespace swarm::testing
