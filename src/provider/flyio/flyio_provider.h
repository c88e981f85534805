// FlyIOProvider: the provider contract on Fly's Machines API. Its configuration is flyio_config.h; README.md describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/flyio/fly_parts.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// close() before destruction, once open() was called.
class FlyIOProvider final : public Provider, private ApiToken, private LogSource, private VolumeSnapshots {
 public:
  FlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning = {})
      : parts_(std::move(config), std::move(swarm_id), clock, tuning) {}

  ProviderType type() const override { return ProviderType::flyio; }
  /// It bills by the second (docs/reference/fly-machines.md §9).
  ProviderInfo info() const override { return {.costRank = 1, .measuresUsage = false}; }
  awaitable<void> open(ProviderEventSink sink) override { return parts_.watch.open(std::move(sink)); }
  awaitable<void> close() override { return parts_.watch.close(); }

  void checkRequest(const InstanceSpec& spec) const override {
    checkImageChoice(spec.config.image, spec.imageChoice, parts_.swarm.config);
    checkNetwork(spec.config.network);
    checkSecurity(spec.config.security);
  }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return flyio::createInstance(parts_, std::move(spec), progress, deadline);
  }
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override {
    return flyio::previewInstance(parts_, std::move(spec), deadline);
  }
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override {
    co_return co_await flyio::findLostVolumes(parts_, std::move(spec), deadline);
  }
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override {
    return flyio::listInstances(parts_, std::move(filter), deadline);
  }
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override {
    return flyio::allocateResources(parts_, std::move(place_id), resources, deadline);
  }
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) override;
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override {
    return flyio::configureNetwork(parts_, std::move(place_id), std::move(network), deadline);
  }
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override {
    return runCommand(parts_, std::move(place_id), std::move(command), std::move(stdin_text), deadline);
  }
  ResourceConfig effectiveResources(const ResourceConfig& requested) const override;
  std::vector<std::string> possibleRegions(const NetworkConfig& network) const override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return flyio::replaceInstance(parts_, std::move(spec), progress, deadline);
  }
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override { return removeVolume(parts_, std::move(name), deadline); }
  ProviderHealthReport health() const override { return parts_.watch.health(); }
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override {
    return validateConfiguration(parts_.client, parts_.swarm, deadline);
  }
  ApiToken* apiToken() override { return this; }
  VolumeSnapshots* volumeSnapshots() override { return this; }
  LogSource* logs() override { return this; }

  const MachinesClient& client() const { return parts_.client; }

 private:
  ProviderToken describeToken() const override { return parts_.swarm.token.describe(); }
  awaitable<void> checkToken(Secret token, Deadline deadline) override {
    return checkNewToken(parts_.client, parts_.swarm, std::move(token), deadline);
  }
  void useToken(Secret token, SystemTime set_at) override {
    parts_.swarm.token.store(token, set_at);
    parts_.watch.pollNow();
  }
  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId place_id, Options options, Deadline deadline) override {
    return openLog(parts_, std::move(place_id), options, deadline);
  }
  bool isSnapshotId(std::string_view id) const override { return id.starts_with("vs_"); }
  awaitable<std::vector<VolumeSnapshot>> listSnapshots(PlaceId place_id, std::vector<ExternalResource> external,
                                                       Deadline deadline) override {
    return flyio::listSnapshots(parts_, std::move(place_id), std::move(external), deadline);
  }
  awaitable<ProviderInstance> openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) override {
    return flyio::openSnapshot(parts_, std::move(reader), progress, deadline);
  }

  FlyParts parts_;
};

}  // namespace swarm::flyio
