#include "auth/accounts/ssh_keys.h"

#include <algorithm>
#include <mutex>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxKeysPerUser = 50;

SystemTime::rep ticksOf(SystemTime time) { return time.time_since_epoch().count(); }

}  // namespace

/// A key from before it is stored until it is in memory: forgetOf() can end it.
class SshKeys::Addition {
 public:
  Addition(SshKeys& keys, const SshKey& key) : keys_(keys), id_(key.id) {
    const std::unique_lock lock(keys_.mutex_);
    keys_.additions_.emplace(key.id, key.owner);
  }
  ~Addition() {
    const std::unique_lock lock(keys_.mutex_);
    keys_.additions_.erase(id_);
  }
  Addition(const Addition&) = delete;
  Addition& operator=(const Addition&) = delete;

  bool goesOn() const {
    const std::shared_lock lock(keys_.mutex_);
    return keys_.additions_.contains(id_);
  }

 private:
  SshKeys& keys_;
  const std::string id_;
};

awaitable<void> SshKeys::load() {
  for (SshKey& key : co_await parts_.store.loadSshKeys()) put(std::move(key));
}

awaitable<SshKey> SshKeys::add(SshKey wanted) {
  const std::vector<SshKey> all = list();
  const auto count = static_cast<std::size_t>(std::ranges::count(all, wanted.owner, &SshKey::owner));
  if (count >= kMaxKeysPerUser)
    throw Error(ErrorCode::Conflict, format("{} has {} SSH keys, the maximum. Remove one first.", wanted.owner, count));
  wanted.id = newId("k");
  wanted.createdAt = parts_.clock.now();
  const Addition addition(*this, wanted);
  co_await parts_.store.insertSshKey(wanted);
  put(wanted);
  if (!addition.goesOn()) {
    co_await remove(wanted.id);
    throw Error(ErrorCode::Conflict, format("The credentials of {} were revoked at the same time. The key was not added.", wanted.owner));
  }
  log::info("SSH key added", {{"user", wanted.owner}, {"key", wanted.id}, {"fingerprint", wanted.fingerprint}});
  co_return wanted;
}

std::vector<SshKey> SshKeys::list() const {
  std::vector<SshKey> keys;
  for (const EntryPtr& entry : entries()) {
    keys.push_back(entry->key);
    if (const SystemTime::rep used = entry->usedAt; used != 0) keys.back().lastUsedAt = SystemTime(SystemTime::duration(used));
  }
  return keys;
}

awaitable<void> SshKeys::remove(std::string id) {
  // In memory first: when the disk is full, the key is still invalid, until the next start of the server.
  const bool known = forget(id);
  if (known) parts_.noteRevocation();
  co_await parts_.store.deleteSshKey(id);
  if (known) log::info("SSH key removed", {{"key", id}});
}

void SshKeys::forgetOf(std::string_view owner) {
  {
    const std::unique_lock lock(mutex_);
    std::erase_if(additions_, [&](const auto& one) { return one.second == owner; });
  }
  for (const EntryPtr& entry : entries())
    if (entry->key.owner == owner) forget(entry->key.id);
}

awaitable<void> SshKeys::maintain() {
  std::map<std::string, SystemTime> uses;
  const std::vector<EntryPtr> all = entries();
  for (const EntryPtr& entry : all) {
    const SystemTime::rep used = entry->usedAt;
    if (used != entry->savedUse) uses[entry->key.id] = SystemTime(SystemTime::duration(used));
  }
  if (uses.empty()) co_return;
  co_await parts_.store.noteSshKeyUses(uses);
  for (const EntryPtr& entry : all)
    if (const auto saved = uses.find(entry->key.id); saved != uses.end()) entry->savedUse = ticksOf(saved->second);
}

