// GrantTable: all shares in memory, and what they grant each user. A verification reads it, so that no request reads the store.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/permissions.h"
#include "base/clock.h"
#include "store/store.h"

namespace swarm {

/// Thread-safe; readers do not block each other.
class GrantTable {
 public:
  explicit GrantTable(const Clock& clock) : clock_(clock) {}

  /// Replaces everything, or the shares of one instance. Of concurrent changes, the newer may be applied first: an older one is ignored.
  void load(SharesAt all);
  void apply(const InstanceId& instance, SharesAt changed);
  /// Removes those that have expired, and returns them. One atomic load when there are none.
  std::vector<ShareRecord> takeExpired();

  std::vector<ShareRecord> sharesOf(const InstanceId& instance) const;  ///< without expired ones, by grantee
  std::shared_ptr<const Grants> grantsOf(std::string_view user) const;  ///< without expired ones; null: none

 private:
  struct OfUser {
    std::shared_ptr<const Grants> grants;
    SystemTime changesAt = SystemTime::max();  ///< when the first of them expires
  };
  void rebuild();

  const Clock& clock_;
  mutable std::shared_mutex mutex_;
  std::map<InstanceId, std::vector<ShareRecord>> shares_;
  std::map<InstanceId, std::uint64_t> applied_;  ///< the newest change of each instance since the last load
  std::uint64_t loaded_ = 0;
  std::map<std::string, OfUser, std::less<>> users_;
  std::atomic<SystemTime> next_expiry_{SystemTime::max()};
};

}  // namespace swarm
