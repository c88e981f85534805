// TaskGroup: coroutines that are awaited as a whole.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/loop.h"
#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::async {

/// Tasks that end once the objects they use are closed. Must outlive them: call wait() before destruction.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), changed_(executor, asio::steady_timer::time_point::max()) {}

  void spawn(awaitable<void> task) {
    ++running_;
    asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr failure) {
      if (failure) report(failure);
      --running_;
      changed_.cancel();
    });
  }
  /// Until all have ended. Not cancellable: the tasks use the caller's objects.
  awaitable<void> wait() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (running_ > 0) {
      boost::system::error_code ignored;
      co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

 private:
  static void report(std::exception_ptr failure) {
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      log::debug("a task ended early", {{"error", describeCurrentException()}});
    }
  }
  Executor executor_;
  asio::steady_timer changed_;
  int running_ = 0;
};

}  // namespace swarm::async
