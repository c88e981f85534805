// ActiveOperation: steps, external ids, background writes.
#include "controller/state/active_operation.h"

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "controller/operations/handler.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::milliseconds kReportInterval{100};  // progress events of one step

}  // namespace

std::vector<PlaceId> ActiveOperation::places() const { return handler.places(record.parameters); }

void ActiveOperation::fault(std::string_view step) const {
#ifdef SWARM_FAULT_POINTS
  faultPoint(format("controller.{}.{}", enumName(record.kind), step));
#else
  (void)step;
#endif
}

awaitable<void> ActiveOperation::recorded(ExternalResource resource) {
  auto& known = entry->record.external;
  if (std::find(known.begin(), known.end(), resource) != known.end()) co_return;
  fault(format("record.{}", resource.kind.name()));
  known.push_back(resource);
  log::debug("recorded", {{"operation", record.id}, {"instance", entry->id()}, {"kind", resource.kind.name()}, {"id", resource.id}});
  co_await context_.store.recordExternal(entry->id(), resource);
  fault(format("recorded.{}", resource.kind.name()));
}

void ActiveOperation::step(Step step) {
  std::string name(stepName(step));
  SystemTime now = context_.clock.now();
  if (!record.steps.empty() && record.steps.back().status == OperationStatus::running) {
    if (record.steps.back().name == name) return;
    endStep(OperationStatus::succeeded);
  }
  OperationStep next;
  next.name = name;
  next.status = OperationStatus::running;
  next.startedAt = now;
  record.steps.push_back(std::move(next));
  record.updatedAt = now;
  if (entry->instance().operationId == record.id) {
    entry->step = std::move(name);
    entry->stepStartedAt = now;
    context_.routes.changed(*entry);
  }
  context_.changes.changed(record);
  if (saving_) {
    save_again_ = true;
  } else {
    saving_ = true;
    context_.tasks.spawn("save operation " + record.id, save());
  }
}

void ActiveOperation::detail(std::string text, std::int64_t bytes_done, std::int64_t bytes_total) {
  if (record.steps.empty()) return;
  OperationStep& current = record.steps.back();
  current.detail = printable(text);
  current.bytesDone = bytes_done;
  current.bytesTotal = bytes_total;
  record.updatedAt = context_.clock.now();
  SteadyTime now = context_.clock.steadyNow();
  if (now - reported_ < kReportInterval) return;
  reported_ = now;
  context_.changes.changed(record);
}

void ActiveOperation::endStep(OperationStatus status) {
  if (record.steps.empty() || record.steps.back().status != OperationStatus::running) return;
  record.steps.back().status = status;
  record.steps.back().endedAt = context_.clock.now();
}

void ActiveOperation::cancel(StopReason reason) {
  if (hasEnded || stop != StopReason::None) return;
  stop = reason;
  signal.emit(boost::asio::cancellation_type::terminal);
}

/// Steps inform users: writing them must not delay the work, and a lost one costs nothing.
awaitable<void> ActiveOperation::save() {
  auto self = shared_from_this();
  do {
    save_again_ = false;
    auto saved = co_await async::attempt(context_.store.updateOperation(record));
    if (!saved) log::warning("steps of an operation were not saved", {{"operation", record.id}, {"error", saved.error().message()}});
  } while (save_again_ && !hasEnded);
  saving_ = false;
  saved_.notifyAll();
}

ActivePtr ActiveOperations::find(const std::string& id) const {
  auto found = active_.find(id);
  return found == active_.end() ? nullptr : found->second;
}

awaitable<void> ActiveOperation::settle() {
  save_again_ = false;
  while (saving_) {
    auto seen = saved_.version();
    co_await saved_.wait(seen, Deadline::after(std::chrono::seconds(60)));
  }
}

}  // namespace swarm::control
