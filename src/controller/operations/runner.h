// OperationRunner: the journal of operations: durable intent, one at a time for each instance, cancellation, ends that are told.
#pragma once

#include "controller/operations/table.h"

namespace swarm::control {

class OperationRunner {
 public:
  /// `after_each` is called at the end of every operation whose instance is still there.
  OperationRunner(Core& core, const OperationTools& tools, std::function<void(EntryPtr)> after_each)
      : core_(core), table_(tools), after_each_(std::move(after_each)) {}

  /// Writes the intent and runs it in the background. Gives the operation in progress when the request joins that (handler.h). Throws
  /// Conflict while there is another one, which the request does not supersede.
  awaitable<ActivePtr> submit(EntryPtr entry, OperationParameters parameters, std::string actor);
  /// For createInstance: instance and operation in one transaction. The name must be reserved.
  awaitable<ActivePtr> submitCreate(EntryPtr entry, OperationRecord operation);
  /// Goes on with what an earlier life of the server left unfinished.
  awaitable<void> resumeAll();

  awaitable<std::optional<Operation>> get(std::string id);
  awaitable<std::vector<Operation>> list(OperationFilter filter);
  awaitable<Operation> cancel(std::string id);
  awaitable<Operation> wait(std::string id, Deadline deadline);
  /// Waits at most `grace` for what runs, then cuts it off; it goes on in the next life.
  awaitable<void> close(std::chrono::seconds grace);

  OperationRecord make(const Entry& entry, OperationParameters parameters, std::string actor) const;

 private:
  void begin(ActivePtr operation, ActivePtr predecessor);
  awaitable<void> run(ActivePtr operation, ActivePtr predecessor);
  awaitable<std::optional<Error>> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);
  awaitable<void> finish(ActivePtr operation);
  void leave(ActivePtr operation);

  Core& core_;
  OperationTable table_;
  std::function<void(EntryPtr)> after_each_;
};

}  // namespace swarm::control
