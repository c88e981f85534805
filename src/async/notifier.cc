// Waiters sleep on timers; a change cancels the timers.
#include "async/notifier.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace swarm::async {

/// A waiter's registration; released however its frame ends, even when its loop is destroyed first.
class Notifier::WaiterRegistration {
 public:
  WaiterRegistration(Notifier& notifier, boost::asio::steady_timer& timer) : notifier_(notifier), timer_(timer) {
    notifier_.waiting_.push_back(&timer_);
  }
  ~WaiterRegistration() { std::erase(notifier_.waiting_, &timer_); }
  WaiterRegistration(const WaiterRegistration&) = delete;
  WaiterRegistration& operator=(const WaiterRegistration&) = delete;

 private:
  Notifier& notifier_;
  boost::asio::steady_timer& timer_;
};

void Notifier::notifyAll() {
  ++version_;
  for (boost::asio::steady_timer* timer : waiting_) timer->cancel();
}

awaitable<bool> Notifier::wait(std::uint64_t seen, Deadline deadline) {
  auto executor = co_await boost::asio::this_coro::executor;
  while (version_ <= seen) {
    if (deadline.hasPassed()) co_return false;
    boost::asio::steady_timer timer(executor, deadline.time());
    WaiterRegistration registration(*this, timer);
    try {
      co_await timer.async_wait(boost::asio::use_awaitable);
    } catch (const boost::system::system_error&) {
      if (version_ <= seen) throw;  // the caller was cancelled
    }
  }
  co_return true;
}

}  // namespace swarm::async
