#include "gateway/gateway.h"

#include "async/attempt.h"
#include "audit/audit.h"
#include "base/text/format.h"
#include "gateway/assets/assets.h"
#include "gateway/impl.h"
#include "gateway/pages/responses.h"
#include "gateway/recording.h"
#include "net/http/problem.h"
#include "net/ip_address.h"

namespace swarm {

using namespace gateway;  // NOLINT: the class is the door to this namespace

namespace {

constexpr std::string_view kOwnPaths = "/.swarm/";
constexpr std::string_view kOwnFrames = "'self'";

/// Whether a request may reach an instance's host, independent of its cookies: pages of other workspaces may be same-site, so that their
/// requests carry the visitor's cookie.
bool mayCome(const net::RequestHead& head, Sender sender, std::uint16_t port) {
  if (sender == Sender::Person || sender == Sender::SameHost || opensPage(head)) return true;
  return sender == Sender::SameWorkspace && port != 0;
}

/// VS Code's page registers this worker for its whole host, only to make the page installable. The gateway serves its own: a workspace
/// could serve another script at this path, which would outlive the instance in every browser that visited it.
bool isPageWorker(std::string_view path) { return path == "/_static/out/browser/serviceWorker.js"; }

/// The worker of webviews has its own folder as its scope; a sign-in to another instance removes it.
bool isWebviewWorker(std::string_view path) {
  return path.ends_with("/static/out/vs/workbench/contrib/webview/browser/pre/service-worker.js");
}

constexpr std::size_t kLargeCookies = 4096;
constexpr std::chrono::seconds kPreflightLife{30};

/// Where VS Code receives the results of sign-ins to other services.
bool isCallback(std::string_view path) { return path.ends_with("/callback"); }

}  // namespace

Gateway::Impl::Impl(async::Executor executor, GatewayOptions given, RouteSource& routes, Auth& the_auth, const Clock& the_clock,
                    std::unique_ptr<UpstreamConnector> the_connector)
    : loop(executor),
      options(std::move(given)),
      address(options.address),
      clock(the_clock),
      route_source(routes),
      connector(std::move(the_connector)),
      auth(the_auth),
      browser(address, options.trustedProxies, auth, the_clock),
      targets(std::make_shared<Targets>(executor, routes, auth, the_clock, browser.names(), live)),
      sign_in(address, browser, auth, *targets, options.actions, options.forms.get(), options.audit, options.providers),
      handover(address, auth, the_clock, *targets),
      proxy({options.maxIdlePerHost, options.maxIdle, options.idleTimeout, options.connectTimeout}, the_clock, *connector, live),
      timer(executor),
      vscode_fields(fieldsFor({.frameAncestors = std::string(kOwnFrames), .cors = {}}) +
                    "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n") {
  targets->subscribe();
}

Gateway::Gateway(async::Executor loop, GatewayOptions options, RouteSource& routes, Auth& auth, const Clock& clock,
                 std::unique_ptr<UpstreamConnector> connector)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(options), routes, auth, clock, std::move(connector))) {}

Gateway::~Gateway() { impl_->timer.cancel(); }

HostName Gateway::parseHost(std::string_view host) const { return gateway::parseHost(host, impl_->address.hosts()); }

async::awaitable<bool> Gateway::handlePages(net::Exchange& exchange) {
  impl_->targets->follow();
  co_return co_await impl_->sign_in.handleBase(exchange);
}

async::awaitable<void> Gateway::handle(net::Exchange& exchange, HostName host) { return impl_->handle(exchange, host); }

async::awaitable<void> Gateway::respondForeign(net::Exchange& exchange) { return impl_->respondForeign(exchange); }

async::awaitable<void> Gateway::respondOddPath(net::Exchange& exchange) { return impl_->respondOddPath(exchange); }

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

async::awaitable<void> Gateway::Impl::respondForeign(net::Exchange& exchange) {
  co_await respondMessage(exchange, 421, ErrorCode::InvalidArgument,
                          {.title = "Unknown host name",
                           .text = "This server does not serve this host name. Check the address.",
                           .linkText = "Go to the server",
                           .link = address.baseOrigin(exchange.head())});
}

