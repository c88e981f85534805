// The path of every request: id, sign-in, route, permission, parameters, body, handler; then the response, the metrics and the log.
#include "api/api.h"

#include <boost/json/serialize.hpp>

#include "api/handlers/handlers.h"
#include "api/http/call.h"
#include "api/http/recording.h"
#include "api/openapi/openapi.h"
#include "async/deadline.h"
#include "auth/limits/token_throttle.h"
#include "auth/sharing/sharing.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "model/codec/codec.h"
#include "net/http/problem.h"
#include "net/ip_address.h"

namespace swarm {

using namespace api;  // NOLINT: the class is the door to this namespace

namespace {

constexpr std::size_t kSmallResponse = 64 * 1024;  // not counted while it waits for its client
constexpr std::size_t kMaxPublicBody = 16 * 1024;  // from a client that is not signed in

/// The caller of a request.
struct Credentials {
  std::optional<Principal> principal;
  bool given = false;
  bool fromCookie = false;
};

/// The Authorization header takes precedence over the cookie; another scheme counts as invalid credentials.
Credentials credentialsOf(const Services& services, const net::RequestHead& head) {
  constexpr std::string_view scheme = "Bearer ";
  if (auto header = head.headers.find("Authorization")) {
    bool bearer = header->size() > scheme.size() && net::equalsIgnoreCase(header->substr(0, scheme.size()), scheme);
    return {bearer ? services.auth.verifyApiToken(header->substr(scheme.size())) : std::nullopt, true, false};
  }
  return {services.browser.find(head), services.browser.hasCookie(head), true};
}

bool isSafe(const Call& call, const net::RequestHead& head) {
  return (call.method() == "GET" || call.isHead() || call.method() == "OPTIONS") && head.upgrade.empty();
}

/// Whether the handlers of a route compare names of instances with the prefix to which an access token may be limited.
bool comparesNames(const Endpoint& route) {
  constexpr std::string_view subjects[] = {"/api/instances", "/api/operations", "/api/snapshots", "/api/volumes"};
  return route.permission <= Permission::SignedIn ||
         std::ranges::any_of(subjects, [&](std::string_view subject) { return route.pattern.starts_with(subject); });
}

/// Messages may quote bytes of the client that are not UTF-8; JSON has to be.
Reply problemReply(const Call& call, const Error& error, int status = 0) {
  boost::json::object document = net::problemDocument(error, call.path(), call.requestId(), status);
  return {.status = static_cast<int>(document.at("status").as_int64()),
          .body = toValidUtf8(boost::json::serialize(document)),
          .contentType = net::kProblemType};
}

/// A failure as a response: a problem document and its headers.
Reply refusal(Call& call, const Error& error) {
  Reply reply = problemReply(call, error);
  if (reply.status == 415 && call.method() == "PATCH") reply.headers.push_back({"Accept-Patch", std::string(kMergePatchType)});
  if (reply.status == 415 && call.exchange().head().headers.has("Content-Encoding"))
    reply.headers.push_back({"Accept-Encoding", "identity"});
  if (reply.status == 401) reply.headers.push_back({"WWW-Authenticate", "Bearer realm=\"swarm\""});
  std::ranges::move(net::retryAfter(error), std::back_inserter(reply.headers));
  return reply;
}

std::string addressOf(const Services& services, Call& call) {
  net::Exchange& exchange = call.exchange();
  return net::addressGroup(services.options.trustedProxies.clientAddress(exchange.stream().peerAddress(), exchange.head().headers));
}

/// In whose budget the body of a request counts: the user's or, where no user has signed in, the address's.
std::string payerOf(const Services& services, Call& call) {
  return call.principal().user.empty() ? "address " + addressOf(services, call) : call.principal().user;
}

/// The event of a share, for the owner of the instance and the user with whom it is shared.
void publishShare(SwarmController& controller, const Sharing::Report& report) {
  const ShareRecord& share = report.share;
  const std::shared_ptr<const RouteTable> table = controller.routes().current();
  const auto found = std::ranges::find_if(*table, [&](const auto& one) { return one.second->instanceId == share.instanceId; });
  if (found == table->end()) return;  // deleted
  const InstanceRoute& route = *found->second;
  boost::json::object data{{"id", share.instanceId.str()},
                           {"name", route.name},
                           {"owner", route.owner},
                           {enumName(share.grantee.kind), share.grantee.name},
                           {"access", enumName(share.access)},
                           {"state", report.change == Sharing::Change::Granted ? "granted" : "ended"}};
  if (!report.member.empty()) data["member"] = report.member;
  if (share.expiresAt) data["expiresAt"] = formatTime(*share.expiresAt);
  // Who is a member of a group is not for the owner to know.
  controller.events().publish({.type = EventType::share, .owner = report.member.empty() ? route.owner : "", .users = report.users}, data);
}

/// A client that still sends its body would see a reset instead of the response: the rest is read and discarded, within limits. Tiny
/// chunks cost more than their bytes.
awaitable<void> drain(net::Exchange& exchange) {
  constexpr std::size_t max = 32 * 1024 * 1024;
  constexpr std::size_t least_cost = 1024;
  if (exchange.body().awaitsContinue()) co_return;
  exchange.stream().setDeadline(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  std::vector<char> scratch(64 * 1024);
  for (std::size_t dropped = 0; dropped < max && !exchange.body().done();) {
    net::IoResult got = co_await exchange.body().readSome(boost::asio::buffer(scratch));
    if (got.error) co_return;
    dropped += std::max(got.bytes, least_cost);
  }
}

}  // namespace

struct Api::Impl {
  /// The metrics of one route; the counter of a status is created when it first occurs.
  struct RouteMetrics {
    Histogram duration;
    std::array<std::atomic<bool>, 600> known{};
    std::array<std::optional<Counter>, 600> byStatus{};
    std::mutex mutex;
    explicit RouteMetrics(Histogram histogram) : duration(histogram) {}
  };

