#include "auth/second_factor/pending_sign_ins.h"

#include <algorithm>

#include "auth/limits/eviction.h"
#include "base/id.h"

namespace swarm {
namespace {

constexpr std::ptrdiff_t kMaxOfUser = 16;

}  // namespace

std::string PendingSignIns::add(PendingSignIn pending) {
  pending.expires = clock_.steadyNow() + kPendingSignInLife;
  std::string ticket = toBase64Url(randomBytes(32));
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const auto& item) { return clock_.steadyNow() >= item.second.expires; });
  const auto is_own = [&](const PendingSignIn& other) { return other.user.name == pending.user.name; };
  if (std::ranges::count_if(pending_, [&](const auto& item) { return is_own(item.second); }) >= kMaxOfUser)
    pending_.erase(oldestOfBusiest(pending_, is_own));
  pending_.emplace(ticket, std::move(pending));
  return ticket;
}

std::optional<PendingSignIn> PendingSignIns::find(std::string_view ticket) const {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(ticket);
  if (found == pending_.end() || clock_.steadyNow() >= found->second.expires) return std::nullopt;
  return found->second;
}

std::optional<PendingSignIn> PendingSignIns::take(std::string_view ticket) {
  auto pending = find(ticket);
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return std::nullopt;
  pending_.erase(found);
  return pending;
}

}  // namespace swarm
