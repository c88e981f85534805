// The gateway's own paths below /.swarm/ on the hosts of instances.
#include "async/attempt.h"
#include "audit/audit.h"
#include "gateway/impl.h"
#include "gateway/pages/responses.h"
#include "gateway/recording.h"

namespace swarm {

using namespace gateway;  // NOLINT: the class is the door to this namespace

namespace {

constexpr std::string_view kStatusPath = "/.swarm/status";
constexpr std::string_view kStartPath = "/.swarm/start";

}  // namespace

/// The Start button of the stopped and the failed page.
async::awaitable<void> Gateway::Impl::start(Request request) {
  auto& exchange = request.exchange;
  const auto cookie = targets->authenticate(exchange.head(), request.target);
  const auto route = request.target->route;
  if (exchange.head().method != "POST") co_return co_await respondRedirect(exchange, 303, "/");
  if (!isSameOrigin(exchange.head()))
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "The form was not sent by a page of this server.");
  AuditRecord record = recordAbout(route.get(), cookie->principal, browser.originOf(exchange), "startInstance");
  if (!mayStart(cookie->principal, *route)) {
    record.status = 403;
    if (options.audit != nullptr) co_await options.audit->refuse(std::move(record));
    co_return co_await respondProblem(exchange, 403, ErrorCode::PermissionDenied, "Your role does not allow starting this workspace.");
  }
  const auto started =
      co_await async::attempt(recordChange(options.audit, std::move(record), options.actions.start(cookie->principal, route->instanceId)));
  if (started)
    co_await respondRedirect(exchange, 303, "/");
  else
    co_await respondMessage(exchange, httpStatus(started.error().code()), started.error().code(),
                            {.title = "The workspace was not started", .text = started.error().message(), .linkText = "Back", .link = "/"});
}

bool Gateway::Impl::mayStart(const Principal& principal, const InstanceRoute& route) const {
  return options.actions.start && isAllowed(principal, Permission::Manage, route.owner, route.instanceId);
}

async::awaitable<void> Gateway::Impl::handleOwnPath(Request request) {
  auto& exchange = request.exchange;
  const auto path = exchange.head().path();
  if (path == kCodePath) {
    co_await handover.takeCode(exchange, request.target);
  } else if (path == kArrivePath) {
    co_await handover.arrive(exchange, request.target);
  } else if (!request.target || !targets->authenticate(exchange.head(), request.target)) {
    const auto cookie = findCookie(exchange.head().headers, browser.names().session).value;
    // With a cookie of this very instance, its user may not enter it any more: a share has ended.
    const bool is_of_this = request.target && auth.verifyInstanceCookie(cookie, request.target->audience);
    if (path == kStatusPath && !is_of_this && auth.verifyAnyInstanceCookie(cookie)) co_return co_await respondDeleted(exchange);
    auto rules = rulesFor(request);
    co_await handover.challenge(exchange, request.host, std::move(rules.cors));
  } else if (path == kPortCodePath && request.isVscode() && exchange.head().method == "GET") {
    auto rules = rulesFor(request);
    const auto cookie = targets->authenticate(exchange.head(), request.target);
    const auto port = originHostOf(exchange.head(), request.host, address).port();
    co_await handover.issuePortCode(exchange, *request.target, port, cookie->principal, std::move(rules.cors));
  } else if (path == kStatusPath) {
    const auto route = request.target->route;
    // A tab is open or waits. While a move has stopped VS Code, tabs poll often, and the move checks VS Code.
    if (!route->moving || !route->moving->paused) route_source.reportDoubt(route->instanceId);
    co_await respondStatus(exchange, *route);
  } else if (path == kStartPath) {
    co_await start(std::move(request));
  } else {
    co_await respondProblem(exchange, 404, ErrorCode::NotFound, "This address does not exist.");
  }
}

}  // namespace swarm
