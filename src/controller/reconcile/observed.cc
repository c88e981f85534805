// Reconciler: applies an observation to one instance.

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/agents/agent_watch.h"
#include "controller/agents/network_guard.h"
#include "controller/operations/runner.h"
#include "controller/reconcile/lost_volumes.h"
#include "controller/reconcile/reconcile.h"
#include "controller/state/facts.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr int kMaxAutoStarts = 5;
constexpr std::chrono::minutes kAutoStartMemory{10};
constexpr std::chrono::seconds kProbeOnce{2};
constexpr std::chrono::seconds kBetweenNotices{10};

std::string incarnationOf(const ProviderInstance& observed) {
  std::string incarnation = formatTime(observed.startedAt);
  for (const ExternalResource& resource : observed.external)
    if (isMachine(resource)) incarnation += " " + resource.id;
  return incarnation;
}

}  // namespace

void Reconciler::decide(const EntryPtr& entry, InstanceStatus status, std::string reason) {
  log::info("observed",
            {{"instance", entry->id()}, {"was", enumName(entry->instance().status)}, {"is", enumName(status)}, {"reason", reason}});
  context_.changes.setStatus(*entry, status, std::move(reason));
  context_.tasks.spawn("save " + entry->id().str(), save(entry));
}

awaitable<std::string> Reconciler::describe(EntryPtr entry, const std::optional<ProviderInstance>& observed) {
  if (observed || entry->instance().status == InstanceStatus::failed) co_return std::string();
  co_return co_await describeMissingContainer(context_, std::move(entry));
}

void Reconciler::apply(const EntryPtr& entry, const std::optional<ProviderInstance>& observed, Cause cause, std::string description) {
  bool was_stale = entry->instance().stale, was_outdated = entry->instance().imageOutdated;
  // The first observation after an outage shows its effect, whatever triggered the observation.
  if (was_stale) cause = Cause::Outage;
  if (!entry->startScheduled)
    entry->occupies = observed && (observed->status == InstanceStatus::running || observed->status == InstanceStatus::starting);
  if (!observed) {
    entry->instance().stale = false;
    entry->instance().imageOutdated = false;
    entry->instance().observedAt = context_.clock.now();
    applyGone(entry, std::move(description));
  } else {
    adoptFacts(context_, *entry, *observed);
    if (observed->status == InstanceStatus::running) {
      applyRunning(entry, *observed, cause);
    } else {
      applyEnded(entry, *observed, cause);
    }
  }
  context_.registry.recount(*entry);
  if (was_stale || was_outdated != entry->instance().imageOutdated) context_.changes.changed(*entry);
}

void Reconciler::applyRunning(const EntryPtr& entry, const ProviderInstance& observed, Cause cause) {
  Instance& instance = entry->instance();
  entry->endedAt.reset();
  std::string incarnation = incarnationOf(observed);
  bool is_another = entry->incarnation != incarnation && entry->endpoint && !entry->incarnation.empty();
  // Without a known run, this one may be another than that whose rules were set.
  const bool may_lack_rules = entry->incarnation.empty() && egressControlOf(context_, *entry) != nullptr;
  if (is_another) context_.routes.breakConnections(*entry);
  entry->incarnation = incarnation;
  if (instance.status != InstanceStatus::running) {
    // Started at the provider: counts as a request to run it.
    instance.desired = InstanceStatus::running;
    decide(entry, InstanceStatus::running, "");
  }
  if (!entry->endpoint || is_another) {
    entry->watchAgain = entry->watching;  // a former run
    agents_.watch(entry, context_.options.startTimeout);
  } else if (!entry->ready || may_lack_rules) {
    agents_.watch(entry, cause == Cause::SafetyNet ? kProbeOnce : context_.options.startTimeout);
  }
}

