// withDeadline(), race() and both(): results, exceptions, cancellation, and that no child is left running.
#include "async/deadline.h"
#include "async/loop.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "support/coroutine_test.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;

/// Records that a coroutine was entered and has been left.
struct Trace {
  bool entered = false;
  bool left = false;
};
struct Mark {
  explicit Mark(Trace& its_trace) : trace(its_trace) { trace.entered = true; }
  ~Mark() { trace.left = true; }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  Trace& trace;
};

async::awaitable<int> response() { co_return 42; }
async::awaitable<int> fail() {
  throw Error(ErrorCode::Conflict, "No.");
  co_return 0;
}
async::awaitable<void> waitForever(Trace& trace) {
  const Mark mark(trace);
  co_await async::sleepUntil(Deadline::never());
}
async::awaitable<int> waitForeverForInt(Trace& trace) {
  co_await waitForever(trace);
  co_return 0;
}
async::awaitable<void> finish() { co_return; }
async::awaitable<void> throwConflict() { co_await fail(); }

Deadline passed() { return Deadline::after(milliseconds(1)); }
Deadline far() { return Deadline::after(std::chrono::seconds(30)); }

template <typename Operation>
ErrorCode codeOf(Operation operation) {
  try {
    operation();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::Internal;
}

TEST(WithDeadline, givesTheResult) {
  EXPECT_EQ(test::run(async::withDeadline(response(), far(), "late")), 42);
  EXPECT_EQ(test::run(async::withDeadline(response(), Deadline::never(), "late")), 42);
}

TEST(WithDeadline, passesTheOperationsException) {
  EXPECT_EQ(codeOf([] { test::run(async::withDeadline(fail(), far(), "late")); }), ErrorCode::Conflict);
}

TEST(WithDeadline, cancelsAndAwaitsALateOperation) {
  Trace trace;
  EXPECT_EQ(codeOf([&] { test::run(async::withDeadline(waitForeverForInt(trace), passed(), "late")); }), ErrorCode::DeadlineExceeded);
  EXPECT_TRUE(trace.entered);
  EXPECT_TRUE(trace.left);
}

TEST(WithDeadline, innerDeadlineEndsOnlyTheInnerOperation) {
  Trace trace;
  auto inner = [](Trace& its_trace) -> async::awaitable<int> {
    try {
      co_await async::withDeadline(waitForever(its_trace), passed(), "late");
    } catch (const Error&) {
    }
    co_return co_await response();
  };
  EXPECT_EQ(test::run(async::withDeadline(inner(trace), far(), "outer")), 42);
}

TEST(WithDeadline, outerDeadlineReachesThroughTheInnerOne) {
  Trace trace;
  EXPECT_EQ(codeOf([&] { test::run(async::withDeadline(async::withDeadline(waitForever(trace), far(), "inner"), passed(), "outer")); }),
            ErrorCode::DeadlineExceeded);
  EXPECT_TRUE(trace.left);
}

TEST(Race, givesTheIndexOfTheFirstToEndAndAwaitsTheOther) {
  Trace trace;
  EXPECT_EQ(test::run(async::race(finish(), waitForever(trace))), 0);
  EXPECT_TRUE(trace.left);
  EXPECT_EQ(test::run(async::race(waitForever(trace), finish())), 1);
}

TEST(Race, rethrowsWhatTheFirstToEndThrew) {
  Trace trace;
  EXPECT_EQ(codeOf([&] { test::run(async::race(waitForever(trace), throwConflict())); }), ErrorCode::Conflict);
  EXPECT_TRUE(trace.left);
}

TEST(Race, canItselfBeCancelled) {
  Trace first;
  Trace second;
  auto racing = [](Trace& a, Trace& b) -> async::awaitable<void> { co_await async::race(waitForever(a), waitForever(b)); };
  EXPECT_EQ(codeOf([&] { test::run(async::withDeadline(racing(first, second), passed(), "late")); }), ErrorCode::DeadlineExceeded);
  EXPECT_TRUE(first.left);
  EXPECT_TRUE(second.left);
}

TEST(Both, awaitsBoth) {
  int ended = 0;
  auto count = [](int& counter) -> async::awaitable<void> {
    co_await async::sleepFor(milliseconds(1));
    ++counter;
  };
  test::run(async::both(count(ended), count(ended)));
  EXPECT_EQ(ended, 2);
}

TEST(Both, cancelsTheOtherWhenOneThrows) {
  Trace trace;
  EXPECT_EQ(codeOf([&] { test::run(async::both(waitForever(trace), throwConflict())); }), ErrorCode::Conflict);
  EXPECT_TRUE(trace.left);
}

TEST(RunOn, bringsResultsAndExceptionsBackFromAnotherLoop) {
  async::Loop loop("test-loop");
  auto where = []() -> async::awaitable<std::thread::id> { co_return std::this_thread::get_id(); };
  EXPECT_NE(test::run(async::runOn(loop.executor(), where())), std::this_thread::get_id());
  EXPECT_EQ(codeOf([&] { test::run(async::runOn(loop.executor(), fail())); }), ErrorCode::Conflict);
}

}  // namespace
}  // namespace swarm::net
