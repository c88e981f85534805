// SwarmController: owns the swarm. Each mutation is a durable operation; the store is the truth about intent, providers about what exists.
#pragma once

#include <algorithm>
#include <boost/describe.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "base/clock.h"
#include "controller/actor.h"
#include "controller/limits/policy.h"
#include "controller/moves/move_agents.h"
#include "controller/state/events.h"
#include "controller/state/routes.h"
#include "model/queries.h"
#include "model/responses.h"
#include "model/types/git_identity.h"
#include "model/types/instance.h"
#include "model/types/instance_config.h"
#include "model/types/migration_plan.h"
#include "model/types/operation.h"
#include "model/types/provider_type.h"
#include "model/types/snapshot.h"
#include "model/types/swarm_status.h"
#include "model/types/update_plan.h"
#include "model/types/usage.h"
#include "provider/provider.h"
#include "store/store.h"

namespace swarm {

inline constexpr std::size_t kMaxPortRules = 64;              ///< of one instance
inline constexpr std::chrono::hours kMaxPublicLife{90 * 24};  ///< of a public port

struct ControllerOptions {
  std::string swarmId;                     ///< label swarm.id on every resource; empty: read from the store's settings
  std::string instanceNamePrefix = "ws-";  ///< for instances without a name
  std::string workspaceImage = "swarm-workspace:latest";
  ResourceConfig defaultResources;
  std::map<std::string, std::string> tags;  ///< labels on every instance
  PlacementPolicy placement = PlacementPolicy::fixed;
  std::optional<ProviderType> defaultProvider;  ///< for PlacementPolicy::fixed; absent: the cheapest
  std::string urlPattern;                       ///< "http://{name}.localhost:7420/"
  std::chrono::seconds createTimeout{900};
  std::chrono::seconds startTimeout{120};
  std::chrono::seconds stopGrace{10};
  std::chrono::milliseconds reconcileInterval{30'000};  ///< between full lists, in case events were lost
  std::chrono::hours nameHold{30 * 24};              ///< how long a deleted instance's name stays reserved for its owner; zero: not at all
  std::map<std::string, std::string> environment{};  ///< of every new instance; its own configuration takes precedence
  bool publicPorts = true;                           ///< ports may be opened without a sign-in
  std::chrono::hours operationsKept{30 * 24};        ///< ended operations older than this are deleted
  LimitsConfig limits{};
  Directory directory{};  ///< of the users and groups to whom quotas apply

  bool needsVscode = true;                        ///< an operation fails when VS Code did not respond; false: for images without an agent
  std::chrono::milliseconds setupInterval{1000};  ///< between two requests for the state of a running setup script
  std::chrono::milliseconds agentRefusal{
      20'000};  ///< how long a running container may refuse connections before VS Code counts as unreachable
  std::chrono::milliseconds probeInterval{20};        ///< initial interval between health requests to a starting agent
  std::chrono::milliseconds providerOutage{120'000};  ///< how long an operation retries an unreachable provider (delete: without limit)
  std::chrono::milliseconds retryDelay{250};          ///< before the first retry of a provider call; doubles up to maxRetryDelay
  std::chrono::milliseconds maxRetryDelay{15'000};
  std::chrono::milliseconds exitSettle{
      300};  ///< from an exit to its evaluation: a stopping Engine ends its containers before it disconnects
  std::chrono::milliseconds usageInterval{0};     ///< between samples of what an instance uses; 0: none are taken
  std::chrono::milliseconds orphanGrace{60'000};  ///< minimum age of an unknown resource before its removal
  /// Requests an agent's health; tests replace it. Empty: agent::getHealth.
  std::function<awaitable<agent::AgentHealth>(agent::AgentTarget, Deadline)> probe;
  /// Requests the time of the last user activity from an agent; tests replace it. Empty: agent::getActivity.
  std::function<awaitable<agent::AgentActivity>(agent::AgentTarget, Deadline)> activity;
  /// What a move requests from agents; tests replace it. Null: makeMoveAgents().
  std::shared_ptr<MoveAgents> moveAgents;
  /// The loop that transfers files; empty: the control loop. Outlives the controller.
  async::Executor moveExecutor;
};

struct CreateRequest {
  std::string owner;
  Actor actor;
  std::optional<ProviderType> provider;  ///< absent: placement chooses
  InstanceConfig config;
  std::string idempotencyKey;     ///< empty: none
  std::string namePrefix{};       ///< of the instances that count for maxInstances
  std::int64_t maxInstances = 0;  ///< of the owner, with this prefix, including the new one; 0: no limit
  ImageChoice imageChoice = ImageChoice::Allowed;
};

/// The destination of a move: a target (provider, region or both), or `back`.
struct MigrateRequest {
  std::optional<ProviderType> targetProvider;  ///< absent: the current one, in another region
  std::string region;
  std::optional<ResourceConfig> resources;
  bool keepSource = false;
  std::int64_t keepHours = 24;
  std::int64_t bandwidthLimit = 0;  ///< bytes per second; 0: no limit
  bool back = false;                ///< to the kept source of an earlier move
  ImageChoice imageChoice = ImageChoice::Allowed;
};

/// The versions of an instance to which a request applies.
struct VersionCondition {
  bool any = true;
  std::vector<std::int64_t> versions = {};  ///< unless `any`; empty: never satisfied
  bool admits(std::int64_t version) const { return any || std::find(versions.begin(), versions.end(), version) != versions.end(); }
};

/// An instance's id or name. A change is refused with PreconditionFailed, without effect, unless the instance's version is admitted.
struct InstanceRef {
  InstanceRef(std::string ref, VersionCondition condition = {}) : text(std::move(ref)), versions(std::move(condition)) {}  // NOLINT
  InstanceRef(const char* ref) : text(ref) {}                                                                              // NOLINT
  std::string text;
  VersionCondition versions = {};
};

/// What an update changes; absent members remain unchanged.
struct UpdateRequest {
  std::optional<ResourceConfig> resources;
  std::optional<std::map<std::string, std::string>> env;
  std::optional<NetworkConfig> network;
  std::optional<std::map<std::string, std::string>> labels;
  std::optional<boost::json::object> metadata;
  std::optional<SecurityConfig> security;
  bool refreshImage = false;  ///< recreate it from the image that config.image names now, even if nothing else changes
};

/// Whether a lost volume with files may be replaced with an empty one.
enum class EmptyVolumes { No, Yes };

struct InstanceAndOperation {
  Instance instance;
  Operation operation;
  bool replayed = false;  ///< the Idempotency-Key was used before: the result of its first request
};

struct UpdateResult {
  Instance instance;
  std::optional<Operation> operation;  ///< present when the provider has to make the change
  UpdateEffect effect = UpdateEffect::none;
};

struct InstanceQuery : ListInstancesQuery {
  std::string reader{};  ///< only instances of this user, and `shared`; empty: of all users
  std::set<InstanceId> shared{};
  InstanceId after{};        ///< continue after this instance id (ids sort by creation); the cursor is the API's
  std::string namePrefix{};  ///< empty: any name

  bool admits(const Instance& instance) const;
};

struct InstancePage {
  std::vector<Instance> items;
  InstanceId next;  ///< `after` of the next page; empty at the end
};
struct UsagePage {
  std::vector<InstanceUsage> items;
  InstanceId next;  ///< as in InstancePage
};

/// What the running instances of a provider use together: of those that were sampled.
struct UsageTotal {
  std::int64_t instances = 0;
  std::int64_t nearlyFullMemory = 0;   ///< instances that use 90 % of their limit or more
  std::int64_t nearlyFullStorage = 0;  ///< the same
  ResourceUsage usage;                 ///< its traffic: bytes since the starts of the containers
  TrafficRate network;
};

/// All methods are thread-safe: each runs on the control loop and resumes on the caller's executor. `ref`: an instance's id or name.
/// Throws Error(NotFound|AlreadyExists|Conflict|PreconditionFailed|Unavailable|…). The caller checks permissions.
class SwarmController {
 public:
  SwarmController(async::Executor control_loop, Store& store, std::map<ProviderType, ProviderPtr> providers, const Clock& clock,
                  ControllerOptions options);
  ~SwarmController();

  /// Loads the store, opens the providers, and finishes or rolls back each unfinished operation in the background.
  awaitable<void> open();
  /// Waits at most `grace` for running operations, then closes the providers. Unfinished operations continue at the next open().
  awaitable<void> close(std::chrono::seconds grace);

  awaitable<InstanceAndOperation> createInstance(CreateRequest request);
  awaitable<std::optional<Instance>> getInstance(std::string ref);
  awaitable<InstancePage> listInstances(InstanceQuery query);
  awaitable<UpdateResult> updateInstance(InstanceRef ref, UpdateRequest request, Actor actor);
  /// Gives the instance to another user, with its operations and snapshots, and ends what its former owner has open. Container, network and
  /// volumes keep their labels until an update replaces the container. Conflict while it is busy, or when it exceeds a limit of its new
  /// owner.
  awaitable<Instance> handOver(InstanceRef ref, std::string from, std::string owner, Actor actor = {});
  /// Sets who opens a port in a browser; durable and published when it completes. Throws Error(InvalidArgument) for the agent's port, a
  /// time that has passed, and a public port without an end or with one beyond kMaxPublicLife; PermissionDenied for a public port where
  /// these are not allowed; Conflict beyond kMaxPortRules.
  awaitable<void> setPort(std::string ref, std::uint16_t port, PortRule rule);
  /// Ends the rules of ports whose time has passed. Call it several times a second.
  awaitable<void> endExpiredPorts();
  awaitable<UpdatePlan> planUpdate(std::string ref, UpdateRequest request);  ///< what the update would do; without effect
  /// `empty`: replaces lost volumes that had files of the instance with empty ones; without it, the start fails.
  awaitable<InstanceAndOperation> startInstance(InstanceRef ref, Actor actor, EmptyVolumes empty = EmptyVolumes::No);
  awaitable<InstanceAndOperation> stopInstance(InstanceRef ref, Actor actor);
  awaitable<InstanceAndOperation> restartInstance(InstanceRef ref, Actor actor);
  /// Works in any state; cancels and rolls back a create in progress.
  awaitable<InstanceAndOperation> deleteInstance(InstanceRef ref, DeleteVolumes volumes, Actor actor);

  awaitable<InstanceAndOperation> migrateInstance(InstanceRef ref, MigrateRequest request, Actor actor);
  awaitable<MigrationPlan> planMigration(std::string ref, MigrateRequest request);  ///< without effect

  /// Copies the instance's files at one moment to volumes of its provider; the user's processes are stopped for that moment and continue.
  /// `name`: unique among the instance's snapshots; empty: the time.
  awaitable<InstanceAndOperation> takeSnapshot(InstanceRef ref, std::string name, Actor actor);
  /// Replaces the instance's files with those of the snapshot (its name or id); the former files become a snapshot, too.
  awaitable<InstanceAndOperation> restoreSnapshot(InstanceRef ref, std::string snapshot, Actor actor);
  awaitable<std::vector<Snapshot>> listSnapshots();          ///< including those of deleted instances
  awaitable<SnapshotList> listSnapshotsOf(std::string ref);  ///< including the provider's automatic ones
  awaitable<void> deleteSnapshot(std::string id);            ///< Conflict during a restore; Unprocessable for a provider's own

  awaitable<std::optional<Operation>> getOperation(std::string id);  ///< with live progress
  awaitable<std::vector<Operation>> listOperations(OperationFilter filter);
  awaitable<Operation> cancelOperation(std::string id);  ///< Conflict when it has ended or cannot be cancelled any more
  /// Returns the operation when it has ended, or its state at the deadline.
  awaitable<Operation> waitForOperation(std::string id, Deadline deadline);

  /// Number of operations that ended since the server's start, by kind and result.
  using EndedOperations = std::map<std::pair<OperationKind, OperationStatus>, std::uint64_t>;
  awaitable<EndedOperations> countEndedOperations();

  awaitable<CommandResult> executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text, Deadline deadline);
  awaitable<ResourceUsage> getResourceUsage(std::string ref);
  /// Makes no call to a provider: with the last sample, and the history. NotFound, InvalidArgument.
  awaitable<UsageResponse> getUsageHistory(std::string ref, UsageQuery query);
  /// The last samples of the running instances that `query` admits (running or not, one without a sample is left out).
  awaitable<UsagePage> listUsage(InstanceQuery query);
  awaitable<std::map<ProviderType, UsageTotal>> sumUsage();  ///< with each configured provider
  awaitable<NetworkInfo> getNetworkInfo(std::string ref);
  awaitable<agent::AgentTarget> agentTarget(std::string ref);  ///< Conflict, with the reason, unless it runs
  /// Records that a client received a token for the instance's agent. The token ends with `session`. `is_valid`: whether the session still
  /// exists; called on the control loop.
  awaitable<void> noteIssuedToken(std::string ref, std::string session, SystemTime expires_at, std::function<bool()> is_valid);
  /// Returns a function to call when a session may have ended, from any thread and also after the controller's destruction.
  std::function<void()> sessionListener() const;
  /// The author of the user's commits in new workspaces; empty: not known. Throws Error(NotFound) when the user does not exist.
  awaitable<void> setGitIdentity(std::string user, GitIdentity identity);
  awaitable<GitIdentity> gitIdentity(std::string user);
  /// Deletes a user, and gives what belongs to them to `successor`. With an empty one, throws Conflict while there are instances or
  /// snapshots; in both cases Conflict while an operation of theirs is in progress, and what Store::deleteUser() throws.
  awaitable<void> deleteUser(std::string name, std::string successor);
  /// The reader may be used from any loop.
  awaitable<std::unique_ptr<LogSource::Reader>> openLogs(std::string ref, LogSource::Options options);
  awaitable<std::vector<NameHold>> listNameHolds();  ///< names of deleted instances that are reserved for their owners
  awaitable<void> releaseName(std::string name);     ///< throws NotFound
  awaitable<std::vector<VolumeResponse>> listVolumes();
  awaitable<void> deleteVolume(std::string name);

  awaitable<std::vector<ProviderResponse>> listProviders();
  awaitable<std::vector<ValidationCheck>> validateProvider(ProviderType type);
  /// Validates a configuration that is not in use: `make` constructs the provider (on the control loop) for this call.
  awaitable<std::vector<ValidationCheck>> validateProvider(std::function<ProviderPtr()> make);
  /// Stores a token for the provider's API, which is used at once. Throws Error(Unprocessable) when the provider refuses it, and
  /// Error(Unavailable), unless `unchecked`, when the provider cannot be reached; the former token stays then.
  awaitable<ProviderToken> setProviderToken(ProviderType type, Secret token, bool unchecked);
  awaitable<ProviderToken> removeProviderToken(ProviderType type);  ///< of the configuration is used again
  awaitable<SwarmStatus> getSwarmStatus();

  /// All limits, with what is held: of the swarm, the providers and regions, what quotas are set for, users who hold something, and
  /// `users`.
  awaitable<std::vector<QuotaResponse>> listQuotas(std::vector<std::string> users);
  /// Replaces the quota; durable when it returns. It stops nothing that exists. Throws Error(NotFound) for an unknown user or group.
  awaitable<void> setQuota(QuotaSubject subject, ResourceLimits limits);
  awaitable<void> removeQuota(QuotaSubject subject);  ///< throws Error(NotFound) when there is none
  awaitable<void> reloadQuotas();                     ///< after the deletion of a group

  RouteSource& routes();
  EventBus& events();

 private:
  struct Impl;
  /// Calls `call(impl)`, a function or a coroutine, on the control loop, and keeps `call` and the controller's parts alive until it ends.
  template <typename Call>
  auto onLoop(Call call);
  awaitable<InstanceAndOperation> submit(InstanceRef ref, OperationParameters parameters, Actor actor);

  std::shared_ptr<Impl> impl_;  ///< shared with background work
};

}  // namespace swarm
