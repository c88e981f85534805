// Intervals and limits of the Fly provider. Production uses the defaults; tests use shorter times.
#pragma once

#include <chrono>

namespace swarm::flyio {

struct Tuning {
  std::chrono::milliseconds lookFor{
      30'000};  ///< search for what an ambiguous response may have created (§12, E34), and for new things (pitfall 4)
  std::chrono::milliseconds firstPause{250};  ///< between retries; doubled each time, minus a random part of up to half
  std::chrono::milliseconds longestPause{4'000};
  int attempts = 4;                                ///< of a request that may be retried, the first included
  std::chrono::milliseconds eventInterval{3'000};  ///< between queries for changes while anything exists
  std::chrono::milliseconds idleInterval{15'000};  ///< while nothing exists
  std::chrono::milliseconds hostInterval{15'000};  ///< between queries for unreachable hosts
  std::chrono::milliseconds logInterval{2'000};    ///< between reads of a log that is followed
  std::chrono::seconds leaseTime{60};
  std::chrono::milliseconds boundPatience{180'000};  ///< for a volume that is still attached to a destroyed Machine (§7)
  double ratesTimes = 1;                             ///< multiplies our rate limits
};

}  // namespace swarm::flyio