  Impl(ApiOptions options, SwarmController& controller, Auth& auth, Metrics& metrics, const Clock& clock)
      : services{.options = options,
                 .controller = controller,
                 .auth = auth,
                 .browser = {options.address, options.trustedProxies, auth, clock},
                 .metrics = metrics,
                 .clock = clock},
        invalid_tokens(clock) {
    auth.onRevoked(controller.sessionListener());
    auth.sharing().onChange([&controller](const Sharing::Report& report) { publishShare(controller, report); });
    services.table = makeRouteTable();
    services.openapi = boost::json::serialize(makeOpenApi(services.table, services.browser.names().session, options.candidates));
    services.open = OpenBudget(services.options.open);
    services.requests =
        OpenBudget({.perUser = services.options.maxRequests, .perInstance = SIZE_MAX, .total = SIZE_MAX, .things = "requests in progress"});
    for (const Endpoint& route : services.table) {
      MetricLabels labels{{"method", std::string(route.method)}, {"route", std::string(route.pattern)}};
      // Streams are not counted: their duration is that of a client's interest, not a response time.
      route_metrics.push_back(std::make_unique<RouteMetrics>(
          metrics.durations("swarm_http_request_duration_seconds", "Response time of API requests; streams are not counted.", labels)));
    }
  }

  void signIn(Call& call, const Endpoint* route);
  awaitable<Reply> dispatch(Call& call, const Endpoint*& route);
  awaitable<Reply> respond(Call& call, const Endpoint*& route);
  awaitable<void> send(Call& call, Reply& reply);
  void account(Call& call, const Endpoint* route, int status, std::chrono::duration<double> took);

  Services services;
  TokenThrottle invalid_tokens;
  std::vector<std::unique_ptr<RouteMetrics>> route_metrics;
};

Api::Api(ApiOptions options, SwarmController& controller, Auth& auth, Metrics& metrics, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), controller, auth, metrics, clock)) {}
Api::~Api() = default;

