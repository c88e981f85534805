// DockerProvider: the provider contract on the Docker Engine's HTTP API. Configuration is docker_config.h; README.md tells the rest.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "async/lock/keyed_lock.h"
#include "provider/docker/container/container_spec.h"
#include "provider/docker/container/container_state.h"
#include "provider/docker/docker_config.h"
#include "provider/docker/engine/engine_client.h"
#include "provider/docker/engine/engine_events.h"
#include "provider/provider.h"

namespace swarm::docker {

/// Throws Error(InvalidArgument) for a configuration that can't work with any Engine.
void checkConfig(const DockerProviderConfig& config);

struct ContainerRef {
  std::string id;
  std::string name;
  std::string state;
  std::string instanceId;
  bool connected = true;  ///< to its network
};

/// Split over docker_create.cc, docker_preview.cc, docker_lifecycle.cc, docker_delete.cc, docker_replace.cc, docker_queries.cc,
/// docker_usage.cc, docker_exec.cc, docker_network.cc, docker_volumes.cc and docker_events.cc. close() before destruction, once open() was
/// called.
class DockerProvider final : public Provider, private LogSource {
 public:
  DockerProvider(DockerProviderConfig config, std::string swarm_id);
  ~DockerProvider() override;

  ProviderType type() const override { return ProviderType::docker; }
  void writeRegions(NetworkConfig& network, std::vector<std::string> regions) const override { writeHost(network, regions); }
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override;

