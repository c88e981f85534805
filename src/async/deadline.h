// withDeadline() and race(). Asio's `a || b` waits for the first success and hides exceptions, its `a && b` replaces the error.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "async/loop.h"
#include "base/clock.h"

namespace swarm::async {

/// Waits until `deadline`; an Error(Cancelled)-like system_error(operation_aborted) when cancelled.
awaitable<void> sleepUntil(Deadline deadline);
awaitable<void> sleepFor(std::chrono::milliseconds duration);

namespace detail {
awaitable<void> runWithDeadline(awaitable<void> operation, Deadline deadline, std::string what);
}  // namespace detail

/// Runs `operation`; when the deadline passes first, the operation is cancelled (and awaited), and Error(DeadlineExceeded, what) is thrown:
/// `what` is the whole message, a sentence. Exceptions of the operation propagate. Cancelling the caller cancels the operation. The
/// operation runs as a coroutine of its own on the same executor: its arguments must be values, or outlive the call.
template <typename T>
awaitable<T> withDeadline(awaitable<T> operation, Deadline deadline, std::string what) {
  if constexpr (std::is_void_v<T>) {
    co_await detail::runWithDeadline(std::move(operation), deadline, std::move(what));
  } else {
    std::optional<T> result;
    co_await detail::runWithDeadline(detail::storeResult(std::move(operation), result), deadline, std::move(what));
    co_return std::move(*result);
  }
}

/// Runs both until the first has ended, by success or exception; cancels and awaits the other; returns 0 or 1, or rethrows the exception of
/// the first.
awaitable<int> race(awaitable<void> first, awaitable<void> second);

/// The same for one with a result; nothing when `second` has ended first.
template <typename T>
  requires(!std::is_void_v<T>)
awaitable<std::optional<T>> race(awaitable<T> first, awaitable<void> second) {
  std::optional<T> result;
  if (co_await race(detail::storeResult(std::move(first), result), std::move(second)) != 0) result.reset();
  co_return result;
}

/// Runs both to their ends, then rethrows the first exception. An exception of one cancels the other.
awaitable<void> both(awaitable<void> first, awaitable<void> second);

}  // namespace swarm::async
