// Api: the REST interface of the base domain (/api/*, /healthz, /readyz, /metrics). Documented in docs/api.md.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "auth/browser/browser_session.h"
#include "auth/limits/open_budget.h"
#include "base/clock.h"
#include "base/diagnostics/metrics.h"
#include "controller/controller.h"
#include "model/responses.h"
#include "net/http/http_server.h"
#include "provider/candidate.h"

namespace swarm {

class Audit;
namespace oidc {
class IdentityProviders;
}

struct ApiOptions {
  std::size_t maxBody = 1024 * 1024;            ///< bytes; a larger request gets 413
  PublicAddress address{};                      ///< where browsers reach the API; cookies are only set and accepted there
  TrustedProxies trustedProxies{};              ///< peers whose X-Forwarded-* are accepted
  std::chrono::seconds heartbeat{15};           ///< a comment on silent event streams
  std::chrono::milliseconds sessionCheck{500};  ///< how often an open stream checks whether its session is still valid
  std::chrono::seconds upstreamTimeout{15};     ///< to reach an instance's agent for exec streams and port tunnels
  /// Throws Error when changes cannot be saved. Called once in some seconds, whatever the number of requests; empty: always possible.
  std::function<awaitable<void>()> checkStore = {};
  /// With which users sign in; null: none.
  oidc::IdentityProviders* identityProviders = nullptr;
  Audit* audit = nullptr;                           ///< where changes, entries and refusals are recorded; null: nowhere
  OpenLimits open = {};                             ///< streams, tunnels and unread responses; beyond them: 429
  std::size_t maxRequests = 64;                     ///< of one user in progress, beside those; beyond it: 429
  std::chrono::milliseconds leavePatience{30'000};  ///< with a client that ended its direction, while nothing can be sent to it
  std::function<SshListenerResponse()> ssh = {};    ///< empty: there is no SSH listener
  CandidateForms candidates{};                      ///< the configurations that a request may contain, for the description
  /// Makes a provider from one of these. Throws Error(InvalidArgument) for an invalid one, Error(Unprocessable) for an endpoint that is not
  /// allowed, Error(NotFound) for another type. Without it, only the current configuration can be checked.
  std::function<ProviderPtr(ProviderType, const boost::json::object&)> makeProvider = {};
};

/// Thread-safe: handle() may run on any loop, many at a time. The referenced parts must outlive it and every exchange that it handles.
class Api {
 public:
  Api(ApiOptions options, SwarmController& controller, Auth& auth, Metrics& metrics, const Clock& clock);
  ~Api();

  /// Responds to one request. Throws nothing that a request can cause; every failure is a problem document (RFC 9457).
  awaitable<void> handle(net::Exchange& exchange);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
