// ChangeSignal: wakes coroutines when something has changed, so that nothing polls. Background: coroutines that nobody awaits, ended in
// order.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"

namespace swarm::emulator {

using boost::asio::awaitable;

/// One loop. A waiter must keep the signal alive.
class ChangeSignal {
 public:
  void notify();
  /// The next notify(); false: the deadline came first. Look at the condition before, and again after.
  awaitable<bool> wait(Deadline deadline);

 private:
  struct Waiter;
  std::vector<Waiter*> waiting_;
};

/// Tasks log what they throw. One loop.
class Background {
 public:
  explicit Background(net::Executor executor) : executor_(std::move(executor)) {}
  /// `owner` lives at least until the task's end.
  void spawn(awaitable<void> task, std::shared_ptr<void> owner);
  awaitable<void> stop();  ///< cancels all tasks and waits for their ends; later ones are not begun

 private:
  struct Tasks {
    std::list<boost::asio::cancellation_signal> running;
    ChangeSignal ended;
  };
  net::Executor executor_;
  std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
  bool stopped_ = false;
};

}  // namespace swarm::emulator
