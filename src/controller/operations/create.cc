// Create: the container and the volumes of a new instance.
#include "base/diagnostics/log.h"
#include "controller/agents/agent_settings.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"
#include "controller/state/facts.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kDiscardTimeout{60};

class Create final : public HandlerOf<CreateParameters> {
 public:
  using HandlerOf::HandlerOf;

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    context_.changes.setStatus(*entry, InstanceStatus::creating, "");
    auto call = [this, operation, entry] {
      return context_.providers.of(*entry).createInstance(specOf(context_, *entry), *operation,
                                                          Deadline::after(context_.options.createTimeout));
    };
    ProviderInstance made = co_await lifecycle_.retrying(operation, call);
    operation->fault("made");
    adoptFacts(context_, *entry, made);
    co_await lifecycle_.bringUpOrFail(operation);
  }

  /// Leaves the row, with its reason, and at the provider only volumes that existed before.
  awaitable<void> undo(ActivePtr operation, Error error) override {
    EntryPtr entry = operation->entry;
    context_.routes.breakConnections(*entry);
    co_await discard(operation);
    entry->instance().network = NetworkInfo{};
    bool by_user = operation->record.cancelRequested;
    context_.changes.setStatus(*entry, InstanceStatus::failed,
                               by_user ? "The creation was cancelled. Start the workspace to create it again." : error.message());
  }

 private:
  PlacedClaims needsOf(const Entry& entry, const CreateParameters&) const override { return {context_.limits.running(entry)}; }

  awaitable<void> discard(ActivePtr operation) {
    operation->step(Step::CleanUp);
    auto removed = co_await attemptUnlessCancelled(removeCreated(operation));
    if (removed) operation->entry->occupies = false;
    if (removed) co_return;
    operation->endStep(OperationStatus::failed);
    log::warning("resources of a failed create could not be removed; delete the instance to remove them",
                 {{"operation", operation->record.id}, {"instance", operation->entry->id()}, {"error", removed.error().message()}});
  }

  awaitable<void> removeCreated(ActivePtr operation) {
    EntryPtr entry = operation->entry;
    Provider& provider = context_.providers.of(*entry);
    Deadline deadline = Deadline::after(kDiscardTimeout);
    if (operation->resumed) co_await provider.settle(specOf(context_, *entry), deadline);
    co_await provider.deleteInstance(entry->placeId(), DeleteVolumes::No, entry->record.external, *operation, deadline);
    operation->fault("discarded");
    auto volumes = co_await provider.listVolumes(deadline);
    // The record is deleted before the volume: a recorded volume that does not exist counts as lost with its files.
    auto external = entry->record.external;
    for (const ExternalResource& resource : external) co_await context_.store.forgetExternal(entry->id(), resource);
    entry->record.external.clear();
    for (const VolumeInfo& volume : volumes)
      if (volume.placeId == entry->placeId() && !volume.inUse) co_await provider.deleteVolume(volume.name, deadline);
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeCreate(const OperationTools& tools) { return std::make_unique<Create>(tools); }

}  // namespace swarm::control
