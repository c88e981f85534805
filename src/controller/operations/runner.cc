// OperationRunner: submit, run, finish, resume, cancel.
#include "controller/operations/runner.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::control {

OperationRecord OperationRunner::make(const Entry& entry, OperationParameters parameters, const Actor& actor) const {
  const Instance& instance = entry.record.instance;
  OperationRecord operation;
  operation.id = newId("op");
  operation.kind = kindOf(parameters);
  operation.instanceId = instance.id;
  operation.instanceName = instance.config.name;
  operation.owner = instance.owner;
  operation.actor = actor.name;
  operation.createdAt = context_.clock.now();
  operation.updatedAt = operation.createdAt;
  operation.parameters = std::move(parameters);
  return operation;
}

awaitable<ActivePtr> OperationRunner::submit(EntryPtr entry, OperationParameters parameters, Actor actor) {
  OperationHandler& handler = table_.of(kindOf(parameters));
  if (context_.operations.isClosing()) throw Error(ErrorCode::Unavailable, "The server is shutting down.");
  ActivePtr predecessor = context_.operations.of(*entry);
  if (predecessor && handler.joins(predecessor->record)) co_return predecessor;
  if (predecessor && !handler.supersedes())
    throw Error(ErrorCode::Conflict, format("Workspace {} is busy: {} is in progress (operation {}). Wait for it, or cancel it.",
                                            entry->instance().config.name, enumName(predecessor->record.kind), predecessor->record.id))
        .withRetryable(true)
        .withInstance(entry->id().str());
  if (entry->updating)
    throw Error(ErrorCode::Conflict, format("Workspace {} is being updated. Try again in a moment.", entry->instance().config.name))
        .withRetryable(true);
  Reservation reservation = context_.limits.reserve(handler.needs(*entry, parameters), actor);
  auto active = std::make_shared<ActiveOperation>(context_, handler, make(*entry, std::move(parameters), actor), entry);
  active->reservation = std::move(reservation);
  std::string before = entry->instance().operationId;
  entry->instance().operationId = active->record.id;
  ++entry->touches;
  context_.operations.add(active);
  std::optional<Error> failure;
  try {
    active->fault("intent");
    co_await context_.store.insertOperation(active->record);
    active->fault("accepted");
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure) {
    context_.operations.remove(active->record.id);
    if (entry->instance().operationId == active->record.id) entry->instance().operationId = before;
    throw *failure;
  }
  if (predecessor) predecessor->cancel(StopReason::Superseded);
  begin(active, predecessor);
  co_return active;
}

awaitable<ActivePtr> OperationRunner::submitCreate(EntryPtr entry, OperationRecord operation, Reservation reservation) {
  OperationHandler& handler = table_.of(operation.kind);
  auto active = std::make_shared<ActiveOperation>(context_, handler, std::move(operation), entry);
  active->reservation = std::move(reservation);
  active->fault("intent");
  co_await context_.store.insertInstance(entry->record, active->record);
  active->fault("accepted");
  entry->instance().operationId = active->record.id;
  context_.registry.add(entry);
  context_.routes.breakConnections(*entry);  // publishes its first route
  context_.operations.add(active);
  begin(active, nullptr);
  co_return active;
}

void OperationRunner::begin(ActivePtr operation, ActivePtr predecessor) {
  context_.changes.changed(*operation->entry);
  context_.changes.changed(operation->record);
  context_.tasks.spawn("operation " + operation->record.id, run(operation, std::move(predecessor)));
}

awaitable<std::optional<Error>> OperationRunner::perform(ActivePtr operation) {
  if (operation->stop != StopReason::None || operation->record.cancelRequested)
    co_return Error(ErrorCode::Cancelled, "The operation was cancelled.");
  std::optional<Error> failure;
  try {
    operation->fault("begin");
    co_await boost::asio::co_spawn(context_.executor, operation->handler.perform(operation),
                                   boost::asio::bind_cancellation_slot(operation->signal.slot(), boost::asio::use_awaitable));
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure && operation->stop != StopReason::None) failure = Error(ErrorCode::Cancelled, "The operation was cancelled.");
  co_return failure;
}

