// BackgroundTasks: coroutines that run until they end or are stopped.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "async/awaitable.h"
#include "async/notifier.h"

namespace swarm::async {

/// One loop owns it. stop() before destruction, unless the loop was destroyed first.
class BackgroundTasks {
 public:
  /// `owner`: returns the owner of everything that tasks use, which each task keeps alive. May be empty.
  explicit BackgroundTasks(Executor executor, std::function<std::shared_ptr<void>()> owner = {})
      : executor_(std::move(executor)), owner_(std::move(owner)) {}

  /// Exceptions of `work` are logged with its name.
  void spawn(std::string name, awaitable<void> work);
  awaitable<void> stop();  ///< cancels all tasks, and those that they spawn, and waits for their end

 private:
  Executor executor_;
  std::function<std::shared_ptr<void>()> owner_;
  std::list<std::shared_ptr<boost::asio::cancellation_signal>> tasks_;
  Notifier task_ended_;
};

}  // namespace swarm::async