HostRules Gateway::Impl::rulesFor(const Request& request) const {
  HostRules rules{.frameAncestors = std::string(kOwnFrames), .cors = {}};
  const auto& head = request.head();
  if (!request.isVscode()) {
    const auto own = address.hosts().hostOf(request.host.instance(), 0);
    const auto suffix = address.portSuffix(head);
    rules.frameAncestors += format(" {0}://{1}{2} {0}://*.{1}{2}", address.scheme(), own, suffix);
    // PORT--NAME cannot be written as a wildcard: the framing page is named if it belongs to the same workspace.
    if (const auto referer = refererOf(head, request.host, address); referer.isDashed())
      rules.frameAncestors += format(" {}://{}.{}{}", address.scheme(), referer.label(), address.hosts().instanceDomain, suffix);
  }
  if (const auto origin = head.headers.find("Origin"); origin && request.sender == Sender::SameWorkspace)
    rules.cors = {{"Access-Control-Allow-Origin", std::string(*origin)}, {"Access-Control-Allow-Credentials", "true"}, {"Vary", "Origin"}};
  return rules;
}

async::awaitable<void> Gateway::Impl::respondOddPath(net::Exchange& exchange) {
  co_await respondMessage(exchange, 400, ErrorCode::InvalidArgument,
                          {.title = "Malformed address",
                           .text = "The path begins with two slashes, or contains a % without two hexadecimal digits. Write % as %25.",
                           .linkText = "Go to the server",
                           .link = "/"});
}

/// Neither this nor handleSignedIn() is a coroutine: each would add a frame to every proxied request.
async::awaitable<void> Gateway::Impl::handle(net::Exchange& exchange, HostName host) {
  const auto& head = exchange.head();
  Request request{.exchange = exchange, .host = host, .target = nullptr};
  if (host.kind() != HostKind::Instance) return respondForeign(exchange);
  if (address.isLocal() && request.host.isDashed()) return redirectToPresentForm(std::move(request));
  request.sender = senderOf(head, request.host, address);
  const bool requests_code =
      request.isVscode() && request.sender == Sender::SameWorkspace && head.method == "GET" && head.path() == kPortCodePath;
  targets->follow();
  request.target = targets->find(request.host);
  // A public port responds to every page. A page to which the workspace does not belong acts as a visitor, not as the browser's user.
  auto visitor = request.target ? targets->visitorOf(request.target) : nullptr;
  const bool may_come = requests_code || mayCome(head, request.sender, request.host.port());
  if (!may_come && (!visitor || head.target.starts_with(kOwnPaths)))
    return respondProblem(exchange, 403, ErrorCode::PermissionDenied,
                          "The request was made by a page that does not belong to this workspace.");
  if (head.target.starts_with(kOwnPaths)) return handleOwnPath(std::move(request));
  request.isWorkerScript = head.headers.has("Service-Worker");
  if (request.sender == Sender::SameWorkspace && isPreflight(head) && request.target &&
      availabilityOf(*request.target->route, request.host.port()) == Availability::Open)
    return forwardPreflight(std::move(request));
  if (!request.target || !may_come) return handleWithoutCookie(std::move(request), std::move(visitor));
  if (auto cookie = targets->authenticate(head, request.target)) return handleSignedIn(std::move(request), std::move(cookie));
  if (auto of_vscode = targets->authenticateByPorts(head, request.target))
    return handleAtPort(std::move(request), std::move(of_vscode), std::move(visitor));
  return handleWithoutCookie(std::move(request), std::move(visitor));
}

async::awaitable<void> Gateway::Impl::handleAtPort(Request request, std::shared_ptr<VerifiedCookie> of_vscode,
                                                   std::shared_ptr<VerifiedCookie> visitor) {
  const auto& head = request.head();
  // A page of a port requires the port's own cookie, so that the storage of another instance's port is cleared first. A page of that
  // port which opens a frame there without it belongs to another instance, or its time has passed.
  if (head.method == "GET" && (opensPage(head) || (opensFrame(head) && request.sender != Sender::SameHost)))
    co_await handover.enterPort(request.exchange, request.target, of_vscode->principal);
  else if (request.sender == Sender::SameWorkspace)
    co_await handleSignedIn(std::move(request), std::move(of_vscode));
  else
    co_await handleWithoutCookie(std::move(request), std::move(visitor));
}

async::awaitable<void> Gateway::Impl::handleWithoutCookie(Request request, std::shared_ptr<VerifiedCookie> visitor) {
  const auto& head = request.head();
  auto& exchange = request.exchange;
  if (visitor) co_return co_await handleVisitor(std::move(request), std::move(visitor));
  if (request.target && !request.isVscode() && !opensPage(head) && targets->isClosedTo(head, *request.target))
    co_return co_await respondPortRefused(std::move(request));
  auto rules = rulesFor(request);
  // On this machine, VS Code's sign-in opens its ports' frames.
  if (!address.isLocal() && !request.isVscode() && request.sender == Sender::SameWorkspace && head.method == "GET" && opensFrame(head))
    co_return co_await handover.challengeFrame(exchange, request.host, rules.frameAncestors);
  co_await handover.challenge(exchange, request.host, std::move(rules.cors));
}

