#include "auth/sharing/grant_table.h"

#include <algorithm>

namespace swarm {
namespace {

SystemTime endOf(const ShareRecord& share) { return share.expiresAt.value_or(SystemTime::max()); }

/// More access, and of the same the longer one.
bool isBetter(const Grant& one, const Grant& other) {
  return one.access == other.access ? one.until > other.until : one.access == ShareAccess::editor;
}

}  // namespace

void GrantTable::load(AllSharesAt all) {
  std::unique_lock lock(mutex_);
  if (all.sequence < loaded_) return;
  loaded_ = all.sequence;
  groups_ = std::move(all.groups);
  groups_of_users_.clear();
  for (const GroupRecord& group : groups_)
    for (const std::string& member : group.members) groups_of_users_[member].push_back(group.name);
  // What was applied after the rows were read stays.
  std::erase_if(applied_, [&](const auto& one) { return one.second <= all.sequence; });
  std::erase_if(shares_, [&](const auto& one) { return !applied_.contains(one.first); });
  for (ShareRecord& share : all.shares)
    if (!applied_.contains(share.instanceId)) shares_[share.instanceId].push_back(std::move(share));
  rebuild();
}

void GrantTable::apply(const InstanceId& instance, SharesAt changed) {
  std::unique_lock lock(mutex_);
  std::uint64_t& applied = applied_[instance];
  if (changed.sequence <= std::max(applied, loaded_)) return;
  applied = changed.sequence;
  if (changed.shares.empty())
    shares_.erase(instance);
  else
    shares_[instance] = std::move(changed.shares);
  rebuild();
}

std::vector<ShareRecord> GrantTable::takeExpired() {
  const SystemTime now = clock_.now();
  std::vector<ShareRecord> expired;
  if (now < next_expiry_.load(std::memory_order_acquire)) return expired;
  std::unique_lock lock(mutex_);
  for (auto& [instance, shares] : shares_) {
    for (const ShareRecord& share : shares)
      if (endOf(share) <= now) expired.push_back(share);
    std::erase_if(shares, [&](const ShareRecord& share) { return endOf(share) <= now; });
  }
  std::erase_if(shares_, [](const auto& one) { return one.second.empty(); });
  rebuild();
  return expired;
}

std::vector<ShareRecord> GrantTable::sharesOf(const InstanceId& instance) const {
  std::shared_lock lock(mutex_);
  const auto found = shares_.find(instance);
  if (found == shares_.end()) return {};
  std::vector<ShareRecord> shares = found->second;
  std::erase_if(shares, [now = clock_.now()](const ShareRecord& share) { return endOf(share) <= now; });
  return shares;
}

std::vector<ShareRecord> GrantTable::sharesWith(const Grantee& grantee) const {
  std::shared_lock lock(mutex_);
  std::vector<ShareRecord> found;
  for (const auto& [instance, shares] : shares_)
    for (const ShareRecord& share : shares)
      if (share.grantee == grantee && endOf(share) > clock_.now()) found.push_back(share);
  return found;
}

std::vector<GroupRecord> GrantTable::groups() const {
  std::shared_lock lock(mutex_);
  return groups_;
}

std::optional<GroupRecord> GrantTable::group(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const auto found = std::ranges::find(groups_, name, &GroupRecord::name);
  return found == groups_.end() ? std::nullopt : std::optional(*found);
}

bool GrantTable::isMember(std::string_view group, const std::string& user) const {
  std::shared_lock lock(mutex_);
  const auto found = std::ranges::find(groups_, group, &GroupRecord::name);
  return found != groups_.end() && std::ranges::binary_search(found->members, user);
}

std::vector<std::string> GrantTable::groupsOf(std::string_view user) const {
  std::shared_lock lock(mutex_);
  const auto found = groups_of_users_.find(user);
  return found == groups_of_users_.end() ? std::vector<std::string>() : found->second;
}

std::shared_ptr<const Grants> GrantTable::grantsOf(std::string_view user) const {
  {
    std::shared_lock lock(mutex_);
    if (!grantees_.contains(user)) return nullptr;
    const auto found = users_.find(user);
    if (found != users_.end() && clock_.now() < found->second.changesAt) return found->second.grants;
  }
  std::unique_lock lock(mutex_);
  if (!grantees_.contains(user)) return nullptr;
  return users_.insert_or_assign(std::string(user), merge(user)).first->second.grants;
}

GrantTable::OfUser GrantTable::merge(std::string_view user) const {
  const SystemTime now = clock_.now();
  Grants grants;
  OfUser merged;
  for (const Grantee& grantee : grantees_.find(user)->second) {
    for (const auto& [instance, grant] : granted_.at(grantee)) {
      if (grant.until <= now) continue;
      merged.changesAt = std::min(merged.changesAt, grant.until);
      const auto [place, is_first] = grants.try_emplace(instance, grant);
      if (!is_first && isBetter(grant, place->second)) place->second = grant;
    }
  }
  merged.grants = std::make_shared<const Grants>(std::move(grants));
  return merged;
}

void GrantTable::rebuild() {
  granted_.clear();
  grantees_.clear();
  users_.clear();
  SystemTime next = SystemTime::max();
  for (const auto& [instance, shares] : shares_) {
    for (const ShareRecord& share : shares) {
      granted_[share.grantee].emplace_back(instance, Grant{share.access, share.createdAt, endOf(share)});
      next = std::min(next, endOf(share));
    }
  }
  for (const auto& [grantee, grants] : granted_)
    if (grantee.kind == GranteeKind::user) grantees_[grantee.name].push_back(grantee);
  for (const GroupRecord& group : groups_) {
    const Grantee grantee = Grantee::ofGroup(group.name);
    if (!granted_.contains(grantee)) continue;
    for (const std::string& member : group.members) grantees_[member].push_back(grantee);
  }
  next_expiry_.store(next, std::memory_order_release);
}

}  // namespace swarm
