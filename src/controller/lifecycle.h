// Lifecycle: what each kind of operation does at the provider. Every body may be run again from its beginning after a crash.
#pragma once

#include "controller/agent_watch.h"

namespace swarm::control {

class AgentWatch;
class Migration;
class Places;
class Snapshots;
class Reconciler;

class Lifecycle {
 public:
  Lifecycle(Core& core, AgentWatch& agents) : core_(core), agents_(agents) {}
  void setReconciler(Reconciler& reconciler) { reconciler_ = &reconciler; }
  void setMoves(Migration& migration, Snapshots& snapshots, Places& places) {
    migration_ = &migration;
    snapshots_ = &snapshots;
    places_ = &places;
  }

  /// Throws when it fails; the instance's final state is then undo()'s business.
  awaitable<void> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);
  /// After the end of any operation: what was observed meanwhile is looked at again.
  void afterOperation(EntryPtr entry);

  // What moves use, too.
  enum class Patience { Bounded, Endless };
  /// Outlasts an unreachable provider (retrying.h).
  template <typename T>
  awaitable<T> retrying(ActivePtr operation, Patience patience, std::function<awaitable<T>()> call);
  awaitable<void> startContainer(ActivePtr operation);
  awaitable<bool> stopContainer(ActivePtr operation);  ///< false: there is none any more
  /// Connects the route and waits until VS Code answers; sets running, with the reason when VS Code did not answer.
  awaitable<Readiness> bringUp(ActivePtr operation);

 private:
  awaitable<bool> waitForProvider(ActivePtr operation, const Error& error, Deadline deadline, std::chrono::milliseconds& delay);

  awaitable<void> create(ActivePtr operation);
  awaitable<void> start(ActivePtr operation);
  awaitable<void> stop(ActivePtr operation);
  awaitable<void> restart(ActivePtr operation);
  awaitable<void> update(ActivePtr operation);
  awaitable<void> remove(ActivePtr operation);

  /// The same, but fails when VS Code did not answer: what runs stays, so that a person can look and mend it.
  awaitable<void> bringUpOrFail(ActivePtr operation);
  /// The end of the container's log, for the error of one that ended; empty when there is none.
  awaitable<std::string> lastWords(EntryPtr entry);

  awaitable<void> replace(ActivePtr operation);
  awaitable<ProviderInstance> remake(ActivePtr operation, Deadline deadline);
  awaitable<void> discard(ActivePtr operation);
  awaitable<void> undoUpdate(ActivePtr operation, Error error);
  awaitable<void> describeAsObserved(ActivePtr operation, std::string reason);

  Core& core_;
  AgentWatch& agents_;
  Reconciler* reconciler_ = nullptr;
  Migration* migration_ = nullptr;
  Snapshots* snapshots_ = nullptr;
  Places* places_ = nullptr;
};

}  // namespace swarm::control
