// Landing: the list of workspaces on the base host, with forms that create, start and stop.
#pragma once

#include "async/awaitable.h"
#include "auth/browser/browser_session.h"
#include "auth/public_address.h"
#include "gateway/accounts/identities.h"
#include "gateway/actions.h"
#include "gateway/pages/pages.h"
#include "gateway/proxy/targets.h"

namespace swarm {
class Audit;
}

namespace swarm::gateway {

/// One per loop. The references must outlive it.
class Landing {
 public:
  Landing(const PublicAddress& address, const BrowserSession& browser, Targets& targets, const WorkspaceActions& actions, Audit* audit,
          const IdentitiesPages& identities)
      : address_(address), browser_(browser), targets_(targets), actions_(actions), audit_(audit), identities_(identities) {}

  /// GET of the base host's "/".
  async::awaitable<void> show(net::Exchange& exchange);
  static bool takes(std::string_view path);  ///< whether it is the address of a form
  /// Handles a form; other methods are redirected to the list.
  async::awaitable<void> act(net::Exchange& exchange);

 private:
  /// Reads the form and performs it, between two records of the audit log.
  async::awaitable<void> perform(net::Exchange& exchange, Principal principal);
  async::awaitable<void> perform(Principal principal, std::string action, std::string name);
  std::vector<LandingRow> rowsFor(const Principal& principal, const net::RequestHead& head);

  const PublicAddress& address_;
  const BrowserSession& browser_;
  Targets& targets_;
  const WorkspaceActions& actions_;
  Audit* audit_;
  const IdentitiesPages& identities_;
};

}  // namespace swarm::gateway
