// SwarmController: owns the swarm. Every mutation is a durable operation; the store is the truth about intent, providers about what exists.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/loop.h"
#include "base/clock.h"
#include "controller/moves/move_agents.h"
#include "controller/state/events.h"
#include "controller/state/routes.h"
#include "model/types.h"
#include "provider/provider.h"
#include "store/store.h"

namespace swarm {

struct ControllerOptions {
  std::string swarmId;                     ///< label swarm.id on all that is made; from the store's settings when empty
  std::string instanceNamePrefix = "ws-";  ///< for instances without a name
  std::string workspaceImage = "swarm-workspace:latest";
  ResourceConfig defaultResources;
  std::map<std::string, std::string> tags;  ///< labels on every instance
  PlacementPolicy placement = PlacementPolicy::fixed;
  std::optional<ProviderType> defaultProvider;  ///< for PlacementPolicy::fixed; Docker when it is not named
  std::string urlPattern;                       ///< "http://{name}.localhost:7420/"
  std::chrono::seconds createTimeout{900};
  std::chrono::seconds startTimeout{120};
  std::chrono::seconds stopGrace{10};
  std::chrono::milliseconds reconcileInterval{30'000};  ///< the safety net; events drive the observed state
  std::chrono::hours nameHold{30 * 24};                 ///< how long a deleted instance's name stays its owner's; zero: not at all
  std::map<std::string, std::string> environment{};     ///< in every instance that is made, unless it says otherwise itself
  std::chrono::hours operationsKept{30 * 24};           ///< ended operations older than this are forgotten

  bool needsVscode = true;                         ///< an operation fails when VS Code never answered; false: for images that have no agent
  std::chrono::milliseconds setupInterval{1000};   ///< how often an agent is asked whether its setup script has ended
  std::chrono::milliseconds agentRefusal{20'000};  ///< how long a running container may refuse before VS Code is called unreachable
  std::chrono::milliseconds probeInterval{20};     ///< between questions to a starting agent, at first
  std::chrono::milliseconds providerOutage{120'000};  ///< how long an operation outlasts an unreachable provider (delete: for ever)
  std::chrono::milliseconds retryDelay{250};          ///< before a provider is asked again; doubles up to retryDelayMost
  std::chrono::milliseconds retryDelayMost{15'000};
  std::chrono::milliseconds exitSettle{300};      ///< from "it exited" to a judgement: a stopping Engine ends everything first
  std::chrono::milliseconds orphanGrace{60'000};  ///< age of a thing that nobody knows before it is swept
  /// Asks an agent how it is; tests replace it. agent::getHealth when empty.
  std::function<awaitable<agent::AgentHealth>(agent::AgentTarget, Deadline)> probe;
  /// Asks an agent when a person last did something; tests replace it. agent::getActivity when empty.
  std::function<awaitable<agent::AgentActivity>(agent::AgentTarget, Deadline)> activity;
  /// The agents' part in a move; tests replace it. makeMoveAgents() when null.
  std::shared_ptr<MoveAgents> moveAgents;
  /// The loop that carries the bytes of moves; the control loop when empty. Outlives the controller.
  net::Executor moveExecutor;
};

struct CreateRequest {
  std::string owner;
  std::string actor;
  std::optional<ProviderType> provider;  ///< absent: placement chooses, Docker by default
  std::vector<std::string> regions;      ///< Fly's regions or Docker hosts, best first; they choose the provider, too
  InstanceConfig config;
  std::string idempotencyKey;  ///< empty: none
};

/// Where an instance is to move. Either a target (provider, region or both), or `back`.
struct MigrateRequest {
  std::optional<ProviderType> targetProvider;  ///< absent: the one it is at, in another region
  std::string region;
  std::optional<ResourceConfig> resources;
  bool keepSource = false;
  std::int64_t keepHours = 24;
  std::int64_t bandwidthLimit = 0;  ///< bytes per second; 0: none
  bool back = false;                ///< to the place that an earlier move has kept
};

/// Which versions of an instance a request is meant for.
struct VersionCondition {
  bool any = true;
  std::vector<std::int64_t> versions = {};  ///< unless `any`; none: it can't be met
  bool admits(std::int64_t version) const { return any || std::find(versions.begin(), versions.end(), version) != versions.end(); }
};

/// An instance's id or name. A change of an instance at a version that is not admitted is refused with PreconditionFailed: nothing is done.
struct InstanceRef {
  InstanceRef(std::string ref, VersionCondition condition = {}) : text(std::move(ref)), versions(std::move(condition)) {}  // NOLINT
  InstanceRef(const char* ref) : text(ref) {}                                                                              // NOLINT
  std::string text;
  VersionCondition versions = {};
};

/// What an update changes; absent members stay as they are.
struct UpdateRequest {
  std::optional<ResourceConfig> resources;
  std::optional<std::map<std::string, std::string>> env;
  std::optional<NetworkConfig> network;
  std::optional<std::map<std::string, std::string>> labels;
  std::optional<boost::json::object> metadata;
  bool refreshImage = false;  ///< recreate it from the image that config.image names now, also when nothing else changes
};

/// Whether an empty volume may be made where one with files was lost.
enum class EmptyVolumes { No, Yes };

struct InstanceAndOperation {
  Instance instance;
  Operation operation;
  bool replayed = false;  ///< an Idempotency-Key was seen before: this is what it made
};

struct UpdateResult {
  Instance instance;
  std::optional<Operation> operation;  ///< when something had to be done at the provider
  std::string effect;                  ///< "none", "live" or "restart"
};

struct InstanceQuery {
  std::optional<InstanceStatus> status;
  std::optional<ProviderType> provider;
  std::optional<std::string> owner;
  std::optional<std::string> name;
  std::map<std::string, std::string> labels;
  std::size_t limit = 100;
  std::string after;  ///< instance id to continue after (ids sort by creation)
};

struct InstancePage {
  std::vector<Instance> items;
  std::string next;  ///< `after` of the next page; empty at the end
};

/// The callers' methods are thread-safe (each runs on the control loop and resumes on the caller's executor). `ref`: an instance's id or
/// name. Throws Error(NotFound|AlreadyExists|Conflict|PreconditionFailed|Unavailable|…). Permissions are the caller's business.
class SwarmController {
 public:
  SwarmController(net::Executor control_loop, Store& store, std::map<ProviderType, ProviderPtr> providers, const Clock& clock,
                  ControllerOptions options);
  ~SwarmController();

  /// Loads the store, opens the providers, and finishes or rolls back every unfinished operation in the background.
  awaitable<void> open();
  /// Lets running operations reach their next durable point (at most `grace`), then closes the providers. What is unfinished goes on at the
  /// next open().
  awaitable<void> close(std::chrono::seconds grace);

  awaitable<InstanceAndOperation> createInstance(CreateRequest request);
  awaitable<std::optional<Instance>> getInstance(std::string ref);
  awaitable<InstancePage> listInstances(InstanceQuery query);
  awaitable<UpdateResult> updateInstance(InstanceRef ref, UpdateRequest request, std::string actor);
  awaitable<UpdatePlan> planUpdate(std::string ref, UpdateRequest request);  ///< what that would do; changes nothing
  /// `empty`: a volume that is gone, and had the instance's files, is replaced with an empty one; otherwise the start fails.
  awaitable<InstanceAndOperation> startInstance(InstanceRef ref, std::string actor, EmptyVolumes empty = EmptyVolumes::No);
  awaitable<InstanceAndOperation> stopInstance(InstanceRef ref, std::string actor);
  awaitable<InstanceAndOperation> restartInstance(InstanceRef ref, std::string actor);
  /// In any state; a create in progress is cancelled and rolled back.
  awaitable<InstanceAndOperation> deleteInstance(InstanceRef ref, DeleteVolumes volumes, std::string actor);

  awaitable<InstanceAndOperation> migrateInstance(InstanceRef ref, MigrateRequest request, std::string actor);
  awaitable<MigrationPlan> planMigration(std::string ref, MigrateRequest request);  ///< changes nothing

  /// Keeps the instance's files as they are at a moment, at its provider; people's processes stand still for it, and go on. `name`: unique
  /// among its snapshots; empty: the time.
  awaitable<InstanceAndOperation> takeSnapshot(InstanceRef ref, std::string name, std::string actor);
  /// The instance's files become those of the snapshot (its name, or its id); what they were becomes a snapshot, too.
  awaitable<InstanceAndOperation> restoreSnapshot(InstanceRef ref, std::string snapshot, std::string actor);
  awaitable<std::vector<Snapshot>> listSnapshots();          ///< also those that deleted instances left
  awaitable<SnapshotList> listSnapshotsOf(std::string ref);  ///< also those that its provider takes by itself
  awaitable<void> deleteSnapshot(std::string id);            ///< Conflict while it is being restored; Unprocessable for a provider's own

  awaitable<std::optional<Operation>> getOperation(std::string id);  ///< with live progress
  awaitable<std::vector<Operation>> listOperations(OperationFilter filter);
  awaitable<Operation> cancelOperation(std::string id);  ///< Conflict when it has ended or is past the point of no return
  /// The operation when it has ended, or as it is at the deadline.
  awaitable<Operation> waitForOperation(std::string id, Deadline deadline);

  /// How many have ended, by kind and end, since the server's start.
  using EndedOperations = std::map<std::pair<OperationKind, OperationStatus>, std::uint64_t>;
  awaitable<EndedOperations> countEndedOperations();

  awaitable<CommandResult> executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text, Deadline deadline);
  awaitable<ResourceUsage> getResourceUsage(std::string ref);
  awaitable<NetworkInfo> getNetworkInfo(std::string ref);
  awaitable<agent::AgentTarget> agentTarget(std::string ref);  ///< Conflict with the reason when it does not run
  /// A client was given a token for the instance's agent, which ends with the sign-in that it was issued to. `counts`: whether that still
  /// does; called on the control loop.
  awaitable<void> noteIssuedToken(std::string ref, std::string session, SystemTime expires_at, std::function<bool()> counts);
  /// To be called (from any thread, also after the controller has gone) when a sign-in may have ended.
  std::function<void()> sessionListener() const;
  /// Who the user's commits are by in new workspaces; empty: not known. Throws Error(NotFound) for a user that is not there.
  awaitable<void> setGitIdentity(std::string user, GitIdentity identity);
  awaitable<GitIdentity> gitIdentity(std::string user);
  /// Its reader may be used from any loop.
  awaitable<std::unique_ptr<LogSource::Reader>> openLogs(std::string ref, LogSource::Options options);
  awaitable<std::vector<NameHold>> listNameHolds();  ///< names of deleted instances that are kept for their owners
  awaitable<void> releaseName(std::string name);     ///< throws NotFound
  awaitable<std::vector<VolumeInfo>> listVolumes();
  awaitable<void> deleteVolume(std::string name);

  struct ProviderDetails {
    ProviderType type;
    ProviderHealthReport health;
    ProviderCapabilities capabilities;
    std::int64_t instances = 0;
    bool isDefault = false;
  };
  awaitable<std::vector<ProviderDetails>> listProviders();
  awaitable<std::vector<ValidationCheck>> validateProvider(ProviderType type);
  /// A configuration that is not in force: `make` builds the provider (on the control loop), which is asked and dropped.
  awaitable<std::vector<ValidationCheck>> validateProvider(std::function<ProviderPtr()> make);
  awaitable<SwarmStatus> getSwarmStatus();

  /// The gateway could not reach the agent, or a tunnel broke: VS Code is looked at again, and the route follows. Thread-safe, cheap.
  /// Readers of routes() say the same by RouteSource::reportDoubt().
  void noteAgentTrouble(std::string instance_id);

  RouteSource& routes();
  EventBus& events();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  ///< background work holds it, too
};

}  // namespace swarm
