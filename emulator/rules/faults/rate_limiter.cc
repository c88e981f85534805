// Token buckets that are refilled on access.
#include "emulator/rules/faults/rate_limiter.h"

#include <algorithm>

namespace swarm::emulator {

bool RateLimiter::allow(std::string_view action, std::string_view identifier, Rate rate) {
  SteadyTime now = clock_.steadyNow();
  if (buckets_.size() >= drop_at_) dropFull(now);
  std::string key;
  key.reserve(action.size() + identifier.size() + 1);
  key.append(action).append(1, ' ').append(identifier);
  TokenBucket& bucket = buckets_.try_emplace(std::move(key), rate.perSecond, rate.burst).first->second;
  if (bucket.waitTime(now).count() > 0) return false;
  bucket.take(now);
  return true;
}

/// Full buckets are dropped: otherwise the map would grow with every Machine that ever existed.
void RateLimiter::dropFull(SteadyTime now) {
  std::erase_if(buckets_, [now](const auto& entry) { return entry.second.isFull(now); });
  drop_at_ = std::max<std::size_t>(4096, 2 * buckets_.size());
}

}  // namespace swarm::emulator