awaitable<void> OperationRunner::run(ActivePtr operation, ActivePtr predecessor) {
  while (predecessor && !predecessor->hasEnded) co_await predecessor->ended.wait(predecessor->ended.version(), Deadline::never());
  Operation& row = operation->record;
  row.status = OperationStatus::running;
  log::info("operation started", {{"operation", row.id}, {"kind", enumName(row.kind)}, {"instance", row.instanceId}});
  std::optional<Error> failure = co_await perform(operation);
  // Interrupted by a shutdown: the row stays unfinished, and the server's next run continues it.
  if (failure &&
      (operation->stop == StopReason::Shutdown || (context_.operations.isClosing() && failure->code() == ErrorCode::Cancelled))) {
    leave(operation);
    co_return;
  }
  operation->endStep(!failure                                  ? OperationStatus::succeeded
                     : failure->code() == ErrorCode::Cancelled ? OperationStatus::cancelled
                                                               : OperationStatus::failed);
  operation->cancellable = false;
  if (failure) co_await undo(operation, *failure);
  row.status = !failure                                  ? OperationStatus::succeeded
               : failure->code() == ErrorCode::Cancelled ? OperationStatus::cancelled
                                                         : OperationStatus::failed;
  row.error = failure;
  row.endedAt = row.updatedAt = context_.clock.now();
  co_await finish(operation);
  if (failure) {
    log::warning("operation ended", {{"operation", row.id},
                                     {"kind", enumName(row.kind)},
                                     {"instance", row.instanceId},
                                     {"status", enumName(row.status)},
                                     {"error", failure->message()},
                                     {"cause", failure->cause()}});
  } else {
    log::info("operation ended", {{"operation", row.id}, {"kind", enumName(row.kind)}, {"instance", row.instanceId}});
  }
  ++context_.operations.counts[{row.kind, row.status}];
  leave(operation);
}

/// Does nothing when a delete superseded the operation: the delete removes everything.
awaitable<void> OperationRunner::undo(ActivePtr operation, Error error) {
  if (operation->stop == StopReason::Superseded) co_return;
  try {
    if (operation->stop == StopReason::User && !operation->record.cancelRequested) {
      operation->record.cancelRequested = true;  // a crash must not resume it
      co_await operation->settle();
      co_await context_.store.updateOperation(operation->record);
    }
    operation->fault("undo");
    if (!operation->isUnresponsive) co_await operation->handler.undo(operation, error);
  } catch (...) {
    Error problem = currentExceptionAsError();
    if (problem.code() == ErrorCode::Cancelled) throw;
    log::error("operation could not be rolled back",
               {{"operation", operation->record.id}, {"instance", operation->record.instanceId}, {"error", problem.message()}});
    context_.changes.setStatus(*operation->entry, InstanceStatus::failed, error.message());
  }
}

/// The result must become durable: retries until the store accepts it (a full disk, for example).
awaitable<void> OperationRunner::finish(ActivePtr operation) {
  Entry& entry = *operation->entry;
  operation->endStep(OperationStatus::succeeded);
  auto delay = context_.options.retryDelay;
  for (;;) {
    std::optional<Error> failure;
    try {
      operation->fault("finish");
      co_await operation->settle();
      if (entry.removed || operation->stop == StopReason::Superseded) {
        co_await context_.store.updateOperation(operation->record);
      } else {
        InstanceRecord record = entry.record;
        record.instance.operationId.clear();
        co_await context_.store.updateInstanceAndOperation(std::move(record), operation->record);
      }
      operation->fault("finished");
    } catch (...) {
      failure = currentExceptionAsError();
    }
    if (!failure) co_return;
    if (failure->code() == ErrorCode::Cancelled) throw *failure;
    log::error("result of an operation could not be written; retrying",
               {{"operation", operation->record.id}, {"error", failure->message()}});
    co_await async::sleepFor(delay);
    delay = std::min(delay * 2, context_.options.maxRetryDelay);
  }
}

void OperationRunner::leave(ActivePtr operation) {
  Entry& entry = *operation->entry;
  operation->hasEnded = true;
  operation->reservation.release();
  context_.operations.remove(operation->record.id);
  if (entry.instance().operationId == operation->record.id) {
    entry.instance().operationId.clear();
    entry.step.clear();
    ++entry.touches;
    if (!entry.removed) context_.changes.changed(entry);
  }
  context_.routes.publish();  // a client that waited for the end reads the current route
  context_.changes.changed(operation->record);
  operation->ended.notifyAll();
  context_.operations.ended.notifyAll();
  if (!context_.operations.isClosing() && !entry.removed) after_each_(operation->entry);
}

