// Lifecycle: what several kinds of operation do with an instance's container: start it, stop it, wait for VS Code.
#pragma once

#include "controller/reconcile/agent_watch.h"
#include "controller/state/active_operation.h"

namespace swarm::control {

class Lifecycle {
 public:
  Lifecycle(Core& core, AgentWatch& agents) : core_(core), agents_(agents) {}

  enum class Patience { Bounded, Endless };
  /// Retries while the provider is unreachable (retrying.h).
  template <typename T>
  awaitable<T> retrying(ActivePtr operation, Patience patience, std::function<awaitable<T>()> call);

  /// Starts the container; creates it around the existing volumes when it is missing or incomplete.
  awaitable<void> startContainer(ActivePtr operation, EmptyVolumes empty = EmptyVolumes::No);
  awaitable<bool> stopContainer(ActivePtr operation);  ///< false: the container does not exist
  /// Connects the route and waits until VS Code responds; sets running, with the reason when VS Code did not respond.
  awaitable<Readiness> bringUp(ActivePtr operation);
  /// The same, but fails when VS Code did not respond; the container keeps running so that a user can repair it.
  awaitable<void> bringUpOrFail(ActivePtr operation);

  /// After a start that failed, or was cancelled.
  awaitable<void> undoStart(ActivePtr operation, Error error);
  /// Adopts the state that the provider reports; without a report, the instance is failed with the reason.
  awaitable<void> describeAsObserved(ActivePtr operation, std::string reason);
  /// Records an intended stop.
  void setStopped(Entry& entry, std::string reason);

 private:
  awaitable<bool> waitForProvider(ActivePtr operation, const Error& error, Deadline deadline, std::chrono::milliseconds& delay);
  /// The end of the container's log, for the error of one that exited; empty when there is none.
  awaitable<std::string> endOfLog(EntryPtr entry);

  Core& core_;
  AgentWatch& agents_;
};

}  // namespace swarm::control