void Reconciler::applyEnded(const EntryPtr& entry, const ProviderInstance& observed, Cause cause) {
  if (entry->startScheduled) return;  // the stop has been handled
  Instance& instance = entry->instance();
  instance.network = NetworkInfo{};
  bool was_running = instance.status == InstanceStatus::running || instance.status == InstanceStatus::starting;
  if (cause == Cause::Outage && (was_running || entry->endedWithProvider)) return startAgain(entry);
  if (was_running) {
    context_.routes.breakConnections(*entry);
    entry->endedAt = context_.clock.steadyNow();
    bool failed = observed.status == InstanceStatus::failed;
    if (!failed) instance.desired = InstanceStatus::stopped;
    std::string how = observed.reason.empty() ? "exited" : observed.reason;
    decide(entry, failed ? InstanceStatus::failed : InstanceStatus::stopped, format("Its container {}.", how));
  } else if (instance.status != InstanceStatus::failed && instance.status != InstanceStatus::stopped) {
    context_.routes.breakConnections(*entry);
    decide(entry, InstanceStatus::stopped, "");
  }
}

void Reconciler::applyGone(const EntryPtr& entry, std::string description) {
  if (entry->instance().status == InstanceStatus::failed) return;
  context_.routes.breakConnections(*entry);
  entry->instance().network = NetworkInfo{};
  decide(entry, InstanceStatus::failed, std::move(description));
}

/// The instance keeps running without the killed process: the owner is notified once, and the notice stays until the next start.
void Reconciler::noteOutOfMemory(const EntryPtr& entry) {
  SteadyTime now = context_.clock.steadyNow();
  if (entry->noticedAt && now - *entry->noticedAt < kBetweenNotices) return;
  entry->noticedAt = now;
  const Instance& instance = entry->instance();
  entry->notice = format("A process was killed at {}, when the workspace reached its memory limit of {} MiB.",
                         formatTime(context_.clock.now()), instance.resources.memory.max);
  log::info("process was killed at the memory limit", {{"instance", entry->id()}});
  boost::json::object data;
  data["id"] = entry->id().str();
  data["name"] = instance.config.name;
  data["kind"] = "outOfMemory";
  data["text"] = entry->notice;
  context_.events.publish({.type = EventType::notice, .owner = instance.owner, .instance = instance.id}, data);
  bool is_well = instance.status == InstanceStatus::running && instance.statusReason.empty();
  if (is_well && isIdle(*entry)) decide(entry, InstanceStatus::running, entry->notice);
}

/// It stopped because the provider or the machine did. Limited, so that an instance that always stops ends as failed.
void Reconciler::startAgain(const EntryPtr& entry) {
  SteadyTime now = context_.clock.steadyNow();
  if (entry->autoStarts > 0 && now - entry->lastAutoStart > kAutoStartMemory) entry->autoStarts = 0;
  context_.routes.breakConnections(*entry);
  entry->endedAt.reset();
  entry->endedWithProvider = false;
  if (entry->autoStarts >= kMaxAutoStarts) {
    decide(entry, InstanceStatus::failed, format("The workspace was started again {} times and always stopped.", kMaxAutoStarts));
    return;
  }
  auto delay = entry->autoStarts == 0 ? std::chrono::milliseconds(0) : context_.options.retryDelay * (1 << entry->autoStarts);
  ++entry->autoStarts;
  entry->lastAutoStart = now;
  context_.changes.setStatus(*entry, InstanceStatus::starting, "The workspace stopped with its provider and is started again.");
  entry->startScheduled = true;
  context_.tasks.spawn("start again " + entry->id().str(), startLater(entry, std::min(delay, context_.options.maxRetryDelay)));
}

awaitable<void> Reconciler::startLater(EntryPtr entry, std::chrono::milliseconds delay) {
  if (delay.count() > 0) co_await async::sleepFor(delay);
  entry->startScheduled = false;
  if (!isIdle(*entry) || entry->instance().status != InstanceStatus::starting) co_return;
  co_await runner_.submit(entry, StartParameters{}, "system");
}

}  // namespace swarm::control
