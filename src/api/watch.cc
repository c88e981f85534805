// A race of the work, the session and the peer.
#include "api/watch.h"

#include "async/deadline.h"

namespace swarm::api {
namespace {

awaitable<void> untilSessionEnds(Services& services, Principal principal) {
  do {
    co_await async::sleepFor(services.options.sessionCheck);
  } while (services.auth.stillSignedIn(principal));
}

/// The client of a stream sends nothing: a byte from it also counts as an end.
awaitable<void> untilPeerCloses(net::Exchange& exchange) {
  char byte = 0;
  co_await exchange.stream().readSome(boost::asio::buffer(&byte, 1));
}

}  // namespace

awaitable<bool> runWhileWanted(Services& services, Call& call, WatchPeer peer, awaitable<void> work) {
  auto wanted = [](Services& s, Call& c, WatchPeer watch) -> awaitable<void> {
    if (watch == WatchPeer::No) {
      co_await untilSessionEnds(s, c.principal());
    } else {
      co_await async::race(untilSessionEnds(s, c.principal()), untilPeerCloses(c.exchange()));
    }
  };
  int first = co_await async::race(std::move(work), wanted(services, call, peer));
  co_return first == 0;
}

}  // namespace swarm::api
