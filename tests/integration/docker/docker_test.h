// The base of the Docker provider's own tests: a swarm on an Engine, cleaned up at the end.
#pragma once

#include <gtest/gtest.h>

#include "base/id.h"
#include "conformance/provider/docker/docker_fixture.h"

namespace swarm::testing {

class DockerTest : public ::testing::Test {
 protected:
  void useEngine(DockerProviderConfig config = testEngineConfig()) {
    fixture_ = std::make_unique<DockerFixture>(runner_, std::move(config));
    openProvider();
  }
  void openProvider() {
    closeProvider();
    provider_ = fixture_->makeProvider();
    runner_.run(provider_->open([this](const ProviderEvent& event) { events_.push_back(event); }));
  }
  void closeProvider() {
    if (!provider_) return;
    runner_.run(provider_->close());
    provider_.reset();
  }
  void TearDown() override { closeProvider(); }

  InstanceSpec spec(std::string name = "one", std::string owner = "ada") {
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
    made.config.resources.pids = 64;
    made.config.storage = {{1, true, "/home/coder", ""}};
    return made;
  }
  Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
  ProviderInstance create(const InstanceSpec& wanted) { return runner_.run(provider_->createInstance(wanted, progress_, soon())); }
  ProviderInstance replace(const InstanceSpec& wanted) { return runner_.run(provider_->replaceInstance(wanted, progress_, soon())); }
  void remove(const InstanceSpec& wanted) {
    runner_.run(provider_->deleteInstance(wanted.placeId, DeleteVolumes::Yes, {}, progress_, soon()));
  }
  InstanceStatus status(const InstanceSpec& wanted) {
    auto found = runner_.run(provider_->getInstance(wanted.placeId, soon()));
    return found ? found->status : InstanceStatus::deleted;
  }
  CommandResult execute(const InstanceSpec& wanted, std::vector<std::string> command, std::string input = {}) {
    return runner_.run(provider_->executeCommand(wanted.placeId, std::move(command), std::move(input), soon()));
  }
  int countEvents(ProviderEvent::Kind kind) const {
    return static_cast<int>(
        std::count_if(events_.begin(), events_.end(), [kind](const ProviderEvent& event) { return event.kind == kind; }));
  }

  CoroutineRunner runner_;
  std::unique_ptr<DockerFixture> fixture_;
  ProviderPtr provider_;
  NoProgress progress_;
  std::vector<ProviderEvent> events_;
};

}  // namespace swarm::testing
