// DepartureCheck: whether a client has left while nothing reads from it.
#pragma once

#include "net/stream/stream.h"

namespace swarm::net {

/// For periodic checks of one client. A client may legally end its own direction and then wait for a response; it counts as gone when
/// nothing could be sent to it for `patience`.
class DepartureCheck {
 public:
  bool hasLeft(Stream& client, SteadyTime now, std::chrono::milliseconds patience) {
    const PeerState state = client.peerState();
    if (state != PeerState::HalfClosed) return state == PeerState::Gone;
    const std::uint64_t sent = client.bytesSent();
    if (quiet_since_ == SteadyTime{} || sent != sent_then_) {
      quiet_since_ = now;
      sent_then_ = sent;
    }
    return now - quiet_since_ >= patience;
  }

 private:
  SteadyTime quiet_since_{};     ///< of a client that ended its direction; unset: it did not
  std::uint64_t sent_then_ = 0;  ///< bytes sent to the client at that time
};

}  // namespace swarm::net
