// Turns: how many at once, in which order, and what a waiter that gives up leaves.
#include "net/turns.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "base/error.h"
#include "support/coroutine_test.h"

namespace swarm::net {
namespace {

Deadline late() { return Deadline::after(std::chrono::seconds(20)); }

struct Worker {
  std::optional<Turns::Turn> turn;
};

awaitable<void> takeTurn(Turns& turns, Worker& worker) { worker.turn.emplace(co_await turns.take(late())); }

TEST(Turns, areGivenInTheOrderOfAskingAndNeverToMoreThanAllowed) {
  test::TestLoop loop;
  Turns turns(2);
  Worker workers[4];
  for (Worker& worker : workers) loop.spawn(takeTurn(turns, worker));
  loop.runUntil([&] { return turns.waiting() == 2; });
  EXPECT_TRUE(workers[0].turn && workers[1].turn);
  EXPECT_FALSE(workers[2].turn || workers[3].turn);
  workers[1].turn.reset();
  loop.runUntil([&] { return workers[2].turn.has_value(); });
  EXPECT_FALSE(workers[3].turn);
  workers[0].turn.reset();
  loop.runUntil([&] { return workers[3].turn.has_value(); });
}

TEST(Turns, thatWereGivenBackAreThereForTheNext) {
  test::TestLoop loop;
  Turns turns(1);
  for (int i = 0; i < 3; ++i) loop.run([](Turns& all) -> awaitable<void> { auto turn = co_await all.take(late()); }(turns));
  EXPECT_EQ(turns.waiting(), 0U);
}

TEST(Turns, areNotWaitedForBeyondTheDeadline) {
  test::TestLoop loop;
  Turns turns(1);
  Worker holder;
  loop.run(takeTurn(turns, holder));
  auto ask = [](Turns& all) -> awaitable<void> { auto turn = co_await all.take(Deadline::after(std::chrono::milliseconds(5))); };
  EXPECT_THROW(loop.run(ask(turns)), Error);
  EXPECT_EQ(turns.waiting(), 0U);
}

TEST(Turns, goToTheNextInLineWhenAWaiterIsCancelled) {
  test::TestLoop loop;
  Turns turns(1);
  Worker holder, cancelled, next;
  loop.run(takeTurn(turns, holder));
  asio::cancellation_signal cancel;
  bool ended = false;
  asio::co_spawn(loop.context(), takeTurn(turns, cancelled),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure) { ended = failure != nullptr; }));
  loop.spawn(takeTurn(turns, next));
  loop.runUntil([&] { return turns.waiting() == 2; });
  cancel.emit(asio::cancellation_type::terminal);
  loop.runUntil([&] { return ended; });
  holder.turn.reset();
  loop.runUntil([&] { return next.turn.has_value(); });
  EXPECT_FALSE(cancelled.turn);
}

}  // namespace
}  // namespace swarm::net
