#include "auth/session/access_tokens.h"

#include <algorithm>
#include <mutex>

#include "async/attempt.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::string_view kSecretPrefix = "swarm_pat_";
constexpr std::size_t kSecretRandomBytes = 20;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kMaxTokensPerUser = 100;
constexpr std::chrono::hours kDay{24};

std::string withChecksum(std::string text) { return text + toHex(sha256(text).substr(0, kChecksumBytes)); }

/// A secret of 160 random bits needs no slow hash, and the time of a look-up by its digest reveals nothing about it.
std::string secretDigestOf(std::string_view secret) { return toHex(sha256(secret)); }

SystemTime::rep numberOf(SystemTime time) { return time.time_since_epoch().count(); }

/// Sorted, once each, with `read`.
std::vector<AccessScope> normalised(std::vector<AccessScope> scopes) {
  scopes.push_back(AccessScope::read);
  std::ranges::sort(scopes);
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  return scopes;
}

/// A program must not extend its own access by making a token.
void requireWithin(const Principal& by, const AccessToken& wanted) {
  if (!by.token) return;
  if (!by.token->namePrefix.empty() || by.token->maxInstances > 0)
    throw Error(ErrorCode::PermissionDenied, "An access token with limits cannot create other tokens.");
  if (!std::ranges::includes(by.token->scopes, wanted.scopes) || wanted.expiresAt > by.token->expiresAt)
    throw Error(ErrorCode::PermissionDenied,
                "An access token can only create tokens that have no other scopes than its own, and expire no later.");
}

}  // namespace

Secret makeAccessTokenSecret() { return Secret(withChecksum(std::string(kSecretPrefix) + toHex(randomBytes(kSecretRandomBytes)))); }

bool isAccessTokenSecret(std::string_view text) {
  constexpr std::size_t without_checksum = kSecretPrefix.size() + 2 * kSecretRandomBytes;
  return text.size() == without_checksum + 2 * kChecksumBytes && text.starts_with(kSecretPrefix) &&
         text == withChecksum(std::string(text.substr(0, without_checksum)));
}

awaitable<void> AccessTokens::load() {
  co_await parts_.store.pruneAccessTokens(parts_.clock.now());
  const std::vector<AccessTokenRecord> all = co_await parts_.store.loadAccessTokens();
  const std::unique_lock lock(mutex_);
  for (const AccessTokenRecord& record : all) insert(record);
}

awaitable<CreatedAccessToken> AccessTokens::create(const Principal& by, AccessToken wanted, std::chrono::hours life) {
  if (life > parts_.maxLife)
    throw Error(ErrorCode::InvalidArgument,
                format("An access token is valid for at most {} days here ([access] maxTokenDays).", parts_.maxLife / kDay))
        .withField("/days", "is too many");
  wanted.scopes = normalised(std::move(wanted.scopes));
  wanted.id = newId("t");
  wanted.createdAt = parts_.clock.now();
  wanted.expiresAt = wanted.createdAt + life;
  requireWithin(by, wanted);
  if (by.token) wanted.parent = by.token->id;
  co_await maintain();  // the name of an expired token is free
  const std::vector<AccessToken> all = list();
  const auto count = static_cast<std::size_t>(std::ranges::count(all, wanted.owner, &AccessToken::owner));
  if (count >= kMaxTokensPerUser)
    throw Error(ErrorCode::Conflict, format("{} has {} access tokens, the maximum. Revoke one first.", wanted.owner, count));
  CreatedAccessToken created{std::move(wanted), makeAccessTokenSecret()};
  const AccessTokenRecord record{created.token, secretDigestOf(created.secret.reveal())};
  const auto stored = co_await async::attempt(parts_.store.insertAccessToken(record));
  if (!stored && stored.error().code() != ErrorCode::NotFound) throw stored.error();
  if (!stored || !add(record)) throw Error(ErrorCode::Unauthenticated, "The access token has been revoked.");
  log::info("access token created", {{"user", by.user}, {"owner", created.token.owner}, {"token", created.token.id}});
  co_return created;
}

std::vector<AccessToken> AccessTokens::list() const {
  std::vector<AccessToken> tokens;
  for (const EntryPtr& entry : entries()) {
    if (isOver(*entry)) continue;
    tokens.push_back(*entry->token);
    if (const SystemTime::rep used = entry->usedAt.load(std::memory_order_relaxed); used != 0)
      tokens.back().lastUsedAt = SystemTime(SystemTime::duration(used));
  }
  return tokens;
}

