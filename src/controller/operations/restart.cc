// Restart: a stop and a start; a crash in between does not repeat the stop.
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"

namespace swarm::control {
namespace {

class Restart final : public HandlerOf<RestartParameters> {
 public:
  using HandlerOf::HandlerOf;

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    entry->instance().desired = InstanceStatus::running;
    if (!parametersOf(operation).stopped) {
      operation->cancellable = false;
      co_await lifecycle_.stopContainer(operation);
      parametersOf(operation).stopped = true;  // after a crash from here on, the operation continues with the start
      co_await operation->settle();
      co_await context_.store.updateOperation(operation->record);
      operation->cancellable = true;
    }
    context_.changes.setStatus(*entry, InstanceStatus::starting, "");
    co_await lifecycle_.startContainer(operation);
    co_await lifecycle_.bringUpOrFail(operation);
  }

  awaitable<void> undo(ActivePtr operation, Error error) override { return lifecycle_.undoStart(std::move(operation), std::move(error)); }

 private:
  PlacedClaims needsOf(const Entry& entry, const RestartParameters&) const override { return {context_.limits.running(entry)}; }
};

}  // namespace

std::unique_ptr<OperationHandler> makeRestart(const OperationTools& tools) { return std::make_unique<Restart>(tools); }

}  // namespace swarm::control
