// BackgroundTasks: spawn and stop.
#include "controller/background_tasks.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::control {

void BackgroundTasks::spawn(std::string name, awaitable<void> work) {
  auto task = std::make_shared<Task>();
  auto place = tasks_.insert(tasks_.end(), task);
  std::shared_ptr<void> owner = owner_();
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
  boost::asio::co_spawn(executor_, holding<void>(std::move(owner), std::move(work)),
                        boost::asio::bind_cancellation_slot(task->signal.slot(), std::move(done)));
}

awaitable<void> BackgroundTasks::stop() {
  while (!tasks_.empty()) {
    auto seen = task_ended_.version();
    auto tasks = tasks_;
    for (auto& task : tasks) task->signal.emit(boost::asio::cancellation_type::terminal);
    if (!tasks_.empty()) co_await task_ended_.wait(seen, Deadline::after(std::chrono::milliseconds(100)));
  }
}

}  // namespace swarm::control
