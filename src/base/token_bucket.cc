#include "base/token_bucket.h"

#include <algorithm>

namespace swarm {

TokenBucket::TokenBucket(double per_second, double burst)
    : interval_(static_cast<std::int64_t>(1e9 / per_second)),
      burst_span_(static_cast<std::int64_t>(static_cast<double>(interval_.count()) * (burst - 1))) {}

std::chrono::nanoseconds TokenBucket::waitTime(SteadyTime now) const {
  return std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(full_at_ - now) - burst_span_);
}

std::chrono::nanoseconds TokenBucket::take(SteadyTime now) {
  std::chrono::nanoseconds wait = waitTime(now);
  full_at_ = std::max(full_at_, now) + interval_;
  return wait;
}

void TokenBucket::blockUntil(SteadyTime time) { full_at_ = std::max(full_at_, time + burst_span_); }

}  // namespace swarm
