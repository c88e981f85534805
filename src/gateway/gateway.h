// Gateway: the entrance to all instances: sign-in across origins, pages, and the HTTP/WebSocket proxy
// (docs/adr/0009-hosts-and-cookies.md).
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "async/awaitable.h"
#include "auth/auth.h"
#include "auth/client_address.h"
#include "auth/limits/open_budget.h"
#include "auth/public_address.h"
#include "base/clock.h"
#include "controller/state/routes.h"
#include "gateway/actions.h"
#include "gateway/host.h"
#include "gateway/proxy/upstream.h"
#include "net/http/http_server.h"

namespace swarm {

class Audit;
namespace oidc {
class IdentityProviders;
}

struct GatewayOptions {
  PublicAddress address{};
  TrustedProxies trustedProxies{};                   ///< peers whose X-Forwarded-* fields are trusted
  std::size_t maxIdlePerHost = 128;                  ///< kept-alive connections per instance host and loop
  std::size_t maxIdle = 4096;                        ///< of all hosts of a loop
  std::chrono::milliseconds idleTimeout{4'000};      ///< of these; below the 5 s after which Node closes them
  std::chrono::milliseconds connectTimeout{10'000};  ///< to open a tunnel
  std::chrono::milliseconds leavePatience{30'000};   ///< with a client that ended its direction, while nothing can be sent to it
  std::chrono::milliseconds sweepInterval{2'000};    ///< between two checks of open exchanges and idle connections
  Audit* audit = nullptr;                            ///< where entries and changes are recorded; null: nowhere
  oidc::IdentityProviders* providers = nullptr;      ///< with which users sign in; null: none
  WorkspaceActions actions{};                        ///< offered by the pages
  std::shared_ptr<OpenBudget> tunnels{};             ///< WebSockets and other upgrades, of all loops; null: no limit
  std::shared_ptr<OpenBudget> requests{};            ///< all others, while they are forwarded; null: no limit
  std::shared_ptr<OpenBudget> preflights{};          ///< of ports, for which no user signed in, by workspace; null: no limit
  std::shared_ptr<OpenBudget> visitors{};            ///< of public ports, by client address; null: no limit
  std::shared_ptr<OpenBudget> forms{};               ///< bodies of sign-in forms, by client address; null: no limit
  std::chrono::milliseconds moveWait{20'000};        ///< how long parts of a page wait for a move that has stopped VS Code
};

/// One per loop. It shares only the route table and auth, which are thread-safe. Every call is on the owning loop's thread. Routes, auth,
/// clock and connector must outlive it, and it must outlive every exchange that it handles. It may be destroyed before the route source
/// and auth, whose notifications are then ignored.
class Gateway {
 public:
  Gateway(async::Executor loop, GatewayOptions options, RouteSource& routes, Auth& auth, const Clock& clock,
          std::unique_ptr<gateway::UpstreamConnector> connector);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// `host`: RequestHead::host. Foreign hosts must get respondForeign(): otherwise DNS rebinding could reach the server.
  gateway::HostName parseHost(std::string_view host) const;

  /// Handles a request to an instance host, which the caller has parsed: sign-in, a page, or the instance's response. Does not throw.
  async::awaitable<void> handle(net::Exchange& exchange, gateway::HostName host);
  /// Handles the pages of the base host (/, /login, /logout, /auth/instance), and redirects browsers there that used an IP address or
  /// `localhost`. False: the path is not one of these, and nothing was sent.
  async::awaitable<bool> handlePages(net::Exchange& exchange);
  /// 421 for a host name that the server does not serve.
  async::awaitable<void> respondForeign(net::Exchange& exchange);
  /// 400 for an odd path (see net::OddPaths): only an instance's program may interpret it.
  async::awaitable<void> respondOddPath(net::Exchange& exchange);

  struct Counters {
    std::uint64_t requests = 0;       ///< forwarded
    std::uint64_t tunnels = 0;        ///< WebSockets and other upgrades, ever
    std::uint64_t retries = 0;        ///< repeated because a kept-alive connection was stale
    std::uint64_t failures = 0;       ///< failed connections and truncated responses of instances
    std::size_t openExchanges = 0;    ///< now, tunnels included
    std::size_t idleConnections = 0;  ///< now
    std::size_t spareBuffers = 0;     ///< reserved for the next exchanges
  };
  Counters counters() const;  ///< on any thread, while the gateway lives

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm
