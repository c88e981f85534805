// OneUse: values that may be used once within a time.
#pragma once

#include <deque>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"

namespace swarm::oidc {

/// Remembers a limited number of values: beyond it, the oldest is forgotten. Thread-safe.
class OneUse {
 public:
  OneUse(const Clock& clock, std::chrono::seconds life, std::size_t most = 100'000) : clock_(clock), life_(life), most_(most) {}
  bool isUsed(const std::string& value) const {
    const std::lock_guard lock(mutex_);
    return used_.contains(value);
  }
  /// False: used before.
  bool take(const std::string& value) {
    const SteadyTime now = clock_.steadyNow();
    const std::lock_guard lock(mutex_);
    while (!order_.empty() && (order_.front().until <= now || order_.size() >= most_)) {
      used_.erase(order_.front().value);
      order_.pop_front();
    }
    if (!used_.insert(value).second) return false;
    order_.push_back({value, now + life_});
    return true;
  }

 private:
  struct Used {
    std::string value;
    SteadyTime until;
  };
  const Clock& clock_;
  std::chrono::seconds life_;
  std::size_t most_;
  mutable std::mutex mutex_;
  std::set<std::string> used_;
  std::deque<Used> order_;
};

}  // namespace swarm::oidc
