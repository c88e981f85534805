// A race of the work, the session and the peer.
#include "api/watch.h"

#include "async/deadline.h"
#include "net/stream/departure.h"

namespace swarm::api {
namespace {

bool hasSession(Services& services, Call& call) { return services.auth.stillSignedIn(call.principal()).has_value(); }

awaitable<void> untilSessionEnds(Services& services, Call& call) {
  do {
    co_await async::sleepFor(services.options.sessionCheck);
  } while (hasSession(services, call));
}

/// The client of a stream sends nothing: a byte from it also counts as an end.
awaitable<void> untilPeerCloses(net::Exchange& exchange) {
  char byte = 0;
  co_await exchange.stream().readSome(boost::asio::buffer(&byte, 1));
}

/// A client that has sent its whole body, or took the connection over, may leave while nothing reads from it. A reset shows at any time.
awaitable<void> untilClientLeaves(Services& services, Call& call, net::Stream& client) {
  net::DepartureCheck departure;
  bool wanted = true;
  while (wanted) {
    co_await async::sleepFor(services.options.sessionCheck);
    const bool may_leave = call.tookOver() || call.exchange().body().done();
    const bool has_left = may_leave ? departure.hasLeft(client, services.clock.steadyNow(), services.options.leavePatience)
                                    : client.peerState() == net::PeerState::Gone;
    wanted = hasSession(services, call) && !has_left;
  }
}

}  // namespace

awaitable<bool> runWhileWanted(Services& services, Call& call, awaitable<void> work) {
  auto wanted = [](Services& s, Call& c) -> awaitable<void> {
    co_await async::race(untilSessionEnds(s, c), untilPeerCloses(c.exchange()));
  };
  co_return co_await async::race(std::move(work), wanted(services, call)) == 0;
}

awaitable<bool> runWhileWanted(Services& services, Call& call, net::Stream& client, awaitable<void> work) {
  co_return co_await async::race(std::move(work), untilClientLeaves(services, call, client)) == 0;
}

}  // namespace swarm::api
