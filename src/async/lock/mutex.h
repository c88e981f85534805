// Mutex: for coroutines of one loop.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/loop.h"

namespace swarm::async {

/// Admits coroutines of one loop one at a time, in order of arrival.
class Mutex {
 public:
  explicit Mutex(Executor executor) : free_(executor, asio::steady_timer::time_point::max()) {}

  awaitable<void> lock() {
    while (locked_) {
      boost::system::error_code ignored;
      co_await free_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    locked_ = true;
  }
  void unlock() {
    locked_ = false;
    free_.cancel_one();
  }

 private:
  asio::steady_timer free_;
  bool locked_ = false;
};

}  // namespace swarm::async
