// UsageSeries: the samples of one instance that are in memory, and what they add up to.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "model/queries.h"
#include "model/types/usage.h"
#include "store/usage_store.h"

namespace swarm::control {

/// What an instance used at one moment.
struct UsageSample {
  SystemTime at{};
  std::int64_t cpu = 0;       ///< millicores
  std::int64_t memory = 0;    ///< KiB
  std::int64_t storage = 0;   ///< KiB
  std::int64_t received = 0;  ///< bytes per second
  std::int64_t sent = 0;
};

/// The part of a history that was requested. Points begin at multiples of `step` since 1970.
struct UsageRange {
  SystemTime from{};
  SystemTime to{};
  std::chrono::seconds step{};
};

inline constexpr std::size_t kMaxUsagePoints = 1'500;
inline constexpr std::size_t kUsualUsagePoints = 300;

/// Reads a query: an absent `to` is now, an absent `from` an hour before it, an absent step yields kUsualUsagePoints at most, and is not
/// below `interval`. Throws InvalidArgument.
UsageRange usageRangeOf(const UsageQuery& query, SystemTime now, std::chrono::milliseconds interval);

class UsageSeries {
 public:
  /// Removes the oldest samples beyond `capacity`, and those that are not older than `sample`: the clock was set back.
  void add(const UsageSample& sample, std::size_t capacity);
  std::optional<UsageSample> last() const;
  /// Percent of one core in the last `count` samples, from the oldest.
  std::vector<double> recentCpu(std::size_t count) const;

  /// Sums for the store: of spans that ended by `now`; all of them with `all`.
  enum class Which { Ended, All };
  std::vector<UsageSums> takeSums(SystemTime now, Which which);

  /// Points from samples, and from `stored` rows as far as they are sums of others: of removed samples, and of those before a restart.
  UsageHistory history(const UsageRange& range, const std::vector<UsageSums>& stored) const;

 private:
  /// 24 bytes: a day of samples at intervals of a minute takes 34 KB.
  struct Packed {
    std::uint32_t at;  ///< seconds since 1970
    std::uint32_t cpu;
    std::uint32_t memory;
    std::uint32_t storage;
    std::uint32_t received;
    std::uint32_t sent;
  };
  static Packed pack(const UsageSample& sample);
  static UsageSample unpack(const Packed& packed);

  std::deque<Packed> samples_;
  std::map<SystemTime, UsageSums> unsaved_;  ///< by the beginning of their span
  SystemTime saved_until_{};                 ///< takeSums() gave the sums of all samples before it
};

}  // namespace swarm::control
