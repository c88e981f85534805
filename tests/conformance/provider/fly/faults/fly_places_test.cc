// What the Fly provider does where a region or a host has no capacity, or is unreachable.
#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;
using flyio::stringAt;

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

TEST_F(FlyPlaces, anEmptyVolumeOnAFullHostIsCreatedAgain) {
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
  for (int cut = 0; cut < 22; ++cut) {
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
  EXPECT_NE(found->reason.find("unreachable host of Fly"), std::string::npos) << found->reason;
  for (auto&& call : {std::function<void()>([&] { start(wanted.instanceId); }), std::function<void()>([&] { create(wanted); }),
                      std::function<void()>([&] { stop(wanted.instanceId); })}) {
    auto error = errorOf(call);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Unavailable) << error->message();
    EXPECT_FALSE(error->retryable()) << "waiting a moment does not help";
    EXPECT_NE(error->message().find("swarm snapshot restore"), std::string::npos) << error->message();
  }
  expectOneOfEach();
  world_.send("POST", "/emulator/machines/" + id + "/host", json::object{{"status", "ok"}});
  EXPECT_EQ(get(wanted.instanceId)->status, InstanceStatus::running);
}

/// The organization's list does not say it; the volumes' does.
TEST_F(FlyPlaces, aHostThatDiesIsReportedAndSoIsItsReturn) {
  InstanceSpec wanted = spec();
  create(wanted);
  open();
  auto reported = [&](std::string_view detail) {
    return std::ranges::any_of(events_, [&](const ProviderEvent& event) {
      return event.kind == ProviderEvent::Kind::Changed && event.instanceId == wanted.instanceId && event.detail == detail;
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
    write(wanted.instanceId, "precious");
    restartServer();
    std::string host = "/emulator/machines/" + stringAt(machine(), "id") + "/host";
    world_.send("POST", host, json::object{{"status", "unreachable"}});
    remove(wanted.instanceId, volumes);
    EXPECT_FALSE(get(wanted.instanceId));
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
      EXPECT_EQ(read(next.instanceId), "precious");
    }
    progress_.resources.clear();
  }
}

TEST_F(FlyPlaces, aKeptVolumeOfADeadHostIsNotWaitedFor) {
  InstanceSpec first = spec();
  create(first);
  std::string host = "/emulator/machines/" + stringAt(machine(), "id") + "/host";
  std::string name = runner_.run(provider_->listVolumes(soon())).at(0).name;
  remove(first.instanceId, DeleteVolumes::No);
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
  EXPECT_EQ(flyio::integerAt(flyio::arrayAt(volumes, "volumes").at(0), "size_gb"), 1);
  wanted.config.resources.storage.size = 4;
  runner_.run(provider_->allocateResources(wanted.instanceId, wanted.config.resources, soon()));
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

}  // namespace
}  // namespace swarm::testing
