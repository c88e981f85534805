// Gateway::Impl: one gateway's parts, and the steps of a request through them. gateway.cc routes and forwards, unavailable.cc answers for a
// workspace that can't.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "auth/public_address.h"
#include "gateway/gateway.h"
#include "gateway/pages/handover.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/sign_in.h"
#include "gateway/proxy/proxy.h"
#include "gateway/proxy/sender.h"
#include "gateway/proxy/targets.h"

namespace swarm {

namespace gateway {

enum class Availability { Open, Starting, Stopping, Stopped, Failed, Gone };
Availability availabilityOf(const Route& route, std::uint16_t port);

/// What an instance's host may show of itself elsewhere, and answers of ours that pages of the same workspace may read.
struct HostRules {
  std::string frameAncestors;  ///< as Content-Security-Policy has it
  net::Headers cors;           ///< for our own answers
};

}  // namespace gateway

struct Gateway::Impl : std::enable_shared_from_this<Gateway::Impl> {
  Impl(net::Executor executor, GatewayOptions given, RouteSource& routes, Auth& the_auth, const Clock& the_clock,
       std::unique_ptr<gateway::UpstreamConnector> the_connector);

  /// One request to an instance's host, as far as its head tells.
  struct Request {
    net::Exchange& exchange;
    gateway::HostName host;
    gateway::Sender sender = gateway::Sender::Person;
    std::shared_ptr<gateway::Target> target;  ///< null: there is no such instance
    bool mayStart = false;                    ///< by the role of the signed-in user

    const net::RequestHead& head() const { return exchange.head(); }
    bool isVscode() const { return host.port() == 0; }
  };

  net::awaitable<void> handle(net::Exchange& exchange, gateway::HostName host);
  net::awaitable<void> handleSignedIn(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  net::awaitable<void> handleOwnPath(Request request);
  net::awaitable<void> start(Request request);
  bool mayStart(const Principal& principal, const Route& route) const;
  net::awaitable<void> redirectToPresentForm(Request request);
  net::awaitable<void> forwardPreflight(Request request);
  net::awaitable<void> forward(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  net::awaitable<void> respondForeign(net::Exchange& exchange);
  net::awaitable<void> respondOddPath(net::Exchange& exchange);
  gateway::HostRules rulesFor(const Request& request) const;
  std::string fieldsFor(const gateway::HostRules& rules) const;

  /// A page that is being loaded while its workspace moves gets its parts from the new place. False: there is nothing to wait for, or not
  /// any more.
  net::awaitable<bool> waitForNewPlace(const net::RequestHead& head, std::shared_ptr<gateway::Target> target);
  net::awaitable<void> respondDeleted(net::Exchange& exchange);  ///< for an open tab that is signed in to an instance of before
  net::awaitable<void> respondStatus(net::Exchange& exchange, const Route& route);
  net::awaitable<void> respondClosed(Request request, gateway::Availability availability);
  net::awaitable<void> respondUnavailable(Request request, std::shared_ptr<const Route> route, gateway::WaitingKind kind,
                                          std::string reason);
  net::awaitable<void> respondFailure(Request request, gateway::ForwardResult result);
  void armSweep();

  net::Executor loop;
  GatewayOptions options;
  PublicAddress address;
  const Clock& clock;
  RouteSource& route_source;
  std::unique_ptr<gateway::UpstreamConnector> connector;
  Auth& auth;
  BrowserSession browser;
  gateway::LiveList live;
  std::shared_ptr<gateway::Targets> targets;
  gateway::SignIn sign_in;
  gateway::Handover handover;
  gateway::Proxy proxy;
  net::asio::steady_timer timer;
  std::string vscode_fields;  ///< fieldsFor() VS Code, the same for all its answers
  bool sweeping = false;
  std::uint64_t requests_seen = 0;
  int waiting = 0;
};

}  // namespace swarm
