// IdentityAccounts: which account here a person at an identity provider uses.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "auth/auth.h"
#include "oidc/provider/claim_mapping.h"

namespace swarm::oidc {

using boost::asio::awaitable;

/// Thread-safe.
class IdentityAccounts {
 public:
  IdentityAccounts(Auth& auth, IdentityStore& identities, Audit* audit, const Clock& clock)
      : auth_(auth), identities_(identities), audit_(audit), clock_(clock) {}

  /// Which roles are managed; once at the start.
  awaitable<void> load(const std::vector<ProviderConfig>& providers);
  struct Person {
    ProviderConfig config;
    MappedClaims mapped;
    boost::json::object claims;
  };
  /// The account of an admitted person, with the role and the groups that the claims decide. It is found by issuer and subject; a new
  /// person gets the account that the configuration links to the verified e-mail address, or a new one, whose name no other user has or
  /// had. Throws Error(PermissionDenied) when there is none.
  awaitable<Identity> settle(Person person, LoginOrigin origin, const std::vector<ProviderConfig>& providers);
  /// The provider that manages the user's role, by its name in the configuration; empty: none.
  std::string managerOf(std::string_view user) const;
  awaitable<std::vector<Identity>> identitiesOf(std::string user) { return identities_.list({.user = std::move(user)}); }

 private:
  awaitable<std::optional<std::string>> linkedUser(const Person& person, const std::vector<ProviderConfig>& providers);
  awaitable<void> link(Identity identity, ProviderConfig config, LoginOrigin origin);
  awaitable<Identity> create(Identity identity, const Person& person, LoginOrigin origin);
  awaitable<void> applyRole(Identity& identity, Role role, LoginOrigin origin);
  awaitable<void> applyGroups(Identity& identity, LoginOrigin origin);
  awaitable<void> report(const Identity& identity, const std::vector<std::string>& former, LoginOrigin origin);
  void noteManager(const Identity& identity);

  Auth& auth_;
  IdentityStore& identities_;
  Audit* audit_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> managers_;  ///< by user
};

}  // namespace swarm::oidc
