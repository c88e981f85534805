// Live sessions and one-time codes, kept in memory.
#include "auth/session/sessions.h"

#include <algorithm>
#include <charconv>

#include "base/id.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxCodes = 64;      ///< of one user: what one user requests takes nothing from the others
constexpr std::size_t kMaxSessions = 500;  ///< of one user: each is a row in the store until it expires

}  // namespace

std::string newSessionId(std::int64_t generation) { return std::to_string(generation) + "." + toBase64Url(randomBytes(18)); }

std::int64_t generationOf(std::string_view session_id) {
  std::int64_t generation = 0;
  std::from_chars(session_id.data(), session_id.data() + session_id.size(), generation);
  return generation;
}

void SessionTable::setUser(const UserRecord& user) {
  const std::string& name = user.name;
  const std::int64_t generation = user.tokenGeneration;
  std::unique_lock lock(mutex_);
  // Of concurrent changes, the newer may be applied first.
  if (auto known = users_.find(name); known != users_.end() && known->second.generation > generation) return;
  users_[name] = {user.role, generation, user.disabled};
  std::erase_if(sessions_, [&](const auto& item) { return item.second.record.user == name && item.second.generation != generation; });
}

bool SessionTable::knows(std::string_view user) const {
  std::shared_lock lock(mutex_);
  return users_.contains(user);
}

std::optional<Role> SessionTable::roleOf(std::string_view user) const {
  std::shared_lock lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.disabled) return std::nullopt;
  return found->second.role;
}

void SessionTable::add(const SessionRecord& session, std::int64_t generation) {
  std::unique_lock lock(mutex_);
  sessions_[session.id] = {session, generation};
}

void SessionTable::remove(std::string_view id) {
  std::unique_lock lock(mutex_);
  if (auto found = sessions_.find(id); found != sessions_.end()) sessions_.erase(found);
}

void SessionTable::extend(std::string_view id, SystemTime expires_at) {
  std::unique_lock lock(mutex_);
  if (auto found = sessions_.find(id); found != sessions_.end())
    found->second.record.expiresAt = std::max(found->second.record.expiresAt, expires_at);
}

std::optional<SessionRecord> SessionTable::record(std::string_view id) const {
  std::shared_lock lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? std::nullopt : std::optional(found->second.record);
}

void SessionTable::removeOthers(std::string_view user, std::string_view kept_session) {
  std::unique_lock lock(mutex_);
  std::erase_if(sessions_, [&](const auto& item) { return item.second.record.user == user && item.first != kept_session; });
}

void SessionTable::removeUser(std::string_view user) {
  std::unique_lock lock(mutex_);
  std::erase_if(sessions_, [&](const auto& item) { return item.second.record.user == user; });
  std::erase_if(users_, [&](const auto& item) { return item.first == user; });
}

void SessionTable::prune() {
  std::unique_lock lock(mutex_);
  std::erase_if(sessions_, [now = clock_.now()](const auto& item) { return item.second.record.expiresAt <= now; });
}

std::vector<SessionRecord> SessionTable::list(std::string_view user) const {
  std::shared_lock lock(mutex_);
  std::vector<SessionRecord> all;
  for (const auto& [id, session] : sessions_) {
    const SessionRecord& record = session.record;
    auto owner = users_.find(record.user);
    const bool live = owner != users_.end() && owner->second.generation == session.generation && clock_.now() < record.expiresAt;
    if (live && (user.empty() || user == record.user)) all.push_back(record);
  }
  return all;
}

SystemTime SessionTable::latestExpiry() const {
  std::shared_lock lock(mutex_);
  SystemTime latest{};
  for (const auto& [id, session] : sessions_) latest = std::max(latest, session.record.expiresAt);
  return latest;
}

std::optional<SessionRecord> SessionTable::oldestOfTooMany(std::string_view user) const {
  std::vector<SessionRecord> all = list(user);
  std::erase_if(all, [](const SessionRecord& session) { return session.kind == SessionKind::machine; });
  if (all.size() < kMaxSessions) return std::nullopt;
  return *std::ranges::min_element(all, {}, &SessionRecord::createdAt);
}

std::optional<Principal> SessionTable::find(std::string_view session_id, std::string_view user) const {
  std::shared_lock lock(mutex_);
  auto session = sessions_.find(session_id);
  auto owner = users_.find(user);
  if (session == sessions_.end() || owner == users_.end() || session->second.record.user != user) return std::nullopt;
  if (session->second.generation != owner->second.generation || clock_.now() >= session->second.record.expiresAt) return std::nullopt;
  return principalOf(session->second.record, owner->second.role);
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
