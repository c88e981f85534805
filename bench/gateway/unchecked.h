// A gateway that forwards every request to an instance's host without a sign-in: what a request costs without the check.
#pragma once

#include "gateway/gateway.h"
#include "gateway/host.h"
#include "gateway/proxy/proxy.h"
#include "gateway/proxy/targets.h"

namespace swarm {

/// The steps of Gateway::handle() for VS Code's host that remain: the look-up of the host, the limits of requests in progress, and the
/// forwarding.
class UncheckedGateway {
 public:
  UncheckedGateway(async::Executor loop, GatewayOptions options, RouteSource& routes, Auth& auth, const Clock& clock,
                   gateway::UpstreamConnector& connector)
      : options_(std::move(options)),
        targets_(std::make_shared<gateway::Targets>(std::move(loop), routes, auth, clock, names_, live_)),
        proxy_({.maxIdlePerHost = options_.maxIdlePerHost,
                .maxIdle = options_.maxIdle,
                .idleTimeout = options_.idleTimeout,
                .connectTimeout = options_.connectTimeout},
               clock, connector, live_) {
    targets_->subscribe();
    everyone_->principal.expiresAt = SystemTime::max();
  }

  async::awaitable<void> handle(net::Exchange& exchange) {
    targets_->follow();
    const auto& head = exchange.head();
    const auto target = find(gateway::parseHost(head.host, address_.hosts()));
    if (!target) co_return co_await exchange.respond(404, {}, "");
    const auto peer = exchange.stream().peerAddress();
    const gateway::ForwardFacts facts{.clientAddress = peer,
                                      .scheme = address_.scheme(),
                                      .port = address_.portOf(head),
                                      .response = {.extra = fields_,
                                                   .isVscode = true,
                                                   .cookiesAreLarge = cookieBytes(head.headers) > kLargeCookies,
                                                   .isOfInstance = true,
                                                   .isWorkerScript = head.headers.has("Service-Worker")}};
    const auto share = options_.requests->take("admin", target->route->instanceId, 0, OpenBudget::Claim::Reserved);
    const auto result = co_await proxy_.forward(exchange, target, everyone_, facts);
    if (result.outcome != gateway::ForwardOutcome::Responded) co_await exchange.respond(502, {}, "");
  }

 private:
  static constexpr std::size_t kLargeCookies = 4096;

  std::shared_ptr<gateway::Target> find(const gateway::HostName& host) {
    if (const auto known = known_.find(host.label()); known != known_.end()) return known->second;
    auto target = targets_->find(host);
    if (!target) return nullptr;
    target->known = true;  // its connections are kept
    known_.emplace(host.label(), target);
    return target;
  }

  GatewayOptions options_;
  PublicAddress address_ = options_.address;
  CookieNames names_ = makeCookieNames(address_.hostAndPort(), address_.hasSecureCookies());
  std::string fields_ =
      "Content-Security-Policy: frame-ancestors 'self'\r\nCross-Origin-Opener-Policy: same-origin\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n";
  gateway::LiveList live_;
  std::shared_ptr<gateway::Targets> targets_;
  gateway::Proxy proxy_;
  std::unordered_map<std::string, std::shared_ptr<gateway::Target>, gateway::StringHash, std::equal_to<>> known_;
  std::shared_ptr<gateway::VerifiedCookie> everyone_ = std::make_shared<gateway::VerifiedCookie>();
};

}  // namespace swarm
