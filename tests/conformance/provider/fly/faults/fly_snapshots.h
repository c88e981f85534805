// FlySnapshots: a workspace at an emulated Fly with a snapshot of its volume, and a reader of that.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "conformance/provider/fly/faults/fly_places.h"

namespace swarm::testing {

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

}  // namespace swarm::testing