/// Determines the principal. Every route that is not public requires one, and so do unknown paths.
void Api::Impl::signIn(Call& call, const Endpoint* route) {
  const net::RequestHead& head = call.exchange().head();
  bool is_public = route != nullptr && route->permission == Permission::Public;
  Credentials credentials = credentialsOf(services, head);
  if (is_public) {
    // A page of another origin must not sign its visitor in as another user.
    if (!isSafe(call, head) && isOfForeignPage(head))
      throw Error(ErrorCode::PermissionDenied, "This request was made by a page of another origin.");
    return;
  }
  if (credentials.given && !credentials.fromCookie) call.noteToken();
  if (!credentials.principal) {
    if (credentials.given && !credentials.fromCookie) invalid_tokens.count(addressOf(services, call));
    throw Error(ErrorCode::Unauthenticated,
                credentials.given ? "The token is invalid or has expired." : "Sign in first: send a token as \"Authorization: Bearer\".");
  }
  call.signIn(std::move(*credentials.principal));
  // On a domain, pages of workspaces are same-site, and their requests carry the cookie: reads, too, cost the visitor streams and time. A
  // link opens a tab, which the page cannot read.
  const bool is_allowed =
      isSafe(call, head) ? !isOfForeignPage(head) || head.headers.find("Sec-Fetch-Dest") == "document" : isSameOrigin(head);
  if (credentials.fromCookie && !is_allowed)
    throw Error(ErrorCode::PermissionDenied, "A request with a session cookie must come from a page of this server's own origin.");
}

awaitable<Reply> Api::Impl::dispatch(Call& call, const Endpoint*& route) {
  Match match = findRoute(services.table, call.method(), call.path());
  route = match.route;
  if (services.options.audit != nullptr) call.setOrigin(services.browser.originOf(call.exchange()));
  signIn(call, route);
  co_await recordTokenUse(services, call);
  if (route == nullptr && match.allow.empty())
    throw Error(ErrorCode::NotFound, "This path does not exist. See docs/api.md for the routes.");
  if (route == nullptr && call.method() == "OPTIONS") {
    Reply reply{.status = 204};
    reply.headers.push_back({"Allow", match.allow});
    if (net::listHasToken(match.allow, "PATCH")) reply.headers.push_back({"Accept-Patch", std::string(kMergePatchType)});
    co_return reply;
  }
  if (route == nullptr) {
    Error error(ErrorCode::InvalidArgument, format("This path does not support {}; it supports {}.", call.method(), match.allow));
    Reply reply = problemReply(call, error, 405);
    reply.headers.push_back({"Allow", match.allow});
    co_return reply;
  }
  const bool is_public = route->permission == Permission::Public;
  if (!is_public && route->budget == Budget::Counted && route->kind == RouteKind::Plain) call.takeShare(services.requests);
  // Requests that the role never allows are refused before any lookup; the handler checks the owner.
  if (!isAllowed(call.principal(), route->permission, Relation::Own))
    throw Error(ErrorCode::PermissionDenied, std::string(refusalOf(call.principal(), route->permission)));
  if (const std::string_view prefix = namePrefixOf(call.principal()); !prefix.empty() && !comparesNames(*route))
    throw Error(ErrorCode::PermissionDenied, format("This access token is limited to workspaces whose names begin with \"{}\".", prefix));
  call.bind(*route, std::move(match.arguments));
  if (route->kind == RouteKind::Upgrade && !net::equalsIgnoreCase(call.exchange().head().upgrade, route->upgrade)) {
    Error error(ErrorCode::InvalidArgument, format("This path requires \"Connection: Upgrade\" and \"Upgrade: {}\".", route->upgrade));
    Reply reply = problemReply(call, error, 426);
    reply.headers.push_back({"Upgrade", std::string(route->upgrade)});
    co_return reply;
  }
  co_await call.readBody(is_public ? kMaxPublicBody : services.options.maxBody, services.open, payerOf(services, call));
  co_return co_await handleRecorded(services, call);
}

