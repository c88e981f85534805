// Live sessions and one-time codes, kept in memory.
#include "auth/session/sessions.h"

#include <algorithm>

#include "base/id.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxCodes = 64;      ///< of one user: what one user requests takes nothing from the others
constexpr std::size_t kMaxSessions = 500;  ///< of one user: each is a row in the store until it expires

}  // namespace

void SessionTable::setUser(const std::string& name, Role role, std::int64_t generation) {
  std::unique_lock lock(mutex_);
  users_[name] = {role, generation};
  std::erase_if(sessions_, [&](const auto& item) { return item.second.user == name && item.second.generation != generation; });
}

void SessionTable::add(const SessionRecord& session, std::int64_t generation) {
  std::unique_lock lock(mutex_);
  sessions_[session.id] = {session.user, session.expiresAt, generation, session.kind, session.createdAt};
}

void SessionTable::remove(std::string_view id) {
  std::unique_lock lock(mutex_);
  if (auto found = sessions_.find(id); found != sessions_.end()) sessions_.erase(found);
}

void SessionTable::extend(std::string_view id, SystemTime expires_at) {
  std::unique_lock lock(mutex_);
  if (auto found = sessions_.find(id); found != sessions_.end()) found->second.expiresAt = std::max(found->second.expiresAt, expires_at);
}

std::optional<SessionRecord> SessionTable::record(std::string_view id) const {
  std::shared_lock lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return std::nullopt;
  const Session& session = found->second;
  return SessionRecord{std::string(id), session.user, session.expiresAt, false, session.kind, session.createdAt};
}

void SessionTable::prune() {
  std::unique_lock lock(mutex_);
  std::erase_if(sessions_, [now = clock_.now()](const auto& item) { return item.second.expiresAt <= now; });
}

std::vector<SessionRecord> SessionTable::list(std::string_view user) const {
  std::shared_lock lock(mutex_);
  std::vector<SessionRecord> all;
  for (const auto& [id, session] : sessions_) {
    auto owner = users_.find(session.user);
    const bool live = owner != users_.end() && owner->second.generation == session.generation && clock_.now() < session.expiresAt;
    if (live && (user.empty() || user == session.user))
      all.push_back({id, session.user, session.expiresAt, false, session.kind, session.createdAt});
  }
  return all;
}

SystemTime SessionTable::latestExpiry() const {
  std::shared_lock lock(mutex_);
  SystemTime latest{};
  for (const auto& [id, session] : sessions_) latest = std::max(latest, session.expiresAt);
  return latest;
}

std::optional<SessionRecord> SessionTable::oldestOfTooMany(std::string_view user) const {
  std::vector<SessionRecord> all = list(user);
  std::erase_if(all, [](const SessionRecord& session) { return session.kind == "machine"; });
  if (all.size() < kMaxSessions) return std::nullopt;
  return *std::ranges::min_element(all, {}, &SessionRecord::createdAt);
}

std::optional<Principal> SessionTable::find(std::string_view session_id, std::string_view user) const {
  std::shared_lock lock(mutex_);
  auto session = sessions_.find(session_id);
  auto owner = users_.find(user);
  if (session == sessions_.end() || owner == users_.end() || session->second.user != user) return std::nullopt;
  if (session->second.generation != owner->second.generation || clock_.now() >= session->second.expiresAt) return std::nullopt;
  return Principal{std::string(user), owner->second.role, std::string(session_id), session->second.expiresAt, rules_.adminsMayEnter};
}

std::string CodeTable::issue(const Principal& principal, std::string purpose) {
  std::string code = toBase64Url(randomBytes(32));
  std::lock_guard lock(mutex_);
  std::deque<std::string>& own = issued_[principal.user];
  while (!own.empty() && (own.size() >= kMaxCodes || isOver(own.front()))) {
    if (auto oldest = codes_.find(own.front()); oldest != codes_.end()) codes_.erase(oldest);
    own.pop_front();
  }
  own.push_back(code);
  codes_[code] = {principal, std::move(purpose), clock_.steadyNow() + life_};
  return code;
}

bool CodeTable::isOver(const std::string& code) const {
  auto found = codes_.find(code);
  return found == codes_.end() || clock_.steadyNow() >= found->second.expires;
}

std::optional<Principal> CodeTable::find(std::string_view code) {
  std::lock_guard lock(mutex_);
  auto found = codes_.find(code);
  if (found == codes_.end() || clock_.steadyNow() >= found->second.expires) return std::nullopt;
  return found->second.principal;
}

std::optional<Principal> CodeTable::take(std::string_view code, std::string_view purpose) {
  std::lock_guard lock(mutex_);
  auto found = codes_.find(code);
  if (found == codes_.end()) return std::nullopt;
  Code taken = std::move(found->second);
  codes_.erase(found);
  if (clock_.steadyNow() >= taken.expires || taken.purpose != purpose) return std::nullopt;
  return std::move(taken.principal);
}

}  // namespace swarm
