// Remove ("delete"): removes the container, its volumes if requested, all other places, and the row.
#include "base/text/format.h"
#include "controller/agents/agent_settings.h"
#include "controller/operations/lifecycle.h"
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
    context_.changes.setStatus(*entry, InstanceStatus::deleting, "");
    context_.routes.breakConnections(*entry);
    co_await lifecycle_.retrying(
        operation, [this, operation, volumes] { return removeContainer(operation, volumes); }, Lifecycle::Patience::Endless);
    operation->cancellable = false;
    operation->fault("deleted");
    co_await tools_.places.discardAllOf(entry->id(), volumes == DeleteVolumes::Yes ? Places::Snapshots::Go : Places::Snapshots::Stay);
    Departure departure{entry->placeId(), entry->instance().owner, entry->instance().provider, volumes, operation->record.createdAt};
    co_await forgetRow(*entry, departure);
    context_.registry.depart(departure);
    operation->fault("forgotten");
    entry->instance().status = InstanceStatus::deleted;
    context_.changes.changed(*entry);
    entry->removed = true;
    context_.routes.breakConnections(*entry);
    context_.registry.remove(entry);
  }

  awaitable<void> undo(ActivePtr operation, Error error) override {
    std::string reason = operation->record.cancelRequested ? "The deletion was cancelled."
                                                           : format("The workspace could not be deleted: {}", error.message());
    return lifecycle_.describeAsObserved(std::move(operation), std::move(reason));
  }

 private:
  /// Reserves the name for its owner.
  awaitable<void> forgetRow(const Entry& entry, Departure departure) {
    const Instance& instance = entry.record.instance;
    std::optional<NameHold> hold;
    const auto duration = context_.options.nameHold;
    if (duration.count() > 0) hold = NameHold{instance.config.name, instance.owner, context_.clock.now() + duration};
    co_await context_.store.deleteInstanceRow(instance.id, std::move(departure), hold);
    if (hold) context_.registry.hold(*hold);
  }

  /// A container that does not exist counts as removed.
  awaitable<void> removeContainer(ActivePtr operation, DeleteVolumes volumes) {
    EntryPtr entry = operation->entry;
    operation->cancellable = false;
    auto settle_and_delete = [&]() -> awaitable<void> {
      Provider& provider = context_.providers.of(*entry);
      Deadline deadline = Deadline::after(context_.options.startTimeout);
      if (operation->resumed) co_await provider.settle(specOf(context_, *entry), deadline);
      co_await provider.deleteInstance(entry->placeId(), volumes, entry->record.external, *operation, deadline);
    };
    auto removed = co_await attempt(settle_and_delete());
    operation->cancellable = true;  // the user may cancel while the provider is unreachable
    if (!removed && removed.error().code() != ErrorCode::NotFound) throw removed.error();
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeRemove(const OperationTools& tools) { return std::make_unique<Remove>(tools); }

}  // namespace swarm::control
