// FlyIOProvider: the provider contract on Fly's Machines API. Its configuration is flyio_config.h; README.md describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/spec/machine_spec.h"
#include "provider/flyio/tuning.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// Each call is performed by the part of its subject (Parts in flyio_provider.cc). close() before destruction, once open() was called.
class FlyIOProvider final : public Provider {
 public:
  FlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning = {});
  ~FlyIOProvider() override;

  ProviderType type() const override { return ProviderType::flyio; }
  /// It bills by the second (docs/reference/fly-machines.md §9).
  ProviderInfo info() const override { return {.costRank = 1, .measuresUsage = false}; }
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override;

  void checkRequest(const InstanceSpec& spec) const override { checkNetwork(spec.config.network); }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, Deadline deadline) override;
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  VolumeSnapshots* volumeSnapshots() override;
  LogSource* logs() override;

  const MachinesClient& client() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace swarm::flyio
