// What the Fly provider does where a region or a host has no capacity, or is unreachable.
#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

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

TEST_F(FlyPlaces, theRegionOfAnInstanceTakesPrecedenceOverTheConfiguredOnes) {
  InstanceSpec wanted = spec();
  wanted.config.network.regions = {"iad"};
  create(wanted);
  EXPECT_EQ(stringAt(machine(), "region"), "iad");
  wanted = spec();
  wanted.config.network.regions = {"atlantis"};
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
  remove(wanted.placeId, DeleteVolumes::No);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, aStopReportsWhatIsLost) {
  InstanceSpec wanted = spec();
  create(wanted);
  stop(wanted.placeId);
  ASSERT_FALSE(progress_.details.empty());
  EXPECT_EQ(progress_.details.back(), "Files outside of its volume, such as installed packages, are lost.");
}

TEST_F(FlyPlaces, anEmptyVolumeOnAFullHostIsCreatedAgain) {
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  create(spec());
  EXPECT_EQ(stringAt(machine(), "region"), "ams");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aVolumeWithFilesOnAFullHostIsCopiedAndNothingIsLost) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  std::string before = volumeOf(machine());
  world_.send("DELETE", path(world_.machines().front()) + "?force=true");  // as if Fly had lost it
  restartServer();
  world_.fault(R"({"match":{"action":"machine_create"},"effect":{"error":"E23"}})");
  create(wanted);
  EXPECT_EQ(read(wanted.placeId), "precious");
  EXPECT_NE(volumeOf(machine()), before);
  expectOneOfEach();
}

