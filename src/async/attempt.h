// attempt(): the Error of a coroutine as a value, where the caller goes on after it. `co_await` is not allowed in a catch block.
#pragma once

#include <expected>

#include "async/awaitable.h"
#include "base/error.h"

namespace swarm::async {

/// The result of `work`, or the Error that it threw. Every other exception propagates. `work` runs as a part of the caller: it is cancelled
/// with it, and its arguments may refer to the caller's objects.
template <typename T>
awaitable<std::expected<T, Error>> attempt(awaitable<T> work) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      co_return std::expected<T, Error>();
    } else {
      co_return co_await std::move(work);
    }
  } catch (const Error& error) {
    co_return std::unexpected(error);
  }
}

}  // namespace swarm::async
