// FlyIOProvider: the provider contract on Fly's Machines API. Its configuration is flyio_config.h; README.md describes it.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/lock/keyed_lock.h"
#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/spec/machine_spec.h"
#include "provider/flyio/spec/machine_state.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// Split over flyio_create.cc, flyio_preview.cc, flyio_place.cc, flyio_move.cc, flyio_lifecycle.cc, flyio_update.cc, flyio_delete.cc,
/// flyio_snapshots.cc, flyio_find.cc, flyio_lists.cc, flyio_queries.cc, flyio_volumes.cc, flyio_exec.cc, flyio_logs.cc, flyio_events.cc
/// and flyio_validate.cc. close() before destruction, once open() was called.
class FlyIOProvider final : public Provider, private VolumeSnapshots, private LogSource {
 public:
  FlyIOProvider(FlyIOProviderConfig config, std::string swarm_id, const Clock& clock, Tuning tuning = {});
  ~FlyIOProvider() override;

  ProviderType type() const override { return ProviderType::flyio; }
  ProviderInfo info() const override { return {.costRank = 1}; }  // billed by the second (docs/reference/fly-machines.md §9)
  void writeRegions(NetworkConfig& network, std::vector<std::string> regions) const override {
    flyio::writeRegions(network, std::move(regions));
  }
  awaitable<void> open(ProviderEventSink sink) override;
  awaitable<void> close() override;

