// SwarmController: the thread-safe interface; each call runs on the control loop and resumes on the caller's executor.
#include "controller/controller.h"

#include <boost/asio/post.hpp>

#include "base/diagnostics/log.h"
#include "base/id.h"
#include "controller/impl.h"
#include "model/codec/codec.h"
#include "protocol/ed25519.h"

namespace swarm {

using control::EntryPtr;

SwarmController::Impl::Impl(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time,
                            ControllerOptions chosen)
    : Core(std::move(control_loop), durable, std::move(all), time, std::move(chosen)),
      placement(control::makePlacement(options.placement, options.defaultProvider)),
      agents(*this),
      placesElsewhere(*this),
      lifecycle(*this, agents),
      migration(*this, placesElsewhere),
      snapshots(*this, placesElsewhere),
      runner(*this, {*this, lifecycle, placesElsewhere, migration},
             [this](control::EntryPtr entry) { reconciler.afterOperation(std::move(entry)); }),
      reconciler(*this, agents, runner),
      issuedTokens(*this) {}

awaitable<void> SwarmController::Impl::open() {
  std::vector<InstanceRecord> records = co_await store.loadInstances();
  for (const UserRecord& user : co_await store.listUsers()) {
    if (user.git != GitIdentity{}) gitIdentities[user.name] = user.git;
  }
  for (InstanceRecord& record : records) {
    if (record.agentKey.empty()) {  // durable before an agent receives it
      record.agentKey = Secret(toHex(randomBytes(ed25519::kSeedBytes)));
      co_await store.updateInstance(record);
    }
    auto entry = std::make_shared<control::Entry>();
    entry->record = std::move(record);
    entry->instance().operationId.clear();
    entry->instance().url = urlOf(entry->instance().config.name);  // the server's address may have changed since its last run
    entry->instance().stale = true;                                // until the provider has reported it
    add(std::move(entry));
  }
  co_await store.pruneNameHolds(clock.now());
  for (NameHold& hold : co_await store.loadNameHolds()) heldNames[hold.name] = std::move(hold);
  co_await placesElsewhere.load();
  auto gone = co_await store.loadDepartures();
  for (Departure& departure : gone) departed[departure.instanceId] = std::move(departure);
  routes.onDoubt([weak = weak_from_this()](const std::string& id) {
    auto self = std::static_pointer_cast<Impl>(weak.lock());
    if (self) boost::asio::post(self->executor, [self, id] { self->agents.noteTrouble(id); });
  });
  routes.onUse([weak = weak_from_this()](const std::string& id) {
    auto self = std::static_pointer_cast<Impl>(weak.lock());
    if (self) boost::asio::post(self->executor, [self, id] { self->agents.noteUse(id); });
  });
  log::info("controller opened", {{"instances", instances.size()}});
  for (auto& [type, provider] : providers) co_await openProvider(type);
  co_await runner.resumeAll();
  placesElsewhere.begin();
  reconciler.begin();
}

awaitable<void> SwarmController::Impl::openProvider(ProviderType type) {
  std::weak_ptr<Core> weak = weak_from_this();
  co_await providers.at(type)->open([weak, type](const ProviderEvent& event) {
    if (auto self = std::static_pointer_cast<Impl>(weak.lock())) self->reconciler.onEvent(type, event);
  });
}

awaitable<void> SwarmController::Impl::close(std::chrono::seconds grace) {
  closing = true;
  co_await runner.close(grace);
  co_await stopTasks();
  for (auto& [type, provider] : providers) co_await provider->close();
}

namespace {

/// Runs one call on the control loop; keeps `impl` alive until it ends.
template <typename T, typename Impl>
awaitable<T> onLoop(std::shared_ptr<Impl> impl, awaitable<T> work) {
  async::Executor executor = impl->executor;
  return async::runOn(std::move(executor), control::holding<T>(std::move(impl), std::move(work)));
}

}  // namespace

SwarmController::SwarmController(async::Executor control_loop, Store& store, std::map<ProviderType, ProviderPtr> providers,
                                 const Clock& clock, ControllerOptions options)
    : impl_(std::make_shared<Impl>(std::move(control_loop), store, std::move(providers), clock, std::move(options))) {}

SwarmController::~SwarmController() = default;

awaitable<void> SwarmController::open() { return onLoop(impl_, impl_->open()); }
awaitable<void> SwarmController::close(std::chrono::seconds grace) { return onLoop(impl_, impl_->close(grace)); }
awaitable<InstanceAndOperation> SwarmController::createInstance(CreateRequest request) {
  return onLoop(impl_, impl_->createInstance(std::move(request)));
}
awaitable<std::optional<Instance>> SwarmController::getInstance(std::string ref) {
  return onLoop(impl_, impl_->getInstance(std::move(ref)));
}
awaitable<InstancePage> SwarmController::listInstances(InstanceQuery query) {
  return onLoop(impl_, impl_->listInstances(std::move(query)));
}
awaitable<UpdateResult> SwarmController::updateInstance(InstanceRef ref, UpdateRequest request, std::string actor) {
  return onLoop(impl_, impl_->updateInstance(std::move(ref), std::move(request), std::move(actor)));
}
awaitable<UpdatePlan> SwarmController::planUpdate(std::string ref, UpdateRequest request) {
  return onLoop(impl_, impl_->planUpdate(std::move(ref), std::move(request)));
}
awaitable<InstanceAndOperation> SwarmController::startInstance(InstanceRef ref, std::string actor, EmptyVolumes empty) {
  return onLoop(impl_, impl_->submit(std::move(ref), StartParameters{.emptyVolumes = empty == EmptyVolumes::Yes}, std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::stopInstance(InstanceRef ref, std::string actor) {
  return onLoop(impl_, impl_->submit(std::move(ref), StopParameters{}, std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::restartInstance(InstanceRef ref, std::string actor) {
  return onLoop(impl_, impl_->submit(std::move(ref), RestartParameters{}, std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::deleteInstance(InstanceRef ref, DeleteVolumes volumes, std::string actor) {
  return onLoop(impl_, impl_->submit(std::move(ref), RemoveParameters{.volumes = volumes == DeleteVolumes::Yes}, std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::migrateInstance(InstanceRef ref, MigrateRequest request, std::string actor) {
  return onLoop(impl_, impl_->migrateInstance(std::move(ref), std::move(request), std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::takeSnapshot(InstanceRef ref, std::string name, std::string actor) {
  return onLoop(impl_, impl_->takeSnapshot(std::move(ref), std::move(name), std::move(actor)));
}
awaitable<InstanceAndOperation> SwarmController::restoreSnapshot(InstanceRef ref, std::string snapshot, std::string actor) {
  return onLoop(impl_, impl_->restoreSnapshot(std::move(ref), std::move(snapshot), std::move(actor)));
}
awaitable<std::vector<Snapshot>> SwarmController::listSnapshots() { return onLoop(impl_, impl_->listSnapshots()); }
awaitable<SnapshotList> SwarmController::listSnapshotsOf(std::string ref) { return onLoop(impl_, impl_->listSnapshotsOf(std::move(ref))); }
awaitable<void> SwarmController::deleteSnapshot(std::string id) { return onLoop(impl_, impl_->deleteSnapshot(std::move(id))); }
awaitable<MigrationPlan> SwarmController::planMigration(std::string ref, MigrateRequest request) {
  return onLoop(impl_, impl_->planMigration(std::move(ref), std::move(request)));
}
awaitable<std::optional<Operation>> SwarmController::getOperation(std::string id) {
  return onLoop(impl_, impl_->runner.get(std::move(id)));
}
awaitable<std::vector<Operation>> SwarmController::listOperations(OperationFilter filter) {
  return onLoop(impl_, impl_->runner.list(std::move(filter)));
}
awaitable<Operation> SwarmController::cancelOperation(std::string id) { return onLoop(impl_, impl_->runner.cancel(std::move(id))); }
awaitable<Operation> SwarmController::waitForOperation(std::string id, Deadline deadline) {
  return onLoop(impl_, impl_->runner.wait(std::move(id), deadline));
}
awaitable<SwarmController::EndedOperations> SwarmController::countEndedOperations() { return onLoop(impl_, impl_->countEndedOperations()); }
awaitable<CommandResult> SwarmController::executeCommand(std::string ref, std::vector<std::string> command, std::string stdin_text,
                                                         Deadline deadline) {
  return onLoop(impl_, impl_->executeCommand(std::move(ref), std::move(command), std::move(stdin_text), deadline));
}
awaitable<ResourceUsage> SwarmController::getResourceUsage(std::string ref) {
  return onLoop(impl_, impl_->getResourceUsage(std::move(ref)));
}
awaitable<NetworkInfo> SwarmController::getNetworkInfo(std::string ref) { return onLoop(impl_, impl_->getNetworkInfo(std::move(ref))); }
awaitable<agent::AgentTarget> SwarmController::agentTarget(std::string ref) { return onLoop(impl_, impl_->agentTarget(std::move(ref))); }
awaitable<void> SwarmController::noteIssuedToken(std::string ref, std::string session, SystemTime expires_at,
                                                 std::function<bool()> is_valid) {
  return onLoop(impl_, impl_->noteIssuedToken(std::move(ref), std::move(session), expires_at, std::move(is_valid)));
}
std::function<void()> SwarmController::sessionListener() const {
  return [weak = std::weak_ptr<Impl>(impl_)] {
    if (auto impl = weak.lock()) boost::asio::post(impl->executor, [impl] { impl->issuedTokens.check(); });
  };
}
awaitable<void> SwarmController::setGitIdentity(std::string user, GitIdentity identity) {
  return onLoop(impl_, impl_->setGitIdentity(std::move(user), std::move(identity)));
}
awaitable<GitIdentity> SwarmController::gitIdentity(std::string user) { return onLoop(impl_, impl_->gitIdentity(std::move(user))); }
awaitable<std::unique_ptr<LogSource::Reader>> SwarmController::openLogs(std::string ref, LogSource::Options options) {
  return onLoop(impl_, impl_->openLogs(std::move(ref), options));
}
awaitable<std::vector<NameHold>> SwarmController::listNameHolds() { return onLoop(impl_, impl_->listNameHolds()); }
awaitable<void> SwarmController::releaseName(std::string name) { return onLoop(impl_, impl_->releaseName(std::move(name))); }
awaitable<std::vector<VolumeInfo>> SwarmController::listVolumes() { return onLoop(impl_, impl_->listVolumes()); }
awaitable<void> SwarmController::deleteVolume(std::string name) { return onLoop(impl_, impl_->deleteVolume(std::move(name))); }
awaitable<std::vector<SwarmController::ProviderDetails>> SwarmController::listProviders() { return onLoop(impl_, impl_->listProviders()); }
awaitable<std::vector<ValidationCheck>> SwarmController::validateProvider(std::function<ProviderPtr()> make) {
  return onLoop(impl_, impl_->validateProvider(std::move(make)));
}
awaitable<std::vector<ValidationCheck>> SwarmController::validateProvider(ProviderType type) {
  return onLoop(impl_, impl_->validateProvider(type));
}
awaitable<SwarmStatus> SwarmController::getSwarmStatus() { return onLoop(impl_, impl_->getSwarmStatus()); }

void SwarmController::noteAgentTrouble(std::string instance_id) {
  boost::asio::post(impl_->executor, [impl = impl_, id = std::move(instance_id)] { impl->agents.noteTrouble(id); });
}

RouteSource& SwarmController::routes() { return impl_->routes; }
EventBus& SwarmController::events() { return impl_->bus; }

}  // namespace swarm
