// Reconciler: compares our records with what the providers report, and acts on differences. Provider events trigger it; a list every 30 s
// covers lost events.
#pragma once

#include "controller/state/context.h"

namespace swarm::control {

class AgentWatch;
class OperationRunner;

class Reconciler {
 public:
  Reconciler(const Context& context, AgentWatch& agents, OperationRunner& runner) : context_(context), agents_(agents), runner_(runner) {}

  void onEvent(ProviderType type, const ProviderEvent& event);
  /// Why a list is requested. Outage: the provider or this server was unavailable; what stopped during that time is started again.
  enum class Cause { Event, Outage, SafetyNet };
  awaitable<void> reconcile(ProviderType type, Cause cause);
  /// From here on, observations count. Before, an instance with an interrupted operation that has not been resumed yet would appear to have
  /// changed on its own.
  void begin();
  void afterOperation(EntryPtr entry);

 private:
  awaitable<void> run();  ///< the periodic lists, until cancelled
  void inspect(EntryPtr entry);
  awaitable<void> inspectNow(EntryPtr entry);
  awaitable<void> reconcileOnce(ProviderType type, Cause cause);
  struct Inspections;
  awaitable<void> inspectEach(std::vector<EntryPtr> doubtful, Cause cause);
  awaitable<void> inspectNext(std::shared_ptr<Inspections> inspections);
  /// For an instance without a container: a reason that includes the state of its volumes.
  awaitable<std::string> describe(EntryPtr entry, const std::optional<ProviderInstance>& observed);
  void apply(const EntryPtr& entry, const std::optional<ProviderInstance>& observed, Cause cause, std::string description);
  void applyRunning(const EntryPtr& entry, const ProviderInstance& observed, Cause cause);
  void applyEnded(const EntryPtr& entry, const ProviderInstance& observed, Cause cause);
  void applyGone(const EntryPtr& entry, std::string description);
  void noteOutOfMemory(const EntryPtr& entry);
  void startAgain(const EntryPtr& entry);
  awaitable<void> startLater(EntryPtr entry, std::chrono::milliseconds delay);
  awaitable<void> sweepOrphans(ProviderType type, const InstanceList& list);
  awaitable<void> sweepDeparted(ProviderType type);
  void confirm(Entry& entry, const ProviderInstance& listed);
  void markStale(ProviderType type);
  void disconnected(ProviderType type, const std::string& detail);
  void reportProvider(ProviderType type, std::string_view what, const std::string& detail);
  void decide(const EntryPtr& entry, InstanceStatus status, std::string reason);  ///< sets and saves
  awaitable<void> save(EntryPtr entry);
  bool isIdle(const Entry& entry) const { return !entry.removed && entry.record.instance.operationId.empty(); }

  const Context& context_;
  AgentWatch& agents_;
  OperationRunner& runner_;
  bool begun_ = false;
  std::set<ProviderType> sweeping_;                           ///< with leftovers of deleted instances
  std::map<ProviderType, std::optional<Cause>> reconciling_;  ///< present: in progress; with a cause: to be repeated
  std::map<ProviderType, std::set<PlaceId>> suspects_;        ///< unknown places in the last complete list
};

}  // namespace swarm::control
