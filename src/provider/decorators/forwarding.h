// ForwardingProvider: passes every call of the contract on; decorators override around().
#pragma once

#include <string>

#include "provider/provider.h"

namespace swarm {

/// Which call of the contract passes through a decorator.
enum class ProviderCall {
  CreateInstance,
  StartInstance,
  StopInstance,
  DeleteInstance,
  GetInstance,
  ListInstances,
  AllocateResources,
  GetResourceUsage,
  ConfigureNetwork,
  GetNetworkInfo,
  ExecuteCommand,
  ReplaceInstance,
  AgentEndpoint,
  ListVolumes,
  DeleteVolume,
  Validate,
  PreviewInstance,
};
std::string_view toString(ProviderCall call);  ///< "createInstance"

/// What a decorator sees of a call: which one, on which instance (or volume), by which deadline.
struct CallContext {
  ProviderCall call;
  std::string subject;
  Deadline deadline;
};

/// Owns the provider that it wraps. A decorator overrides before() and after(), or attempt() to make a call more than once.
class ForwardingProvider : public Provider {
 public:
  explicit ForwardingProvider(ProviderPtr inner) : inner_(std::move(inner)) {}

  ProviderType type() const override { return inner_->type(); }
  ProviderInfo info() const override { return inner_->info(); }
  void writeRegions(NetworkConfig& network, std::vector<std::string> regions) const override {
    inner_->writeRegions(network, std::move(regions));
  }
  awaitable<void> open(ProviderEventSink sink) override { return inner_->open(std::move(sink)); }
  awaitable<void> close() override { return inner_->close(); }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, Deadline deadline) override;
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override { return inner_->getProviderCapabilities(); }
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
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
  bool measuresUsage() const override { return inner_->measuresUsage(); }
  ProviderHealthReport health() const override { return inner_->health(); }
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  UsedTotal cpuTotal() const override { return inner_->cpuTotal(); }
  UsedTotal memoryTotal() const override { return inner_->memoryTotal(); }
  LogSource* logs() override { return inner_->logs(); }
  VolumeSnapshots* volumeSnapshots() override { return inner_->volumeSnapshots(); }

 protected:
  using Attempt = std::function<awaitable<void>()>;
  /// Makes the call by `attempt`, which may be awaited again. The default: before(), attempt(), after().
  virtual awaitable<void> around(CallContext context, Attempt attempt);
  virtual awaitable<void> before(CallContext) { co_return; }
  virtual awaitable<void> after(CallContext) { co_return; }  ///< only when the call succeeded

  Provider& inner() { return *inner_; }

 private:
  template <typename T>
  awaitable<T> forward(CallContext context, std::function<awaitable<T>()> call);

  ProviderPtr inner_;
};

}  // namespace swarm