bool SshKeys::isRegistered(std::string_view fingerprint) const {
  if (!mayBeUsed(fingerprint)) return false;
  const std::shared_lock lock(mutex_);
  const auto found = by_fingerprint_.find(fingerprint);
  return found != by_fingerprint_.end() &&
         std::ranges::any_of(found->second, [this](const auto& one) { return parts_.users.roleOf(one.first).has_value(); });
}

awaitable<std::optional<Principal>> SshKeys::signIn(std::string user, std::string fingerprint, LoginOrigin origin) {
  const EntryPtr entry = ofOwner(user, fingerprint);
  const bool may_be_used = mayBeUsed(fingerprint);
  auto principal = entry && may_be_used ? principalOf(*entry) : std::nullopt;
  if (!principal) {
    co_await parts_.signIns.refuse(
        std::move(user), std::move(origin),
        Error(ErrorCode::Unauthenticated,
              may_be_used ? "The SSH key is not this user's." : "The SSH key is revoked, or the list of revoked keys cannot be read."));
    co_return std::nullopt;
  }
  co_await parts_.signIns.begin(*principal, "SSH key", std::move(origin));
  entry->usedAt = ticksOf(parts_.clock.now());
  co_return find(*principal);  // it may have been removed in this time
}

std::optional<Principal> SshKeys::find(const Principal& principal) const {
  const EntryPtr entry = withId(principal.sessionId);
  auto current = entry ? principalOf(*entry) : std::nullopt;
  return current && current->role == principal.role ? current : std::nullopt;
}

std::vector<std::string> SshKeys::publicKeysOf(const Principal& principal) const {
  std::vector<std::string> keys;
  for (const EntryPtr& entry : entries()) {
    if (entry->key.owner != principal.user || isRevoked(entry->key.fingerprint)) continue;
    keys.insert(entry->key.id == principal.sessionId ? keys.begin() : keys.end(), entry->key.publicKey);
  }
  return keys;
}

SshKeys::EntryPtr SshKeys::withId(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

SshKeys::EntryPtr SshKeys::ofOwner(std::string_view owner, std::string_view fingerprint) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_fingerprint_.find(fingerprint);
  if (found == by_fingerprint_.end()) return nullptr;
  const auto owned = found->second.find(owner);
  return owned == found->second.end() ? nullptr : owned->second;
}

void SshKeys::put(SshKey key) {
  auto entry = std::make_shared<Entry>();
  entry->usedAt = entry->savedUse = key.lastUsedAt ? ticksOf(*key.lastUsedAt) : 0;
  entry->key = std::move(key);
  const std::unique_lock lock(mutex_);
  by_id_[entry->key.id] = entry;
  by_fingerprint_[entry->key.fingerprint][entry->key.owner] = entry;
}

bool SshKeys::forget(std::string_view id) {
  const std::unique_lock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  const SshKey& key = found->second->key;
  const auto same = by_fingerprint_.find(key.fingerprint);
  same->second.erase(key.owner);
  if (same->second.empty()) by_fingerprint_.erase(same);
  by_id_.erase(found);
  return true;
}

std::optional<Principal> SshKeys::principalOf(const Entry& entry) const {
  const auto role = parts_.users.roleOf(entry.key.owner);
  if (!role || isRevoked(entry.key.fingerprint)) return std::nullopt;
  return parts_.users.principalOf({.id = entry.key.id, .user = entry.key.owner, .expiresAt = SystemTime::max()}, *role);
}

bool SshKeys::isRevoked(std::string_view fingerprint) const { return parts_.revoked.list()->hasKey(fingerprint); }

bool SshKeys::mayBeUsed(std::string_view fingerprint) const { return !parts_.revoked.isUnknown() && !isRevoked(fingerprint); }

std::vector<SshKeys::EntryPtr> SshKeys::entries() const {
  const std::shared_lock lock(mutex_);
  std::vector<EntryPtr> all;
  for (const auto& [id, entry] : by_id_) all.push_back(entry);
  return all;
}

}  // namespace swarm
