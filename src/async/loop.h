// Loop: one thread with one io_context. A connection never leaves its loop; runOn() sends work to another loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "async/awaitable.h"

namespace swarm::async {

/// A thread that runs one io_context until stop() or destruction. stop() is thread-safe; it abandons pending work. Where loops call each
/// other, stop() and join() all of them before the first is destroyed.
class Loop {
 public:
  explicit Loop(std::string name);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Executor executor();
  asio::io_context& context() { return context_; }
  void stop();
  void join();  ///< waits for the thread's end; not from the loop's own thread

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

namespace detail {
awaitable<void> runElsewhere(Executor executor, awaitable<void> work);

template <typename T>
awaitable<void> storeResult(awaitable<T> work, std::optional<T>& result) {
  result.emplace(co_await std::move(work));
}
}  // namespace detail

/// Runs `work` on `executor` and resumes the caller, on its own executor, with the result or the exception. The awaited coroutine's
/// arguments must be values (or outlive the call). Cancelling the caller cancels the work, and waits for its end. Thread-safe. Once the
/// caller has resumed, the other loop no longer touches the caller's loop.
template <typename T>
awaitable<T> runOn(Executor executor, awaitable<T> work) {
  if constexpr (std::is_void_v<T>) {
    co_await detail::runElsewhere(std::move(executor), std::move(work));
  } else {
    std::optional<T> result;
    co_await detail::runElsewhere(std::move(executor), detail::storeResult(std::move(work), result));
    co_return std::move(*result);
  }
}

}  // namespace swarm::async
