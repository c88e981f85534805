// What a provider brings to the conformance suite: how to make one, how to break things behind its back, and where it deviates.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/provider/coroutine_runner.h"
#include "provider/provider.h"

namespace swarm::testing {

/// Declared deviations from the contract; the provider's README lists the same.
struct Deviations {
  bool runsRealCommands = true;       ///< false: a handful of simulated ones; no stderr beside stdout, no binary data, no missing programs
  bool enforcesLimits = true;         ///< false: resources beyond the machine's are not refused
  bool keepsFilesOutside = true;      ///< files outside of volumes survive a restart
  bool hasLogs = true;                ///< logs() is not null
  bool measuresUsage = true;          ///< false: usage figures are made up
  bool reportsUsage = true;           ///< false: limits only; usage must be requested from the instance's agent
  bool runsAnySize = true;            ///< false: commands take and give small texts only
  bool hasNetworkIsolation = true;    ///< false: internal networks are not modelled
  bool keepsOldUntilReplaced = true;  ///< false: replaceInstance removes first and creates again each time
  bool seesUnknownImages = true;      ///< an unknown image name is refused
  bool guardsVolumes = true;          ///< false: any owner may attach a volume by its name
  bool previewsImages = true;         ///< false: previewInstance cannot check images here
  bool seesMovedTags = true;          ///< false: an image is outdated only when another name is configured
};

/// One world (Engine, memory) for one test; everything in it is gone when the fixture ends.
class ProviderFixture {
 public:
  virtual ~ProviderFixture() = default;
  /// A provider on this world, not opened; another one on the same world is a restarted server.
  virtual ProviderPtr makeProvider() = 0;
  /// An image that runs until it is stopped and serves HTTP on the agent's port.
  virtual std::string image() const = 0;
  /// A name of such an image, for this fixture only, and what makes it the name of another image.
  virtual std::string taggedImage() { return image(); }
  virtual void moveTag(const std::string& /*name*/) {}
  virtual std::string unknownImage() const { return "swarm-no-such-image:1"; }
  virtual Deviations deviations() const { return {}; }
  /// What an instance gets that requested `requested`: where only some sizes exist, the next larger one.
  virtual ResourceConfig effective(ResourceConfig requested) const { return requested; }
  virtual std::string hostname(const InstanceSpec& spec) const { return spec.name; }
  /// Where there are several places: the one that a test's instances request.
  virtual void choosePlace(InstanceConfig&) const {}

  /// Waits until the image's program runs and handles signals. A stop before that may end what is still starting it, with an exit code
  /// that looks like a failure to a server that did not request the stop.
  virtual void awaitProgram(const PlaceId& /*place_id*/) {}
  virtual void removeBehindBack(const PlaceId& place_id) = 0;
  virtual void killBehindBack(const PlaceId& place_id) = 0;  ///< its main process ends with a failure
  /// Everything of this test's swarm at the provider: "container x", "volume y", "network z".
  virtual std::vector<std::string> leftovers() = 0;
};

using FixtureFactory = std::function<std::unique_ptr<ProviderFixture>(CoroutineRunner&)>;

/// A parameter of the suite.
struct NamedFixture {
  std::string name;
  FixtureFactory make;
};
inline void PrintTo(const NamedFixture& fixture, std::ostream* out) { *out << fixture.name; }

/// Remembers what was recorded and which steps were named; throws at the n-th recorded() (1-based; 0: never), as a crash there would.
class RecordingProgress final : public Progress {
 public:
  explicit RecordingProgress(int fail_at = 0) : fail_at_(fail_at) {}
  awaitable<void> recorded(ExternalResource resource) override {
    resources.push_back(std::move(resource));
    if (static_cast<int>(resources.size()) == fail_at_) throw Error(ErrorCode::Internal, "the test stops here");
    co_return;
  }
  void step(Step step) override { steps.emplace_back(stepName(step)); }
  void detail(std::string text, std::int64_t, std::int64_t) override { details.push_back(std::move(text)); }

  std::vector<ExternalResource> resources;
  std::vector<std::string> steps, details;

 private:
  int fail_at_;
};

class ProviderSuite : public ::testing::TestWithParam<NamedFixture> {
 protected:
  void SetUp() override;
  void TearDown() override;

  InstanceSpec spec(std::string name = "one", std::string owner = "ada");
  /// Drops the provider and opens another one on the same world.
  void restartServer();
  void stopServer();
  Provider& provider() { return *provider_; }
  Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

  ProviderInstance create(const InstanceSpec& spec);
  void start(const PlaceId& place_id);
  void stop(const PlaceId& place_id);
  void remove(const PlaceId& place_id, DeleteVolumes volumes = DeleteVolumes::Yes, std::vector<ExternalResource> external = {});
  std::optional<ProviderInstance> get(const PlaceId& place_id);
  InstanceStatus status(const PlaceId& place_id);
  CommandResult execute(const PlaceId& place_id, std::vector<std::string> command, std::string input = {});
  void writeFile(const PlaceId& place_id, const std::string& path, const std::string& text);
  std::string readFile(const PlaceId& place_id, const std::string& path);
  std::vector<ProviderInstance> list(InstanceFilter filter = {});
  bool saw(ProviderEvent::Kind kind, const PlaceId& place_id) const;

  CoroutineRunner runner_;
  std::unique_ptr<ProviderFixture> fixture_;
  Deviations deviations_;
  ProviderPtr provider_;
  NoProgress no_progress_;
  std::vector<ProviderEvent> events_;
};

}  // namespace swarm::testing
