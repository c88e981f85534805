// Stop: stops the container; container and volumes stay.
#include "base/text/format.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/table.h"
#include "controller/reconcile/lost_volumes.h"

namespace swarm::control {
namespace {

class Stop final : public HandlerOf<StopParameters> {
 public:
  using HandlerOf::HandlerOf;

  awaitable<void> perform(ActivePtr operation) override {
    EntryPtr entry = operation->entry;
    entry->instance().desired = InstanceStatus::stopped;
    bool existed = co_await lifecycle_.stopContainer(operation);
    operation->cancellable = false;
    entry->instance().network = NetworkInfo{};
    if (existed) {
      context_.changes.setStatus(*entry, InstanceStatus::stopped, "");
    } else {
      std::string description = co_await describeMissingContainer(context_, entry);
      context_.changes.setStatus(*entry, InstanceStatus::failed, std::move(description));
    }
  }

  awaitable<void> undo(ActivePtr operation, Error error) override {
    std::string reason =
        operation->record.cancelRequested ? "The stop was cancelled." : format("The workspace could not be stopped: {}", error.message());
    return lifecycle_.describeAsObserved(std::move(operation), std::move(reason));
  }
};

}  // namespace

std::unique_ptr<OperationHandler> makeStop(const OperationTools& tools) { return std::make_unique<Stop>(tools); }

}  // namespace swarm::control