async::awaitable<void> Gateway::Impl::handleSignedIn(Request request, std::shared_ptr<VerifiedCookie> cookie) {
  const auto& head = request.head();
  if (request.isVscode()) {
    const bool from_elsewhere = request.sender == Sender::Elsewhere || request.sender == Sender::SameWorkspace;
    // A link may open VS Code, but not choose its folder or file.
    if (from_elsewhere && head.method == "GET" && !isCallback(head.path())) return handover.continueTo(request.exchange, "/");
    if (request.isWorkerScript && isPageWorker(head.path())) {
      net::Headers headers{{"Content-Type", "text/javascript"}, {"Service-Worker-Allowed", "/"}, {"Cache-Control", "no-store"}};
      return request.exchange.respond(200, std::move(headers), std::string(assets::pageWorkerJs()));
    }
    if (request.isWorkerScript && !isWebviewWorker(head.path()))
      return respondProblem(request.exchange, 403, ErrorCode::PermissionDenied, "Only VS Code's own service workers may register here.");
  }
  const InstanceRoute& route = *request.target->route;
  request.isStranger = !request.isVscode() && !canSee(cookie->principal, route.owner, route.instanceId);
  if (availabilityOf(route, request.target->port) != Availability::Open) return handleClosed(std::move(request), std::move(cookie));
  if (head.method == "CONNECT" || head.method == "TRACE")
    return respondProblem(request.exchange, 405, ErrorCode::InvalidArgument, "Workspaces do not accept CONNECT and TRACE requests.");
  if (options.audit != nullptr && clock.steadyNow() >= cookie->recordedUntil) return forwardRecorded(std::move(request), std::move(cookie));
  return forward(std::move(request), std::move(cookie));
}

async::awaitable<void> Gateway::Impl::handleClosed(Request request, std::shared_ptr<VerifiedCookie> cookie) {
  if (request.isStranger) co_return co_await respondNothingHere(std::move(request));
  if (co_await waitForNewPlace(request.head(), request.target)) co_return co_await handle(request.exchange, request.host);
  request.mayStart = mayStart(cookie->principal, *request.target->route);
  const auto now = availabilityOf(*request.target->route, request.target->port);
  co_await respondClosed(std::move(request), now);
}

async::awaitable<void> Gateway::Impl::forwardRecorded(Request request, std::shared_ptr<VerifiedCookie> cookie) {
  if (co_await recordEntry(request, cookie)) co_await forward(std::move(request), std::move(cookie));
}

async::awaitable<bool> Gateway::Impl::recordEntry(Request request, std::shared_ptr<VerifiedCookie> cookie) {
  AuditRecord record = recordOfEntry(request.target->route.get(), request.host, cookie->principal, browser.originOf(request.exchange));
  const auto until = co_await async::attempt(options.audit->enter(std::move(record)));
  if (until) {
    cookie->recordedUntil = *until;
    co_return true;
  }
  co_await respondMessage(request.exchange, httpStatus(until.error().code()), until.error().code(),
                          {.title = "This workspace cannot be opened", .text = until.error().message()}, {},
                          rulesFor(request).frameAncestors);
  co_return false;
}

async::awaitable<void> Gateway::Impl::handleVisitor(Request request, std::shared_ptr<VerifiedCookie> visitor) {
  const auto& head = request.head();
  request.isStranger = true;
  // A former instance of this name may have left it.
  if (request.isWorkerScript && handover.holdsStorageOfAnother(head, request.host))
    co_return co_await handover.challenge(request.exchange, request.host, {});
  if (availabilityOf(*request.target->route, request.target->port) != Availability::Open)
    co_return co_await respondNothingHere(std::move(request));
  if (head.method == "CONNECT" || head.method == "TRACE")
    co_return co_await respondProblem(request.exchange, 405, ErrorCode::InvalidArgument,
                                      "Workspaces do not accept CONNECT and TRACE requests.");
  co_await forward(std::move(request), std::move(visitor));
}

/// PORT--NAME was the form of an earlier version.
async::awaitable<void> Gateway::Impl::redirectToPresentForm(Request request) {
  const auto& head = request.head();
  const auto origin = address.originOf(address.hosts().hostOf(request.host.instance(), request.host.port()), head);
  if (head.method == "GET" || head.method == "HEAD")
    co_await respondRedirect(request.exchange, 302, origin + std::string(isLocalPath(head.target) ? head.target : "/"));
  else
    co_await respondProblem(request.exchange, 421, ErrorCode::InvalidArgument, format("The address of this port is now {}.", origin));
}

