// See gateway.h.
#include "gateway/gateway.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/format.h"
#include "base/log.h"
#include "gateway/answers.h"
#include "gateway/moving.h"
#include "gateway/proxy.h"
#include "gateway/sign_in.h"
#include "gateway/targets.h"
#include "gateway/tls_probe.h"
#include "net/deadline.h"

namespace swarm {

using namespace gateway;

namespace {

constexpr std::string_view kOwnPaths = "/.swarm/";
constexpr std::string_view kStatusPath = "/.swarm/status";
constexpr std::string_view kRetrySoon = "2";
constexpr std::chrono::milliseconds kLookEvery{50};
constexpr int kMostWaiting = 256;  ///< requests that wait for a move's end

enum class Availability { Open, Starting, Stopping, Stopped, Failed, Gone };

Availability availabilityOf(const Route& route, std::uint16_t port) {
  // From the pause on the old place answers nothing any more, whatever was last known of it.
  if (route.moving && route.moving->paused && route.status == InstanceStatus::running && !route.ready) return Availability::Starting;
  switch (route.status) {
    case InstanceStatus::running:
      return port != 0 || route.ready ? Availability::Open : Availability::Starting;
    case InstanceStatus::creating:
    case InstanceStatus::starting:
      return Availability::Starting;
    case InstanceStatus::stopping:
      return Availability::Stopping;
    case InstanceStatus::stopped:
      return Availability::Stopped;
    case InstanceStatus::failed:
      return Availability::Failed;
    case InstanceStatus::deleting:
    case InstanceStatus::deleted:
      break;
  }
  return Availability::Gone;
}

WaitingKind waitingKindOf(const Route& route, Availability availability) {
  if (route.moving) return WaitingKind::Moving;
  switch (availability) {
    case Availability::Stopping:
      return WaitingKind::Stopping;
    case Availability::Stopped:
      return WaitingKind::Stopped;
    case Availability::Failed:
      return WaitingKind::Failed;
    case Availability::Open:
    case Availability::Starting:
    case Availability::Gone:
      break;
  }
  return WaitingKind::Starting;
}

/// A script, a style, a fetch of a page that a browser has: who is refused one shows half a page, and says nothing.
bool isPartOfAPage(const net::RequestHead& head) {
  const auto mode = head.headers.find("Sec-Fetch-Mode");
  return mode && *mode != "navigate" && *mode != "websocket" && head.method == "GET" && head.upgrade.empty() &&
         head.body.kind == net::BodyKind::None;
}

MessagePage nothingListens(const Route& route, std::uint16_t port) {
  return {.title = format("Port {} does not answer", port),
          .text = format("No program in {} accepts connections on port {}. Start it, and let it listen on 127.0.0.1 or 0.0.0.0.",
                         route.name, port)};
}

MessagePage wantsHttps(const Route& route, std::uint16_t port) {
  return {.title = format("Port {} speaks HTTPS", port),
          .text = format("The program on port {} of {} expects HTTPS, and is reached by HTTP here. Turn HTTPS off in its configuration: "
                         "your browser's connection ends at this server, which can have a certificate of its own.",
                         port, route.name)};
}

MessagePage programFailed(std::uint16_t port) {
  return {.title = format("Port {} does not answer", port), .text = "The connection to the program in the workspace failed."};
}

MessagePage vscodeFailed() { return {.title = "VS Code broke off", .text = "The connection to VS Code in the workspace failed."}; }

std::string_view statusName(InstanceStatus status) {
  const char* name = boost::describe::enum_to_string(status, "unknown");
  return name;
}

}  // namespace

struct Gateway::Impl : std::enable_shared_from_this<Gateway::Impl> {
  Impl(net::Executor executor, GatewayOptions given, RouteSource& routes, Auth& auth, const Clock& the_clock,
       std::unique_ptr<UpstreamConnector> the_connector)
      : loop(executor),
        options(std::move(given)),
        address(makePublicAddress(options.baseDomain, options.publicUrl)),
        clock(the_clock),
        route_source(routes),
        connector(std::move(the_connector)),
        targets(std::make_shared<Targets>(executor, routes, auth, the_clock, address.baseDomain + ":" + address.port, live)),
        sign_in(address, auth, the_clock, *targets),
        proxy({options.maxIdlePerHost, options.maxIdle, options.idleTimeout, options.connectTimeout}, the_clock, *connector, live),
        timer(executor) {
    targets->subscribe();
  }

