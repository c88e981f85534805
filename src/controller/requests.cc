// Requests that change an instance.
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/impl.h"
#include "model/codec/codec.h"

namespace swarm {

using control::ActivePtr;
using control::EntryPtr;

namespace {

InstanceAndOperation resultOf(const EntryPtr& entry, const ActivePtr& active) {
  InstanceAndOperation result;
  result.instance = entry->record.instance;
  result.operation = active->record;
  return result;
}

/// Marks an instance during an update in place.
class UpdatingGuard {
 public:
  explicit UpdatingGuard(EntryPtr entry) : entry_(std::move(entry)) { entry_->updating = true; }
  ~UpdatingGuard() { entry_->updating = false; }
  UpdatingGuard(const UpdatingGuard&) = delete;
  UpdatingGuard& operator=(const UpdatingGuard&) = delete;

 private:
  EntryPtr entry_;
};

void requireVersion(const control::Entry& entry, const VersionCondition& versions) {
  const Instance& instance = entry.record.instance;
  if (versions.admits(instance.version)) return;
  throw Error(ErrorCode::PreconditionFailed,
              format("Workspace {} is at version {}, for which the request is not valid. Nothing was changed. "
                     "Read the workspace again before you repeat the request.",
                     instance.config.name, instance.version))
      .withInstance(instance.id);
}

template <typename T>
bool differ(const T& a, const T& b) {
  return toJson(a) != toJson(b);
}

InstanceConfig changedConfig(InstanceConfig config, const UpdateRequest& request) {
  if (request.resources) config.resources = *request.resources;
  if (request.env) config.env = *request.env;
  if (request.network) config.network = *request.network;
  if (request.labels) config.labels = *request.labels;
  if (request.metadata) config.metadata = *request.metadata;
  return config;
}

/// A failed instance may have nothing at the provider: its configuration applies when it is created again, which a new image requires.
bool touchesProvider(const Instance& instance, const UpdateRequest& request) {
  const InstanceStatus status = instance.status;
  if (status == InstanceStatus::running || status == InstanceStatus::stopped) return true;
  if (request.refreshImage && status != InstanceStatus::failed)
    throw Error(ErrorCode::Conflict,
                format("Workspace {} is {}. Try again when it is running or stopped.", instance.config.name, enumName(status)))
        .withRetryable(true)
        .withInstance(instance.id);
  return request.refreshImage;
}

}  // namespace

EntryPtr SwarmController::Impl::admit(const InstanceRef& ref) const {
  EntryPtr entry = require(ref.text);
  requireVersion(*entry, ref.versions);
  return entry;
}

awaitable<InstanceAndOperation> SwarmController::Impl::submit(InstanceRef ref, OperationParameters parameters, std::string actor) {
  EntryPtr entry = admit(ref);
  co_return resultOf(entry, co_await runner.submit(entry, std::move(parameters), std::move(actor)));
}

namespace {

/// Files can be copied from and to an instance that runs or is stopped.
void requireSettled(const Instance& instance) {
  bool settled = instance.status == InstanceStatus::running || instance.status == InstanceStatus::stopped;
  if (!instance.operationId.empty() || settled) return;  // the runner refuses a busy one
  throw Error(ErrorCode::Conflict, format("Workspace {} is {}. Start it first.", instance.config.name, enumName(instance.status)))
      .withInstance(instance.id);
}

}  // namespace

awaitable<InstanceAndOperation> SwarmController::Impl::migrateInstance(InstanceRef ref, MigrateRequest request, std::string actor) {
  EntryPtr entry = admit(ref);
  requireSettled(entry->instance());
  MigrateParameters parameters = migration.parametersFor(*entry, request);
  co_return resultOf(entry, co_await runner.submit(entry, std::move(parameters), std::move(actor)));
}

awaitable<MigrationPlan> SwarmController::Impl::planMigration(std::string ref, MigrateRequest request) {
  co_return co_await migration.plan(require(ref), std::move(request));
}

awaitable<InstanceAndOperation> SwarmController::Impl::takeSnapshot(InstanceRef ref, std::string name, std::string actor) {
  EntryPtr entry = admit(ref);
  requireSettled(entry->instance());
  SnapshotParameters parameters = snapshots.parametersForTaking(*entry, std::move(name));
  co_return resultOf(entry, co_await runner.submit(entry, std::move(parameters), std::move(actor)));
}

awaitable<InstanceAndOperation> SwarmController::Impl::restoreSnapshot(InstanceRef ref, std::string snapshot, std::string actor) {
  EntryPtr entry = admit(ref);
  // A failed instance is allowed, since a restore does not use its container.
  if (entry->instance().status != InstanceStatus::failed) requireSettled(entry->instance());
  RestoreParameters parameters = co_await snapshots.parametersForRestoring(entry, std::move(snapshot));
  requireVersion(*entry, ref.versions);  // it may have changed during the query
  co_return resultOf(entry, co_await runner.submit(entry, std::move(parameters), std::move(actor)));
}

awaitable<std::vector<Snapshot>> SwarmController::Impl::listSnapshots() { co_return snapshots.list(); }
awaitable<SnapshotList> SwarmController::Impl::listSnapshotsOf(std::string ref) { co_return co_await snapshots.listOf(require(ref)); }
awaitable<void> SwarmController::Impl::deleteSnapshot(std::string id) { co_await snapshots.remove(std::move(id)); }

awaitable<UpdateResult> SwarmController::Impl::updateInstance(InstanceRef ref, UpdateRequest request, std::string actor) {
  EntryPtr entry = admit(ref);
  const Instance& instance = entry->instance();
  if (entry->updating || !instance.operationId.empty())
    throw Error(ErrorCode::Conflict, format("Workspace {} is busy. Try again when its operation has ended.", instance.config.name))
        .withRetryable(true)
        .withInstance(instance.id);
  co_return co_await applyUpdate(std::move(entry), std::move(request), std::move(actor));
}

/// Applies what the provider can change in place; false: the instance must be recreated.
awaitable<bool> SwarmController::Impl::applyLive(EntryPtr entry, const InstanceConfig& config) {
  const InstanceConfig& old = entry->instance().config;
  Provider& provider = providerOf(*entry);
  Deadline deadline = Deadline::after(options.startTimeout);
  bool is_live = !differ(old.env, config.env);
  if (is_live && differ(old.network, config.network))
    is_live = co_await provider.configureNetwork(entry->placeId(), config.network, deadline) == AllocationEffect::Live;
  // Also before a replacement: the provider refuses limits here that it cannot provide, while the container still exists.
  if (differ(old.resources, config.resources))
    is_live = co_await provider.allocateResources(entry->placeId(), config.resources, deadline) == AllocationEffect::Live && is_live;
  co_return is_live;
}

/// From the provider's capabilities: a planned live change may still need a restart.
awaitable<UpdatePlan> SwarmController::Impl::planUpdate(std::string ref, UpdateRequest request) {
  EntryPtr entry = require(ref);
  const InstanceConfig old = entry->instance().config;
  InstanceConfig config = changedConfig(old, request);
  checkChange(*entry, config);
  UpdatePlan plan{"none", {}};
  bool is_there = touchesProvider(entry->instance(), request);
  bool new_limits = differ(old.resources, config.resources);
  bool needs_restart = request.refreshImage || differ(old.env, config.env) || differ(old.network, config.network) ||
                       old.resources.storage.size != config.resources.storage.size ||
                       (new_limits && !providerOf(*entry).getProviderCapabilities().supportsLiveResize);
  if (!is_there || (!needs_restart && !new_limits)) co_return plan;
  plan.effect = needs_restart ? "restart" : "live";
  if (!needs_restart) co_return plan;
  if (entry->instance().status == InstanceStatus::failed) co_return plan;  // there may be nothing at the provider
  auto drops = co_await providerOf(*entry).previewReplacement(entry->placeId(), Deadline::after(options.startTimeout));
  plan.drops = drops.value_or(ReplacementLoss{.files = 0, .more = true, .folders = {}});
  co_return plan;
}

/// Checks changed members only: the others may predate a rule.
void SwarmController::Impl::checkChange(const control::Entry& entry, const InstanceConfig& config) const {
  const InstanceConfig& old = entry.record.instance.config;
  bool new_network = differ(old.network, config.network);
  if (!new_network && !differ(old.resources, config.resources)) return;
  InstanceSpec requested;
  requested.instanceId = entry.placeId();
  requested.name = config.name;
  requested.owner = entry.record.instance.owner;
  requested.config.resources = config.resources;
  if (new_network) {
    requested.config.network = config.network;
  } else if (old.network.docker) {
    requested.config.network.docker.emplace().host = old.network.docker->host;
  }
  providerOf(entry).checkRequest(requested);
}

awaitable<UpdateResult> SwarmController::Impl::applyUpdate(EntryPtr entry, UpdateRequest request, std::string actor) {
  Instance& instance = entry->instance();
  InstanceConfig config = changedConfig(instance.config, request);
  checkChange(*entry, config);
  UpdateResult result;
  result.effect = "none";
  bool is_ours_alone = !differ(config.env, instance.config.env) && !differ(config.network, instance.config.network) &&
                       !differ(config.resources, instance.config.resources) && !request.refreshImage;
  bool touches_provider = !is_ours_alone && touchesProvider(instance, request);
  if (touches_provider) {
    bool is_live = false;
    if (instance.status != InstanceStatus::failed) {
      UpdatingGuard guard(entry);
      is_live = co_await applyLive(entry, config);
    }
    result.effect = is_live && !request.refreshImage ? "live" : "restart";
  }
  if (result.effect == "restart") {
    bool failed_running = instance.status == InstanceStatus::failed && instance.desired == InstanceStatus::running;
    UpdateParameters parameters;
    parameters.config = config;
    parameters.previous = instance.config;
    parameters.version = instance.version + 1;
    parameters.wasRunning = instance.status == InstanceStatus::running || failed_running;
    parameters.refreshImage = request.refreshImage;
    std::int64_t version = parameters.version;
    ActivePtr active = co_await runner.submit(entry, std::move(parameters), std::move(actor));
    instance.config = config;
    instance.version = version;
    result.operation = active->record;
  } else {
    UpdatingGuard guard(entry);
    InstanceRecord record = entry->record;
    record.instance.config = config;
    ++record.instance.version;
    if (touches_provider) record.instance.resources = config.resources;
    co_await store.updateInstance(record);
    instance.config = std::move(config);
    instance.version = record.instance.version;
    instance.resources = record.instance.resources;
    changed(*entry);
  }
  result.instance = instance;
  co_return result;
}

}  // namespace swarm