  void checkRequest(const InstanceSpec& spec) const override;
  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(std::string instance_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(std::string instance_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<void> settle(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::vector<std::string>> sweep(std::vector<Departure> gone, Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(std::string instance_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(std::string instance_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(std::string instance_id, Deadline deadline) override;
  awaitable<AllocationEffect> configureNetwork(std::string instance_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(std::string instance_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(std::string instance_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<std::optional<ReplacementLoss>> previewReplacement(std::string instance_id, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(std::string instance_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  UsedTotal cpuTotal() const override;
  UsedTotal memoryTotal() const override;
  LogSource* logs() override { return this; }

 private:
  awaitable<std::unique_ptr<Reader>> openLogs(std::string instance_id, Options options, Deadline deadline) override;

  // Finding (docker_queries.cc)
  json::object ownFilter(std::string extra_label = {}) const;
  awaitable<std::vector<ContainerRef>> containersOf(std::string instance_id, Deadline deadline);
  awaitable<std::optional<std::string>> findContainer(std::string instance_id, Deadline deadline);
  awaitable<std::optional<ContainerDetails>> inspectContainer(std::string container, Deadline deadline);  ///< by id or name
  EndedBy whatEnded(const json::value& inspection);
  awaitable<void> learnImageIds(std::set<std::string> names, Deadline deadline);
  awaitable<std::optional<ContainerDetails>> inspectInstance(std::string instance_id, Deadline deadline);
  awaitable<ContainerDetails> requireInstance(std::string instance_id, Deadline deadline);
  /// Sends to /containers/{the instance's}/`suffix`; finds the container anew once when the remembered one is gone. Throws NotFound.
  awaitable<EngineReply> sendToInstance(std::string instance_id, EngineCall call, Deadline deadline);

  // Making (docker_create.cc)
  awaitable<ImageFacts> ensureImage(std::string image, Progress& progress, Deadline deadline);
  awaitable<void> pullImage(std::string image, Progress& progress, Deadline deadline);
  awaitable<void> makeVolumes(const InstanceSpec& spec, const std::vector<VolumePlan>& volumes, Progress& progress, Deadline deadline);
  /// Creates or adopts the container of that name. `body` is kept for a second try after a pull.
  awaitable<std::string> makeContainer(const InstanceSpec& spec, std::string name, json::object body, Progress& progress,
                                       Deadline deadline);
  awaitable<std::optional<std::string>> adoptContainer(const InstanceSpec& spec, std::string name, const json::value& body,
                                                       Deadline deadline);
  awaitable<void> writeAgentFile(std::string container, const InstanceSpec& spec, ImageAgent agent, Deadline deadline);
  awaitable<void> startContainer(std::string container, Deadline deadline);
  enum class AnonymousVolumes { Go, Stay };
  /// Running or not; gone already: fine.
  awaitable<void> removeContainer(std::string container, Deadline deadline, AnonymousVolumes volumes = AnonymousVolumes::Go);
  awaitable<void> stopContainer(std::string container, std::chrono::seconds grace, Deadline deadline);
  awaitable<void> renameContainer(std::string container, std::string name, Deadline deadline);

  // Preview (docker_preview.cc)
  awaitable<void> previewImage(std::string image, PlacementPreview& preview, Deadline deadline);
  awaitable<void> previewVolumes(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline);
  awaitable<void> previewNetwork(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline);

  // Replacing (docker_replace.cc)
  struct Replacement;
  awaitable<Replacement> surveyReplacement(const InstanceSpec& spec, Deadline deadline);
  awaitable<void> prepareReplacement(const InstanceSpec& spec, Replacement& state, json::object body, ImageAgent agent, Progress& progress,
                                     Deadline deadline);
  awaitable<void> rollBackReplacement(const Replacement& state, Deadline deadline);

  // Networks (docker_network.cc)
  /// The id of a network that `spec` may join.
  std::string knownNetwork(const InstanceSpec& spec, const NetworkPlan& plan) const;  ///< empty when it has to be looked for
  awaitable<std::string> ensureNetwork(const InstanceSpec& spec, const NetworkPlan& plan, Deadline deadline);
  awaitable<void> repairNetwork(std::string container, Deadline deadline);
  awaitable<void> removeUnusedNetworks(Deadline deadline);

  // Removing (docker_delete.cc)
  awaitable<void> removeContainersOf(std::string instance_id, std::set<std::string>& mounted, Deadline deadline);
  awaitable<void> claimName(std::string instance_id, std::string name, Deadline deadline);

  // Volumes (docker_volumes.cc)
  struct Volume {
    VolumeInfo info;
    bool persistent = true;
  };
  awaitable<json::array> volumesBy(json::object filter, Deadline deadline);
  awaitable<std::vector<Volume>> ownVolumes(std::string extra_label, Deadline deadline);
  awaitable<std::vector<Volume>> unlabelledVolumes(std::string instance_id, Deadline deadline);  ///< empty: of all
  /// The volumes that a delete of the instance removes; `mounted`: those that its containers had.
  awaitable<std::set<std::string>> volumesToRemove(std::string instance_id, DeleteVolumes volumes, const std::set<std::string>& mounted,
                                                   Deadline deadline);
  /// False: one is held by something that is not listed, as a container that the Engine is making. To be tried again.
  awaitable<bool> removeVolumes(const std::set<std::string>& names, std::string instance_id, Deadline deadline);
  awaitable<bool> isUsedByOthers(std::string volume, std::string instance_id, Deadline deadline);
  awaitable<bool> removeVolume(std::string name, Deadline deadline);  ///< false: in use
  awaitable<std::vector<LostVolume>> lostAmong(const InstanceSpec& spec, std::vector<VolumePlan> plans, Deadline deadline);
  awaitable<void> requireKnownVolumes(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Deadline deadline);

  // Usage (docker_usage.cc)
  struct CpuSample {
    double nanoseconds = 0;
    SystemTime at{};
  };
  struct StorageSample {
    double gib = 0;
    SteadyTime at{};
  };
  awaitable<json::value> statistics(std::string instance_id, Deadline deadline);
  awaitable<double> cpuPercent(std::string instance_id, const json::value& first, Deadline deadline);
  awaitable<double> storageGib(std::string instance_id, const ContainerDetails& details, Deadline deadline);

  // Commands (docker_exec.cc)
  awaitable<CommandResult> executeIn(std::string instance_id, std::vector<std::string> command, std::string stdin_text, Deadline deadline);

  // Events (docker_events.cc)
  void handleEvent(const json::value& event);
  void handleNetworkEvent(const json::value& event);
  void followContainers(async::Executor executor);
  void followNetworks(async::Executor executor);
  void forgetEngine();
  void tell(ProviderEvent::Kind kind, std::string instance_id, std::string detail);
  void forgetInstance(const std::string& instance_id);

  EngineClient engine_;
  std::string swarm_id_;

  // What is known to exist, so that the hot path asks only once. Forgotten when the Engine goes away, or answers otherwise.
  struct KnownImage {
    SteadyTime until{};
    ImageFacts facts;
  };
  std::map<std::string, KnownImage> known_images_;
  std::map<std::string, std::string> image_ids_;  ///< of the names that containers of the last list were made from
  struct KnownNetwork {
    std::string owner;
    std::string id;
  };
  std::map<std::string, KnownNetwork> known_networks_;  ///< by name
  std::map<std::string, std::string> primary_;          ///< instance → container
  std::map<std::string, ContainerDetails> inspected_;   ///< container → details, while events keep them true
  std::map<std::string, int> network_pins_;             ///< networks that a create in progress counts on
  std::map<std::string, std::string> stopped_;          ///< container → when the run began that we stopped; empty: not seen since
  std::set<std::string> set_aside_;                     ///< containers whose removal is not the instance's
  std::shared_ptr<async::KeyedLock> locks_ = std::make_shared<async::KeyedLock>();
  std::map<std::string, CpuSample> cpu_samples_;          ///< by container
  std::map<std::string, StorageSample> storage_samples_;  ///< by instance

  ProviderEventSink sink_;
  EngineEvents engine_events_{engine_, std::chrono::seconds(5)};
  EngineEvents network_events_{engine_, std::chrono::seconds(5)};  ///< they carry no label of ours
};

}  // namespace swarm::docker
