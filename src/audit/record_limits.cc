#include "audit/record_limits.h"

#include <utility>

namespace swarm {
namespace {

constexpr std::size_t kMaxRecent = 50'000;
constexpr std::size_t kMaxSources = 10'000;

}  // namespace

std::optional<SteadyTime> RecentRecords::find(const std::string& key, SteadyTime now, std::chrono::minutes interval) {
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(key);
  if (found == until_.end()) return std::nullopt;
  if (now < found->second) return found->second;
  found->second = now + interval;
  return std::nullopt;
}

void RecentRecords::keep(const std::string& key, SteadyTime until) {
  const std::lock_guard lock(mutex_);
  // A forgotten key is recorded once more.
  if (until_.size() >= kMaxRecent) until_.clear();
  until_[key] = until;
}

void RecentRecords::drop(const std::string& key) {
  const std::lock_guard lock(mutex_);
  until_.erase(key);
}

std::optional<std::int64_t> RecordRate::take(const std::string& source, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (sources_.size() >= kMaxSources) {
    std::erase_if(sources_, [&](const auto& one) { return one.second.isFull(now); });
    // The rate in total still holds.
    if (sources_.size() >= kMaxSources) sources_.clear();
  }
  TokenBucket& own = sources_.try_emplace(source, kPerSecondOfSource, kBurstOfSource).first->second;
  if (own.waitTime(now).count() > 0 || total_.waitTime(now).count() > 0) {
    ++left_out_;
    return std::nullopt;
  }
  own.take(now);
  total_.take(now);
  return std::exchange(left_out_, 0);
}

}  // namespace swarm
