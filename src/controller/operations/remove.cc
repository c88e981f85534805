// Remove ("delete"): removes the container, its volumes if requested, all other places, and the row.
#include "base/text/format.h"
#include "controller/operations/retrying.h"
#include "controller/operations/table.h"
#include "controller/state/places.h"

namespace swarm::control {
namespace {

class Remove final : public HandlerOf<RemoveParameters> {
 public:
  using HandlerOf::HandlerOf;

  bool supersedes() const override { return true; }
  /// Deleting the row is its last step.
  OperationStatus statusWithoutInstance() const override { return OperationStatus::succeeded; }

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    DeleteVolumes volumes = parametersOf(operation).volumes ? DeleteVolumes::Yes : DeleteVolumes::No;
    entry->instance().desired = InstanceStatus::deleted;
    core_.setStatus(*entry, InstanceStatus::deleting, "");
    core_.breakConnections(*entry);
    std::function<awaitable<bool>()> call = [this, operation, volumes] { return removeContainer(operation, volumes); };
    co_await lifecycle_.retrying<bool>(operation, Lifecycle::Patience::Endless, call);
    operation->cancellable = false;
    operation->fault("deleted");
    co_await tools_.places.discardAllOf(entry->id(), volumes == DeleteVolumes::Yes ? Places::Snapshots::Go : Places::Snapshots::Stay);
    Departure departure{entry->placeId(), entry->instance().owner, entry->instance().provider, volumes, operation->record.createdAt};
    co_await core_.forgetRow(*entry, departure);
    core_.departed[departure.instanceId] = departure;
    operation->fault("forgotten");
    entry->instance().status = InstanceStatus::deleted;
    core_.changed(*entry);
    core_.remove(entry);
  }

  awaitable<void> undo(ActivePtr operation, Error error) override {
    std::string reason = operation->record.cancelRequested ? "The deletion was cancelled."
                                                           : format("The workspace could not be deleted: {}", error.message());
    return lifecycle_.describeAsObserved(std::move(operation), std::move(reason));
  }

 private:
  /// Returns true; a container that does not exist counts as removed.
  awaitable<bool> removeContainer(ActivePtr operation, DeleteVolumes volumes) {
    EntryPtr entry = operation->entry;
    operation->cancellable = false;
    std::optional<Error> failure;
    Deadline deadline = Deadline::after(core_.options.startTimeout);
    try {
      if (operation->resumed) co_await core_.providerOf(*entry).settle(core_.specOf(*entry), deadline);
      co_await core_.providerOf(*entry).deleteInstance(entry->placeId(), volumes, entry->record.external, *operation, deadline);
    } catch (const Error& error) {
      failure = error;
    }
    operation->cancellable = true;  // the user may cancel while the provider is unreachable
    if (failure && failure->code() != ErrorCode::NotFound) throw *failure;
    co_return true;
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeRemove(const OperationTools& tools) { return std::make_unique<Remove>(tools); }

}  // namespace swarm::control
