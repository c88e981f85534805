// DockerHosts: several Docker Engines as one provider. Each call goes to the DockerProvider of the Engine where the instance is. The rules
// are in README.md ("Several Engines").
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "provider/docker/docker_config.h"
#include "provider/docker/docker_provider.h"
#include "provider/provider.h"

namespace swarm::docker {

/// Split over docker_hosts.cc (one instance) and docker_hosts_all.cc (all Engines). close() before destruction, once open() was called.
class DockerHosts final : public Provider, private LogSource, private EgressControl {
 public:
  /// Two or more, the main Engine first, each with a name of its own.
  DockerHosts(std::vector<DockerProviderConfig> engines, std::string swarm_id);
  ~DockerHosts() override;

  ProviderType type() const override { return ProviderType::docker; }
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override;

  ProviderInfo info() const override { return hosts_.front()->engine->info(); }
  void checkRequest(const InstanceSpec& spec) const override;
  std::vector<std::string> possibleRegions(const NetworkConfig& network) const override {
    return {network.regions.empty() ? hosts_.front()->name : network.regions.front()};
  }
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(PlaceId place_id, Progress& progress, Deadline deadline) override {
    return atHome(&Provider::startInstance, std::move(place_id), progress, deadline);
  }
  awaitable<void> stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override {
    return atHome(&Provider::stopInstance, std::move(place_id), grace, progress, deadline);
  }
  awaitable<void> deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<void> settle(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(PlaceId place_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) override {
    return atHome(&Provider::allocateResources, std::move(place_id), resources, deadline);
  }
  awaitable<ResourceUsage> getResourceUsage(PlaceId place_id, UsageDepth depth, Deadline deadline) override {
    return atHome(&Provider::getResourceUsage, std::move(place_id), depth, deadline);
  }
  awaitable<AllocationEffect> configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(PlaceId place_id, Deadline deadline) override {
    return atHome(&Provider::getNetworkInfo, std::move(place_id), deadline);
  }
  awaitable<CommandResult> executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override {
    return atHome(&Provider::executeCommand, std::move(place_id), std::move(command), std::move(stdin_text), deadline);
  }
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<std::optional<ReplacementLoss>> previewReplacement(PlaceId place_id, Deadline deadline) override {
    return atHome(&Provider::previewReplacement, std::move(place_id), deadline);
  }
  awaitable<AgentEndpoint> agentEndpoint(PlaceId place_id, Deadline deadline) override {
    return atHome(&Provider::agentEndpoint, std::move(place_id), deadline);
  }
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  UsedTotal cpuTotal() const override;
  UsedTotal memoryTotal() const override;
  LogSource* logs() override { return this; }
  EgressControl* egress() override { return this; }

 private:
  EgressPolicy policyFor(const NetworkConfig& network) const override;
  awaitable<EgressRules> setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) override;
  awaitable<std::int64_t> countDenied(PlaceId place_id, Deadline deadline) override;
  struct Host {
    std::string name;
    std::unique_ptr<DockerProvider> engine;
    bool connected = false;  ///< by its events
  };
  struct HostVolumes {
    Host* host = nullptr;
    std::expected<std::vector<VolumeInfo>, Error> volumes;
  };

  awaitable<std::unique_ptr<Reader>> openLogs(PlaceId place_id, Options options, Deadline deadline) override;

  /// The Engine that the configuration names, else the main one. Throws Error(Unprocessable) with the known names.
  Host& requested(const InstanceConfig& config) const;
  Host* named(std::string_view name) const;
  /// Where the instance was last seen, or was recorded to be created; null: not known.
  Host* homeOf(const PlaceId& place_id, const std::vector<ExternalResource>& external);
  std::string names() const;
  bool isUnavailable(const Host& host) const { return host.engine->health().status == ProviderHealth::unavailable; }
  std::vector<Host*> availableFirst();  ///< all, the unavailable ones at the end: they may take their time
  Deadline patience(const Host& host, Deadline deadline) const;

  /// The Engine that has the instance; null when none has. Throws Error(Unavailable) when one that is unavailable may have it.
  awaitable<Host*> find(PlaceId place_id, Deadline deadline);
  awaitable<Host*> require(PlaceId place_id, Deadline deadline);  ///< throws NotFound
  /// Calls a method, whose last parameter is the deadline, at the Engine that has the instance.
  template <typename Result, typename... Parameters>
  awaitable<Result> atHome(awaitable<Result> (Provider::*method)(PlaceId, Parameters...), PlaceId place_id,
                           std::type_identity_t<Parameters>... arguments) {
    Host* host = co_await require(place_id, std::get<sizeof...(arguments) - 1>(std::tie(arguments...)));
    Provider& engine = *host->engine;
    co_return co_await (engine.*method)(std::move(place_id), std::forward<Parameters>(arguments)...);
  }
  void remember(const PlaceId& place_id, Host& host) { homes_[place_id] = &host; }
  void addHost(ProviderInstance& instance, const Host& host) const;
  void checkStays(const NetworkConfig& network, const Host& host) const;
  void onEvent(Host& host, const ProviderEvent& event);
  awaitable<std::vector<HostVolumes>> volumesOfAll(Deadline deadline);

  std::vector<std::unique_ptr<Host>> hosts_;
  std::map<PlaceId, Host*> homes_;  ///< as last seen
  ProviderEventSink sink_;
};

}  // namespace swarm::docker
