// IdentitiesPages: for administrators, the claims of the last sign-ins by identity providers and what they were mapped to (docs/oidc.md).
#pragma once

#include <string_view>

#include "async/awaitable.h"
#include "auth/browser/browser_session.h"
#include "net/http/http_server.h"
#include "oidc/sign_in/identity_providers.h"

namespace swarm::gateway {

inline constexpr std::string_view kIdentitiesPath = "/identities";  ///< base host

class IdentitiesPages {
 public:
  /// `providers`: null: there is no such page.
  IdentitiesPages(const BrowserSession& browser, Auth& auth, oidc::IdentityProviders* providers, Audit* audit)
      : browser_(browser), auth_(auth), providers_(providers), audit_(audit) {}

  bool takes(std::string_view path) const { return providers_ != nullptr && path == kIdentitiesPath; }
  /// Whether the user may open it.
  bool isFor(const Principal& principal) const;
  async::awaitable<void> show(net::Exchange& exchange);

 private:
  const BrowserSession& browser_;
  Auth& auth_;
  oidc::IdentityProviders* providers_;
  Audit* audit_;
};

}  // namespace swarm::gateway
