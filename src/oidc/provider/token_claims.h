// What the claims of a provider's token must be (OpenID Connect Core 1.0 §3.1.3.7, Back-Channel Logout 1.0 §2.6). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/clock.h"
#include "oidc/jose/signed_token.h"
#include "oidc/provider/provider_config.h"

namespace swarm::oidc {

/// By how much the clocks of the server and a provider may differ.
inline constexpr std::chrono::seconds kClockSkew{60};
/// How old an identity token may be when the server receives it, directly from its issuer.
inline constexpr std::chrono::minutes kMaxTokenAge{10};

/// An identity token of this provider for this sign-in. Throws Error(UpstreamFailed) with the claim that is wrong. The signature was
/// verified before.
void requireIdToken(const UnverifiedToken& token, const boost::json::object& claims, const ProviderConfig& config, std::string_view nonce,
                    SystemTime now);

/// Whose sessions a provider ends.
struct LogoutNotice {
  std::string id;  ///< "jti"
  std::string subject;
  std::string session;  ///< "sid"; at least one of both is not empty
  SystemTime issuedAt{};
};
/// The same for a logout token.
LogoutNotice requireLogoutToken(const UnverifiedToken& token, const boost::json::object& claims, const ProviderConfig& config,
                                SystemTime now);

}  // namespace swarm::oidc