  net::awaitable<void> handle(net::Exchange& exchange);
  net::awaitable<void> respondForeign(net::Exchange& exchange);
  net::awaitable<bool> waitForNewPlace(const net::RequestHead& head, std::shared_ptr<Target> target);
  net::awaitable<void> handleOwnPath(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target);
  net::awaitable<void> respondStatus(net::Exchange& exchange, const Route& route);
  net::awaitable<void> respondUnavailable(net::Exchange& exchange, const Route& route, std::uint16_t port, WaitingKind kind,
                                          std::string_view reason);
  net::awaitable<void> respondClosed(net::Exchange& exchange, const Target& target, Availability availability);
  net::awaitable<void> respondFailure(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target, ForwardResult result);
  net::awaitable<void> forward(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target,
                               std::shared_ptr<VerifiedCookie> cookie);
  void armSweep();

  net::Executor loop;
  GatewayOptions options;
  PublicAddress address;
  const Clock& clock;
  RouteSource& route_source;
  std::unique_ptr<UpstreamConnector> connector;
  LiveList live;
  std::shared_ptr<Targets> targets;
  SignIn sign_in;
  Proxy proxy;
  net::asio::steady_timer timer;
  bool sweeping = false;
  std::uint64_t requests_seen = 0;
  int waiting = 0;
};

Gateway::Gateway(net::Executor loop, GatewayOptions options, RouteSource& routes, Auth& auth, const Clock& clock,
                 std::unique_ptr<UpstreamConnector> connector)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(options), routes, auth, clock, std::move(connector))) {}

Gateway::~Gateway() { impl_->timer.cancel(); }

HostKind Gateway::hostKind(std::string_view host) const { return parseHost(host, impl_->address.baseDomain).kind(); }

net::awaitable<bool> Gateway::handlePages(net::Exchange& exchange) {
  impl_->targets->follow();
  co_return co_await impl_->sign_in.handleBase(exchange);
}

net::awaitable<void> Gateway::handle(net::Exchange& exchange) { return impl_->handle(exchange); }

net::awaitable<void> Gateway::respondForeign(net::Exchange& exchange) { return impl_->respondForeign(exchange); }

net::awaitable<void> Gateway::Impl::respondForeign(net::Exchange& exchange) {
  co_await respondMessage(exchange, 421, "invalid_argument",
                          {.title = "Not served here",
                           .text = "This server does not answer for this host name.",
                           .detail = {},
                           .linkText = "Go to the server",
                           .link = address.origin({}, exchange.head())});
}

net::awaitable<void> Gateway::Impl::handle(net::Exchange& exchange) {
  const auto& head = exchange.head();
  const auto host = parseHost(head.host, address.baseDomain);
  if (host.kind() != HostKind::Instance) {
    co_await respondForeign(exchange);
    co_return;
  }
  targets->follow();
  auto target = targets->find(host);
  if (head.target.starts_with(kOwnPaths)) {
    co_await handleOwnPath(exchange, host, std::move(target));
    co_return;
  }
  auto cookie = target ? targets->authenticate(head, target) : nullptr;
  if (!cookie) {
    co_await sign_in.challenge(exchange, host);
    co_return;
  }
  if (const auto availability = availabilityOf(*target->route, target->port); availability != Availability::Open) {
    if (co_await waitForNewPlace(head, target)) co_return co_await handle(exchange);
    co_await respondClosed(exchange, *target, availabilityOf(*target->route, target->port));
    co_return;
  }
  if (head.method == "CONNECT" || head.method == "TRACE") {
    co_await respondProblem(exchange, 405, "invalid_argument", "Workspaces do not take this method.");
    co_return;
  }
  co_await forward(exchange, host, std::move(target), std::move(cookie));
}

/// A page that is being loaded while its workspace moves gets its parts from the new place. False: there is nothing to wait for, or not
/// any more.
net::awaitable<bool> Gateway::Impl::waitForNewPlace(const net::RequestHead& head, std::shared_ptr<Target> target) {
  if (!isPartOfAPage(head) || waiting >= kMostWaiting) co_return false;
  struct Place {
    explicit Place(int& its_count) : count(its_count) { ++count; }
    ~Place() { --count; }
    int& count;
  } place(waiting);
  const auto limit = clock.steadyNow() + options.moveWait;
  for (;;) {
    targets->follow();
    if (!target->known) co_return false;
    const auto availability = availabilityOf(*target->route, target->port);
    if (availability == Availability::Open) co_return true;
    if (!target->route->moving || clock.steadyNow() >= limit) co_return false;
    co_await net::sleepFor(kLookEvery);
  }
}

