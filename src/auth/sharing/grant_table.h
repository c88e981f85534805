// GrantTable: all shares and groups in memory, and what they grant each user. A verification reads it, so that no request reads the store.
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
  void load(AllSharesAt all);
  void apply(const InstanceId& instance, SharesAt changed);
  /// Removes those that have expired, and returns them. One atomic load when there are none.
  std::vector<ShareRecord> takeExpired();

  std::vector<ShareRecord> sharesOf(const InstanceId& instance) const;  ///< without expired ones, by grantee
  std::vector<ShareRecord> sharesWith(const Grantee& grantee) const;    ///< without expired ones
  std::vector<GroupRecord> groups() const;                              ///< by name
  std::optional<GroupRecord> group(std::string_view name) const;
  bool isMember(std::string_view group, const std::string& user) const;
  std::vector<std::string> groupsOf(std::string_view user) const;  ///< in which they are, by name
  /// From the user's own shares and those of their groups the best for each instance, without expired ones; null: none.
  std::shared_ptr<const Grants> grantsOf(std::string_view user) const;

 private:
  using GrantList = std::vector<std::pair<InstanceId, Grant>>;
  struct OfUser {
    std::shared_ptr<const Grants> grants;
    SystemTime changesAt = SystemTime::max();  ///< when the first of them expires
  };
  void rebuild();
  OfUser merge(std::string_view user) const;

  const Clock& clock_;
  mutable std::shared_mutex mutex_;
  std::map<InstanceId, std::vector<ShareRecord>> shares_;
  std::map<InstanceId, std::uint64_t> applied_;  ///< the newest change of each instance since the last load
  std::uint64_t loaded_ = 0;
  std::vector<GroupRecord> groups_;
  std::map<std::string, std::vector<std::string>, std::less<>> groups_of_users_;
  // Made from these. The grants of a user are merged when they are first read after a change.
  std::map<Grantee, GrantList> granted_;
  std::map<std::string, std::vector<Grantee>, std::less<>> grantees_;  ///< by user: the user, and their groups that have shares
  mutable std::map<std::string, OfUser, std::less<>> users_;
  std::atomic<SystemTime> next_expiry_{SystemTime::max()};
};

}  // namespace swarm
