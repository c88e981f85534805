// attemptUnlessCancelled(): attempt() for work whose failure does not fail its caller.
#pragma once

#include "async/attempt.h"

namespace swarm::control {

using async::attempt;
using async::awaitable;

/// The result of `work`, or its error. Cancelled is thrown.
template <typename T>
awaitable<std::expected<T, Error>> attemptUnlessCancelled(awaitable<T> work) {
  std::expected<T, Error> result = co_await attempt(std::move(work));
  if (!result && result.error().code() == ErrorCode::Cancelled) throw std::move(result.error());
  co_return result;
}

}  // namespace swarm::control
