// Auth: users, sign-in, tokens and permissions. JWT for the API, cookie for the browser, one-time codes for instance hosts
// (docs/adr/0009-hosts-and-cookies.md).
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/password_cost.h"
#include "auth/permissions.h"
#include "base/clock.h"
#include "base/secret.h"
#include "store/store.h"

namespace swarm {

class Audit;

struct LoginResult {
  Secret token;  ///< JWT (session/api_token.h) with aud "swarm-api": a Bearer, never a cookie
  Principal principal;
};

/// Where a request comes from, for the throttle and the audit log.
struct LoginOrigin {
  std::string address{};  ///< of the client, through trusted proxies; empty: the server's own machine
  std::string device{};   ///< value of its device cookie; empty: none
  std::string client{};   ///< what it says that it is (User-Agent), printable and cut; untrusted
};

inline constexpr std::chrono::minutes kLoginLinkLife{10};
/// Of a session, at its begin and after each refresh.
inline constexpr std::chrono::hours kSessionLife{24 * 7};
/// Of a session that is refreshed, and of those that its login links start, since its user signed in: then they have to sign in again.
inline constexpr std::chrono::hours kMaxSessionLife{24 * 90};

/// A key of API tokens, without its private half.
struct TokenKeyInfo {
  std::string id;         ///< a token's "kid"
  std::string publicKey;  ///< Ed25519, raw
  SystemTime createdAt{};
  std::optional<SystemTime> expiresAt{};  ///< of a key that was replaced: until then it verifies
};

class AccessTokens;
class Accounts;
class Groups;
class ProgramSignIns;
class SecondFactors;
class Sharing;
class SshCertificates;
class RevokedKeys;
class SshKeys;

/// Thread-safe; store work runs on the store's thread, argon2id on a worker thread of its own with at most 2 at a time.
class Auth {
 public:
  virtual ~Auth() = default;
  /// Creates the keys and, when there is no user, `admin` with a random password, which it returns once.
  virtual awaitable<std::optional<Secret>> initialise() = 0;
  /// Throws Error(Unauthenticated) (same text and time for a wrong name and a wrong password), Error(TooManyRequests) after repeated
  /// failures (throttle.h). `code`: of the second factor; Error(Unauthenticated) with the field /code when one is missing or wrong.
  /// Error(PermissionDenied) for a user who must set up a second factor first.
  virtual awaitable<LoginResult> login(std::string user, Secret password, LoginOrigin origin, std::string code = {}) = 0;
  /// For a user whom an identity provider has signed in (src/oidc). Throws Error(PermissionDenied) for one who cannot sign in.
  virtual awaitable<LoginResult> beginFollowing(std::string user, ProviderSession session, LoginOrigin origin) = 0;
  /// A long-lived token for the CLI on this machine (written by `serve`), without a password.
  virtual awaitable<LoginResult> issue(std::string user, std::chrono::seconds ttl) = 0;
  /// A later token of the same session, which it extends up to a maximum life (kMaxSessionLife). Earlier ones remain valid until they
  /// expire. Nothing when the session has ended.
  virtual awaitable<std::optional<LoginResult>> refresh(Principal principal) = 0;
  /// Live sessions, of one user or (empty) of all.
  virtual std::vector<SessionRecord> listSessions(std::string_view user) const = 0;
  virtual awaitable<void> endSession(SessionRecord session) = 0;  ///< as logout()
  virtual awaitable<void> logout(Principal principal) = 0;        ///< revokes the session with its JWT and all its cookies
  /// A JWT, or the secret of an access token: signature or digest, expiry, audience, revocation. No I/O. Null: not valid.
  virtual std::optional<Principal> verifyApiToken(std::string_view token) const = 0;
  /// The current principal while its session or access token is valid, as verifyApiToken() would return it.
  virtual std::optional<Principal> stillSignedIn(const Principal& principal) const = 0;
  /// The session cookie of the base host. Its audience differs from that of tokens: a cookie that a browser sends to a program on another
  /// port of this machine is not valid as a Bearer token, and a token is not valid as a cookie.
  virtual std::string issueSessionCookie(const Principal& principal) = 0;
  virtual std::optional<Principal> verifySessionCookie(std::string_view value) const = 0;
  /// A device cookie's value: this user has signed in there before, perhaps with a second factor. It is not a credential; login() takes it
  /// as LoginOrigin::device. `present`: the value that the browser has: of the same user, its device stays the same.
  virtual std::string issueDevice(const Principal& principal, std::string_view present) = 0;
  /// A text that only this server can make; it identifies the instance that filled a browser's storage.
  virtual std::string markOf(std::string_view audience) const = 0;
  /// Cookie values for instance hosts: bound to one instance and to the session that issued them.
  virtual std::string issueInstanceCookie(const Principal& principal, std::string_view instance_id) = 0;
  virtual std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const = 0;
  /// The same for a cookie of any instance. It grants nothing; it distinguishes a signed-in tab of a deleted instance from a signed-out
  /// one.
  virtual std::optional<Principal> verifyAnyInstanceCookie(std::string_view value) const = 0;
  /// One-time codes: valid for 60 s, once, for one instance host and for the browser that `binding` identifies (a digest of a secret that
  /// only that browser has); a second `take` returns nothing.
  virtual std::string issueCode(const Principal& principal, std::string_view instance_id, std::string_view binding) = 0;
  virtual std::optional<Principal> takeCode(std::string_view code, std::string_view instance_id, std::string_view binding) = 0;
  /// One-time links: a browser that opens one within `kLoginLinkLife` is signed in as this user, in a session of its own. A link ends with
  /// the session that made it.
  virtual std::string issueLoginLink(const Principal& principal) = 0;
  virtual std::optional<std::string> userOfLoginLink(std::string_view code) = 0;  ///< without using it up
  /// Nothing: used, expired or unknown.
  virtual awaitable<std::optional<LoginResult>> takeLoginLink(std::string code, LoginOrigin origin = {}) = 0;
  /// Sign-ins of programs that a user confirms in a browser.
  virtual ProgramSignIns& programs() = 0;
  /// The session of such a program; nothing when that of the user has ended.
  virtual awaitable<std::optional<LoginResult>> beginForProgram(Principal by, LoginOrigin origin) = 0;
  virtual awaitable<void> putUser(std::string name, Secret password, Role role) = 0;
  virtual Accounts& accounts() = 0;
  virtual SecondFactors& secondFactors() = 0;
  virtual Sharing& sharing() = 0;
  virtual Groups& groups() = 0;
  virtual std::optional<Role> roleOf(std::string_view user) const = 0;  ///< nothing: the user does not exist, or is disabled

