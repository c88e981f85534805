// ChangeSignal: wakes coroutines after a change, without polling. Background: coroutines that run detached and are ended in order.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <vector>

#include "async/loop.h"
#include "base/clock.h"

namespace swarm::emulator {

using boost::asio::awaitable;

/// One loop. A waiter must keep the signal alive.
class ChangeSignal {
 public:
  void notify();
  /// Waits for the next notify(); false: the deadline came first. Check the condition before, and again after.
  awaitable<bool> wait(Deadline deadline);

 private:
  struct Waiter;
  std::vector<Waiter*> waiting_;
};

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
    ChangeSignal ended;
  };
  async::Executor executor_;
  std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
  bool stopped_ = false;
};

}  // namespace swarm::emulator
