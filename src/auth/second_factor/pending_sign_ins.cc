#include "auth/second_factor/pending_sign_ins.h"

#include <algorithm>

#include "base/id.h"

namespace swarm {
namespace {

constexpr std::ptrdiff_t kMaxOfUser = 8;

}  // namespace

std::string PendingSignIns::add(PendingSignIn pending) {
  pending.expires = clock_.steadyNow() + kPendingSignInLife;
  std::string ticket = toBase64Url(randomBytes(32));
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const auto& item) { return clock_.steadyNow() >= item.second.expires; });
  const auto is_own = [&](const auto& item) { return item.second.user.name == pending.user.name; };
  if (std::ranges::count_if(pending_, is_own) >= kMaxOfUser) {
    auto oldest = pending_.end();
    for (auto item = pending_.begin(); item != pending_.end(); ++item)
      if (is_own(*item) && (oldest == pending_.end() || item->second.expires < oldest->second.expires)) oldest = item;
    pending_.erase(oldest);
  }
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
