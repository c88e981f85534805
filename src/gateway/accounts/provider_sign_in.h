// ProviderSignIn: the addresses of a sign-in by an identity provider: to the provider, back from it, and its own sign-out.
#pragma once

#include <string>
#include <string_view>

#include "async/awaitable.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"
#include "oidc/sign_in/identity_providers.h"

namespace swarm::gateway {

class ProviderSignIn {
 public:
  /// `providers`: null: none.
  ProviderSignIn(const BrowserSession& browser, oidc::IdentityProviders* providers, OpenBudget* forms)
      : browser_(browser), providers_(providers), forms_(forms) {}

  bool takes(std::string_view path) const { return providers_ != nullptr && path.starts_with(oidc::kProviderPaths); }
  async::awaitable<void> handle(net::Exchange& exchange);
  /// For the page of the sign-in.
  std::vector<ProviderLink> links(std::string_view next) const;
  /// Where a browser that signs out here goes to sign out at its provider, too; empty: nowhere.
  async::awaitable<std::string> signOutUrl(Principal principal) const;

 private:
  async::awaitable<void> leave(net::Exchange& exchange, std::string provider);
  async::awaitable<void> comeBack(net::Exchange& exchange, std::string provider);
  async::awaitable<void> endSessions(net::Exchange& exchange, std::string provider);
  async::awaitable<void> respondFailure(net::Exchange& exchange, Error error);
  std::string cookie(std::string_view value, std::int64_t seconds) const;

  const BrowserSession& browser_;
  oidc::IdentityProviders* providers_;
  OpenBudget* forms_;
};

}  // namespace swarm::gateway
