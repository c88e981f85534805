// Each task has a cancellation signal of its own.
#include "emulator/state/background.h"

#include <boost/asio/bind_cancellation_slot.hpp>

#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::emulator {

namespace asio = boost::asio;

void Background::spawn(awaitable<void> task, std::shared_ptr<void> owner) {
  if (stopped_) return;
  auto tasks = tasks_;
  auto place = tasks->running.emplace(tasks->running.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(place->slot(), [tasks, place, owner = std::move(owner)](std::exception_ptr error) {
                   // The signal must outlive the last use of its slot, which is this handler.
                   tasks->running.erase(place);
                   tasks->ended.notifyAll();
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
  while (!tasks->running.empty()) co_await waitFor(tasks->ended, Deadline::never());
}

}  // namespace swarm::emulator
