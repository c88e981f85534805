// Token buckets that are filled when they are looked at.
#include "emulator/rules/rate_limiter.h"

#include <algorithm>

namespace swarm::emulator {

void RateLimiter::fill(Bucket& bucket, SteadyTime now) {
  double seconds = std::chrono::duration<double>(now - bucket.filledAt).count();
  bucket.tokens = std::min(bucket.rate.burst, bucket.tokens + seconds * bucket.rate.perSecond);
  bucket.filledAt = now;
}

bool RateLimiter::allow(std::string_view action, std::string_view identifier, Rate rate) {
  SteadyTime now = clock_.steadyNow();
  if (buckets_.size() >= drop_at_) dropFull(now);
  std::string key;
  key.reserve(action.size() + identifier.size() + 1);
  key.append(action).append(1, ' ').append(identifier);
  auto [found, fresh] = buckets_.try_emplace(std::move(key), Bucket{rate.burst, now, rate});
  Bucket& bucket = found->second;
  fill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

/// A full bucket says nothing: without it the map would grow with every Machine that ever was.
void RateLimiter::dropFull(SteadyTime now) {
  for (auto next = buckets_.begin(); next != buckets_.end();) {
    fill(next->second, now);
    next = next->second.tokens >= next->second.rate.burst ? buckets_.erase(next) : std::next(next);
  }
  drop_at_ = std::max<std::size_t>(4096, 2 * buckets_.size());
}

}  // namespace swarm::emulator
