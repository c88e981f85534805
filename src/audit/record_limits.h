// Limits of records that are repeated, or that attackers can cause. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/token_bucket.h"

namespace swarm {

/// Keys that were recorded a short time ago.
class RecentRecords {
 public:
  /// Until when the key counts as recorded; nothing: it is new or too old, and the caller records it. A known key counts as recorded from
  /// here on, so that concurrent callers do not repeat it; a new one only after keep(): no caller passes before the record is durable.
  std::optional<SteadyTime> find(const std::string& key, SteadyTime now, std::chrono::minutes interval);
  void keep(const std::string& key, SteadyTime until);
  void drop(const std::string& key);  ///< the record failed

 private:
  std::mutex mutex_;
  std::map<std::string, SteadyTime> until_;
};

/// A rate in total and of one source, so that a source does not hide what others do.
class RecordRate {
 public:
  /// Whether one more of `source` is recorded: then the number of those that were not, since the last one that was.
  std::optional<std::int64_t> take(const std::string& source, SteadyTime now);

 private:
  static constexpr double kPerSecond = 5, kBurst = 200;
  static constexpr double kPerSecondOfSource = 1, kBurstOfSource = 50;

  std::mutex mutex_;
  TokenBucket total_{kPerSecond, kBurst};
  std::map<std::string, TokenBucket> sources_;
  std::int64_t left_out_ = 0;
};

}  // namespace swarm