awaitable<void> AccessTokens::revoke(std::string id) {
  // In memory first: when the disk is full, the token is still invalid, until the next start of the server.
  const bool known = forget(id);
  if (known) parts_.noteRevocation();
  co_await parts_.store.deleteAccessToken(id);
  if (known) log::info("access token revoked", {{"token", id}});
}

awaitable<void> AccessTokens::maintain() {
  bool expired = false;
  std::map<std::string, SystemTime> uses;
  const std::vector<EntryPtr> all = entries();
  for (const EntryPtr& entry : all) {
    if (isOver(*entry)) {
      expired = forget(entry->token->id) || expired;
    } else if (const SystemTime::rep used = entry->usedAt; used != entry->savedUse) {
      uses[entry->token->id] = SystemTime(SystemTime::duration(used));
    }
  }
  if (!uses.empty()) co_await parts_.store.noteAccessTokenUses(uses);
  for (const EntryPtr& entry : all)
    if (const auto saved = uses.find(entry->token->id); saved != uses.end()) entry->savedUse = numberOf(saved->second);
  if (expired) co_await parts_.store.pruneAccessTokens(parts_.clock.now());
}

std::optional<Principal> AccessTokens::verify(std::string_view secret) const {
  if (!isAccessTokenSecret(secret)) return std::nullopt;
  const std::string digest = secretDigestOf(secret);
  std::shared_lock lock(mutex_);
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return std::nullopt;
  auto principal = principalOf(*found->second);
  if (principal) found->second->usedAt.store(numberOf(parts_.clock.now()), std::memory_order_relaxed);
  return principal;
}

std::optional<Principal> AccessTokens::find(const Principal& principal) const {
  std::shared_lock lock(mutex_);
  const auto found = by_id_.find(principal.sessionId);
  if (found == by_id_.end()) return std::nullopt;
  auto current = principalOf(*found->second);
  return current && current->role == principal.role ? current : std::nullopt;
}

bool AccessTokens::add(const AccessTokenRecord& record) {
  std::unique_lock lock(mutex_);
  if (!record.token.parent.empty() && !by_id_.contains(record.token.parent)) return false;
  insert(record);
  return true;
}

void AccessTokens::insert(const AccessTokenRecord& record) {
  auto entry = std::make_shared<Entry>();
  entry->token = std::make_shared<const AccessToken>(record.token);
  entry->digest = record.digest;
  entry->usedAt = entry->savedUse = record.token.lastUsedAt ? numberOf(*record.token.lastUsedAt) : 0;
  by_id_[record.token.id] = entry;
  by_digest_[record.digest] = entry;
}

bool AccessTokens::forget(std::string_view id) {
  std::unique_lock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  erase(found->first);
  return true;
}

void AccessTokens::forgetOf(std::string_view owner) {
  std::unique_lock lock(mutex_);
  std::vector<std::string> own;
  for (const auto& [id, entry] : by_id_)
    if (entry->token->owner == owner) own.push_back(id);
  for (const std::string& id : own) erase(id);
}

void AccessTokens::erase(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const EntryPtr entry = found->second;
  by_digest_.erase(entry->digest);
  by_id_.erase(found);
  std::vector<std::string> created;
  for (const auto& [child, other] : by_id_)
    if (other->token->parent == entry->token->id) created.push_back(child);
  for (const std::string& child : created) erase(child);
}

bool AccessTokens::isOver(const Entry& entry) const {
  return parts_.clock.now() >= entry.token->expiresAt || !parts_.users.knows(entry.token->owner);
}

/// Nothing when the token has expired, or its owner was disabled or deleted.
std::optional<Principal> AccessTokens::principalOf(const Entry& entry) const {
  const AccessToken& token = *entry.token;
  const auto role = parts_.users.roleOf(token.owner);
  if (!role || isOver(entry)) return std::nullopt;
  Principal principal = parts_.users.principalOf({.id = token.id, .user = token.owner, .expiresAt = token.expiresAt}, *role);
  principal.token = entry.token;
  return principal;
}

std::vector<AccessTokens::EntryPtr> AccessTokens::entries() const {
  std::shared_lock lock(mutex_);
  std::vector<EntryPtr> all;
  for (const auto& [id, entry] : by_id_) all.push_back(entry);
  return all;
}

}  // namespace swarm