  /// The keys that verify API tokens, from the oldest.
  virtual std::vector<TokenKeyInfo> tokenKeys() const = 0;
  /// Replaces the key that signs API tokens, and returns the new one; tokens of the former key remain valid until they expire. Throws
  /// Error(Conflict) while there are very many keys.
  virtual awaitable<TokenKeyInfo> rotateTokenKey() = 0;
  /// The same when the key has reached AuthOptions::tokenKeyLife, and forgets expired keys. Call it once a day.
  virtual awaitable<void> renewTokenKey() = 0;
  virtual AccessTokens& accessTokens() = 0;
  virtual SshKeys& sshKeys() = 0;
  virtual SshCertificates& sshCertificates() = 0;
  virtual RevokedKeys& revokedKeys() = 0;  ///< of SSH

  /// Grows when a credential may have become invalid (logout, a changed user): callers that remember a verification repeat it then. One
  /// atomic load.
  std::uint64_t revocationEpoch() const { return revocation_epoch_.load(std::memory_order_acquire); }
  /// Calls `listener` after each growth, on the revoking thread; it must only post. Registered before serving begins, never removed.
  void onRevoked(std::function<void()> listener) { revocation_listeners_.push_back(std::move(listener)); }

 protected:
  /// Implementations call this after each revocation has taken effect: from here on verify…() refuses the revoked credentials.
  void noteRevocation() {
    revocation_epoch_.fetch_add(1, std::memory_order_acq_rel);
    for (const auto& listener : revocation_listeners_) listener();
  }

 private:
  std::atomic<std::uint64_t> revocation_epoch_{0};
  std::vector<std::function<void()>> revocation_listeners_;
};

/// Files with lines of text: which keys and certificates sign in to the SSH listener. Empty: none.
struct SshTrust {
  std::filesystem::path trustedUserCAKeys;  ///< CAs whose user certificates sign in (certificates/trusted_authorities.h)
  std::filesystem::path revokedKeys;        ///< what does not (certificates/revoked_key_list.h)
};

struct AuthOptions {
  AccessRules access{};
  std::string issuer = "swarm.localhost";    ///< "iss" of API tokens: the base host, which does not change with the port
  std::chrono::hours tokenKeyLife{24 * 90};  ///< age at which the key that signs API tokens is replaced
  std::chrono::hours maxAccessTokenLife{24 * 365};
  Audit* audit = nullptr;  ///< where sign-ins and refused ones are recorded; null: nowhere
  PasswordCost passwordCost{};
  SshTrust ssh{};
};
std::unique_ptr<Auth> makeAuth(Store& store, const Clock& clock, AuthOptions options = {});

}  // namespace swarm
