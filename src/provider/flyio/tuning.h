// Times of the Fly provider. Production uses the defaults; tests against a server of their own go faster.
#pragma once

#include <chrono>

namespace swarm::flyio {

struct Tuning {
  std::chrono::milliseconds lookFor{30'000};  ///< for what an ambiguous answer may have made (§12, E34), and for what is new (pitfall 4)
  std::chrono::milliseconds firstPause{250};  ///< between repeats; doubled each time, a random half of it taken off
  std::chrono::milliseconds longestPause{4'000};
  int attempts = 4;                                ///< of a request that may be repeated, the first included
  std::chrono::milliseconds eventInterval{3'000};  ///< between looks at what has changed while anything exists
  std::chrono::milliseconds idleInterval{15'000};  ///< while nothing exists
  std::chrono::milliseconds hostInterval{15'000};  ///< between looks for hosts that can't be reached
  std::chrono::milliseconds logInterval{2'000};    ///< between looks at a log that is followed
  std::chrono::seconds leaseTime{60};
  std::chrono::milliseconds boundPatience{180'000};  ///< for a volume that is still attached to a Machine that was destroyed (§7)
  double ratesTimes = 1;                             ///< multiplies our rate limits
};

}  // namespace swarm::flyio
