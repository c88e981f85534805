// What the claims of a sign-in mean here: who is admitted, with which role and groups (docs/oidc.md). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "auth/permissions.h"
#include "oidc/provider/provider_config.h"

namespace swarm::oidc {

inline constexpr std::size_t kMaxUserName = 40;  ///< requireAccountName()

struct MappedClaims {
  std::string subject;
  std::string email;                               ///< verified, in lower case; empty: none
  std::string userName;                            ///< suggestion for a new account, a valid name; empty: the claims have none
  std::optional<Role> role;                        ///< nothing: the role of the account stays
  std::optional<std::vector<std::string>> groups;  ///< of the server; nothing: those of the account stay
  std::vector<std::string> notes;                  ///< what the claims lacked, and what follows
  std::optional<std::string> refusal;              ///< why the person is not admitted
};
/// `claims`: of a verified token.
MappedClaims mapClaims(const boost::json::object& claims, const ProviderConfig& config);

/// A copy to store and display: printable, at most 8 KiB, without what identifies the sign-in (nonce, hashes of tokens).
boost::json::object shownClaims(const boost::json::object& claims);

}  // namespace swarm::oidc
