// Background: coroutines that run detached and are ended in order.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <memory>

#include "async/loop.h"
#include "async/notifier.h"

namespace swarm::emulator {

using async::awaitable;

/// Exceptions of tasks are logged. One loop.
class Background {
 public:
  explicit Background(async::Executor executor) : executor_(std::move(executor)) {}
  /// `owner` is kept alive until the end of the task.
  void spawn(awaitable<void> task, std::shared_ptr<void> owner);
  awaitable<void> stop();  ///< cancels all tasks and waits for them to end; later ones are not started

 private:
  struct Tasks {
    std::list<boost::asio::cancellation_signal> running;
    async::Notifier ended;
  };
  async::Executor executor_;
  std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
  bool stopped_ = false;
};

/// Waits for the next change; false: the deadline came first. Check the condition before, and again after.
inline awaitable<bool> waitFor(async::Notifier& change, Deadline deadline) { return change.wait(change.version(), deadline); }

}  // namespace swarm::emulator
