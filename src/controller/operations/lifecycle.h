// Lifecycle: what several kinds of operation do with the container of an instance: start it, stop it, wait for its VS Code.
#pragma once

#include "controller/reconcile/agent_watch.h"
#include "controller/state/active_operation.h"

namespace swarm::control {

class Lifecycle {
 public:
  Lifecycle(Core& core, AgentWatch& agents) : core_(core), agents_(agents) {}

  enum class Patience { Bounded, Endless };
  /// Calls again while the provider can't be reached (retrying.h).
  template <typename T>
  awaitable<T> retrying(ActivePtr operation, Patience patience, std::function<awaitable<T>()> call);

  /// Starts the container; where there is none, or only half of one, it is made (again) around the volumes that are there.
  awaitable<void> startContainer(ActivePtr operation, EmptyVolumes empty = EmptyVolumes::No);
  awaitable<bool> stopContainer(ActivePtr operation);  ///< false: the container is gone
  /// Connects the route and waits until VS Code answers; sets running, with the reason when VS Code did not answer.
  awaitable<Readiness> bringUp(ActivePtr operation);
  /// The same, but fails when VS Code did not answer: what runs stays, so that a person can look and mend it.
  awaitable<void> bringUpOrFail(ActivePtr operation);

  /// After a start that failed, or was cancelled.
  awaitable<void> undoStart(ActivePtr operation, Error error);
  /// Falls back to the state that the provider reports; without a report, the instance is failed with the reason.
  awaitable<void> describeAsObserved(ActivePtr operation, std::string reason);
  /// That it is stopped, and was meant to be.
  void setStopped(Entry& entry, std::string reason);

 private:
  awaitable<bool> waitForProvider(ActivePtr operation, const Error& error, Deadline deadline, std::chrono::milliseconds& delay);
  /// The end of the container's log, for the error of one that ended; empty when there is none.
  awaitable<std::string> lastWords(EntryPtr entry);

  Core& core_;
  AgentWatch& agents_;
};

}  // namespace swarm::control
