// Reconciler: keeps what we believe in step with what the provider has. Events drive it; a slow full look is the safety net.
#pragma once

#include "controller/state/core.h"

namespace swarm::control {

class AgentWatch;
class OperationRunner;

class Reconciler {
 public:
  Reconciler(Core& core, AgentWatch& agents, OperationRunner& runner) : core_(core), agents_(agents), runner_(runner) {}

  void onEvent(ProviderType type, const ProviderEvent& event);
  /// Why a whole look is taken. Outage: the provider or this server was away; what stopped meanwhile is started again.
  enum class Cause { Event, Outage, SafetyNet };
  awaitable<void> reconcile(ProviderType type, Cause cause);
  /// From here on observations count. Before, an instance whose operation was cut off by a crash and not taken up again yet would look as
  /// if something had happened to it by itself.
  void begin();
  void afterOperation(EntryPtr entry);

 private:
  awaitable<void> run();  ///< the safety net, until it is cancelled
  void inspect(EntryPtr entry);
  awaitable<void> inspectNow(EntryPtr entry);
  awaitable<void> reconcileOnce(ProviderType type, Cause cause);
  struct Looks;
  awaitable<void> lookAtEach(std::vector<EntryPtr> doubtful, Cause cause);
  awaitable<void> lookAtNext(std::shared_ptr<Looks> looks);
  /// Looks again where there is nothing: what became of its volumes is told, too.
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
  void tellProvider(ProviderType type, std::string_view what, const std::string& detail);
  void decide(const EntryPtr& entry, InstanceStatus status, std::string reason);  ///< sets and saves
  awaitable<void> save(EntryPtr entry);
  bool isIdle(const Entry& entry) const { return !entry.removed && entry.record.instance.operationId.empty(); }

  Core& core_;
  AgentWatch& agents_;
  OperationRunner& runner_;
  bool begun_ = false;
  std::set<ProviderType> sweeping_;                         ///< at which something has come to light that was deleted before
  std::map<ProviderType, std::optional<Cause>> going_on_;   ///< present: a look goes on; with a cause: one more is wanted after it
  std::map<ProviderType, std::set<std::string>> suspects_;  ///< unknown to us in the last complete list
};

}  // namespace swarm::control
