// Reconciler: events, inspections of single instances, lists, orphans.
#include "controller/reconcile/reconcile.h"

#include "async/deadline.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "controller/agents/agent_watch.h"
#include "controller/state/active_operation.h"
#include "controller/state/facts.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kReconcileTimeout{30};
constexpr std::size_t kMaxInspections = 32;
constexpr std::chrono::hours kPruneEvery{1};
constexpr std::chrono::seconds kEndedWithTheEngine{
    30};  // an Engine that stops takes at most about this long from the first exit to its own end

/// Whether an entry of a list matches our record. A list has fewer facts than a query for one instance: only status and container count.
bool agrees(const Entry& entry, const ProviderInstance& listed) {
  for (const ExternalResource& resource : listed.external)
    if (isMachine(resource) &&
        std::find(entry.record.external.begin(), entry.record.external.end(), resource) == entry.record.external.end())
      return false;
  bool runs = listed.status == InstanceStatus::running;
  switch (entry.record.instance.status) {
    case InstanceStatus::running:
      return runs && entry.ready;
    case InstanceStatus::stopped:
    case InstanceStatus::failed:
      return !runs && !entry.endedWithProvider;
    default:
      return false;
  }
}

}  // namespace

void Reconciler::reportProvider(ProviderType type, std::string_view what, const std::string& detail) {
  boost::json::object data;
  data["type"] = enumName(type);
  data["event"] = what;
  data["detail"] = detail;
  context_.events.publish(EventType::provider, "", data);
  log::info("provider event", {{"provider", enumName(type)}, {"event", what}, {"detail", detail}});
}

void Reconciler::begin() {
  begun_ = true;
  for (auto& [type, provider] : context_.providers) context_.tasks.spawn("reconcile", reconcile(type, Cause::Outage));
  context_.tasks.spawn("periodic reconcile", run());
}

void Reconciler::onEvent(ProviderType type, const ProviderEvent& event) {
  if (context_.operations.isClosing()) return;
  if (event.kind == ProviderEvent::Kind::Disconnected) return disconnected(type, event.detail);
  if (event.kind == ProviderEvent::Kind::Reconnected) {
    reportProvider(type, "connected", event.detail);
    for (auto& [id, entry] : context_.registry.instances())
      if (entry->instance().provider == type) entry->observed.notifyAll();
    if (begun_) context_.tasks.spawn("reconcile", reconcile(type, Cause::Outage));
    return;
  }
  EntryPtr entry = context_.registry.findByPlace(event.placeId);
  bool came_late =
      begun_ && event.kind == ProviderEvent::Kind::Changed && event.detail == "create" && context_.registry.isDeparted(event.placeId);
  if (came_late && sweeping_.insert(type).second) context_.tasks.spawn("sweep", sweepDeparted(type));
  if (!entry || entry->instance().provider != type) return;
  if (event.kind == ProviderEvent::Kind::OutOfMemory) return noteOutOfMemory(entry);
  entry->observed.notifyAll();
  if (!begun_) return;
  if (isIdle(*entry)) {
    inspect(entry);
  } else {
    entry->inspectAgain = true;
  }
}

void Reconciler::disconnected(ProviderType type, const std::string& detail) {
  reportProvider(type, "disconnected", detail);
  SteadyTime now = context_.clock.steadyNow();
  for (auto& [id, entry] : context_.registry.instances())
    if (entry->instance().provider == type && entry->endedAt && now - *entry->endedAt < kEndedWithTheEngine)
      entry->endedWithProvider = true;
  markStale(type);
}

void Reconciler::confirm(Entry& entry, const ProviderInstance& listed) {
  Instance& instance = entry.instance();
  instance.observedAt = context_.clock.now();
  if (instance.status == InstanceStatus::failed && std::exchange(entry.occupies, false)) context_.registry.recount(entry);
  bool is_outdated = context_.providers.of(entry).isImageOutdated(listed, instance.config.image);
  bool was_stale = std::exchange(instance.stale, false);
  if (std::exchange(instance.imageOutdated, is_outdated) != is_outdated || was_stale) {
    context_.changes.changed(entry);
  }
}

void Reconciler::markStale(ProviderType type) {
  for (auto& [id, entry] : context_.registry.instances()) {
    if (entry->instance().provider != type || entry->instance().stale) continue;
    entry->instance().stale = true;
    context_.changes.changed(*entry);
  }
}

void Reconciler::afterOperation(EntryPtr entry) {
  entry->endedAt.reset();
  entry->endedWithProvider = false;
  if (entry->inspectAgain) inspect(std::move(entry));
}

