// Runs coroutines to their end on one io_context, from a plain test body.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace swarm::testing {

namespace asio = boost::asio;

class CoroutineRunner {
 public:
  asio::io_context& context() { return context_; }

  /// The result, or the exception, of `work`. Everything else on the context continues to run.
  template <typename T>
  T run(asio::awaitable<T> work) {
    std::optional<T> result;
    auto store = [&result](asio::awaitable<T> inner) -> asio::awaitable<void> { result.emplace(co_await std::move(inner)); };
    run(store(std::move(work)));
    return std::move(*result);
  }
  void run(asio::awaitable<void> work) {
    bool ended = false;
    std::exception_ptr failure;
    asio::co_spawn(context_, std::move(work), [&](std::exception_ptr error) {
      failure = error;
      ended = true;
    });
    while (!ended) {
      context_.restart();
      if (context_.run_one() == 0) throw std::logic_error("the coroutine waits for something that can't come");
    }
    if (failure) std::rethrow_exception(failure);
  }

  /// Starts all at once and waits for all; the first exception is thrown.
  void runAll(std::vector<asio::awaitable<void>> works) {
    std::size_t left = works.size();
    std::exception_ptr failure;
    for (auto& work : works) {
      asio::co_spawn(context_, std::move(work), [&](std::exception_ptr error) {
        if (error && !failure) failure = error;
        --left;
      });
    }
    while (left > 0) {
      context_.restart();
      if (context_.run_one() == 0) throw std::logic_error("a coroutine waits for something that can't come");
    }
    if (failure) std::rethrow_exception(failure);
  }

  /// Runs the loop until `condition` holds; false when `limit` passed first.
  bool waitFor(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    Deadline deadline = Deadline::after(limit);
    while (!condition()) {
      if (deadline.hasPassed()) return false;
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }

 private:
  asio::io_context context_{1};
};

/// The error that `work` throws; nothing when it does not.
template <typename Work>
std::optional<Error> errorOf(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace swarm::testing