/// A CORS preflight from a page of the same workspace to a port. Browsers send no cookie with it, so this is the only request that reaches
/// a port without a sign-in, and its time is limited; the call itself requires one.
async::awaitable<void> Gateway::Impl::forwardPreflight(Request request) {
  auto anonymous = std::make_shared<VerifiedCookie>();
  anonymous->principal.expiresAt = clock.now() + kPreflightLife;
  co_await forward(std::move(request), std::move(anonymous));
}

/// The fields that the gateway adds to a workspace's own response.
std::string Gateway::Impl::fieldsFor(const HostRules& rules) const {
  std::string fields = format("Content-Security-Policy: frame-ancestors {}\r\n", rules.frameAncestors);
  if (address.requiresHttps()) fields.append(kHsts).append("\r\n");
  return fields;
}

std::expected<std::optional<OpenBudget::Share>, Error> Gateway::Impl::takeShare(const Request& request, const std::string& user) const {
  const bool is_visitor = user.empty() && request.isStranger;
  const auto& budget = is_visitor                       ? options.visitors
                       : user.empty()                   ? options.preflights
                       : request.head().upgrade.empty() ? options.requests
                                                        : options.tunnels;
  if (!budget) return std::nullopt;
  const InstanceId& instance = request.target->route->instanceId;
  try {
    if (is_visitor) {
      const std::string peer(request.exchange.stream().peerAddress());
      return budget->take(net::addressGroup(options.trustedProxies.clientAddress(peer, request.head().headers)), instance);
    }
    // A port must not use up what VS Code of the same workspace needs.
    const auto claim = request.isVscode() ? OpenBudget::Claim::Reserved : OpenBudget::Claim::Usual;
    return budget->take(user.empty() ? instance.str() : user, instance, 0, claim);
  } catch (const Error& error) {
    return std::unexpected(error);
  }
}

async::awaitable<void> Gateway::Impl::forward(Request request, std::shared_ptr<VerifiedCookie> cookie) {
  if (!sweeping) armSweep();
  const auto& head = request.head();
  const auto target = request.target;
  const auto peer = request.exchange.stream().peerAddress();
  std::string of_port = request.isVscode() ? std::string() : fieldsFor(rulesFor(request));
  if (cookie->principal.user.empty() && request.isStranger) of_port += handover.visitorFields(head, *target);
  const std::string_view extra = request.isVscode() ? vscode_fields : of_port;
  const ForwardFacts facts{.clientAddress = peer,
                           .scheme = address.scheme(),
                           .port = address.portOf(head),
                           .trustedProxy = options.trustedProxies.contains(peer),
                           .response = {.extra = extra,
                                        .isVscode = request.isVscode(),
                                        .cookiesAreLarge = cookieBytes(head.headers) > kLargeCookies,
                                        .isOfInstance = true,
                                        .isWorkerScript = request.isWorkerScript}};
  const bool upgrades = !head.upgrade.empty();
  auto share = takeShare(request, cookie->principal.user);
  if (!share) co_return co_await respondTooMany(std::move(request), std::move(share.error()));
  auto result = co_await proxy.forward(request.exchange, target, std::move(cookie), facts);
  share->reset();
  // A failed connection or an ended WebSocket may mean that VS Code's server was replaced: the controller checks it.
  if (target->port == 0 && (upgrades || result.outcome == ForwardOutcome::ConnectFailed || result.outcome == ForwardOutcome::UpstreamBroke))
    route_source.reportDoubt(target->route->instanceId);
  if (result.outcome != ForwardOutcome::Responded && result.outcome != ForwardOutcome::SignedOut) {
    targets->follow();
    const bool is_closed = availabilityOf(*target->route, target->port) != Availability::Open;
    if (is_closed && co_await waitForNewPlace(request.exchange.head(), target)) co_return co_await handle(request.exchange, request.host);
  }
  if (result.outcome != ForwardOutcome::Responded) co_await respondFailure(std::move(request), std::move(result));
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
    // Buffers of a burst are released after it.
    if (self->proxy.counters().requests == self->requests_seen && self->live.empty()) self->proxy.dropSpare();
    self->requests_seen = self->proxy.counters().requests;
    if (in_use) self->armSweep();
  });
}

}  // namespace swarm
