// A race of the work, the session and the peer.
#include "api/watch.h"

#include "async/deadline.h"
#include "net/stream/departure.h"

namespace swarm::api {
namespace {

using RouteTablePtr = std::shared_ptr<const RouteTable>;

awaitable<void> untilForbidden(Services& services, Call& call) {
  const std::function<bool()> may_go_on = mayGoOn(services, call);
  do {
    co_await async::sleepFor(services.options.sessionCheck);
  } while (may_go_on());
}

/// The client of a stream sends nothing: a byte from it also counts as an end.
awaitable<void> untilPeerCloses(net::Exchange& exchange) {
  char byte = 0;
  co_await exchange.stream().readSome(boost::asio::buffer(&byte, 1));
}

/// A client that has sent its whole body, or took the connection over, may leave while nothing reads from it. A reset shows at any time.
/// `patience`: with a client that ended its direction, while nothing can be sent to it.
awaitable<void> untilClientLeaves(Services& services, Call& call, net::Stream& client, std::chrono::milliseconds patience) {
  const std::function<bool()> may_go_on = mayGoOn(services, call);
  net::DepartureCheck departure;
  bool wanted = true;
  while (wanted) {
    co_await async::sleepFor(services.options.sessionCheck);
    const bool may_leave = call.tookOver() || call.exchange().body().done();
    const bool has_left =
        may_leave ? departure.hasLeft(client, services.clock.steadyNow(), patience) : client.peerState() == net::PeerState::Gone;
    wanted = may_go_on() && !has_left;
  }
}

}  // namespace

std::function<bool()> mayGoOn(Services& services, const Call& call) {
  return [&auth = services.auth, &routes = services.controller.routes(), &clock = services.clock, principal = call.principal(),
          grounds = call.grounds(), seen_epoch = std::optional<std::uint64_t>(), seen_table = RouteTablePtr()]() mutable {
    const std::uint64_t epoch = auth.revocationEpoch();
    const RouteTablePtr table = routes.current();
    if (seen_epoch == epoch && seen_table == table && clock.now() < principal.expiresAt) return true;
    seen_epoch = epoch;
    seen_table = table;
    const std::optional<Principal> now = auth.stillSignedIn(principal);
    if (!now || !grounds) return now.has_value();
    const auto route = table->find(grounds->name);
    // Its deletion ends what runs inside, and a log with its last lines.
    if (route == table->end() || route->second->instanceId != grounds->instance) return true;
    return isAllowed(*now, grounds->permission, route->second->owner, grounds->instance);
  };
}

awaitable<bool> runWhileAllowed(Services& services, Call& call, awaitable<void> work) {
  co_return co_await async::race(std::move(work), untilForbidden(services, call)) == 0;
}

awaitable<bool> runWhileWanted(Services& services, Call& call, awaitable<void> work) {
  auto wanted = [](Services& s, Call& c) -> awaitable<void> { co_await async::race(untilForbidden(s, c), untilPeerCloses(c.exchange())); };
  co_return co_await async::race(std::move(work), wanted(services, call)) == 0;
}

awaitable<bool> runWhileWanted(Services& services, Call& call, net::Stream& client, awaitable<void> work) {
  co_return co_await async::race(std::move(work), untilClientLeaves(services, call, client, services.options.leavePatience)) == 0;
}

awaitable<bool> runCommandWhileWanted(Services& services, Call& call, awaitable<void> work) {
  constexpr std::chrono::milliseconds at_once{0};
  co_return co_await async::race(std::move(work), untilClientLeaves(services, call, call.exchange().stream(), at_once)) == 0;
}

}  // namespace swarm::api
