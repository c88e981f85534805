// RateLimiter: a token bucket per action and identifier (§1 "Rate limits").
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace swarm::emulator {

/// One loop.
class RateLimiter {
 public:
  struct Rate {
    double perSecond = 1;
    double burst = 3;
  };

  explicit RateLimiter(const Clock& clock) : clock_(clock) {}
  /// Takes one token; false: none is left, and the request must be refused.
  bool allow(std::string_view action, std::string_view identifier, Rate rate);

 private:
  void dropFull(SteadyTime now);

  const Clock& clock_;
  std::unordered_map<std::string, TokenBucket> buckets_;
  std::size_t drop_at_ = 4096;
};

}  // namespace swarm::emulator
