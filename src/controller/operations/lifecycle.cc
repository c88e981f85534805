// Lifecycle: starts, stops, readiness, retries.
#include "controller/operations/lifecycle.h"

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "controller/agents/agent_settings.h"
#include "controller/agents/agent_watch.h"
#include "controller/reconcile/lost_volumes.h"
#include "controller/state/facts.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kLogTimeout{5};
constexpr std::chrono::seconds kObserveTimeout{30};
constexpr int kLogLines = 10;
constexpr std::size_t kMaxLogEnd = 2048;

}  // namespace

/// After a failed call: waits for the retry delay, or until the provider reports that it is reachable. False: no retry.
awaitable<bool> Lifecycle::waitForProvider(ActivePtr operation, const Error& error, Deadline deadline, std::chrono::milliseconds& delay) {
  if (error.code() != ErrorCode::Unavailable || !error.retryable() || deadline.hasPassed()) co_return false;
  ProviderType type = operation->entry->instance().provider;
  operation->detail(format("The provider {} is unreachable; retrying ({})", enumName(type), error.message()));
  log::warning("provider was unreachable; retrying",
               {{"operation", operation->record.id}, {"instance", operation->entry->id()}, {"error", error.message()}});
  auto seen = operation->entry->observed.version();
  co_await operation->entry->observed.wait(seen, deadline.orAfter(delay));
  delay = std::min(delay * 2, context_.options.maxRetryDelay);
  co_return true;
}

awaitable<Readiness> Lifecycle::bringUp(ActivePtr operation) {
  EntryPtr entry = operation->entry;
  operation->step(Step::WaitForVscode);
  entry->notice.clear();
  context_.routes.breakConnections(*entry);
  auto connect = [this, entry] {
    return context_.providers.of(*entry).agentEndpoint(entry->placeId(), Deadline::after(context_.options.startTimeout));
  };
  auto connect_and_wait = [&]() -> awaitable<ReadinessReport> {
    entry->endpoint = co_await retrying(operation, connect);
    context_.routes.changed(*entry);
    // A full disk, for example: users should not wait for the timeout to learn it.
    auto report_trouble = [operation](const std::string& reason) { operation->detail(reason); };
    auto report = co_await agents_.waitUntilReady(entry, Deadline::after(context_.options.startTimeout), report_trouble);
    if (report.readiness == Readiness::Ready) operation->detail("");
    co_return report;
  };
  auto waited = co_await attempt(connect_and_wait());
  if (!waited && waited.error().code() != ErrorCode::Conflict) throw waited.error();
  ReadinessReport report;
  if (waited) {
    report = std::move(*waited);
  } else {  // the container has exited
    auto observed = co_await context_.providers.of(*entry).getInstance(entry->placeId(), Deadline::after(context_.options.startTimeout));
    if (observed && observed->status == InstanceStatus::running) throw waited.error();
    std::string how = observed ? observed->reason : "was removed";
    std::string what = how.empty() ? "The container stopped immediately after its start."
                                   : format("The workspace was started, but its container {}.", how);
    report = {Readiness::Gone, std::move(what)};
  }
  if (report.readiness == Readiness::Gone) throw Error(ErrorCode::UpstreamFailed, report.reason + co_await endOfLog(entry));
  if (const auto adopted = co_await attemptUnlessCancelled(adoptVolumes(context_, entry)); !adopted)  // again before a copy
    log::debug("volumes of an instance could not be listed", {{"instance", entry->id()}, {"error", adopted.error().message()}});
  operation->fault("ready");
  operation->cancellable = false;
  entry->instance().desired = InstanceStatus::running;
  entry->instance().lastActive = context_.clock.now();
  context_.changes.setStatus(*entry, InstanceStatus::running, report.reason);
  agents_.followSetup(entry);
  co_return report.readiness;
}

awaitable<void> Lifecycle::bringUpOrFail(ActivePtr operation) {
  const Readiness readiness = co_await bringUp(operation);
  if (readiness == Readiness::Ready) {
    // Set before the operation ends, so that the client that waits for it can report a failed script.
    const std::string reason = setupReasonOf(*operation->entry);
    if (!reason.empty()) context_.changes.setStatus(*operation->entry, InstanceStatus::running, reason);
    co_return;
  }
  if (!context_.options.needsVscode) co_return;
  operation->isUnresponsive = true;
  throw Error(ErrorCode::UpstreamFailed, operation->entry->instance().statusReason);
}

