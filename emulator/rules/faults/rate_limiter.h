// RateLimiter: a token bucket per action and identifier (§1 "Rate limits").
#pragma once

#include <algorithm>
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
  bool allow(std::string_view action, std::string_view identifier, Rate rate) {
    SteadyTime now = clock_.steadyNow();
    if (buckets_.size() >= drop_at_) dropFull(now);
    std::string key = std::string(action) + " " + std::string(identifier);
    TokenBucket& bucket = buckets_.try_emplace(std::move(key), rate.perSecond, rate.burst).first->second;
    if (bucket.waitTime(now).count() > 0) return false;
    bucket.take(now);
    return true;
  }

 private:
  /// Full buckets are dropped: otherwise the map would grow with every Machine that ever existed.
  void dropFull(SteadyTime now) {
    std::erase_if(buckets_, [now](const auto& entry) { return entry.second.isFull(now); });
    drop_at_ = std::max<std::size_t>(4096, 2 * buckets_.size());
  }

  const Clock& clock_;
  std::unordered_map<std::string, TokenBucket> buckets_;
  std::size_t drop_at_ = 4096;
};

}  // namespace swarm::emulator
