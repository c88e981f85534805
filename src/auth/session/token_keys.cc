#include "auth/session/token_keys.h"

#include <algorithm>
#include <mutex>

#include "base/diagnostics/check.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "protocol/ed25519.h"

namespace swarm {
namespace {

constexpr std::size_t kMaxKeys = 256;  // a key that was replaced lives as long as sessions, up to 90 days
constexpr std::size_t kMaxVerified = 4096;

}  // namespace

awaitable<void> TokenKeys::load() {
  std::vector<Entry> loaded;
  for (const TokenKeyRecord& record : co_await store_.loadTokenKeys()) {
    auto seed = fromHex(record.seed.reveal());
    if (!seed || seed->size() != ed25519::kSeedBytes)
      throw Error(ErrorCode::Unprocessable, format("The key {} in the store, which signs API tokens, is damaged.", record.id));
    loaded.push_back({std::make_shared<const ApiTokenKey>(Secret(std::move(*seed))), record.createdAt, record.expiresAt});
  }
  {
    std::unique_lock lock(mutex_);
    entries_ = std::move(loaded);
  }
  co_await renew();
}

awaitable<void> TokenKeys::renew() {
  co_await retire();  // a rotation may have ended after it stored the new key
  co_await prune();
  const auto signing = current();
  if (signing && clock_.now() - signing->createdAt < life_) co_return;
  if (signing && entries().size() >= kMaxKeys)
    log::warning("the key that signs API tokens is not replaced: too many former ones are valid", {{"key", signing->key->id()}});
  else
    co_await rotate();
}

awaitable<TokenKeyInfo> TokenKeys::rotate() {
  if (entries().size() >= kMaxKeys)
    throw Error(ErrorCode::Conflict, format("There are {} signing keys whose tokens have not expired. Try again in some days.", kMaxKeys));
  const Entry made{std::make_shared<const ApiTokenKey>(Secret(randomBytes(ed25519::kSeedBytes))), clock_.now(), std::nullopt};
  co_await store_.putTokenKey(recordOf(made));
  {
    std::unique_lock lock(mutex_);
    entries_.push_back(made);
  }
  log::info("a new key signs API tokens", {{"key", made.key->id()}});
  co_await retire();
  co_await prune();
  co_return infoOf(made);
}

std::vector<TokenKeyInfo> TokenKeys::list() const {
  std::vector<TokenKeyInfo> all;
  for (const Entry& entry : entries()) all.push_back(infoOf(entry));
  return all;
}

std::string TokenKeys::sign(const ApiTokenClaims& claims) const {
  const auto signing = current();
  SWARM_CHECK(signing.has_value());
  return signApiToken(*signing->key, claims);
}

std::optional<TokenKeys::Verified> TokenKeys::verify(std::string_view token) const {
  const auto signer = signerOf(token);
  if (!signer) return std::nullopt;
  std::string digest = sha256(token);
  {
    std::shared_lock lock(mutex_);
    if (auto known = verified_.find(digest); known != verified_.end()) return Verified{known->second, signer->until};
  }
  auto claims = readApiToken(*signer->key, token);
  if (!claims) return std::nullopt;
  std::unique_lock lock(mutex_);
  if (verified_.size() >= kMaxVerified) verified_.clear();
  verified_.emplace(std::move(digest), *claims);
  return Verified{std::move(*claims), signer->until};
}

SystemTime TokenKeys::since() const {
  std::shared_lock lock(mutex_);
  return entries_.empty() ? SystemTime::max() : entries_.front().createdAt;
}

TokenKeyInfo TokenKeys::infoOf(const Entry& entry) { return {entry.key->id(), entry.key->publicKey(), entry.createdAt, entry.expiresAt}; }

TokenKeyRecord TokenKeys::recordOf(const Entry& entry) {
  return {entry.key->id(), Secret(toHex(entry.key->seed().reveal())), entry.createdAt, entry.expiresAt};
}

std::vector<TokenKeys::Entry> TokenKeys::entries() const {
  std::shared_lock lock(mutex_);
  return entries_;
}

/// The newest key that was not replaced: two are for a moment during a rotation.
std::optional<TokenKeys::Entry> TokenKeys::newestOf(const std::vector<Entry>& entries) {
  const auto found = std::find_if(entries.rbegin(), entries.rend(), [](const Entry& entry) { return !entry.expiresAt; });
  return found == entries.rend() ? std::nullopt : std::optional(*found);
}

std::optional<TokenKeys::Entry> TokenKeys::current() const {
  std::shared_lock lock(mutex_);
  return newestOf(entries_);
}

/// The key whose header the token has, and the creation of the one that replaced it; nothing for other algorithms and unknown keys.
std::optional<TokenKeys::Signer> TokenKeys::signerOf(std::string_view token) const {
  std::shared_lock lock(mutex_);
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) { return token.starts_with(entry.key->prefix()); });
  if (found == entries_.end()) return std::nullopt;
  const auto next = std::next(found);
  const bool is_replaced = found->expiresAt && next != entries_.end();
  return Signer{found->key, is_replaced ? next->createdAt : SystemTime::max()};
}

/// Limits the life of replaced keys. A session is in the table before its token is signed: tokens of sessions that are not there yet have
/// the new key.
awaitable<void> TokenKeys::retire() {
  std::vector<Entry> all = entries();  // of one moment: of concurrent rotations, none retires the newest key
  const auto signing = newestOf(all);
  const SystemTime last = std::max(clock_.now(), sessions_.latestExpiry());
  for (Entry& former : all) {
    if (former.expiresAt || former.key == signing->key) continue;
    former.expiresAt = last;
    co_await store_.putTokenKey(recordOf(former));
    std::unique_lock lock(mutex_);
    if (const auto found = std::ranges::find(entries_, former.key, &Entry::key); found != entries_.end()) found->expiresAt = last;
  }
}

awaitable<void> TokenKeys::prune() {
  const SystemTime now = clock_.now();
  {
    std::unique_lock lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.expiresAt && *entry.expiresAt <= now; });
  }
  co_await store_.pruneTokenKeys(now);
}

}  // namespace swarm