Gateway::Counters Gateway::counters() const {
  const auto& counted = impl_->proxy.counters();
  return {.requests = counted.requests.load(std::memory_order_relaxed),
          .tunnels = counted.tunnels.load(std::memory_order_relaxed),
          .retries = counted.retries.load(std::memory_order_relaxed),
          .failures = counted.failures.load(std::memory_order_relaxed),
          .openExchanges = impl_->live.size(),
          .idleConnections = impl_->targets->idleConnections(),
          .spareBuffers = counted.spareBuffers.load(std::memory_order_relaxed)};
}

net::awaitable<void> Gateway::Impl::forward(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target,
                                            std::shared_ptr<VerifiedCookie> cookie) {
  if (!sweeping) armSweep();
  const auto peer = exchange.stream().peerAddress();
  const bool trusted = std::find(options.trustedProxies.begin(), options.trustedProxies.end(), peer) != options.trustedProxies.end();
  auto port = std::string_view(address.port);
  if (const auto& head = exchange.head(); address.isLoopback && head.hostPort.size() > head.host.size() + 1)
    port = head.hostPort.substr(head.host.size() + 1);
  const ForwardFacts facts{.clientAddress = peer, .scheme = address.scheme, .port = port, .trustedProxy = trusted};
  const bool upgrades = !exchange.head().upgrade.empty();
  auto result = co_await proxy.forward(exchange, target, std::move(cookie), facts);
  // A connection that can't be made, or a WebSocket that ended, is how a replaced VS Code server shows: the controller looks.
  if (target->port == 0 && (upgrades || result.outcome == ForwardOutcome::ConnectFailed || result.outcome == ForwardOutcome::UpstreamBroke))
    route_source.reportDoubt(target->route->instanceId);
  if (result.outcome != ForwardOutcome::Answered && result.outcome != ForwardOutcome::SignedOut) {
    targets->follow();
    const bool is_closed = availabilityOf(*target->route, target->port) != Availability::Open;
    if (is_closed && co_await waitForNewPlace(exchange.head(), target)) co_return co_await handle(exchange);
  }
  if (result.outcome != ForwardOutcome::Answered) co_await respondFailure(exchange, host, std::move(target), std::move(result));
}

void Gateway::Impl::armSweep() {
  sweeping = true;
  timer.expires_after(options.sweepInterval);
  timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    const auto now = self->clock.steadyNow();
    self->sweeping = false;
    self->live.cutWhere([&](LiveExchange& exchange) {
      return exchange.clientHasLeft(now, self->options.leavePatience) ? LiveExchange::Cut::ClientLeft : LiveExchange::Cut::No;
    });
    const bool in_use = self->targets->sweep(now, now - self->options.idleTimeout) || !self->live.empty();
    // What a burst needed is not kept for the quiet after it.
    if (self->proxy.counters().requests == self->requests_seen && self->live.empty()) self->proxy.dropSpare();
    self->requests_seen = self->proxy.counters().requests;
    if (in_use) self->armSweep();
  });
}

net::awaitable<void> Gateway::Impl::handleOwnPath(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target) {
  const auto path = exchange.head().path();
  if (path == kCodePath) {
    co_await sign_in.takeCode(exchange, std::move(target));
  } else if (path == kArrivePath) {
    co_await sign_in.arrive(exchange, std::move(target));
  } else if (!target || !targets->authenticate(exchange.head(), target)) {
    co_await sign_in.challenge(exchange, host);
  } else if (path == kStatusPath) {
    // Somebody has it open, or waits for it. While a move has stopped VS Code, its tabs ask often, and the move itself looks.
    if (!target->route->moving || !target->route->moving->paused) route_source.reportDoubt(target->route->instanceId);
    co_await respondStatus(exchange, *target->route);
  } else {
    co_await respondProblem(exchange, 404, "not_found", "There is nothing at this address.");
  }
}

