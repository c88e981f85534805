// Loop's thread: runs its io_context until it is stopped.
#include "async/loop.h"

#include <pthread.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>

#include "async/io_wait.h"
#include "base/clock.h"
#include "base/diagnostics/check.h"
#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm::async {

Loop::Loop(std::string name)
    : work_(asio::make_work_guard(context_)), thread_([this, name = std::move(name)] {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        // An exception here escaped from a detached coroutine: a bug, but not one that should end every other connection of the loop.
        while (!context_.stopped()) {
          try {
            context_.run();
          } catch (...) {
            log::error("a task on a loop ended with an unhandled exception", {{"loop", name}, {"error", describeCurrentException()}});
          }
        }
      }) {}

Loop::~Loop() {
  stop();
  join();
}

Executor Loop::executor() { return context_.get_executor(); }  // out of line: the conversion is slow to compile

void Loop::join() {
  SWARM_CHECK(std::this_thread::get_id() != thread_.get_id());
  if (thread_.joinable()) thread_.join();
}

void Loop::stop() {
  work_.reset();
  context_.stop();
}

namespace {

// The caller's half of a call to another loop; lives on the caller's loop.
struct Call {
  explicit Call(const Executor& home) : wake(home) {}
  asio::steady_timer wake;
  std::exception_ptr error;
  bool done = false;
};

}  // namespace

// Not co_spawn with use_awaitable: that keeps a work guard of the caller's io_context on the other loop for a moment after the caller has
// resumed, which is too long if the caller's io_context then ends.
awaitable<void> detail::runElsewhere(Executor executor, awaitable<void> work) {
  const Executor home = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  auto call = std::make_shared<Call>(home);
  auto cancel = std::make_shared<asio::cancellation_signal>();  // used on the other loop only
  auto on_end = [call, cancel, home, executor](std::exception_ptr error) mutable {
    // The spawned frame still refers to the signal when this handler ends.
    asio::post(executor, [cancel = std::move(cancel)] {});
    asio::post(home, [call = std::move(call), error = std::move(error)]() mutable {
      call->error = std::move(error);
      call->done = true;
      call->wake.cancel();
    });
  };
  // The connection is made here, before the other loop sees the signal.
  asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(cancel->slot(), std::move(on_end)));
  co_await asio::this_coro::throw_if_cancelled(false);
  bool passed_on = false;
  while (!call->done) {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none && !passed_on) {
      passed_on = true;
      asio::post(executor, [cancel] { cancel->emit(asio::cancellation_type::terminal); });
    }
    call->wake.expires_at(SteadyTime::max());
    co_await waitTimer(call->wake);
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (call->error) std::rethrow_exception(call->error);
}

}  // namespace swarm::async
