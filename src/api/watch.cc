// A race of the work, the session and the peer.
#include "api/watch.h"

#include "async/deadline.h"
#include "net/stream/departure.h"

namespace swarm::api {
namespace {

/// Whether the session of a call is valid: one atomic load, unless a credential was revoked since the last check.
class SessionCheck {
 public:
  SessionCheck(Services& services, Call& call) : services_(services), principal_(call.principal()) {}
  bool holds() {
    const std::uint64_t epoch = services_.auth.revocationEpoch();
    if (epoch == seen_ && services_.clock.now() < principal_.expiresAt) return true;
    seen_ = epoch;
    return services_.auth.stillSignedIn(principal_).has_value();
  }

 private:
  Services& services_;
  const Principal& principal_;
  std::optional<std::uint64_t> seen_;
};

awaitable<void> untilSessionEnds(Services& services, Call& call) {
  SessionCheck session(services, call);
  do {
    co_await async::sleepFor(services.options.sessionCheck);
  } while (session.holds());
}

/// The client of a stream sends nothing: a byte from it also counts as an end.
awaitable<void> untilPeerCloses(net::Exchange& exchange) {
  char byte = 0;
  co_await exchange.stream().readSome(boost::asio::buffer(&byte, 1));
}

/// A client that has sent its whole body, or took the connection over, may leave while nothing reads from it. A reset shows at any time.
/// `patience`: with a client that ended its direction, while nothing can be sent to it.
awaitable<void> untilClientLeaves(Services& services, Call& call, net::Stream& client, std::chrono::milliseconds patience) {
  SessionCheck session(services, call);
  net::DepartureCheck departure;
  bool wanted = true;
  while (wanted) {
    co_await async::sleepFor(services.options.sessionCheck);
    const bool may_leave = call.tookOver() || call.exchange().body().done();
    const bool has_left =
        may_leave ? departure.hasLeft(client, services.clock.steadyNow(), patience) : client.peerState() == net::PeerState::Gone;
    wanted = session.holds() && !has_left;
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
  co_return co_await async::race(std::move(work), untilClientLeaves(services, call, client, services.options.leavePatience)) == 0;
}

awaitable<bool> runCommandWhileWanted(Services& services, Call& call, awaitable<void> work) {
  constexpr std::chrono::milliseconds at_once{0};
  co_return co_await async::race(std::move(work), untilClientLeaves(services, call, call.exchange().stream(), at_once)) == 0;
}

}  // namespace swarm::api
