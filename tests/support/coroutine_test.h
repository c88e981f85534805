// TestLoop and run(): coroutines in tests, on the test's own thread, with an overall deadline that fails the test instead of hanging it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/loop.h"

namespace swarm::test {

namespace asio = boost::asio;
using asio::awaitable;

/// An io_context that runs on the caller's thread, in run() only. Background coroutines continue while any run() is in progress, and are
/// destroyed with the loop. Not thread-safe.
class TestLoop {
 public:
  TestLoop() = default;
  ~TestLoop();
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  async::Executor executor() { return context_.get_executor(); }
  asio::io_context& context() { return context_; }

  /// Runs `operation` to its end and returns its result or rethrows; throws std::runtime_error when it takes longer than `limit`.
  template <typename T>
  T run(awaitable<T> operation, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    if constexpr (std::is_void_v<T>) {
      runVoid(std::move(operation), limit);
    } else {
      std::optional<T> result;
      runVoid(store(std::move(operation), result), limit);
      return std::move(*result);
    }
  }

  /// Starts `operation` in the background. An exception other than cancellation is a failure: the run() that it interrupts rethrows it.
  void spawn(awaitable<void> operation);

  /// Runs the loop until `condition` holds; throws std::runtime_error after `limit`.
  template <typename Condition>
  void runUntil(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) step(end);
  }

 private:
  template <typename T>
  static awaitable<void> store(awaitable<T> operation, std::optional<T>& result) {
    result.emplace(co_await std::move(operation));
  }
  void runVoid(awaitable<void> operation, std::chrono::milliseconds limit);
  void step(std::chrono::steady_clock::time_point end);

  asio::io_context context_{1};
  std::exception_ptr background_failure_;
};

/// One coroutine on a loop of its own: `EXPECT_EQ(run(compute()), 5)`.
template <typename T>
T run(awaitable<T> operation, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  TestLoop loop;
  return loop.run(std::move(operation), limit);
}

}  // namespace swarm::test