net::awaitable<void> Gateway::Impl::respondStatus(net::Exchange& exchange, const Route& route) {
  const bool running = route.status == InstanceStatus::running;
  boost::json::object status{{"instance", route.name},
                             {"status", statusName(route.status)},
                             {"ready", running && route.ready},
                             {"generation", route.generation},
                             {"step", route.step},
                             {"reason", route.reason},
                             {"moving", movingJson(route.moving.get())}};
  if (!route.step.empty() && route.stepStartedAt != SystemTime{})
    status["elapsedSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(clock.now() - route.stepStartedAt).count();
  net::Headers headers{{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  co_await exchange.respond(200, std::move(headers), boost::json::serialize(status));
}

net::awaitable<void> Gateway::Impl::respondClosed(net::Exchange& exchange, const Target& target, Availability availability) {
  const auto route = target.route;
  if (availability == Availability::Gone) {
    co_await respondMessage(exchange, 404, "not_found",
                            {.title = "Deleted",
                             .text = "This workspace is being deleted.",
                             .detail = {},
                             .linkText = "Your workspaces",
                             .link = address.origin({}, exchange.head())});
    co_return;
  }
  co_await respondUnavailable(exchange, *route, target.port, waitingKindOf(*route, availability), route->reason);
}

net::awaitable<void> Gateway::Impl::respondUnavailable(net::Exchange& exchange, const Route& given, std::uint16_t port, WaitingKind kind,
                                                       std::string_view reason) {
  const Route& route = given;
  if (kind == WaitingKind::Moving) reason = {};  // that it moves is what page and problem say themselves
  net::Headers headers;
  if (kind == WaitingKind::Starting || kind == WaitingKind::Reconnecting || kind == WaitingKind::Moving)
    headers.push_back({"Retry-After", std::string(kRetrySoon)});
  if (!isNavigation(exchange.head())) {
    auto detail = format("The workspace {} is {}.", route.name, statusName(route.status));
    if (kind == WaitingKind::Starting && route.status == InstanceStatus::running) detail = format("VS Code in {} is starting.", route.name);
    if (kind == WaitingKind::Reconnecting) detail = format("VS Code in {} does not answer yet.", route.name);
    if (kind == WaitingKind::Moving) detail = format("The workspace {} is moving to {}.", route.name, route.moving->to);
    if (!reason.empty()) detail += format(" {}", reason);
    co_await respondProblem(exchange, 503, kind == WaitingKind::Stopped ? "conflict" : "unavailable", detail, std::move(headers));
    co_return;
  }
  std::int64_t elapsed = 0;
  if (route.stepStartedAt != SystemTime{})
    elapsed = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(clock.now() - route.stepStartedAt).count());
  const std::string step = route.step.empty() && route.status == InstanceStatus::running ? "wait until VS Code answers" : route.step;
  co_await respondPage(exchange, 503,
                       waitingPage({.kind = kind,
                                    .name = route.name,
                                    .step = step,
                                    .reason = std::string(reason),
                                    .elapsedSeconds = elapsed,
                                    .needsVscode = port == 0,
                                    .moving = route.moving}),
                       std::move(headers));
}

net::awaitable<void> Gateway::Impl::respondFailure(net::Exchange& exchange, const HostName& host, std::shared_ptr<Target> target,
                                                   ForwardResult result) {
  log::info("a workspace could not answer", {{"host", host.label()}, {"instance", target->route->instanceId}, {"reason", result.reason}});
  targets->follow();
  const auto route = target->route;
  const auto availability = availabilityOf(*route, target->port);
  if (result.outcome == ForwardOutcome::SignedOut || !target->known) {
    co_await sign_in.challenge(exchange, host);
  } else if (availability != Availability::Open) {
    co_await respondClosed(exchange, *target, availability);
  } else if (result.outcome == ForwardOutcome::RouteChanged || (result.outcome == ForwardOutcome::ConnectFailed && target->port == 0)) {
    co_await respondUnavailable(exchange, *route, target->port, route->moving ? WaitingKind::Moving : WaitingKind::Reconnecting,
                                result.reason);
  } else {
    auto message = result.outcome == ForwardOutcome::ConnectFailed       ? nothingListens(*route, target->port)
                   : target->port == 0                                   ? vscodeFailed()
                   : co_await speaksTls(*connector, route, target->port) ? wantsHttps(*route, target->port)
                                                                         : programFailed(target->port);
    message.detail = result.reason;
    message.linkText = "Try again";
    message.link = isLocalPath(exchange.head().target) ? std::string(exchange.head().target) : "/";
    co_await respondMessage(exchange, 502, "upstream_failed", std::move(message));
  }
}

}  // namespace swarm
