// Lifecycle: what becomes of an instance whose operation failed or was cancelled.
#include "base/format.h"
#include "base/log.h"
#include "controller/agent_watch.h"
#include "controller/lifecycle.h"
#include "controller/migration.h"
#include "controller/reconcile.h"
#include "controller/snapshots.h"

namespace swarm::control {

awaitable<void> Lifecycle::undo(ActivePtr operation, Error error) {
  EntryPtr entry = operation->entry;
  bool by_a_person = operation->stop == StopReason::User || operation->record.cancelRequested;
  operation->fault("undo");
  if (operation->isUnanswered) co_return;
  switch (operation->record.kind) {
    case OperationKind::create:
      core_.breakConnections(*entry);
      co_await discard(operation);
      entry->instance().network = NetworkInfo{};
      core_.setStatus(*entry, InstanceStatus::failed, by_a_person ? "Its creation was cancelled. Start makes it anew." : error.message());
      break;
    case OperationKind::start:
    case OperationKind::restart:
      if (by_a_person) {
        co_await stopContainer(operation);
        entry->instance().desired = InstanceStatus::stopped;
        entry->instance().network = NetworkInfo{};
        core_.setStatus(*entry, InstanceStatus::stopped, "Its start was cancelled.");
      } else {
        core_.breakConnections(*entry);
        core_.setStatus(*entry, InstanceStatus::failed, error.message());
      }
      break;
    case OperationKind::stop:
      co_await describeAsObserved(
          operation, by_a_person ? std::string("Its stop was cancelled.") : format("It could not be stopped: {}", error.message()));
      break;
    case OperationKind::update:
      co_await undoUpdate(operation, error);
      break;
    case OperationKind::remove:
      co_await describeAsObserved(
          operation, by_a_person ? std::string("Its deletion was cancelled.") : format("It could not be deleted: {}", error.message()));
      break;
    case OperationKind::migrate:
      co_await migration_->undo(operation, error);
      break;
    case OperationKind::snapshot:
    case OperationKind::restore:
      co_await snapshots_->undo(operation, error);
      break;
  }
}

/// A failed create leaves its row and its reason, and nothing at the provider but volumes that were there before.
awaitable<void> Lifecycle::discard(ActivePtr operation) {
  EntryPtr entry = operation->entry;
  operation->step(Step::CleanUp);
  std::optional<Error> failure;
  try {
    Provider& provider = core_.providerOf(*entry);
    Deadline deadline = Deadline::after(std::chrono::seconds(60));
    if (operation->resumed) co_await provider.settle(core_.specOf(*entry), deadline);
    co_await provider.deleteInstance(entry->placeId(), DeleteVolumes::No, entry->record.external, *operation, deadline);
    operation->fault("discarded");
    auto volumes = co_await provider.listVolumes(deadline);
    // First forgotten, then removed: a volume that is recorded and not there counts as lost with its files.
    auto external = entry->record.external;
    for (const ExternalResource& resource : external) co_await core_.store.forgetExternal(entry->id(), resource);
    entry->record.external.clear();
    for (const VolumeInfo& volume : volumes)
      if (volume.instanceId == entry->placeId() && !volume.inUse) co_await provider.deleteVolume(volume.name, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return;
  if (failure->code() == ErrorCode::Cancelled) throw *failure;
  operation->endStep(OperationStatus::failed);
  log::warning("what a failed create made could not be removed; delete the instance to remove it",
               {{"operation", operation->record.id}, {"instance", entry->id()}, {"error", failure->message()}});
}

/// Falls back to what the provider says; when it says nothing, the instance is failed with the reason.
awaitable<void> Lifecycle::describeAsObserved(ActivePtr operation, std::string reason) {
  EntryPtr entry = operation->entry;
  std::optional<ProviderInstance> observed;
  try {
    observed = co_await core_.providerOf(*entry).getInstance(entry->placeId(), Deadline::after(std::chrono::seconds(30)));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
  }
  if (!observed) {
    entry->instance().desired = InstanceStatus::stopped;
    core_.setStatus(*entry, InstanceStatus::failed, reason);
    co_return;
  }
  bool runs = observed->status == InstanceStatus::running;
  entry->instance().desired = runs ? InstanceStatus::running : InstanceStatus::stopped;
  reconciler_->adoptFacts(*entry, *observed);
  InstanceStatus status = runs || observed->status == InstanceStatus::failed ? observed->status : InstanceStatus::stopped;
  core_.setStatus(*entry, status, reason);
}

}  // namespace swarm::control