awaitable<void> OperationRunner::resumeAll() {
  std::vector<OperationRecord> unfinished = co_await context_.store.unfinishedOperations();
  std::map<InstanceId, OperationRecord> chosen;  // by instance: one that supersedes the others, else the oldest
  std::vector<OperationRecord> dropped;
  for (OperationRecord& operation : unfinished) {
    auto [place, is_first] = chosen.try_emplace(operation.instanceId, operation);
    if (is_first) continue;
    if (table_.of(operation.kind).supersedes() && !table_.of(place->second.kind).supersedes()) std::swap(place->second, operation);
    dropped.push_back(operation);
  }
  for (auto& [id, operation] : chosen) {
    EntryPtr entry = context_.registry.find(id);
    if (entry) continue;
    operation.status = table_.of(operation.kind).statusWithoutInstance();
    operation.endedAt = operation.updatedAt = context_.clock.now();
    co_await context_.store.updateOperation(operation);
  }
  for (OperationRecord& operation : dropped) {
    operation.status = OperationStatus::cancelled;
    operation.error = Error(ErrorCode::Cancelled, "The operation was superseded by another one.");
    operation.endedAt = operation.updatedAt = context_.clock.now();
    co_await context_.store.updateOperation(operation);
  }
  for (auto& [id, operation] : chosen) {
    EntryPtr entry = context_.registry.find(id);
    if (!entry) continue;
    log::info("operation resumed after a restart", {{"operation", operation.id}, {"instance", id}});
    for (OperationStep& step : operation.steps)
      if (step.status == OperationStatus::running) step.status = OperationStatus::cancelled;
    auto active = std::make_shared<ActiveOperation>(context_, table_.of(operation.kind), operation, entry);
    active->resumed = true;
    active->reservation = context_.limits.take(active->handler.needs(*entry, operation.parameters));
    entry->instance().operationId = operation.id;
    context_.operations.add(active);
    begin(active, nullptr);
  }
}

namespace {

/// Hides the result until it is durable and the instance is free: a client that reads "succeeded" may submit the next request.
Operation shown(const ActiveOperation& active) {
  Operation operation = active.record;
  bool has_result = operation.status != OperationStatus::pending && operation.status != OperationStatus::running;
  if (active.hasEnded || !has_result) return operation;
  operation.status = OperationStatus::running;
  operation.endedAt = {};
  operation.error.reset();
  return operation;
}

}  // namespace

awaitable<std::optional<Operation>> OperationRunner::get(std::string id) {
  if (ActivePtr live = context_.operations.find(id)) co_return shown(*live);
  co_return co_await context_.store.getOperation(std::move(id));
}

awaitable<std::vector<Operation>> OperationRunner::list(OperationFilter filter) {
  std::vector<Operation> rows = co_await context_.store.listOperations(filter);
  for (Operation& row : rows) {
    if (ActivePtr live = context_.operations.find(row.id)) row = shown(*live);
  }
  if (filter.status) std::erase_if(rows, [&](const Operation& row) { return row.status != *filter.status; });
  co_return rows;
}

awaitable<Operation> OperationRunner::cancel(std::string id) {
  ActivePtr operation = context_.operations.find(id);
  if (!operation) {
    auto row = co_await context_.store.getOperation(id);
    if (!row) throw notFound("operation", id);
    throw Error(ErrorCode::Conflict, format("Operation {} has already ended ({}).", id, enumName(row->status)));
  }
  if (!operation->cancellable)
    throw Error(ErrorCode::Conflict, format("Operation {} cannot be cancelled during its step \"{}\". Try again after this step.", id,
                                            operation->record.steps.empty() ? "" : operation->record.steps.back().name));
  operation->cancel(StopReason::User);
  co_return operation->record;
}

awaitable<Operation> OperationRunner::wait(std::string id, Deadline deadline) {
  if (ActivePtr operation = context_.operations.find(id)) {
    while (!operation->hasEnded && !deadline.hasPassed()) co_await operation->ended.wait(operation->ended.version(), deadline);
    co_return shown(*operation);
  }
  auto row = co_await context_.store.getOperation(id);
  if (!row) throw notFound("operation", id);
  co_return *row;
}

awaitable<void> OperationRunner::close(std::chrono::seconds grace) {
  Deadline deadline = Deadline::after(grace);
  context_.operations.close();
  Notifier& ended = context_.operations.ended;
  while (!context_.operations.all().empty() && !deadline.hasPassed()) co_await ended.wait(ended.version(), deadline);
  auto left = context_.operations.all();
  for (auto& [id, operation] : left) {
    // A user's cancellation is durable already and continues at the server's next run.
    if (operation->stop == StopReason::None) operation->cancel(StopReason::Shutdown);
  }
}

}  // namespace swarm::control
