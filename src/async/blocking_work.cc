// The thread posts to the loop when it ends.
#include "async/blocking_work.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <system_error>

#include "base/error.h"

namespace swarm::async {

BlockingWork::BlockingWork(Executor executor, const char* thread_name, std::function<void()> work) : state_(std::make_shared<State>()) {
  auto run = [state = state_, executor = std::move(executor), thread_name, work = std::move(work)]() mutable {
    ::pthread_setname_np(::pthread_self(), thread_name);
    std::exception_ptr failure;
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    asio::post(executor, [state = std::move(state), failure = std::move(failure)] {
      state->failure = failure;
      state->done = true;
      state->ended.notifyAll();
    });
  };
  try {
    thread_ = std::thread(std::move(run));
  } catch (const std::system_error&) {
    throw Error(ErrorCode::OutOfResources, "Cannot start a thread: the limit of threads is reached.").withRetryable(true);
  }
}

BlockingWork::~BlockingWork() {
  if (thread_.joinable()) thread_.join();
}

awaitable<void> BlockingWork::wait() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!state_->done) co_await state_->ended.wait(state_->ended.version(), Deadline::never());
  if (thread_.joinable()) thread_.join();
  if (state_->failure) std::rethrow_exception(state_->failure);
}

}  // namespace swarm::async
