// What must not end early: children of a cancelled both(), and a WebSocket whose peer merely applies back pressure.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "net/websocket/websocket_connection.h"
#include "support/coroutine_test.h"

namespace swarm::net {
namespace {

using std::chrono::milliseconds;

struct Parent {
  bool alive = false;
  bool child_saw_it_alive = false;
  bool ended = false;
};

// Ends some time after it was cancelled, like an operation with a handshake, and accesses what its parent owns.
awaitable<void> endLate(Parent& parent) {
  try {
    co_await async::sleepFor(std::chrono::hours(1));
  } catch (const boost::system::system_error&) {
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await async::sleepFor(milliseconds(5));
  parent.child_saw_it_alive = parent.alive;
}

awaitable<void> own(Parent& parent) {
  struct Life {
    Parent& parent;
    explicit Life(Parent& p) : parent(p) { parent.alive = true; }
    ~Life() { parent.alive = false; }
  } life(parent);
  co_await async::both(async::sleepFor(std::chrono::hours(1)), endLate(parent));
}

TEST(Both, whenCancelledAwaitsTheChildThatEndsLater) {
  test::TestLoop loop;
  Parent parent;
  asio::cancellation_signal cancel;
  asio::co_spawn(loop.context(), own(parent),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { parent.ended = true; }));
  loop.runUntil([&] { return parent.alive; });
  cancel.emit(asio::cancellation_type::terminal);
  loop.runUntil([&] { return parent.ended; });
  EXPECT_TRUE(parent.child_saw_it_alive);
}

awaitable<void> readOnce(WebSocket& socket, bool& ended) {
  try {
    co_await socket.read();
  } catch (const std::exception&) {
  }
  ended = true;
}
awaitable<void> writeOnce(WebSocket& socket, std::string text) { co_await socket.write(text); }

TEST(WebSocket, aPeerThatHoldsUsBackIsNotTakenForDead) {
  test::TestLoop loop;
  auto [left, right] = makePipe(loop.executor(), 1024);
  WebSocketTimes impatient;
  impatient.silence = impatient.grace = milliseconds(2);
  auto socket = makeWebSocket(std::move(left), WebSocketRole::Server, impatient);
  auto peer = makeWebSocket(std::move(right), WebSocketRole::Client, WebSocketTimes{});
  bool ended = false;
  const std::string text(100'000, 'x');
  loop.spawn(readOnce(*socket, ended));
  loop.spawn(writeOnce(*socket, text));
  loop.run(async::sleepFor(milliseconds(50)));  // many silence intervals
  EXPECT_FALSE(ended);
  const auto message = loop.run(peer->read());
  EXPECT_TRUE(message && message->data == text);
  peer.reset();  // the pending read ends before its socket does
  for (int turn = 0; turn < 1000 && !ended; ++turn) loop.run(async::sleepFor(milliseconds(1)));
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace swarm::net
