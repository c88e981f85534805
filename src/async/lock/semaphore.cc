// A queue of timers: cancelling a waiter's timer grants it the permit.
#include "async/lock/semaphore.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"

namespace swarm::async {

struct Semaphore::Waiter {
  asio::steady_timer timer;
  bool granted = false;
};

awaitable<Semaphore::Permit> Semaphore::acquire(Deadline deadline) {
  if (free_ > 0) {
    --free_;
    co_return Permit(*this);
  }
  auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(asio::steady_timer(executor, deadline.time()));
  queue_.push_back(waiter);
  co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter->granted) co_return Permit(*this);
  std::erase(queue_, waiter);
  if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, timed_out_);
  throw boost::system::system_error(asio::error::operation_aborted);
}

void Semaphore::release() {
  if (queue_.empty()) {
    ++free_;
    return;
  }
  auto next = std::move(queue_.front());
  queue_.pop_front();
  next->granted = true;
  next->timer.cancel();
}

}  // namespace swarm::async
