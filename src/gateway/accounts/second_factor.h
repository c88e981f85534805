// SecondFactorPages: the pages on which a user enters the code of their second factor, sets it up and disables it.
#pragma once

#include <string>
#include <string_view>

#include "async/awaitable.h"
#include "audit/audit.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "auth/second_factor/second_factors.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kSecondFactorPath = "/second-factor";  ///< base host

/// Tickets are in hidden fields, never in an address.
class SecondFactorPages {
 public:
  /// `audit`: null: nothing is recorded.
  SecondFactorPages(const BrowserSession& browser, Auth& auth, OpenBudget* forms, Audit* audit)
      : browser_(browser), auth_(auth), forms_(forms), audit_(audit) {}

  static bool takes(std::string_view path);
  async::awaitable<void> handle(net::Exchange& exchange);
  /// Responds with what follows a right password. `next`: where a signed-in user continues; `headers`: for every response.
  async::awaitable<void> proceed(net::Exchange& exchange, SignInStep step, std::string next, net::Headers headers = {});

 private:
  async::awaitable<void> show(net::Exchange& exchange, Principal principal, std::string problem, int status);
  async::awaitable<void> signIn(net::Exchange& exchange, std::string form);
  async::awaitable<void> setUp(net::Exchange& exchange, Principal principal, std::string form);
  async::awaitable<void> confirm(net::Exchange& exchange, std::string form);
  async::awaitable<void> disable(net::Exchange& exchange, Principal principal, std::string form);
  async::awaitable<void> respondExpired(net::Exchange& exchange, const Error& error);

  const BrowserSession& browser_;
  Auth& auth_;
  OpenBudget* forms_;
  Audit* audit_;
};

}  // namespace swarm::gateway
