// FakeProvider: a provider that lives in memory, with chosen times and planned failures, for tests and for benchmarks with thousands of
// instances.
#pragma once

#include <memory>
#include <string>

#include "provider/fake/world.h"
#include "provider/provider.h"

namespace swarm::fake {

/// How long things take (real time). Zero: as fast as the loop turns.
struct FakeTimes {
  std::chrono::milliseconds step{0};   ///< each step that has none of its own
  std::chrono::milliseconds start{0};  ///< starting a container
  std::chrono::milliseconds stop{0};
  std::chrono::milliseconds ready{0};  ///< from a container's start until VS Code in it responds
};

struct FakeOptions {
  std::string swarmId = "fake-swarm";
  ProviderType type = ProviderType::fake;  ///< tests of placement use it as another provider
  FakeTimes times;
  bool liveResize = true;             ///< allocateResources gives Live, else NeedsRestart
  std::vector<std::string> regions;   ///< on offer; an instance is where its configuration says, independent of these
  bool takesVolumeSnapshots = false;  ///< volumeSnapshots() is not null
  bool checksRequests = false;        ///< checkRequest refuses what createInstance would
  bool isOneMachine = false;          ///< as ProviderInfo
  std::int64_t maxInstancesPerUser = 0;
};

/// The world must outlive the provider; several providers (one after the other, or of two swarms) may share one. Steps of createInstance:
/// "check image", "create network", "create volume", "create container", "start container"; see FaultPlan for the points.
class FakeProvider final : public Provider, private ApiToken, private VolumeSnapshots, private EgressControl {
 public:
  FakeProvider(FakeWorld& world, const Clock& clock, FakeOptions options = {});
  ~FakeProvider() override;

  ProviderType type() const override { return options_.type; }
  ProviderInfo info() const override;
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override;

  void checkRequest(const InstanceSpec& spec) const override {
    if (options_.checksRequests) checkSpec(spec);
    checkImageChoice(spec);
  }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) override;
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override;
  /// Knows true, false, echo, cat, tee, printenv and sh -c "exit N"; files are those of the mounted volumes. Other commands: exit code 127.
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  ApiToken* apiToken() override { return this; }
  VolumeSnapshots* volumeSnapshots() override { return options_.takesVolumeSnapshots ? this : nullptr; }
  EgressControl* egress() override { return this; }
  UsedTotal cpuTotal() const override { return {0, 64}; }
  UsedTotal memoryTotal() const override { return {0, 1024.0 * 1024}; }

  const Secret& token() const { return token_; }  ///< that requests would have

 private:
  ProviderToken describeToken() const override;
  /// Refuses "refused".
  awaitable<void> checkToken(Secret token, Deadline deadline) override;
  void useToken(Secret token, SystemTime set_at) override;
  bool isSnapshotId(std::string_view id) const override { return id.starts_with("vs_"); }
  awaitable<std::vector<VolumeSnapshot>> listSnapshots(PlaceId place_id, std::vector<ExternalResource> external,
                                                       Deadline deadline) override;
  awaitable<ProviderInstance> openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) override;

  EgressPolicy policyFor(const NetworkConfig& network) const override {
    return network.egress ? network.egress->policy : EgressPolicy::open;
  }
  awaitable<EgressRules> setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<std::int64_t> countDenied(PlaceId place_id, Deadline deadline) override;

  struct Subscription;

  awaitable<void> call(const char* method);
  awaitable<void> step(const char* method, Step which, Progress& progress, std::chrono::milliseconds time);
  awaitable<void> respond(const char* method, Step which);
  awaitable<void> makeVolumes(const char* method, const InstanceSpec& spec, Progress& progress);
  awaitable<void> makeContainer(const char* method, const InstanceSpec& spec, Progress& progress);
  awaitable<void> startContainer(const char* method, const PlaceId& place_id, Progress& progress);
  void checkSpec(const InstanceSpec& spec) const;
  void checkImageChoice(const InstanceSpec& spec) const;
  FakeContainer existing(const PlaceId& place_id) const;  ///< throws NotFound; another swarm's does not exist
  ProviderInstance describe(const FakeContainer& container) const;

  FakeWorld& world_;
  const Clock& clock_;
  FakeOptions options_;
  std::shared_ptr<Subscription> subscription_;
  Secret token_{};
  SystemTime token_set_at_{};
};

/// A connector to a simulated agent: serves /health, and tunnels /tunnel/vscode to a page that names the instance. Does not check tokens.
net::Connector simulatedAgent(FakeWorld& world, const Clock& clock, PlaceId place_id);

}  // namespace swarm::fake
