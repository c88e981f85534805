// The shared implementation: child coroutines, each with its own cancellation signal, and a parent that always awaits all of them.
#include "async/deadline.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <vector>

#include "async/io_wait.h"
#include "base/error.h"

namespace swarm::async {

using boost::system::error_code;

namespace {

struct Child {
  asio::cancellation_signal cancel;
  std::exception_ptr error;
  bool ended = false;
};

// Shared by children and parent: a child's completion handler may run after the parent was destroyed with its io_context.
struct Family {
  explicit Family(const Executor& executor) : wake(executor) {}
  asio::steady_timer wake;  // cancelled by a child that ends; expires at the deadline
  Child children[2];
  int ended = 0;
  int first_ended = -1;
  bool abandoned = false;
};

void start(const std::shared_ptr<Family>& family, const Executor& executor, int index, awaitable<void> operation) {
  Child& child = family->children[index];
  asio::co_spawn(executor, std::move(operation),
                 asio::bind_cancellation_slot(child.cancel.slot(), [family, index](std::exception_ptr error) {
                   if (family->abandoned) return;
                   Child& ended = family->children[index];
                   ended.error = std::move(error);
                   ended.ended = true;
                   if (family->ended++ == 0) family->first_ended = index;
                   family->wake.cancel();
                 }));
}

void cancelRunning(Family& family, int count) {
  for (int index = 0; index < count; ++index) {
    if (!family.children[index].ended) family.children[index].cancel.emit(asio::cancellation_type::terminal);
  }
}

// Cancellation does not interrupt the parent of a family while children run: the parent passes it on and waits for them to end. Between
// enter() and leave() no co_await of the parent throws for cancellation: a throw before the second wait would leave children running on
// objects that the caller is about to destroy.
class Parent {
 public:
  Parent(std::shared_ptr<Family> family, int count) : family_(std::move(family)), count_(count) {}
  ~Parent() { family_->abandoned = true; }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  awaitable<void> enter() {
    throws_ = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
  }
  awaitable<void> leave() { co_await asio::this_coro::throw_if_cancelled(throws_); }

  // Waits until `enough` children have ended (true) or the deadline has passed (false).
  awaitable<bool> waitFor(int enough, Deadline deadline) {
    family_->wake.expires_at(deadline.time());
    bool in_time = true;
    while (family_->ended < enough) {
      const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none && !passed_on_) {
        passed_on_ = true;
        cancelRunning(*family_, count_);
      }
      // Woken by the end of a child, cancellation of the parent, or the deadline.
      const error_code error = co_await waitTimer(family_->wake);
      if (!error && family_->ended < enough) {
        in_time = false;
        break;
      }
    }
    co_return in_time;
  }

 private:
  std::shared_ptr<Family> family_;
  int count_;
  bool passed_on_ = false;
  bool throws_ = true;
};

}  // namespace

awaitable<void> sleepUntil(Deadline deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline.time());
  if (error_code error = co_await waitTimer(timer)) throw boost::system::system_error(error);
}

awaitable<void> sleepFor(std::chrono::milliseconds duration) { return sleepUntil(Deadline::after(duration)); }

awaitable<void> detail::runWithDeadline(awaitable<void> operation, Deadline deadline, std::string what) {
  if (deadline.isNever()) {
    co_await std::move(operation);
    co_return;
  }
  const Executor executor = co_await asio::this_coro::executor;
  auto family = std::make_shared<Family>(executor);
  Parent parent(family, 1);
  co_await parent.enter();
  start(family, executor, 0, std::move(operation));
  const bool in_time = co_await parent.waitFor(1, deadline);
  if (!in_time) {
    cancelRunning(*family, 1);
    co_await parent.waitFor(1, Deadline::never());
  }
  co_await parent.leave();
  if (!in_time) {
    // An exception caused by the cancellation is ignored; a result that arrived at the same moment is kept.
    if (family->children[0].error) throw Error(ErrorCode::DeadlineExceeded, std::move(what));
  }
  if (family->children[0].error) std::rethrow_exception(family->children[0].error);
}

awaitable<int> race(awaitable<void> first, awaitable<void> second) {
  const Executor executor = co_await asio::this_coro::executor;
  auto family = std::make_shared<Family>(executor);
  Parent parent(family, 2);
  co_await parent.enter();
  start(family, executor, 0, std::move(first));
  start(family, executor, 1, std::move(second));
  co_await parent.waitFor(1, Deadline::never());
  cancelRunning(*family, 2);
  co_await parent.waitFor(2, Deadline::never());
  co_await parent.leave();
  const int winner = family->first_ended;
  if (family->children[winner].error) std::rethrow_exception(family->children[winner].error);
  co_return winner;
}

awaitable<void> both(awaitable<void> first, awaitable<void> second) {
  const Executor executor = co_await asio::this_coro::executor;
  auto family = std::make_shared<Family>(executor);
  Parent parent(family, 2);
  co_await parent.enter();
  start(family, executor, 0, std::move(first));
  start(family, executor, 1, std::move(second));
  co_await parent.waitFor(1, Deadline::never());
  const int earlier = family->first_ended;
  if (family->children[earlier].error) cancelRunning(*family, 2);
  co_await parent.waitFor(2, Deadline::never());
  co_await parent.leave();
  for (int index : {earlier, 1 - earlier}) {
    if (family->children[index].error) std::rethrow_exception(family->children[index].error);
  }
}

}  // namespace swarm::async