void Reconciler::inspect(EntryPtr entry) {
  entry->inspectAgain = true;
  if (entry->inspecting) return;
  entry->inspecting = true;
  std::string name = "inspect " + entry->id().str();
  context_.tasks.spawn(std::move(name), inspectNow(std::move(entry)));
}

awaitable<void> Reconciler::inspectNow(EntryPtr entry) {
  std::optional<Error> failure;
  try {
    while (entry->inspectAgain && isIdle(*entry)) {
      entry->inspectAgain = false;
      Provider& provider = context_.providers.of(*entry);
      auto touches = entry->touches;
      auto observed = co_await provider.getInstance(entry->placeId(), Deadline::after(kReconcileTimeout));
      bool ended = entry->instance().status == InstanceStatus::running && (!observed || observed->status != InstanceStatus::running);
      if (ended) {
        // A stopping Engine ends its containers before it disconnects, and that is not an exit of the container alone.
        co_await async::sleepFor(context_.options.exitSettle);
        observed = co_await provider.getInstance(entry->placeId(), Deadline::after(kReconcileTimeout));
      }
      std::string description = co_await describe(entry, observed);
      if (isIdle(*entry) && entry->touches == touches) apply(entry, observed, Cause::Event, std::move(description));
    }
  } catch (...) {
    failure = currentExceptionAsError();
  }
  entry->inspecting = false;
  if (failure && failure->code() == ErrorCode::Cancelled) throw *failure;
  if (failure) log::debug("instance could not be inspected", {{"instance", entry->id()}, {"error", failure->message()}});
}

awaitable<void> Reconciler::reconcile(ProviderType type, Cause cause) {
  auto [place, first] = reconciling_.try_emplace(type, std::nullopt);
  if (!first) {
    if (!place->second || cause == Cause::Outage) place->second = cause;
    co_return;
  }
  std::optional<Error> failure;
  std::optional<Cause> next = cause;
  while (next && !failure) {
    reconciling_[type] = std::nullopt;
    try {
      co_await reconcileOnce(type, *next);
    } catch (...) {
      failure = currentExceptionAsError();
    }
    next = reconciling_[type];
  }
  reconciling_.erase(type);
  if (!failure) co_return;
  if (failure->code() == ErrorCode::Cancelled) throw *failure;
  markStale(type);
  log::warning("provider could not be reconciled", {{"provider", enumName(type)}, {"error", failure->message()}});
}

awaitable<void> Reconciler::reconcileOnce(ProviderType type, Cause cause) {
  Provider& provider = context_.providers.at(type);
  std::map<InstanceId, std::uint64_t> before;  // instances that an operation changes concurrently are skipped
  for (auto& [id, entry] : context_.registry.instances())
    if (entry->instance().provider == type && isIdle(*entry)) before[id] = entry->touches;
  InstanceList list = co_await provider.listInstances({}, Deadline::after(kReconcileTimeout));
  std::map<PlaceId, const ProviderInstance*> observed;
  for (const ProviderInstance& one : list.instances) observed[one.placeId] = &one;
  std::vector<EntryPtr> doubtful;
  for (auto& [id, touches] : before) {
    EntryPtr entry = context_.registry.find(id);
    if (!entry || !isIdle(*entry) || entry->touches != touches) continue;
    auto seen = observed.find(entry->placeId());
    if (seen != observed.end() && agrees(*entry, *seen->second)) {
      confirm(*entry, *seen->second);
    } else if (seen == observed.end() && list.complete && entry->instance().status == InstanceStatus::failed) {
      apply(entry, std::nullopt, cause, {});  // a failed instance may have no container: its state is known
    } else if (seen != observed.end() || list.complete) {
      doubtful.push_back(entry);
    }
  }
  // An absence counts only when the provider confirms it for this one instance.
  if (!doubtful.empty()) co_await inspectEach(std::move(doubtful), cause);
  if (list.complete) co_await sweepOrphans(type, list);
  co_await sweepDeparted(type);
}

/// Instances to inspect one by one, by several coroutines: after a restart these are all, and a provider may have a high latency.
struct Reconciler::Inspections {
  std::vector<EntryPtr> left;
  Cause cause;
  std::size_t running = 0;
  std::optional<Error> failure;
  Notifier ended;
};

