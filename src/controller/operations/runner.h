// OperationRunner: the journal of operations: durable intent, one operation at a time per instance, cancellation, published results.
#pragma once

#include "controller/operations/table.h"

namespace swarm::control {

class OperationRunner {
 public:
  /// `after_each` is called after each operation whose instance still exists.
  OperationRunner(const Context& context, const OperationTools& tools, std::function<void(EntryPtr)> after_each)
      : context_(context), table_(tools), after_each_(std::move(after_each)) {}

  /// Writes the intent and runs the operation in the background. Returns the operation in progress when the request joins it (handler.h).
  /// Throws Conflict while another one is in progress that the request does not supersede, and what Limits::reserve() throws.
  awaitable<ActivePtr> submit(EntryPtr entry, OperationParameters parameters, Actor actor);
  /// For createInstance: instance and operation in one transaction. The name must be reserved, and what the instance will hold.
  awaitable<ActivePtr> submitCreate(EntryPtr entry, OperationRecord operation, Reservation reservation);
  /// Continues the operations that the server's last run left unfinished.
  awaitable<void> resumeAll();

  awaitable<std::optional<Operation>> get(std::string id);
  awaitable<std::vector<Operation>> list(OperationFilter filter);
  awaitable<Operation> cancel(std::string id);
  awaitable<Operation> wait(std::string id, Deadline deadline);
  /// Waits at most `grace` for running operations, then interrupts them; they continue at the server's next run.
  awaitable<void> close(std::chrono::seconds grace);

  OperationRecord make(const Entry& entry, OperationParameters parameters, const Actor& actor) const;

 private:
  void begin(ActivePtr operation, ActivePtr predecessor);
  awaitable<void> run(ActivePtr operation, ActivePtr predecessor);
  awaitable<std::optional<Error>> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);
  awaitable<void> finish(ActivePtr operation);
  void leave(ActivePtr operation);

  const Context& context_;
  OperationTable table_;
  std::function<void(EntryPtr)> after_each_;
};

}  // namespace swarm::control
