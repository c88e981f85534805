// TokenBucket: limits a rate. Pure: its caller says what time it is, and waits.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace swarm {

/// One bucket, as the time at which it would be full again (the generic cell rate algorithm). A token that is taken ahead of its time makes
/// the next one later: turns are given in the order of the calls.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst);
  std::chrono::nanoseconds waitTime(SteadyTime now) const;  ///< until the next token; zero: there is one
  std::chrono::nanoseconds take(SteadyTime now);            ///< takes it, and gives the time to wait before using it
  void blockUntil(SteadyTime time);                         ///< no token before it (Retry-After)
  bool isFull(SteadyTime now) const { return full_at_ <= now; }

 private:
  std::chrono::nanoseconds interval_;
  std::chrono::nanoseconds burst_span_;
  SteadyTime full_at_{};
};

}  // namespace swarm
