// SwarmController: requests that change an instance, a snapshot or an operation.
#include "base/text/format.h"
#include "controller/impl.h"
#include "controller/state/facts.h"
#include "model/codec/codec.h"

namespace swarm {

using control::EntryPtr;

namespace {

void requireVersion(const control::Entry& entry, const VersionCondition& versions) {
  const Instance& instance = entry.record.instance;
  if (versions.admits(instance.version)) return;
  throw Error(ErrorCode::PreconditionFailed,
              format("Workspace {} is at version {}, for which the request is not valid. Nothing was changed. "
                     "Read the workspace again before you repeat the request.",
                     instance.config.name, instance.version))
      .withInstance(instance.id.str());
}

EntryPtr admit(const control::Registry& registry, const InstanceRef& ref) {
  EntryPtr entry = registry.require(ref.text);
  requireVersion(*entry, ref.versions);
  return entry;
}

/// Files can be copied from and to an instance that runs or is stopped.
void requireSettled(const Instance& instance) {
  bool settled = instance.status == InstanceStatus::running || instance.status == InstanceStatus::stopped;
  if (!instance.operationId.empty() || settled) return;  // the runner refuses a busy one
  throw Error(ErrorCode::Conflict, format("Workspace {} is {}. Start it first.", instance.config.name, enumName(instance.status)))
      .withInstance(instance.id.str());
}

awaitable<InstanceAndOperation> submitTo(control::OperationRunner& runner, EntryPtr entry, OperationParameters parameters, Actor actor) {
  control::ActivePtr active = co_await runner.submit(entry, std::move(parameters), std::move(actor));
  co_return InstanceAndOperation{entry->record.instance, active->record};
}

}  // namespace

awaitable<InstanceAndOperation> SwarmController::createInstance(CreateRequest request) {
  return onLoop([=](Impl& impl) { return impl.creation.create(request); });
}

/// For kinds that need no preparation.
awaitable<InstanceAndOperation> SwarmController::submit(InstanceRef ref, OperationParameters parameters, Actor actor) {
  return onLoop([=](Impl& impl) { return submitTo(impl.runner, admit(impl.registry, ref), parameters, actor); });
}
awaitable<InstanceAndOperation> SwarmController::startInstance(InstanceRef ref, Actor actor, EmptyVolumes empty) {
  return submit(std::move(ref), StartParameters{.emptyVolumes = empty == EmptyVolumes::Yes}, std::move(actor));
}
awaitable<InstanceAndOperation> SwarmController::stopInstance(InstanceRef ref, Actor actor) {
  return submit(std::move(ref), StopParameters{}, std::move(actor));
}
awaitable<InstanceAndOperation> SwarmController::restartInstance(InstanceRef ref, Actor actor) {
  return submit(std::move(ref), RestartParameters{}, std::move(actor));
}
awaitable<InstanceAndOperation> SwarmController::deleteInstance(InstanceRef ref, DeleteVolumes volumes, Actor actor) {
  return submit(std::move(ref), RemoveParameters{.volumes = volumes == DeleteVolumes::Yes}, std::move(actor));
}

awaitable<UpdateResult> SwarmController::updateInstance(InstanceRef ref, UpdateRequest request, Actor actor) {
  return onLoop([=](Impl& impl) { return impl.updates.update(admit(impl.registry, ref), request, actor); });
}

awaitable<Instance> SwarmController::handOver(InstanceRef ref, std::string from, std::string owner, Actor actor) {
  return onLoop([=](Impl& impl) { return impl.updates.handOver(admit(impl.registry, ref), from, owner, actor); });
}

awaitable<void> SwarmController::setPort(std::string ref, std::uint16_t port, PortRule rule) {
  return onLoop([=](Impl& impl) { return impl.ports.set(impl.registry.require(ref), port, rule); });
}

awaitable<void> SwarmController::endExpiredPorts() {
  return onLoop([](Impl& impl) { return impl.ports.endExpired(); });
}

awaitable<UpdatePlan> SwarmController::planUpdate(std::string ref, UpdateRequest request) {
  return onLoop([=](Impl& impl) { return impl.updates.plan(impl.registry.require(ref), request); });
}

awaitable<InstanceAndOperation> SwarmController::migrateInstance(InstanceRef ref, MigrateRequest request, Actor actor) {
  return onLoop([=](Impl& impl) mutable -> awaitable<InstanceAndOperation> {
    EntryPtr entry = admit(impl.registry, ref);
    co_await control::adoptVolumes(impl.context, entry);
    requireSettled(entry->instance());
    MigrateParameters parameters = impl.migration.parametersFor(*entry, request);
    co_return co_await submitTo(impl.runner, std::move(entry), std::move(parameters), std::move(actor));
  });
}

awaitable<MigrationPlan> SwarmController::planMigration(std::string ref, MigrateRequest request) {
  return onLoop([=](Impl& impl) -> awaitable<MigrationPlan> {
    EntryPtr entry = impl.registry.require(ref);
    co_await control::adoptVolumes(impl.context, entry);
    co_return co_await impl.migration.plan(std::move(entry), request);
  });
}

awaitable<InstanceAndOperation> SwarmController::takeSnapshot(InstanceRef ref, std::string name, Actor actor) {
  return onLoop([=](Impl& impl) mutable -> awaitable<InstanceAndOperation> {
    EntryPtr entry = admit(impl.registry, ref);
    co_await control::adoptVolumes(impl.context, entry);
    requireSettled(entry->instance());
    SnapshotParameters parameters = impl.snapshots.parametersForTaking(*entry, std::move(name));
    co_return co_await submitTo(impl.runner, std::move(entry), std::move(parameters), std::move(actor));
  });
}

awaitable<InstanceAndOperation> SwarmController::restoreSnapshot(InstanceRef ref, std::string snapshot, Actor actor) {
  return onLoop([=](Impl& impl) mutable -> awaitable<InstanceAndOperation> {
    EntryPtr entry = admit(impl.registry, ref);
    // A failed instance is allowed, since a restore does not use its container.
    if (entry->instance().status != InstanceStatus::failed) requireSettled(entry->instance());
    RestoreParameters parameters = co_await impl.snapshots.parametersForRestoring(entry, std::move(snapshot));
    requireVersion(*entry, ref.versions);  // it may have changed during the query
    co_return co_await submitTo(impl.runner, std::move(entry), std::move(parameters), std::move(actor));
  });
}

awaitable<void> SwarmController::deleteSnapshot(std::string id) {
  return onLoop([=](Impl& impl) { return impl.snapshots.remove(id); });
}

awaitable<Operation> SwarmController::cancelOperation(std::string id) {
  return onLoop([=](Impl& impl) { return impl.runner.cancel(id); });
}

}  // namespace swarm
