// Gateway::Impl: the parts of a gateway, and the steps of a request. gateway.cc routes and forwards, pages/unavailable.cc responds when a
// workspace cannot.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <expected>

#include "async/awaitable.h"
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
Availability availabilityOf(const InstanceRoute& route, std::uint16_t port);

/// Which pages may frame an instance's host, and which may read the gateway's responses there.
struct HostRules {
  std::string frameAncestors;  ///< the value in Content-Security-Policy
  net::Headers cors;           ///< for the gateway's own responses
};

}  // namespace gateway

struct Gateway::Impl : std::enable_shared_from_this<Gateway::Impl> {
  Impl(async::Executor executor, GatewayOptions given, RouteSource& routes, Auth& the_auth, const Clock& the_clock,
       std::unique_ptr<gateway::UpstreamConnector> the_connector);

  /// One request to an instance's host, with the facts from its head.
  struct Request {
    net::Exchange& exchange;
    gateway::HostName host;
    gateway::Sender sender = gateway::Sender::Person;
    std::shared_ptr<gateway::Target> target;  ///< null: the instance does not exist
    bool mayStart = false;                    ///< depends on the role of the signed-in user
    bool isWorkerScript = false;              ///< the browser requests it as the script of a service worker
    bool isStranger = false;                  ///< at a port that is open to those who may not see the instance

    const net::RequestHead& head() const { return exchange.head(); }
    bool isVscode() const { return host.port() == 0; }
  };

  async::awaitable<void> handle(net::Exchange& exchange, gateway::HostName host);
  async::awaitable<void> handleSignedIn(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  /// With the cookie of the workspace's VS Code, and without one for the port.
  async::awaitable<void> handleAtPort(Request request, std::shared_ptr<gateway::VerifiedCookie> of_vscode,
                                      std::shared_ptr<gateway::VerifiedCookie> visitor);
  async::awaitable<void> handleWithoutCookie(Request request, std::shared_ptr<gateway::VerifiedCookie> visitor);
  /// The workspace cannot be used at the moment, or does not run.
  async::awaitable<void> handleClosed(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  async::awaitable<void> handleVisitor(Request request, std::shared_ptr<gateway::VerifiedCookie> visitor);
  async::awaitable<void> handleOwnPath(Request request);
  async::awaitable<void> start(Request request);
  /// Records the entry in the audit log, once in some minutes. False: it could not be recorded, and a page reports that.
  async::awaitable<bool> recordEntry(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  bool mayStart(const Principal& principal, const InstanceRoute& route) const;
  async::awaitable<void> redirectToPresentForm(Request request);
  async::awaitable<void> forwardPreflight(Request request);
  async::awaitable<void> forward(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  async::awaitable<void> forwardRecorded(Request request, std::shared_ptr<gateway::VerifiedCookie> cookie);
  /// The share of a request in its budget. The error names the limit that is reached.
  std::expected<std::optional<OpenBudget::Share>, Error> takeShare(const Request& request, const std::string& user) const;
  async::awaitable<void> respondForeign(net::Exchange& exchange);
  async::awaitable<void> respondOddPath(net::Exchange& exchange);
  gateway::HostRules rulesFor(const Request& request) const;
  std::string fieldsFor(const gateway::HostRules& rules) const;

  /// Waits for the end of a move, so that a page that is being loaded gets its parts from the new place. False: nothing to wait for, or
  /// timed out.
  async::awaitable<bool> waitForNewPlace(const net::RequestHead& head, std::shared_ptr<gateway::Target> target);
  async::awaitable<void> respondDeleted(net::Exchange& exchange);  ///< for an open tab that is signed in to a deleted instance
  async::awaitable<void> respondStatus(net::Exchange& exchange, const InstanceRoute& route);
  async::awaitable<void> respondPortRefused(Request request);  ///< to a page of the workspace whose user may not open the port
  async::awaitable<void> respondTooMany(Request request, Error error);
  async::awaitable<void> respondNothingHere(Request request);  ///< to a stranger, who learns nothing about the instance
  async::awaitable<void> respondClosed(Request request, gateway::Availability availability);
  async::awaitable<void> respondUnavailable(Request request, std::shared_ptr<const InstanceRoute> route, gateway::WaitingKind kind,
                                            std::string reason);
  async::awaitable<void> respondFailure(Request request, gateway::ForwardResult result);
  void armSweep();

  async::Executor loop;
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
  boost::asio::steady_timer timer;
  std::string vscode_fields;  ///< fieldsFor() VS Code, the same for all its responses
  bool sweeping = false;
  std::uint64_t requests_seen = 0;
  int waiting = 0;
};

}  // namespace swarm
