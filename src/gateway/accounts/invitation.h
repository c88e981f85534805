// InvitationPage: the page on which an invited person sets the password of their account.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/awaitable.h"
#include "auth/accounts/accounts.h"
#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "gateway/accounts/second_factor.h"
#include "gateway/pages/pages.h"
#include "net/http/http_server.h"

namespace swarm::gateway {

inline constexpr std::string_view kInvitePath = "/invite";  ///< base host

/// The link's code goes to a cookie of this browser at once, and out of the address: it is neither in the history nor in a Referer, and a
/// form without this cookie sets no password. Opening the link does not use it up: programs that check links open them, too.
class InvitationPage {
 public:
  InvitationPage(const BrowserSession& browser, Auth& auth, OpenBudget* forms, SecondFactorPages& second_factor)
      : browser_(browser), auth_(auth), forms_(forms), second_factor_(second_factor) {}

  async::awaitable<void> show(net::Exchange& exchange);    ///< GET
  async::awaitable<void> accept(net::Exchange& exchange);  ///< POST

 private:
  struct Opened {
    std::string code;
    std::string user;
  };
  std::optional<Opened> openedBy(const net::RequestHead& head) const;
  std::string cookie(std::string_view code, std::int64_t seconds) const;
  async::awaitable<void> respondExpired(net::Exchange& exchange);

  const BrowserSession& browser_;
  Auth& auth_;
  OpenBudget* forms_;
  SecondFactorPages& second_factor_;
};

}  // namespace swarm::gateway