/// dispatch(), with every failure as a problem document.
awaitable<Reply> Api::Impl::respond(Call& call, const Endpoint*& route) {
  std::optional<Error> failure;
  try {
    co_return co_await dispatch(call, route);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  int status = httpStatus(failure->code());
  if (!call.isRecorded()) co_await recordRefusal(services, call, route, *failure);
  if (status >= 500) {
    log::warning("A request failed", {{"requestId", call.requestId()},
                                      {"route", route != nullptr ? route->operationId : "none"},
                                      {"code", toString(failure->code())},
                                      {"message", failure->message()},
                                      {"cause", failure->cause()}});
  }
  if (call.exchange().responded()) {
    // Part of the response was sent: only closing the connection can show that it is incomplete.
    if (!call.tookOver()) call.cut();
    co_return sentReply(status);
  }
  Reply reply = refusal(call, *failure);
  if (status == 401) std::ranges::move(services.browser.repair(call.exchange().head()), std::back_inserter(reply.headers));
  co_return reply;
}

awaitable<void> Api::Impl::send(Call& call, Reply& reply) {
  std::optional<OpenBudget::Share> held;
  if (reply.body.size() > kSmallResponse) {
    try {
      held.emplace(services.open.takeBytes(call.principal().user, reply.body.size()));
    } catch (const Error& error) {
      reply = refusal(call, error);
    }
  }
  net::Headers headers = std::move(reply.headers);
  addCommonHeaders(headers, reply.status == 204 ? "" : reply.contentType, call.requestId());
  headers.push_back({"Cross-Origin-Resource-Policy", "same-origin"});
  co_await call.exchange().respond(reply.status, std::move(headers), std::move(reply.body));
  if (reply.status == 413 || reply.status == 429) co_await drain(call.exchange());
}

void Api::Impl::account(Call& call, const Endpoint* route, int status, std::chrono::duration<double> took) {
  std::string_view pattern = route != nullptr ? route->pattern : "none";
  if (route != nullptr) {
    RouteMetrics& counts = *route_metrics[static_cast<std::size_t>(route - services.table.data())];
    if (route->kind == RouteKind::Plain) counts.duration.observe(took.count());
    auto index = static_cast<std::size_t>(std::clamp(status, 0, 599));
    if (!counts.known[index].load(std::memory_order_acquire)) {
      std::lock_guard lock(counts.mutex);
      if (!counts.byStatus[index]) {
        counts.byStatus[index] = services.metrics.counter(
            "swarm_http_requests_total", "API requests by route and status.",
            {{"method", std::string(route->method)}, {"route", std::string(route->pattern)}, {"status", std::to_string(status)}});
      }
      counts.known[index].store(true, std::memory_order_release);
    }
    counts.byStatus[index]->add();
  }
  bool quiet = route != nullptr && (route->operationId == "health" || route->operationId == "ready" || route->operationId == "metrics");
  if (quiet && log::level() > log::Level::Debug) return;
  log::write(log::Level::Info, "request",
             {{"method", call.method()},
              {"route", pattern},
              {"status", status},
              {"ms", format("{:.1f}", took.count() * 1000)},
              {"user", call.principal().user},
              {"token", call.principal().token ? call.principal().token->id : ""},
              {"requestId", call.requestId()}});
}

awaitable<void> Api::handle(net::Exchange& exchange) {
  auto began = impl_->services.clock.steadyNow();
  Call call(exchange, net::requestIdOf(exchange.head().headers));
  const Endpoint* route = nullptr;
  Reply reply = co_await impl_->respond(call, route);
  if (!reply.sent) co_await impl_->send(call, reply);
  if (!reply.sent && reply.status >= 400 && route != nullptr && route->body.rule == BodyRule::Bytes) co_await drain(exchange);
  impl_->account(call, route, reply.status, impl_->services.clock.steadyNow() - began);
}

}  // namespace swarm
