// Start: starts the container, or recreates it around its volumes.
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"

namespace swarm::control {
namespace {

class Start final : public HandlerOf<StartParameters> {
 public:
  using HandlerOf::HandlerOf;

  /// A create in progress starts the instance, too.
  bool joins(const Operation& running) const override { return running.kind == kind() || running.kind == OperationKind::create; }

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    entry->instance().desired = InstanceStatus::running;
    context_.changes.setStatus(*entry, InstanceStatus::starting, "");
    co_await lifecycle_.startContainer(operation, parametersOf(operation).emptyVolumes ? EmptyVolumes::Yes : EmptyVolumes::No);
    co_await lifecycle_.bringUpOrFail(operation);
  }

  awaitable<void> undo(ActivePtr operation, Error error) override { return lifecycle_.undoStart(std::move(operation), std::move(error)); }

 private:
  PlacedClaims needsOf(const Entry& entry, const StartParameters&) const override { return {context_.limits.running(entry)}; }
};

}  // namespace

std::unique_ptr<OperationHandler> makeStart(const OperationTools& tools) { return std::make_unique<Start>(tools); }

}  // namespace swarm::control
