#include "auth/limits/token_throttle.h"

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr double kPerSecond = 5;
constexpr double kBurst = 300;
constexpr std::size_t kMaxAddresses = 10'000;

}  // namespace

void TokenThrottle::refuseUnlessFree(const TokenBucket& bucket, const std::string& address, SteadyTime now) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(bucket.waitTime(now));
  if (wait.count() == 0) return;
  warnings_.warn("too many " + things_, address, now);
  throw Error(ErrorCode::TooManyRequests, format("Too many {} came from this address. {}", things_, advice_)).withRetryAfter(wait);
}

void TokenThrottle::require(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (const auto found = addresses_.find(address); found != addresses_.end()) refuseUnlessFree(found->second, address, clock_.steadyNow());
}

void TokenThrottle::count(const std::string& address) {
  const SteadyTime now = clock_.steadyNow();
  std::lock_guard lock(mutex_);
  if (addresses_.size() >= kMaxAddresses) {
    std::erase_if(addresses_, [&](const auto& item) { return item.second.isFull(now); });
    // An attack from so many addresses gains nothing that matters from a forgotten count.
    if (addresses_.size() >= kMaxAddresses) addresses_.clear();
  }
  TokenBucket& bucket = addresses_.try_emplace(address, kPerSecond, kBurst).first->second;
  refuseUnlessFree(bucket, address, now);
  bucket.take(now);
}

}  // namespace swarm
