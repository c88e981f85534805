// SwarmController::Impl: the controller's parts. For the control loop only.
#pragma once

#include "async/loop.h"
#include "controller/agents/agent_settings.h"
#include "controller/agents/agent_watch.h"
#include "controller/agents/issued_tokens.h"
#include "controller/limits/limits.h"
#include "controller/monitoring/usage_monitor.h"
#include "controller/moves/migration.h"
#include "controller/operations/lifecycle.h"
#include "controller/operations/runner.h"
#include "controller/placement/creation.h"
#include "controller/ports.h"
#include "controller/provider_tokens.h"
#include "controller/reconcile/reconcile.h"
#include "controller/snapshots/snapshots.h"
#include "controller/state/places.h"
#include "controller/updates.h"

namespace swarm {

struct SwarmController::Impl : std::enable_shared_from_this<Impl> {
  Impl(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time, ControllerOptions chosen);

  awaitable<void> open();
  awaitable<void> load();
  awaitable<void> openProvider(ProviderType type);
  awaitable<void> close(std::chrono::seconds grace);
  /// Returns a thread-safe function that calls `part` on the control loop; without effect after the controller's destruction.
  template <typename Part, typename... Arguments>
  std::function<void(Arguments...)> posting(Part Impl::* part, void (Part::*call)(Arguments...));

  const async::Executor executor;
  Store& store;
  const Clock& clock;
  const ControllerOptions options;
  const control::Providers providers;
  control::Registry registry;
  async::BackgroundTasks tasks;
  EventBus events;
  control::RoutePublisher routes;
  control::Limits limits;
  control::ChangePublisher changes;
  control::ActiveOperations operations;
  const control::Context context;

  control::AgentWatch agents;
  control::Places places;
  control::Lifecycle lifecycle;
  control::Migration migration;
  control::Snapshots snapshots;
  control::OperationRunner runner;
  control::Creation creation;
  control::Updates updates;
  control::Ports ports;
  control::Reconciler reconciler;
  control::UsageMonitor usage;
  control::IssuedTokens issuedTokens;
  control::ProviderTokens providerTokens;
};

namespace control {

template <typename T>
struct Awaited {
  using Type = T;
  static constexpr bool isAwaitable = false;
};
template <typename T>
struct Awaited<awaitable<T>> {
  using Type = T;
  static constexpr bool isAwaitable = true;
};

/// The frame owns `impl` and `call` until each frame of `call` is destroyed, also when the loop is destroyed first.
template <typename Impl, typename Call, typename Result = Awaited<std::invoke_result_t<Call&, Impl&>>>
awaitable<typename Result::Type> callWith(std::shared_ptr<Impl> impl, Call call) {
  if constexpr (Result::isAwaitable) {
    co_return co_await call(*impl);
  } else {
    co_return call(*impl);
  }
}

}  // namespace control

template <typename Call>
auto SwarmController::onLoop(Call call) {
  return async::runOn(impl_->executor, control::callWith(impl_, std::move(call)));
}

}  // namespace swarm
