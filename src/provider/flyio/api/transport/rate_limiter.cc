#include "provider/flyio/api/transport/rate_limiter.h"

#include <algorithm>

namespace swarm::flyio {
namespace {

/// Two requests sent one second apart may arrive 0.9 s apart.
constexpr double kMargin = 0.9;

}  // namespace

RateLimit limitOf(Action action) {
  if (action == Action::GetMachine) return {5 * kMargin, 10};
  // 100 a minute for the whole organization: 20 at once and 80 over the minute.
  if (action == Action::DeleteApp) return {80.0 / 60 * kMargin, 20};
  return {1 * kMargin, 3};
}

TokenBucket& RateLimiter::bucket(Action action, const std::string& id, SteadyTime now) {
  if (buckets_.size() >= sweep_at_) {
    std::erase_if(buckets_, [now](const auto& entry) { return entry.second.isFull(now); });
    sweep_at_ = std::max<std::size_t>(1024, buckets_.size() * 2);
  }
  auto found = buckets_.find({action, id});
  if (found != buckets_.end()) return found->second;
  RateLimit limit = limitOf(action);
  TokenBucket fresh(limit.perSecond * faster_, static_cast<int>(limit.burst * faster_));
  return buckets_.emplace(std::pair(action, id), fresh).first->second;
}

}  // namespace swarm::flyio
