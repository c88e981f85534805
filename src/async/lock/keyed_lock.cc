// A queue of timers per held key: a cancelled timer is the turn.
#include "async/lock/keyed_lock.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"

namespace swarm::async {

namespace asio = boost::asio;

struct KeyedLock::Waiter {
  asio::steady_timer timer;
  bool granted = false;
};

awaitable<KeyedLock::Guard> KeyedLock::acquire(std::string key, Deadline deadline) {
  auto [entry, free] = waiting_.try_emplace(key);
  if (free) co_return Guard(*this, std::move(key));
  auto executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(asio::steady_timer(executor, deadline.time()));
  entry->second.push_back(waiter);
  co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter->granted) co_return Guard(*this, std::move(key));
  std::erase(waiting_[key], waiter);
  if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "Another operation on the same resource took too long.");
  throw boost::system::system_error(asio::error::operation_aborted);
}

void KeyedLock::release(const std::string& key) {
  auto entry = waiting_.find(key);
  if (entry == waiting_.end()) return;
  if (entry->second.empty()) {
    waiting_.erase(entry);
    return;
  }
  auto next = entry->second.front();
  entry->second.pop_front();
  next->granted = true;
  next->timer.cancel();
}

}  // namespace swarm::async
