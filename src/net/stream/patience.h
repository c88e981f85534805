// Patience: how long a stream waits for a peer that sends nothing, sends too slowly, or accepts nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace swarm::net {

/// For the reads of one message body. The default waits indefinitely.
struct Patience {
  std::chrono::milliseconds silence{0};  ///< maximum wait for the next byte; 0: unlimited
  std::uint64_t minRate = 0;             ///< bytes per second, counted after the first `silence`; 0: any
};

/// Counts the time spent waiting for a peer, and the bytes it sent. Time spent elsewhere (on an upstream that accepts nothing) does not
/// count against the peer.
class PatienceMeter {
 public:
  void begin(Patience patience) {
    patience_ = patience;
    waited_ = {};
    received_ = 0;
  }
  bool isLimited() const { return patience_.silence.count() > 0; }
  void received(std::size_t bytes) { received_ += bytes; }
  void waited(SteadyTime::duration time) { waited_ += time; }

  /// When a wait that starts now expires.
  SteadyTime deadline(SteadyTime now) const {
    SteadyTime::duration maximum = patience_.silence;
    if (patience_.minRate > 0) {
      const auto earned = std::chrono::milliseconds(received_ / patience_.minRate * 1000);
      maximum = std::min<SteadyTime::duration>(maximum, patience_.silence + earned - waited_);
    }
    return now + std::max(maximum, SteadyTime::duration::zero());
  }

 private:
  Patience patience_;
  SteadyTime::duration waited_{};
  std::uint64_t received_ = 0;
};

}  // namespace swarm::net
