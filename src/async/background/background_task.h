// BackgroundTask: one coroutine that runs until it is closed.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "async/loop.h"
#include "async/notifier.h"

namespace swarm::async {

/// One loop only. close() before destruction, once start() was called.
class BackgroundTask {
 public:
  void start(Executor executor, awaitable<void> task) {
    closing_ = false;
    running_ = true;
    auto ended = [this](std::exception_ptr) {
      running_ = false;
      ended_.notifyAll();
    };
    asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(stop_.slot(), std::move(ended)));
  }
  /// Cancels it, and returns when it has ended.
  awaitable<void> close() {
    closing_ = true;
    if (running_) stop_.emit(asio::cancellation_type::terminal);
    while (running_) co_await ended_.wait(ended_.version(), Deadline::never());
  }
  bool isClosing() const { return closing_; }

 private:
  asio::cancellation_signal stop_;
  Notifier ended_;
  bool closing_ = false;
  bool running_ = false;
};

}  // namespace swarm::async
