// Lifecycle: what several kinds of operation do with an instance's container: start it, stop it, wait for VS Code.
#pragma once

#include "async/attempt.h"
#include "controller/agents/agent_watch.h"
#include "controller/state/active_operation.h"

namespace swarm::control {

class Lifecycle {
 public:
  Lifecycle(const Context& context, AgentWatch& agents) : context_(context), agents_(agents) {}

  enum class Patience { Bounded, Endless };
  /// Retries `call` while the provider is unreachable: the one loop that does.
  template <typename Call>
  auto retrying(ActivePtr operation, Call call, Patience patience = Patience::Bounded) -> std::invoke_result_t<Call&> {
    Deadline deadline = patience == Patience::Endless ? Deadline::never() : Deadline::after(context_.options.providerOutage);
    auto delay = context_.options.retryDelay;
    for (;;) {
      auto done = co_await async::attempt(call());
      if (done) co_return *std::move(done);
      if (!co_await waitForProvider(operation, done.error(), deadline, delay)) throw done.error();
    }
  }

  /// Starts the container; creates it around the existing volumes when it is missing or incomplete.
  awaitable<void> startContainer(ActivePtr operation, EmptyVolumes empty = EmptyVolumes::No);
  awaitable<bool> stopContainer(ActivePtr operation);  ///< false: the container does not exist
  /// Connects the route and waits until VS Code responds; sets running, with the reason when VS Code did not respond.
  awaitable<Readiness> bringUp(ActivePtr operation);
  /// Both: starts the container and waits for VS Code.
  awaitable<Readiness> startAndBringUp(ActivePtr operation);
  /// bringUp(), but fails when VS Code did not respond; the container keeps running so that a user can repair it.
  awaitable<void> bringUpOrFail(ActivePtr operation);

  /// After a start that failed, or was cancelled.
  awaitable<void> undoStart(ActivePtr operation, Error error);
  /// Adopts the state that the provider reports; without a report, the instance is failed with the reason.
  awaitable<void> describeAsObserved(ActivePtr operation, std::string reason);
  /// Stops the container and records that as intended.
  awaitable<void> stop(ActivePtr operation, std::string reason);

 private:
  awaitable<bool> waitForProvider(ActivePtr operation, const Error& error, Deadline deadline, std::chrono::milliseconds& delay);
  /// The end of the container's log, for the error of one that exited; empty when there is none.
  awaitable<std::string> endOfLog(EntryPtr entry);

  const Context& context_;
  AgentWatch& agents_;
};

}  // namespace swarm::control
