// Lifecycle::retrying: the one loop that retries an unreachable provider.
#pragma once

#include "controller/operations/lifecycle.h"

namespace swarm::control {

template <typename T>
awaitable<T> Lifecycle::retrying(ActivePtr operation, Patience patience, std::function<awaitable<T>()> call) {
  Deadline deadline = patience == Patience::Endless ? Deadline::never() : Deadline::after(core_.options.providerOutage);
  auto delay = core_.options.retryDelay;
  for (;;) {
    std::optional<Error> failure;
    try {
      co_return co_await call();
    } catch (const Error& error) {
      failure = error;
    }
    if (!co_await waitForProvider(operation, *failure, deadline, delay)) throw *failure;
  }
}

}  // namespace swarm::control
