// SwarmController::Impl: composes the controller's parts; its methods run on the control loop.
#pragma once

#include "async/awaitable.h"
#include "controller/moves/migration.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/runner.h"
#include "controller/placement/placement.h"
#include "controller/reconcile/agent_watch.h"
#include "controller/reconcile/reconcile.h"
#include "controller/snapshots/snapshots.h"
#include "controller/state/core.h"
#include "controller/state/issued_tokens.h"
#include "controller/state/places.h"

namespace swarm {

struct SwarmController::Impl : control::Core {
  Impl(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time, ControllerOptions chosen);

  std::unique_ptr<control::Placement> placement;
  control::AgentWatch agents;
  control::Places placesElsewhere;
  control::Lifecycle lifecycle;
  control::Migration migration;
  control::Snapshots snapshots;
  control::OperationRunner runner;
  control::Reconciler reconciler;
  control::IssuedTokens issuedTokens;
  std::set<std::string> keysInUse;  ///< Idempotency-Keys whose first request is in progress

  awaitable<void> open();
  awaitable<void> openProvider(ProviderType type);
  awaitable<void> close(std::chrono::seconds grace);

  awaitable<InstanceAndOperation> createInstance(CreateRequest request);
  awaitable<InstanceAndOperation> createNew(CreateRequest request, std::string id, std::string operation_id);
  awaitable<std::optional<InstanceAndOperation>> replay(const CreateRequest& request, const Store::IdempotencyEntry& first,
                                                        const std::string& fingerprint);
  std::vector<control::PlacementCandidate> placementCandidates() const;
  InstanceConfig complete(const CreateRequest& request, const Provider& provider) const;
  awaitable<void> checkCapacity(ProviderType type, const CreateRequest& request, const std::string& id) const;

  control::EntryPtr admit(const InstanceRef& ref) const;  ///< throws NotFound, PreconditionFailed
  awaitable<UpdateResult> updateInstance(InstanceRef ref, UpdateRequest request, std::string actor);
  awaitable<UpdateResult> applyUpdate(control::EntryPtr entry, UpdateRequest request, std::string actor);
  awaitable<UpdatePlan> planUpdate(std::string ref, UpdateRequest request);
  void checkChange(const control::Entry& entry, const InstanceConfig& config) const;
  awaitable<bool> applyLive(control::EntryPtr entry, const InstanceConfig& config);
  /// For kinds that need no preparation.
  awaitable<InstanceAndOperation> submit(InstanceRef ref, OperationParameters parameters, std::string actor);

  awaitable<InstanceAndOperation> migrateInstance(InstanceRef ref, MigrateRequest request, std::string actor);
  awaitable<MigrationPlan> planMigration(std::string ref, MigrateRequest request);
  awaitable<InstanceAndOperation> takeSnapshot(InstanceRef ref, std::string name, std::string actor);
  awaitable<InstanceAndOperation> restoreSnapshot(InstanceRef ref, std::string snapshot, std::string actor);
  awaitable<std::vector<Snapshot>> listSnapshots();
  awaitable<SnapshotList> listSnapshotsOf(std::string ref);
  awaitable<void> deleteSnapshot(std::string id);

  awaitable<std::optional<Instance>> getInstance(std::string ref);
  awaitable<InstancePage> listInstances(InstanceQuery query);
  awaitable<EndedOperations> countEndedOperations() { co_return endedOperations; }
  awaitable<CommandResult> executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text, Deadline deadline);
  awaitable<ResourceUsage> getResourceUsage(std::string ref);
  awaitable<NetworkInfo> getNetworkInfo(std::string ref);
  awaitable<agent::AgentTarget> agentTarget(std::string ref);
  awaitable<void> noteIssuedToken(std::string ref, std::string session, SystemTime expires_at, std::function<bool()> is_valid);
  awaitable<void> setGitIdentity(std::string user, GitIdentity identity);
  awaitable<GitIdentity> gitIdentity(std::string user);
  awaitable<std::unique_ptr<LogSource::Reader>> openLogs(std::string ref, LogSource::Options options);
  awaitable<std::vector<NameHold>> listNameHolds();
  awaitable<void> releaseName(std::string name);
  awaitable<std::vector<VolumeInfo>> listVolumes();
  awaitable<void> deleteVolume(std::string name);
  awaitable<std::vector<ProviderDetails>> listProviders();
  awaitable<std::vector<ValidationCheck>> validateProvider(ProviderType type);
  awaitable<std::vector<ValidationCheck>> validateProvider(std::function<ProviderPtr()> make);
  awaitable<SwarmStatus> getSwarmStatus();
};

}  // namespace swarm
