// FlyPlaces: an emulated Fly with simulated Machines and one provider on it, for tests of what is Fly's alone.
#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "conformance/provider/fly/fly_memory_backend.h"
#include "conformance/provider/provider_fixture.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::testing {

/// No rate limits.
inline emulator::EmulatorOptions quickFly() {
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
    InstanceSpec made{
        PlaceId(newId("i")), "one", "ada", {}, R"({"instanceId":"x","publicKey":"00"})", Secret(R"({"instanceId":"x","secret":"00"})")};
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
  void start(const PlaceId& id) { runner_.run(provider_->startInstance(id, progress_, soon())); }
  void stop(const PlaceId& id) { runner_.run(provider_->stopInstance(id, std::chrono::seconds(1), progress_, soon())); }
  void remove(const PlaceId& id, DeleteVolumes volumes = DeleteVolumes::Yes) {
    runner_.run(provider_->deleteInstance(id, volumes, progress_.resources, progress_, soon()));
  }
  std::optional<ProviderInstance> get(const PlaceId& id) { return runner_.run(provider_->getInstance(id, soon())); }
  InstanceList list() { return runner_.run(provider_->listInstances({}, soon())); }
  void write(const PlaceId& id, const std::string& text) {
    EXPECT_EQ(runner_.run(provider_->executeCommand(id, {"tee", "/home/coder/note"}, text, soon())).exitCode, 0);
  }
  std::string read(const PlaceId& id) {
    return runner_.run(provider_->executeCommand(id, {"cat", "/home/coder/note"}, "", soon())).stdoutText;
  }
  /// The one Machine that exists, as Fly returns it.
  boost::json::value machine() {
    boost::json::array all = world_.machines();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? boost::json::value(nullptr) : world_.send("GET", path(all.front()));
  }
  static std::string path(const boost::json::value& listed) {
    return format("/v1/apps/{}/machines/{}", stringAt(listed, "app_name"), stringAt(listed, "id"));
  }
  void expectOneOfEach() {
    EXPECT_EQ(world_.count("apps"), 1);
    EXPECT_EQ(world_.count("machines"), 1);
    EXPECT_EQ(world_.count("volumes"), 1);
  }
  static std::string volumeOf(const boost::json::value& machine) { return stringAt(arrayAt(machine, "config.mounts").at(0), "volume"); }

  CoroutineRunner runner_;
  FlyWorld world_{runner_, makeTestMemoryBackend, quickFly()};
  FlyIOProviderConfig config_ = world_.providerConfig();
  std::unique_ptr<flyio::FlyIOProvider> provider_;
  RecordingProgress progress_;
  std::vector<ProviderEvent> events_;
  bool opened_ = false;
};

}  // namespace swarm::testing
