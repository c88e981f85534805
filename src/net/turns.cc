// A line of timers: a cancelled timer is the turn.
#include "net/turns.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"

namespace swarm::net {

namespace asio = boost::asio;

struct Turns::Waiter {
  asio::steady_timer timer;
  bool granted = false;
};

asio::awaitable<Turns::Turn> Turns::take(Deadline deadline) {
  if (free_ > 0) {
    --free_;
    co_return Turn(*this);
  }
  auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(asio::steady_timer(executor, deadline.time()));
  line_.push_back(waiter);
  co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter->granted) co_return Turn(*this);
  std::erase(line_, waiter);
  if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "Too much went on at the same time.");
  throw boost::system::system_error(asio::error::operation_aborted);
}

void Turns::giveBack() {
  if (line_.empty()) {
    ++free_;
    return;
  }
  auto next = std::move(line_.front());
  line_.pop_front();
  next->granted = true;
  next->timer.cancel();
}

}  // namespace swarm::net
