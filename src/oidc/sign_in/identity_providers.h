// IdentityProviders: signs people in and out with the identity providers of the configuration (docs/oidc.md).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/loop.h"
#include "auth/limits/token_throttle.h"
#include "oidc/provider/provider_client.h"
#include "oidc/provider/token_claims.h"
#include "oidc/sign_in/identity_accounts.h"
#include "oidc/sign_in/one_use.h"
#include "oidc/sign_in/pending_sign_in.h"
#include "oidc/sign_in/request_slots.h"

namespace swarm::oidc {

inline constexpr std::string_view kProviderPaths = "/login/oidc/";  ///< followed by a provider's name
inline constexpr std::string_view kSignedOutPath = "/logout/done";  ///< where a provider's own sign-out leads to

/// Thread-safe: requests to providers run on a loop of its own, one set of keys for all. The parts must outlive it, and that loop must have
/// ended before it is destroyed.
class IdentityProviders {
 public:
  struct Parts {
    Auth& auth;
    IdentityStore& identities;
    Audit* audit;  ///< null: nowhere
    const Clock& clock;
    async::Executor loop;
    std::string origin;  ///< of the base host, as the providers know it
  };
  IdentityProviders(std::vector<ProviderConfig> providers, Parts parts);

  awaitable<void> load() { return accounts_.load(providers_); }

  const std::vector<ProviderConfig>& configured() const { return providers_; }

  struct Begun {
    std::string location;  ///< at the provider
    std::string cookie;    ///< value that finish() takes from the same browser
  };
  /// `next`: a local path. Throws Error(NotFound) for an unknown provider, as do the following, and Error(TooManyRequests).
  awaitable<Begun> begin(std::string provider, std::string next, LoginOrigin origin);
  /// What the provider's redirect to us says.
  struct Response {
    std::string code{};
    std::string state{};
    std::string issuer{};
    std::string error{};
  };
  struct Finished {
    LoginResult login;
    std::string next;
  };
  /// Throws Error(Unauthenticated) when this browser has not begun the sign-in, or it was finished before; Error(PermissionDenied) for a
  /// person who is not admitted; Error(UpstreamFailed|Unavailable|DeadlineExceeded|TooManyRequests).
  awaitable<Finished> finish(std::string provider, Response response, std::string cookie, LoginOrigin origin);

  /// Where the browser goes to end its session at the provider, too; empty: nowhere. Call it before the session ends here.
  awaitable<std::string> signOutUrl(Principal principal);
  /// Ends the sessions that a logout token names (Back-Channel Logout). Throws Error(UpstreamFailed) for an invalid one. The same token
  /// may come again after a failure, and then ends what was left.
  awaitable<void> endSessions(std::string provider, std::string logout_token, LoginOrigin origin);

  std::string managerOf(std::string_view user) const { return accounts_.managerOf(user); }
  awaitable<std::vector<Identity>> identitiesOf(std::string user) { return accounts_.identitiesOf(std::move(user)); }

 private:
  using Client = std::shared_ptr<ProviderClient>;
  Client require(std::string_view provider) const;
  std::string redirectUri(const ProviderConfig& config) const;
  awaitable<Begun> beginAt(Client client, std::string next);
  awaitable<Finished> finishAt(Client client, Response response, std::string cookie, LoginOrigin origin);
  awaitable<LogoutNotice> readNotice(Client client, std::string logout_token);
  void keepHint(const std::string& session, Secret id_token);
  awaitable<void> recordRefusal(const ProviderConfig& config, LoginOrigin origin, Error error);
  /// The sessions that the notice names, with those that could not be ended before.
  std::vector<SessionRecord> endable(const std::string& provider, const LogoutNotice& notice);
  template <typename T>
  awaitable<T> onLoop(RequestSlots::Slot slot, awaitable<T> work);

  std::vector<ProviderConfig> providers_;
  Parts parts_;
  std::vector<Client> clients_;
  IdentityAccounts accounts_;
  TokenThrottle throttle_;  ///< of failures
  TokenThrottle begun_;
  RequestSlots slots_;
  Secret key_;  ///< of the cookies of sign-ins in progress; a restart ends those
  OneUse states_;
  OneUse notices_;
  std::mutex mutex_;
  std::map<std::string, Secret> hints_;           ///< identity tokens by session, for the sign-out at the provider
  std::map<std::string, SessionRecord> unended_;  ///< by id: ended in memory, and not in the store
};

}  // namespace swarm::oidc
