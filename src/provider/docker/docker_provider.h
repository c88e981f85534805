// DockerProvider: the provider contract on the Docker Engine's API, composed of parts. Configuration is docker_config.h; README.md
// describes the rest.
#pragma once

#include <string>
#include <vector>

#include "provider/docker/docker_parts.h"
#include "provider/docker/event_follower.h"
#include "provider/docker/usage_sampler.h"
#include "provider/provider.h"

namespace swarm::docker {

/// The configuration with the seccomp profile read. Throws Error(InvalidArgument) for one that cannot work with any Engine.
DockerProviderConfig completed(DockerProviderConfig config);

/// close() before destruction, once open() was called.
class DockerProvider final : public Provider, private LogSource, private EgressControl {
 public:
  DockerProvider(DockerProviderConfig config, std::string swarm_id) : parts_(std::move(config), std::move(swarm_id)) {}

  ProviderType type() const override { return ProviderType::docker; }
  ProviderInfo info() const override { return {.isOneMachine = true}; }
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override { return events_.close(); }

  void checkRequest(const InstanceSpec& spec) const override;
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override {
    return removeInstance(parts_, std::move(place_id), volumes, std::move(external), progress, deadline);
  }
  awaitable<void> settle(InstanceSpec spec, Deadline deadline) override { return docker::settle(parts_, std::move(spec), deadline); }
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline) override {
    return docker::sweep(parts_, std::move(gone), deadline);
  }
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override {
    return parts_.images.isOutdated(observed, image);
  }
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) override {
    return usage_.sample(std::move(place_id), depth, deadline);
  }
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return docker::replaceInstance(parts_, std::move(spec), progress, deadline);
  }
  awaitable<std::optional<ReplacementLoss>> previewReplacement(PlaceId place_id, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override { return parts_.volumes.list(deadline); }
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override { return parts_.volumes.removeOwn(std::move(name), deadline); }
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  UsedTotal cpuTotal() const override;
  UsedTotal memoryTotal() const override;
  LogSource* logs() override { return this; }
  EgressControl* egress() override { return this; }

 private:
  EgressPolicy policyFor(const NetworkConfig& network) const override { return parts_.egress.policyFor(network); }
  awaitable<EgressRules> setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) override {
    return parts_.egress.setRules(std::move(place_id), std::move(network), deadline);
  }
  awaitable<std::int64_t> countDenied(PlaceId place_id, Deadline deadline) override {
    return parts_.egress.countDenied(std::move(place_id), deadline);
  }
  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId place_id, Options options, Deadline deadline) override {
    return openLog(parts_, std::move(place_id), options, deadline);
  }
  const DockerProviderConfig& config() const { return parts_.context.config; }
  const engine::Client& client() const { return parts_.context.engine; }

  DockerParts parts_;
  UsageSampler usage_{parts_};
  EventFollower events_{parts_, usage_};
};

}  // namespace swarm::docker
