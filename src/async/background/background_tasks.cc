// BackgroundTasks: spawn and stop.
#include "async/background/background_tasks.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::async {

namespace {

/// Keeps `owner` alive until each frame of `work` is destroyed, also when the loop is destroyed first.
awaitable<void> holding(std::shared_ptr<void> /*owner*/, awaitable<void> work) { co_await std::move(work); }

}  // namespace

void BackgroundTasks::spawn(std::string name, awaitable<void> work) {
  auto task = std::make_shared<asio::cancellation_signal>();
  auto place = tasks_.insert(tasks_.end(), task);
  std::shared_ptr<void> owner = owner_ ? owner_() : nullptr;
  auto done = [this, owner, place, name = std::move(name)](std::exception_ptr failure) {
    tasks_.erase(place);
    task_ended_.notifyAll();
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      Error error = currentExceptionAsError();
      if (error.code() != ErrorCode::Cancelled)
        log::error("background task failed", {{"task", name}, {"error", error.message()}, {"cause", error.cause()}});
    }
  };
  asio::co_spawn(executor_, holding(std::move(owner), std::move(work)), asio::bind_cancellation_slot(task->slot(), std::move(done)));
}

awaitable<void> BackgroundTasks::stop() {
  while (!tasks_.empty()) {
    auto seen = task_ended_.version();
    auto tasks = tasks_;
    for (auto& task : tasks) task->emit(asio::cancellation_type::terminal);
    if (!tasks_.empty()) co_await task_ended_.wait(seen, Deadline::after(std::chrono::milliseconds(100)));
  }
}

}  // namespace swarm::async
