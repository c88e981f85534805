// ForwardingProvider: passes every call of the contract on, for providers of tests that change one of them.
#pragma once

#include "provider/provider.h"

namespace swarm::test {

/// Owns the provider that it wraps.
class ForwardingProvider : public Provider {
 public:
  explicit ForwardingProvider(ProviderPtr inner) : inner_(std::move(inner)) {}

  ProviderType type() const override { return inner_->type(); }
  ProviderInfo info() const override { return inner_->info(); }
  awaitable<void> open(ProviderEventSink sink) override { return inner_->open(std::move(sink)); }
  awaitable<void> close() override { return inner_->close(); }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return inner_->createInstance(std::move(spec), progress, deadline);
  }
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override {
    return inner_->previewInstance(std::move(spec), deadline);
  }
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override {
    return inner_->startInstance(std::move(place_id), progress, deadline);
  }
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override {
    return inner_->stopInstance(std::move(place_id), grace, progress, deadline);
  }
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override {
    return inner_->deleteInstance(std::move(place_id), volumes, std::move(external), progress, deadline);
  }
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override {
    return inner_->getInstance(std::move(place_id), deadline);
  }
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override {
    return inner_->listInstances(std::move(filter), deadline);
  }
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override {
    return inner_->allocateResources(std::move(place_id), std::move(resources), deadline);
  }
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) override {
    return inner_->getResourceUsage(std::move(place_id), depth, deadline);
  }
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override {
    return inner_->configureNetwork(std::move(place_id), std::move(network), deadline);
  }
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override {
    return inner_->getNetworkInfo(std::move(place_id), deadline);
  }
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override {
    return inner_->executeCommand(std::move(place_id), std::move(command), std::move(stdin_text), deadline);
  }
  ProviderCapabilities getProviderCapabilities() const override { return inner_->getProviderCapabilities(); }
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override {
    return inner_->replaceInstance(std::move(spec), progress, deadline);
  }
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override {
    return inner_->agentEndpoint(std::move(place_id), deadline);
  }
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override { return inner_->listVolumes(deadline); }
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override { return inner_->deleteVolume(std::move(name), deadline); }
  awaitable<void> settle(InstanceSpec spec, Deadline deadline) override { return inner_->settle(std::move(spec), deadline); }
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline) override {
    return inner_->sweep(std::move(gone), deadline);
  }
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override {
    return inner_->findLostVolumes(std::move(spec), deadline);
  }
  awaitable<std::optional<ReplacementLoss>> previewReplacement(PlaceId place_id, Deadline deadline) override {
    return inner_->previewReplacement(std::move(place_id), deadline);
  }
  void checkRequest(const InstanceSpec& spec) const override { inner_->checkRequest(spec); }
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override {
    return inner_->isImageOutdated(observed, image);
  }
  ProviderHealthReport health() const override { return inner_->health(); }
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override { return inner_->validate(deadline); }
  UsedTotal cpuTotal() const override { return inner_->cpuTotal(); }
  UsedTotal memoryTotal() const override { return inner_->memoryTotal(); }
  LogSource* logs() override { return inner_->logs(); }
  VolumeSnapshots* volumeSnapshots() override { return inner_->volumeSnapshots(); }
  EgressControl* egress() override { return inner_->egress(); }

 private:
  ProviderPtr inner_;
};

}  // namespace swarm::test