TEST_F(FlyPlaces, anInstanceWhoseHostIsFullStartsOnAnother) {
  InstanceSpec wanted = spec();
  ProviderInstance made = create(wanted);
  write(wanted.placeId, "precious");
  stop(wanted.placeId);
  std::string before = volumeOf(machine());
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  start(wanted.placeId);
  EXPECT_EQ(read(wanted.placeId), "precious");
  EXPECT_NE(volumeOf(machine()), before);
  expectOneOfEach();
  EXPECT_NE(get(wanted.placeId)->external, made.external);
  remove(wanted.placeId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

TEST_F(FlyPlaces, aMoveThatIsCutOffAnywhereIsFinishedAndLosesNothing) {
  for (int cut = 0; cut < 22; ++cut) {
    SCOPED_TRACE(cut);
    InstanceSpec wanted = spec();
    create(wanted);
    write(wanted.placeId, "precious");
    stop(wanted.placeId);
    restartServer();
    world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
    world_.fault(format(R"({{"match":{{"path":"/v1/apps/**"}},"skip":{},"count":-1,"effect":{{"status":500,"body":""}}}})", cut));
    errorOf([&] { runner_.run(provider_->startInstance(wanted.placeId, progress_, Deadline::after(std::chrono::milliseconds(60)))); });
    world_.clearFaults();
    EXPECT_GE(world_.count("volumes"), 1);
    restartServer();
    start(wanted.placeId);
    EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running);
    EXPECT_EQ(read(wanted.placeId), "precious");
    expectOneOfEach();
    remove(wanted.placeId);
    EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
    progress_.resources.clear();
  }
}

TEST_F(FlyPlaces, theOldVolumeStaysUntilItsCopyIsWhole) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  stop(wanted.placeId);
  world_.send("PUT", "/emulator/settings", json::object{{"times_ms", json::object{{"volume_hydrate", 600}}}});
  world_.fault(R"({"match":{"action":"machine_start"},"effect":{"error":"E19"}})");
  runner_.run(provider_->startInstance(wanted.placeId, progress_, Deadline::after(std::chrono::milliseconds(2'300))));
  EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running) << "it runs while the rest is copied";
  EXPECT_EQ(world_.count("volumes"), 2);
  EXPECT_EQ(world_.count("machines"), 1);
  start(wanted.placeId);
  EXPECT_EQ(read(wanted.placeId), "precious");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aSizeThatTheHostHasNoRoomForMovesTheInstance) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  wanted.config.resources.memory.max = 1024;
  EXPECT_EQ(runner_.run(provider_->allocateResources(wanted.placeId, wanted.config.resources, soon())), AllocationEffect::NeedsRestart);
  EXPECT_EQ(get(wanted.placeId)->resources.memory.max, 256) << "a restart is said beforehand, and not done";
  world_.fault(R"({"match":{"action":"machine_update"},"effect":{"error":"E19"}})");
  ProviderInstance now = runner_.run(provider_->replaceInstance(wanted, progress_, soon()));
  EXPECT_EQ(now.status, InstanceStatus::running);
  EXPECT_EQ(now.resources.memory.max, 1024);
  EXPECT_EQ(read(wanted.placeId), "precious");
  expectOneOfEach();
}

TEST_F(FlyPlaces, aHostThatCanNotBeReachedIsShownAndNothingIsMadeInItsPlace) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string id = stringAt(machine(), "id");
  world_.send("POST", "/emulator/machines/" + id + "/host", json::object{{"status", "unreachable"}});
  auto found = get(wanted.placeId);
  ASSERT_TRUE(found);
  EXPECT_NE(found->reason.find("unreachable host of Fly"), std::string::npos) << found->reason;
  for (auto&& call : {std::function<void()>([&] { start(wanted.placeId); }), std::function<void()>([&] { create(wanted); }),
                      std::function<void()>([&] { stop(wanted.placeId); })}) {
    auto error = errorOf(call);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unavailable) << error->message();
    EXPECT_FALSE(error->retryable()) << "waiting a moment does not help";
    EXPECT_NE(error->message().find("swarm snapshot restore"), std::string::npos) << error->message();
  }
  expectOneOfEach();
  world_.send("POST", "/emulator/machines/" + id + "/host", json::object{{"status", "ok"}});
  EXPECT_EQ(get(wanted.placeId)->status, InstanceStatus::running);
}

/// The organization's list does not say it; the volumes' does.
TEST_F(FlyPlaces, aHostThatDiesIsReportedAndSoIsItsReturn) {
  InstanceSpec wanted = spec();
  create(wanted);
  open();
  auto reported = [&](std::string_view detail) {
    return std::ranges::any_of(events_, [&](const ProviderEvent& event) {
      return event.kind == ProviderEvent::Kind::Changed && event.placeId == wanted.placeId && event.detail == detail;
    });
  };
  std::string host = "/emulator/machines/" + stringAt(machine(), "id") + "/host";
  world_.send("POST", host, json::object{{"status", "unreachable"}});
  EXPECT_TRUE(runner_.waitFor([&] { return reported("host unreachable"); }));
  ASSERT_EQ(list().instances.size(), 1u);
  EXPECT_EQ(list().instances[0].status, InstanceStatus::failed);
  world_.send("POST", host, json::object{{"status", "ok"}});
  EXPECT_TRUE(runner_.waitFor([&] { return reported("host is back"); }));
  EXPECT_EQ(list().instances[0].status, InstanceStatus::running);
}

TEST_F(FlyPlaces, anInstanceOfADeadHostIsDeletedAndItsMachineGoesWhenTheHostIsBack) {
  for (DeleteVolumes volumes : {DeleteVolumes::Yes, DeleteVolumes::No}) {
    InstanceSpec wanted = spec();
    create(wanted);
    write(wanted.placeId, "precious");
    restartServer();
    std::string host = "/emulator/machines/" + stringAt(machine(), "id") + "/host";
    world_.send("POST", host, json::object{{"status", "unreachable"}});
    remove(wanted.placeId, volumes);
    EXPECT_FALSE(get(wanted.placeId));
    EXPECT_EQ(list().instances.size(), 0u);
    world_.send("POST", host, json::object{{"status", "ok"}});
    EXPECT_TRUE(runner_.waitFor([&] { return world_.count("machines") == 0; }));
    if (volumes == DeleteVolumes::Yes) {
      EXPECT_TRUE(runner_.waitFor([&] { return world_.leftovers().empty(); }));
    } else {
      restartServer();
      InstanceSpec next = spec();
      next.config.storage[0].volumeName = runner_.run(provider_->listVolumes(soon())).at(0).name;
      create(next);
      EXPECT_EQ(read(next.placeId), "precious");
    }
    progress_.resources.clear();
  }
}

TEST_F(FlyPlaces, aKeptVolumeOfADeadHostIsNotWaitedFor) {
  InstanceSpec first = spec();
  create(first);
  std::string host = "/emulator/machines/" + stringAt(machine(), "id") + "/host";
  std::string name = runner_.run(provider_->listVolumes(soon())).at(0).name;
  remove(first.placeId, DeleteVolumes::No);
  world_.send("POST", host, json::object{{"status", "unreachable"}});
  InstanceSpec next = spec();
  next.config.storage[0].volumeName = name;
  auto error = errorOf([&] { create(next); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unavailable) << error->message();
  EXPECT_FALSE(error->retryable());
  EXPECT_NE(error->message().find("vol_"), std::string::npos) << error->message();
  EXPECT_EQ(world_.count("volumes"), 1);
}

TEST_F(FlyPlaces, theSizeOfAVolumeIsTheRequestedOne) {
  InstanceSpec wanted = spec();
  wanted.config.resources.storage = ResourceConfig{}.storage;
  wanted.config.storage = {{1, true, "/srv", ""}};
  EXPECT_EQ(create(wanted).resources.storage.size, 1);
  json::value volumes = world_.send("GET", "/v1/orgs/personal/volumes");
  EXPECT_EQ(integerAt(arrayAt(volumes, "volumes").at(0), "size_gb"), 1);
  wanted.config.resources.storage.size = 4;
  runner_.run(provider_->allocateResources(wanted.placeId, wanted.config.resources, soon()));
  wanted.config.resources.storage = ResourceConfig{}.storage;
  wanted.config.env["ADDED"] = "yes";
  EXPECT_EQ(runner_.run(provider_->replaceInstance(wanted, progress_, soon())).resources.storage.size, 4) << "a volume never shrinks";
}

TEST_F(FlyPlaces, aMachineIsRequestedAgainWhenItsCreationFailedWithoutATrace) {
  world_.fault(R"({"match":{"action":"machine_create"},"count":2,"effect":{"status":500,"body":""}})");
  EXPECT_EQ(create(spec()).status, InstanceStatus::running);
  expectOneOfEach();
}

TEST_F(FlyPlaces, aMachineThatFlyMovedIsFollowed) {
  InstanceSpec wanted = spec();
  create(wanted);
  write(wanted.placeId, "precious");
  json::value before = machine();
  world_.send("POST", "/emulator/machines/" + stringAt(before, "id") + "/migrate");
  ASSERT_TRUE(runner_.waitFor([&] { return volumeOf(machine()) != volumeOf(before) && stringAt(machine(), "state") == "started"; }));
  auto found = get(wanted.placeId);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, InstanceStatus::running);
  EXPECT_EQ(found->network.internalIp, stringAt(machine(), "private_ip"));
  EXPECT_NE(found->network.internalIp, stringAt(before, "private_ip"));
  stop(wanted.placeId);
  restartServer();
  start(wanted.placeId);
  EXPECT_EQ(read(wanted.placeId), "precious");
  expectOneOfEach();
  remove(wanted.placeId);
  EXPECT_EQ(world_.leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace swarm::testing
