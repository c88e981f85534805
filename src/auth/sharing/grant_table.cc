#include "auth/sharing/grant_table.h"

#include <algorithm>

namespace swarm {
namespace {

SystemTime endOf(const ShareRecord& share) { return share.expiresAt.value_or(SystemTime::max()); }

}  // namespace

void GrantTable::load(SharesAt all) {
  std::unique_lock lock(mutex_);
  if (all.sequence < loaded_) return;
  loaded_ = all.sequence;
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

std::shared_ptr<const Grants> GrantTable::grantsOf(std::string_view user) const {
  std::shared_lock lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return nullptr;
  const SystemTime now = clock_.now();
  if (now < found->second.changesAt) return found->second.grants;
  Grants left = *found->second.grants;
  std::erase_if(left, [&](const auto& one) { return one.second.until <= now; });
  return std::make_shared<const Grants>(std::move(left));
}

void GrantTable::rebuild() {
  std::map<std::string, Grants, std::less<>> grants;
  SystemTime next = SystemTime::max();
  for (const auto& [instance, shares] : shares_) {
    for (const ShareRecord& share : shares) {
      grants[share.grantee][instance] = {share.access, share.createdAt, endOf(share)};
      next = std::min(next, endOf(share));
    }
  }
  users_.clear();
  for (auto& [user, of_user] : grants) {
    SystemTime changes_at = SystemTime::max();
    for (const auto& [instance, grant] : of_user) changes_at = std::min(changes_at, grant.until);
    users_[user] = {std::make_shared<const Grants>(std::move(of_user)), changes_at};
  }
  next_expiry_.store(next, std::memory_order_release);
}

}  // namespace swarm