awaitable<void> Reconciler::inspectEach(std::vector<EntryPtr> doubtful, Cause cause) {
  auto inspections = std::make_shared<Inspections>(Inspections{std::move(doubtful), cause, 0, {}, {}});
  std::reverse(inspections->left.begin(), inspections->left.end());  // taken from the end
  inspections->running = std::min(inspections->left.size(), kMaxInspections);
  for (std::size_t i = inspections->running; i > 0; --i) context_.tasks.spawn("inspect instances", inspectNext(inspections));
  while (inspections->running > 0) {
    auto seen = inspections->ended.version();
    co_await inspections->ended.wait(seen, Deadline::after(kReconcileTimeout));
  }
  if (inspections->failure) throw *inspections->failure;
}

awaitable<void> Reconciler::inspectNext(std::shared_ptr<Inspections> inspections) {
  try {
    while (!inspections->left.empty() && !inspections->failure) {
      EntryPtr entry = std::move(inspections->left.back());
      inspections->left.pop_back();
      auto touches = entry->touches;
      auto one = co_await context_.providers.of(*entry).getInstance(entry->placeId(), Deadline::after(kReconcileTimeout));
      std::string description = co_await describe(entry, one);
      if (isIdle(*entry) && entry->touches == touches) apply(entry, one, inspections->cause, std::move(description));
    }
  } catch (...) {
    inspections->failure = currentExceptionAsError();
  }
  --inspections->running;
  inspections->ended.notifyAll();
}

/// Removes what carries our swarm's label, is unknown in two complete lists, and is too old to belong to a create in progress. Persistent
/// volumes stay.
awaitable<void> Reconciler::sweepOrphans(ProviderType type, const InstanceList& list) {
  std::set<PlaceId> unknown;
  for (const ProviderInstance& one : list.instances) {
    bool known = one.placeId.empty() || context_.registry.knowsPlace(one.placeId) || context_.registry.isDeparted(one.placeId);
    for (auto& [id, operation] : context_.operations.all()) known = known || firstPlaceOf(operation->record.instanceId) == one.placeId;
    if (!known && context_.clock.now() - one.createdAt >= context_.options.orphanGrace) unknown.insert(one.placeId);
  }
  std::set<PlaceId> before = std::exchange(suspects_[type], unknown);
  for (const PlaceId& id : unknown) {
    if (!before.contains(id)) continue;
    log::warning("orphan found", {{"provider", enumName(type)}, {"instance", id}});
    NoProgress progress;
    auto remove = [&]() -> awaitable<void> {
      faultPoint("controller.sweep");
      co_await context_.providers.at(type).deleteInstance(id, DeleteVolumes::No, {}, progress, Deadline::after(kReconcileTimeout));
    };
    auto removed = co_await attemptUnlessCancelled(remove());
    if (!removed) log::warning("orphan could not be removed", {{"instance", id}, {"error", removed.error().message()}});
  }
}

/// Removes what a provider created for a deleted instance after all, from a call that was interrupted.
awaitable<void> Reconciler::sweepDeparted(ProviderType type) {
  sweeping_.erase(type);
  std::vector<Departure> gone;
  for (const auto& [id, departure] : context_.registry.departures())
    if (departure.provider == type && context_.registry.isDeparted(id)) gone.push_back(departure);
  if (gone.empty()) co_return;
  faultPoint("controller.sweep.departed");
  auto removed = co_await attemptUnlessCancelled(context_.providers.at(type).sweep(std::move(gone), Deadline::after(kReconcileTimeout)));
  if (!removed) {  // the list of the other instances remains valid
    log::warning("leftovers of deleted instances could not be removed yet",
                 {{"provider", enumName(type)}, {"error", removed.error().message()}});
    co_return;
  }
  for (const std::string& what : *removed)
    log::warning("leftover of a deleted instance was removed", {{"provider", enumName(type)}, {"what", what}});
}

awaitable<void> Reconciler::run() {
  SteadyTime pruned{};
  for (;;) {
    if (context_.clock.steadyNow() - pruned >= kPruneEvery) {
      pruned = context_.clock.steadyNow();
      SystemTime before = context_.clock.now() - context_.options.operationsKept;
      auto done = co_await attemptUnlessCancelled(context_.store.pruneOperations(before));
      if (done) context_.registry.forgetDepartures(before);
      if (!done) log::warning("old operations could not be deleted", {{"error", done.error().message()}});
    }
    co_await async::sleepFor(context_.options.reconcileInterval);
    for (auto& [type, provider] : context_.providers) co_await reconcile(type, Cause::SafetyNet);
  }
}

awaitable<void> Reconciler::save(EntryPtr entry) {
  if (entry->removed) co_return;
  InstanceRecord record = entry->record;
  co_await context_.store.updateInstance(std::move(record));
}

}  // namespace swarm::control