awaitable<std::string> Lifecycle::endOfLog(EntryPtr entry) {
  std::string text;
  try {
    Deadline deadline = Deadline::after(kLogTimeout);
    LogSource* logs = context_.providers.of(*entry).logs();
    if (!logs) co_return text;
    LogSource::Options last;
    last.tail = kLogLines;
    auto reader = co_await logs->openLogs(entry->placeId(), last, deadline);
    for (std::string piece = "?"; !piece.empty() && text.size() < kMaxLogEnd;) text += piece = co_await reader->next(deadline);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
    log::debug("log of an ended container could not be read", {{"instance", entry->id()}, {"error", error.message()}});
  }
  while (text.ends_with('\n')) text.pop_back();
  co_return text.empty() ? text : format(" The end of its log:\n{}", printable(text, kMaxLogEnd, LineBreaks::Keep));
}

awaitable<void> Lifecycle::startContainer(ActivePtr operation, EmptyVolumes empty) {
  EntryPtr entry = operation->entry;
  auto call = [this, operation, entry, empty]() -> awaitable<ProviderInstance> {
    Provider& provider = context_.providers.of(*entry);
    Deadline deadline = Deadline::after(context_.options.createTimeout);
    auto observed = co_await provider.getInstance(entry->placeId(), deadline);
    operation->fault("looked");
    if (!observed || observed->status == InstanceStatus::creating) {
      InstanceSpec spec = specOf(context_, *entry);
      spec.emptyVolumes = empty == EmptyVolumes::Yes;
      co_await requireVolumes(context_, entry, spec, deadline);
      co_return co_await provider.createInstance(std::move(spec), *operation, deadline);
    }
    co_await provider.startInstance(entry->placeId(), *operation, deadline.orAfter(context_.options.startTimeout));
    operation->fault("started");
    observed = co_await provider.getInstance(entry->placeId(), deadline);
    if (!observed) throw Error(ErrorCode::UpstreamFailed, "The container was removed while it started.");
    co_return std::move(*observed);
  };
  ProviderInstance made = co_await retrying(operation, call);
  operation->fault("made");
  adoptFacts(context_, *entry, made);
}

awaitable<bool> Lifecycle::stopContainer(ActivePtr operation) {
  EntryPtr entry = operation->entry;
  context_.changes.setStatus(*entry, InstanceStatus::stopping, "");
  context_.routes.breakConnections(*entry);
  auto call = [this, operation, entry]() -> awaitable<bool> {
    const std::chrono::seconds grace = context_.options.stopGrace;
    Provider& provider = context_.providers.of(*entry);
    bool was_cancellable = std::exchange(operation->cancellable, false);
    auto stopped = co_await attempt(
        provider.stopInstance(entry->placeId(), grace, *operation, Deadline::after(grace + context_.options.startTimeout)));
    operation->cancellable = was_cancellable;  // the user may cancel while the provider is unreachable
    if (!stopped && stopped.error().code() != ErrorCode::NotFound) throw stopped.error();
    co_return stopped.has_value();
  };
  bool existed = co_await retrying(operation, call);
  operation->fault("stopped");
  co_return existed;
}

awaitable<void> Lifecycle::stop(ActivePtr operation, std::string reason) {
  Entry& entry = *operation->entry;
  co_await stopContainer(operation);
  entry.instance().desired = InstanceStatus::stopped;
  entry.instance().network = NetworkInfo{};
  context_.changes.setStatus(entry, InstanceStatus::stopped, std::move(reason));
}

awaitable<Readiness> Lifecycle::startAndBringUp(ActivePtr operation) {
  co_await startContainer(operation);
  co_return co_await bringUp(operation);
}

awaitable<void> Lifecycle::undoStart(ActivePtr operation, Error error) {
  EntryPtr entry = operation->entry;
  if (operation->record.cancelRequested) {
    co_await stop(operation, "The start was cancelled.");
  } else {
    context_.routes.breakConnections(*entry);
    context_.changes.setStatus(*entry, InstanceStatus::failed, error.message());
  }
}

awaitable<void> Lifecycle::describeAsObserved(ActivePtr operation, std::string reason) {
  EntryPtr entry = operation->entry;
  auto query = [&]() -> awaitable<std::optional<ProviderInstance>> {
    co_return co_await context_.providers.of(*entry).getInstance(entry->placeId(), Deadline::after(kObserveTimeout));
  };
  auto queried = co_await attemptUnlessCancelled(query());
  const std::optional<ProviderInstance> observed = queried ? std::move(*queried) : std::nullopt;
  if (!observed) {
    entry->instance().desired = InstanceStatus::stopped;
    context_.changes.setStatus(*entry, InstanceStatus::failed, reason);
    co_return;
  }
  bool runs = observed->status == InstanceStatus::running;
  entry->instance().desired = runs ? InstanceStatus::running : InstanceStatus::stopped;
  adoptFacts(context_, *entry, *observed);
  InstanceStatus status = runs || observed->status == InstanceStatus::failed ? observed->status : InstanceStatus::stopped;
  context_.changes.setStatus(*entry, status, reason);
}

}  // namespace swarm::control
