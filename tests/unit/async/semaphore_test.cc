// Semaphore: the limit, the order, and the queue after a waiter is cancelled or times out.
#include "async/lock/semaphore.h"
#include "async/awaitable.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "base/error.h"
#include "support/coroutine_test.h"

namespace swarm::net {
namespace {

namespace asio = boost::asio;

Deadline late() { return Deadline::after(std::chrono::seconds(20)); }

struct Worker {
  std::optional<async::Semaphore::Permit> permit;
};

async::awaitable<void> acquirePermit(async::Semaphore& semaphore, Worker& worker) {
  worker.permit.emplace(co_await semaphore.acquire(late()));
}

TEST(Semaphore, grantsPermitsInOrderOfRequestUpToItsLimit) {
  test::TestLoop loop;
  async::Semaphore semaphore(2);
  Worker workers[4];
  for (Worker& worker : workers) loop.spawn(acquirePermit(semaphore, worker));
  loop.runUntil([&] { return semaphore.waiting() == 2; });
  EXPECT_TRUE(workers[0].permit && workers[1].permit);
  EXPECT_FALSE(workers[2].permit || workers[3].permit);
  workers[1].permit.reset();
  loop.runUntil([&] { return workers[2].permit.has_value(); });
  EXPECT_FALSE(workers[3].permit);
  workers[0].permit.reset();
  loop.runUntil([&] { return workers[3].permit.has_value(); });
}

TEST(Semaphore, grantsReleasedPermitsAgain) {
  test::TestLoop loop;
  async::Semaphore semaphore(1);
  for (int i = 0; i < 3; ++i)
    loop.run([](async::Semaphore& all) -> async::awaitable<void> { auto permit = co_await all.acquire(late()); }(semaphore));
  EXPECT_EQ(semaphore.waiting(), 0U);
}

TEST(Semaphore, failsAtTheDeadline) {
  test::TestLoop loop;
  async::Semaphore semaphore(1);
  Worker holder;
  loop.run(acquirePermit(semaphore, holder));
  auto wait = [](async::Semaphore& all) -> async::awaitable<void> {
    auto permit = co_await all.acquire(Deadline::after(std::chrono::milliseconds(5)));
  };
  EXPECT_THROW(loop.run(wait(semaphore)), Error);
  EXPECT_EQ(semaphore.waiting(), 0U);
}

TEST(Semaphore, skipsACancelledWaiter) {
  test::TestLoop loop;
  async::Semaphore semaphore(1);
  Worker holder, cancelled, next;
  loop.run(acquirePermit(semaphore, holder));
  asio::cancellation_signal cancel;
  bool ended = false;
  asio::co_spawn(loop.context(), acquirePermit(semaphore, cancelled),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure) { ended = failure != nullptr; }));
  loop.spawn(acquirePermit(semaphore, next));
  loop.runUntil([&] { return semaphore.waiting() == 2; });
  cancel.emit(asio::cancellation_type::terminal);
  loop.runUntil([&] { return ended; });
  holder.permit.reset();
  loop.runUntil([&] { return next.permit.has_value(); });
  EXPECT_FALSE(cancelled.permit);
}

}  // namespace
}  // namespace swarm::net