  awaitable<ProviderInstance> createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<PlacementPreview> previewInstance(InstanceSpec spec, Deadline deadline) override;
  awaitable<std::optional<std::vector<LostVolume>>> findLostVolumes(InstanceSpec spec, Deadline deadline) override;
  awaitable<void> startInstance(std::string instance_id, Progress& progress, Deadline deadline) override;
  awaitable<void> stopInstance(std::string instance_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) override;
  awaitable<void> deleteInstance(std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external, Progress& progress,
                                 Deadline deadline) override;
  awaitable<std::optional<ProviderInstance>> getInstance(std::string instance_id, Deadline deadline) override;
  awaitable<InstanceList> listInstances(InstanceFilter filter, Deadline deadline) override;
  bool isImageOutdated(const ProviderInstance& observed, const std::string& image) const override;
  awaitable<AllocationEffect> allocateResources(std::string instance_id, ResourceConfig resources, Deadline deadline) override;
  awaitable<ResourceUsage> getResourceUsage(std::string instance_id, Deadline deadline) override;
  bool measuresUsage() const override { return false; }  ///< the agent does
  awaitable<AllocationEffect> configureNetwork(std::string instance_id, NetworkConfig network, Deadline deadline) override;
  awaitable<NetworkInfo> getNetworkInfo(std::string instance_id, Deadline deadline) override;
  awaitable<CommandResult> executeCommand(std::string instance_id, std::vector<std::string> command, std::string stdin_text,
                                          Deadline deadline) override;
  ProviderCapabilities getProviderCapabilities() const override;
  awaitable<ProviderInstance> replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) override;
  awaitable<AgentEndpoint> agentEndpoint(std::string instance_id, Deadline deadline) override;
  awaitable<std::vector<VolumeInfo>> listVolumes(Deadline deadline) override;
  awaitable<void> deleteVolume(std::string name, Deadline deadline) override;
  ProviderHealthReport health() const override;
  awaitable<std::vector<ValidationCheck>> validate(Deadline deadline) override;
  VolumeSnapshots* volumeSnapshots() override { return this; }
  LogSource* logs() override { return this; }

  const MachinesClient& client() const { return client_; }

 private:
  awaitable<std::unique_ptr<LogSource::Reader>> openLogs(std::string instance_id, LogSource::Options options, Deadline deadline) override;

  /// What our own calls returned about a Machine: for a while newer than a list.
  struct Place {
    std::string app;
    std::string machineId;
    std::string state;
    std::string storage;  ///< its storage record
    SystemTime updatedAt{};
    SteadyTime learnt{};
    ProviderInstance details;
    bool isReader = false;
  };
  /// A Machine or volume, or a shortage that may not exist elsewhere.
  template <typename T>
  struct Attempt {
    std::optional<T> made;
    Shortage shortage = Shortage::None;
    std::optional<Error> error;
  };

  // Finding (flyio_find.cc)
  bool isOurs(const std::string& app) const { return app.starts_with(app_prefix_); }
  bool isOurs(const Machine& machine) const;
  /// All Machines of an app that are not gone; an empty list counts only when the app's own count agrees.
  awaitable<std::vector<Machine>> machinesIn(std::string app, Deadline deadline);
  awaitable<std::vector<Volume>> volumesIn(std::string app, Deadline deadline);  ///< the same for volumes
  awaitable<std::optional<Machine>> machineIn(std::string app, std::string instance_id, Deadline deadline);
  awaitable<std::optional<Machine>> findMachine(std::string instance_id, Deadline deadline);
  awaitable<Machine> requireMachine(std::string instance_id, Deadline deadline);  ///< throws NotFound
  awaitable<Machine> readAgain(Machine machine, Deadline deadline);               ///< state "destroyed" when it is gone
  void remember(const Machine& machine);
  void forget(const std::string& instance_id) { places_.erase(instance_id); }

  // Making (flyio_create.cc, flyio_place.cc)
  awaitable<void> chooseRegions(InstancePlan& plan, Deadline deadline);
  struct Stored;  ///< one storage entry, where it is, and who uses it (flyio_volumes.cc)
  awaitable<void> requireKnownVolumes(const InstanceSpec& spec, Deadline deadline);
  awaitable<void> takeOverVolumes(InstancePlan& plan, Deadline deadline);
  void checkNamesFree(const InstancePlan& plan, const std::vector<Stored>& all) const;
  awaitable<bool> ensureApp(std::string app, Deadline deadline);  ///< true: it is new, and nothing is in it
  awaitable<void> ensureAddresses(const InstancePlan& plan, bool is_new, Deadline deadline);
  awaitable<void> assignAddress(std::string app, std::string type, Deadline deadline);
  awaitable<std::int64_t> writeSecrets(const InstancePlan& plan, Deadline deadline);
  struct AppVolumes;  ///< an app's volumes and its record of them (app_volumes.h)
  /// `mounted`: by the instance's Machine; empty without one. Looks up by id what `known` names and the list lacks.
  awaitable<AppVolumes> appVolumes(std::string app, std::string mounted, std::vector<ExternalResource> known, Deadline deadline);
  awaitable<Machine> placeMachine(const InstancePlan& plan, AppVolumes present, std::int64_t secrets, Progress& progress,
                                  Deadline deadline);
  struct Berth;  ///< what a Machine is made from, apart from its place
  awaitable<Machine> placeAnywhere(const Berth& berth, Progress& progress, Deadline deadline);
  awaitable<Attempt<Volume>> makeVolume(const Berth& berth, std::string region, Deadline deadline);
  awaitable<Attempt<Machine>> makeMachine(const Berth& berth, std::string region, std::string volume_id, Deadline deadline);
  awaitable<std::optional<Machine>> lookForMachine(std::string app, std::string name, Deadline deadline);
  awaitable<std::optional<Machine>> adoptMachine(const Berth& berth, std::string machine_id, Deadline deadline);
  awaitable<void> growVolume(Volume volume, std::int64_t size_gb, Deadline deadline);
  awaitable<void> dropVolume(std::string app, std::string volume_id, Deadline deadline);  ///< waits while it is bound; gone: fine

  // Preview (flyio_preview.cc)
  awaitable<void> previewImage(std::string image, PlacementPreview& preview, Deadline deadline);
  awaitable<void> previewRoom(const InstancePlan& plan, PlacementPreview& preview, Deadline deadline);

  // Moving to another host (flyio_move.cc)
  awaitable<Machine> moveElsewhere(Machine machine, json::object config, Progress& progress, Deadline deadline);
  /// On a copy of the berth's source. That one is being made is durable before, and that it has the files is durable after it.
  awaitable<Machine> placeOnCopy(Berth berth, AppVolumes present, Progress& progress, Deadline deadline);
  awaitable<void> tidyUp(Machine current, Deadline deadline);
  awaitable<bool> tidyVolumes(const Machine& current, std::string mounted, Deadline deadline);
  awaitable<bool> waitUntilWhole(std::string app, std::string volume_id, Deadline deadline);

  // Lifecycle (flyio_lifecycle.cc)
  awaitable<Machine> startMachine(Machine machine, Progress& progress, Deadline deadline);
  awaitable<Machine> stopMachine(Machine machine, std::chrono::seconds grace, Deadline deadline);
  awaitable<void> destroyMachine(Machine machine, Deadline deadline);
  /// By the API's own wait, until the Machine is in one of `states`, has ended after `ended_before`, or is gone.
  awaitable<Machine> waitFor(Machine machine, std::string states, std::int64_t ended_before, Deadline deadline);
  /// Sends; uses a lease of our own that a crash left behind, and waits for another client's.
  awaitable<FlyReply> mutate(const Machine& machine, FlyCall call, Deadline deadline);
  awaitable<std::string> ownLease(const Machine& machine, Deadline deadline);

  // Updating (flyio_update.cc)
  awaitable<Machine> updateMachine(Machine machine, const InstancePlan& plan, std::int64_t secrets, Progress& progress, Deadline deadline);
  awaitable<Attempt<Machine>> tryUpdate(Machine machine, const InstancePlan& plan, std::int64_t secrets, std::string nonce,
                                        Deadline deadline);
  awaitable<std::string> acquireLease(const Machine& machine, Deadline deadline);
  awaitable<void> releaseLease(const Machine& machine, std::string nonce);

  // Deleting (flyio_delete.cc)
  awaitable<void> deleteFrom(std::string app, std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                             Progress& progress, Deadline deadline);
  awaitable<bool> isAppGone(std::string app, bool was_made, Deadline deadline);
  awaitable<void> deleteApp(std::string app, Deadline deadline);
  awaitable<void> releaseAddresses(std::string app, Deadline deadline);
  struct Remains;  ///< what there is of an instance in an app (flyio_delete.cc)
  awaitable<Remains> remainsOf(std::string app, std::string instance_id, std::vector<ExternalResource> external, Deadline deadline);
  awaitable<bool> removeVolumes(std::string app, const Remains& remains, DeleteVolumes volumes, Deadline deadline);
  awaitable<void> writeRecordOf(std::string app, StorageRecord record, Deadline deadline);  ///< without entries and copy: removes it

  // Snapshots (flyio_snapshots.cc)
  bool isSnapshotId(std::string_view id) const override { return id.starts_with("vs_"); }
  awaitable<std::vector<VolumeSnapshot>> listSnapshots(std::string instance_id, std::vector<ExternalResource> external,
                                                       Deadline deadline) override;
  awaitable<ProviderInstance> openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) override;
  std::string appOf(const std::string& instance_id, const std::vector<ExternalResource>& external) const;
  Error noSnapshot(const std::string& snapshot_id) const;
  /// Of the instance's volumes, also of those that are gone.
  awaitable<std::vector<StoredSnapshot>> snapshotsIn(std::string app, const std::vector<Volume>& volumes,
                                                     std::vector<ExternalResource> external, Deadline deadline);
  awaitable<Machine> makeReader(const InstancePlan& plan, const SnapshotReader& reader, Progress& progress, Deadline deadline);
  /// The app that a reader of that id stands in; empty: it is none.
  awaitable<std::string> appOfReader(std::string id, const std::vector<ExternalResource>& external, Deadline deadline);
  awaitable<void> closeReader(std::string app, std::string id, std::vector<ExternalResource> external, Progress& progress,
                              Deadline deadline);

  // Volumes (flyio_volumes.cc)
  awaitable<std::vector<Stored>> storedVolumes(Deadline deadline);
  struct OrgVolumes;  ///< all volumes of the swarm, and who uses them
  awaitable<OrgVolumes> readOrgVolumes(Deadline deadline);
  awaitable<StorageRecord> recordOf(std::string app, Deadline deadline);
  awaitable<void> deleteStray(const Stored& stray, bool is_last, Deadline deadline);
  awaitable<void> deleteStorage(const Stored& stored, std::vector<Stored> others, Deadline deadline);

  // Lists and events (flyio_lists.cc, flyio_events.cc)
  struct OrgMachines {
    std::vector<Machine> machines;  ///< ours, one for each instance
    bool complete = true;
    std::string lastUpdatedAt;
  };
  awaitable<OrgMachines> readOrganization(MachinesClient::OrgQuery query, Deadline deadline);
  struct WholeRead;
  /// All of it; concurrent callers share one read, such as the first poll and the controller's list at a start.
  awaitable<std::shared_ptr<const OrgMachines>> readWholeOrganization(Deadline deadline);
  awaitable<ProviderInstance> describe(const Machine& listed, int& reads_left, Deadline deadline);
  awaitable<void> followEvents();
  awaitable<void> lookAtEverything();
  awaitable<void> lookAtChanges();
  awaitable<void> lookAtHosts();
  void noteChange(const Machine& machine);
  void noteTrouble(std::string trouble);
  void notify(ProviderEvent::Kind kind, std::string instance_id, std::string detail);
  awaitable<RegionList> knownRegions(Deadline deadline);

  FlyIOProviderConfig config_;
  std::string swarm_id_;
  const Clock& clock_;
  std::string app_prefix_;                ///< of the names of all apps of this swarm
  std::shared_ptr<net::TlsContext> tls_;  ///< whom to trust; null: nothing is spoken to by TLS
  MachinesClient client_;
  MachinesClient web_;  ///< of Fly's web API
  async::KeyedLock locks_;

  std::map<std::string, Place> places_;           ///< by instance
  std::map<std::string, SteadyTime> absent_;      ///< instances that were looked for everywhere, for a moment
  std::map<std::string, SteadyTime> made_;        ///< Machines that we made and have not read since
  std::map<std::string, SteadyTime> destroyed_;   ///< Machines that we destroyed: lists may show them a while longer
  std::map<std::string, StorageRecord> records_;  ///< of apps that keep a volume without a Machine
  std::set<std::string> tidy_;                    ///< instances whose app holds nothing that is left over
  RegionList regions_;
  std::shared_ptr<WholeRead> whole_read_;  ///< in progress, or null

  ProviderEventSink sink_;
  boost::asio::cancellation_signal stop_events_;
  std::unique_ptr<boost::asio::steady_timer> events_ended_;
  boost::asio::steady_timer* resting_ = nullptr;  ///< between two looks; cancelled for an early one
  struct Seen {
    std::string instanceId;
    std::string state;
    std::string version;
    SystemTime updatedAt{};
    bool isGone = false;
  };
  std::map<std::string, Seen> seen_;  ///< by Machine
  SystemTime seen_until_{};           ///< changes up to here were looked at
  std::set<std::string> dead_hosts_;  ///< Machines whose volume's host can't be reached
  SteadyTime hosts_seen_{};
  bool closing_ = false;
  bool following_ = false;
  bool connected_ = false;
  bool partial_ = false;  ///< the last look missed a region
  std::string trouble_;
};

}  // namespace swarm::flyio
