// An identity provider of the configuration: [oidc.NAME] (docs/oidc.md).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "auth/permissions.h"
#include "base/secret.h"
#include "net/url.h"
#include "provider/config_section.h"
#include "provider/variables.h"

namespace swarm::oidc {

struct ProviderConfig {
  std::string name;   ///< of the section: a part of addresses, for example of the redirect URI
  std::string title;  ///< on the sign-in page
  std::string issuer;
  net::Url issuerUrl{};
  std::string clientId;
  Secret clientSecret;                     ///< empty: a public client, which has PKCE alone
  std::vector<std::string> endpointHosts;  ///< host or host:port beside the issuer's to which the server may send requests
  std::filesystem::path caFile;            ///< empty: the system's authorities
  std::vector<std::string> scopes;         ///< "openid" is always one of them
  std::string userClaim = "preferred_username";
  std::string groupsClaim = "groups";
  std::string roleClaim;                      ///< empty: groupsClaim
  std::map<std::string, Role> roles;          ///< by value of roleClaim; empty: the provider manages no roles
  std::map<std::string, std::string> groups;  ///< groups of the server, by value of groupsClaim; empty: the values themselves
  Role defaultRole = Role::user;              ///< of a new account, and of a managed one without a value in `roles`
  std::vector<std::string> allowedDomains;    ///< of the verified e-mail address, in lower case; empty: all
  std::vector<std::string> allowedGroups;     ///< values of groupsClaim; empty: all
  bool createUsers = false;                   ///< an account for each admitted person; otherwise only for linked ones
  bool linkByEmail = false;                   ///< to the account of the same verified address at another provider with linkByEmail
  std::map<std::string, std::string> links;   ///< existing users, by verified e-mail address in lower case
  bool signOutAtProvider = true;              ///< where the provider offers it

  bool managesRoles() const { return !roles.empty(); }
  const std::string& claimOfRoles() const { return roleClaim.empty() ? groupsClaim : roleClaim; }
};

std::string lowerCase(std::string text);  ///< of ASCII

/// `section`: [oidc], with a table for each provider. A secret comes from the environment (SWARM_OIDC_NAME_CLIENT_SECRET), from
/// clientSecretFile or from clientSecret. Throws Error(InvalidArgument) with the key and what it accepts.
std::vector<ProviderConfig> readProviders(ConfigSection& section, const Variables& variables);

}  // namespace swarm::oidc
