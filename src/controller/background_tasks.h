// BackgroundTasks: coroutines that run until they end or the controller closes.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "async/awaitable.h"
#include "async/loop.h"
#include "async/notifier.h"

namespace swarm::control {

using async::awaitable;

/// Runs `work` and keeps `owner` alive until each of its frames is destroyed, also when the loop is destroyed first.
template <typename T, typename Owner>
awaitable<T> holding(std::shared_ptr<Owner> /*owner*/, awaitable<T> work) {
  co_return co_await std::move(work);
}

class BackgroundTasks {
 public:
  /// `owner`: returns the owner of everything that tasks use. Each task keeps it alive.
  BackgroundTasks(async::Executor executor, std::function<std::shared_ptr<void>()> owner)
      : executor_(std::move(executor)), owner_(std::move(owner)) {}

  /// Exceptions of `work` are logged with its name.
  void spawn(std::string name, awaitable<void> work);
  awaitable<void> stop();  ///< cancels all tasks and waits for their end

 private:
  struct Task {
    boost::asio::cancellation_signal signal;
  };

  async::Executor executor_;
  std::function<std::shared_ptr<void>()> owner_;
  std::list<std::shared_ptr<Task>> tasks_;
  async::Notifier task_ended_;
};

}  // namespace swarm::control
