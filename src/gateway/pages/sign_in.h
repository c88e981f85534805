// SignIn: the pages of the base host, and the codes that transfer its session to an instance's host
// (docs/adr/0009-hosts-and-cookies.md).
#pragma once

#include <string>

#include "async/awaitable.h"
#include "auth/auth.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "auth/public_address.h"
#include "gateway/accounts/identities.h"
#include "gateway/accounts/invitation.h"
#include "gateway/accounts/program_sign_in.h"
#include "gateway/accounts/provider_sign_in.h"
#include "gateway/accounts/second_factor.h"
#include "gateway/pages/landing.h"
#include "gateway/proxy/targets.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

class SignIn {
 public:
  /// `forms`: budget of the bodies of forms while they arrive, by client address; null: no limit. `audit`: null: nothing is recorded.
  /// `providers`: null: none.
  SignIn(const PublicAddress& address, const BrowserSession& browser, Auth& auth, Targets& targets, const WorkspaceActions& actions,
         OpenBudget* forms, Audit* audit, oidc::IdentityProviders* providers);

  /// Handles the pages of the base host, for each of its names; false: the path is not one of them.
  async::awaitable<bool> handleBase(net::Exchange& exchange);

 private:
  async::awaitable<void> showSignIn(net::Exchange& exchange);
  async::awaitable<void> signIn(net::Exchange& exchange);
  /// The form again, with the reason.
  async::awaitable<void> respondSignInFailure(net::Exchange& exchange, SignInPage page, Error error);
  async::awaitable<void> followLink(net::Exchange& exchange);
  async::awaitable<void> signInByLink(net::Exchange& exchange);
  async::awaitable<void> takeLink(net::Exchange& exchange, std::string code, std::string next);
  async::awaitable<void> signOut(net::Exchange& exchange);
  /// Announced: the page that announces the record of the entry was shown.
  enum class Entry { New, Announced };
  /// `fields`: the query or form with the facts of a sign-in that began at an instance's host.
  async::awaitable<void> sendToInstance(net::Exchange& exchange, std::string fields, Entry entry);
  async::awaitable<void> recordRefusedEntry(net::Exchange& exchange, const Principal& principal, const HostName& host,
                                            const InstanceRoute* route, int status);
  async::awaitable<void> enterInstance(net::Exchange& exchange);
  async::awaitable<void> sharePort(net::Exchange& exchange);
  async::awaitable<void> leaveAddress(net::Exchange& exchange);

  const PublicAddress& address_;
  const BrowserSession& browser_;
  Auth& auth_;
  Targets& targets_;
  const WorkspaceActions& actions_;
  IdentitiesPages identities_;
  Landing landing_;
  SecondFactorPages second_factor_;
  InvitationPage invitation_;
  ProviderSignIn provider_;
  ProgramSignIn program_;
  OpenBudget* forms_;
  Audit* audit_;
};

}  // namespace swarm::gateway
