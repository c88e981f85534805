// Waiters sleep on timers that a change cancels; background tasks have a cancellation signal each.
#include "emulator/state/change_signal.h"
#include "async/awaitable.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::emulator {

namespace asio = boost::asio;

/// A waiter's place in the queue; released however its frame ends.
struct ChangeSignal::Waiter {
  Waiter(ChangeSignal& owner, const async::Executor& executor, Deadline deadline) : signal(owner), timer(executor, deadline.time()) {
    signal.waiting_.push_back(this);
  }
  ~Waiter() { std::erase(signal.waiting_, this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  ChangeSignal& signal;
  asio::steady_timer timer;
  bool notified = false;
};

void ChangeSignal::notify() {
  for (Waiter* waiter : waiting_) {
    waiter->notified = true;
    waiter->timer.cancel();
  }
}

awaitable<bool> ChangeSignal::wait(Deadline deadline) {
  Waiter waiter(*this, co_await asio::this_coro::executor, deadline);
  try {
    co_await waiter.timer.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    if (!waiter.notified) throw;  // the caller was cancelled
  }
  co_return waiter.notified;
}

void Background::spawn(awaitable<void> task, std::shared_ptr<void> owner) {
  if (stopped_) return;
  auto tasks = tasks_;
  auto place = tasks->running.emplace(tasks->running.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(place->slot(), [tasks, place, owner = std::move(owner)](std::exception_ptr error) {
                   // The signal must outlive the last use of its slot, which is this handler.
                   tasks->running.erase(place);
                   tasks->ended.notify();
                   if (!error) return;
                   try {
                     std::rethrow_exception(error);
                   } catch (...) {
                     Error failure = currentExceptionAsError();
                     if (failure.code() != ErrorCode::Cancelled)
                       log::warning("emulator: a background task failed", {{"error", failure.message()}, {"cause", failure.cause()}});
                   }
                 }));
}

awaitable<void> Background::stop() {
  stopped_ = true;
  auto tasks = tasks_;
  // Handlers normally erase entries in later turns of the loop while signals are emitted, but a task may also end at once.
  std::vector<asio::cancellation_signal*> signals;
  for (asio::cancellation_signal& signal : tasks->running) signals.push_back(&signal);
  for (asio::cancellation_signal* signal : signals) {
    for (asio::cancellation_signal& running : tasks->running) {
      if (&running == signal) {
        signal->emit(asio::cancellation_type::terminal);
        break;
      }
    }
  }
  while (!tasks->running.empty()) co_await tasks->ended.wait(Deadline::never());
}

}  // namespace swarm::emulator
