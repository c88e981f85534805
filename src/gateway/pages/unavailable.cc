#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "gateway/impl.h"
#include "gateway/pages/move_status.h"
#include "gateway/pages/responses.h"
#include "gateway/proxy/tls_probe.h"
#include "model/codec/codec.h"
#include "model/steps.h"
#include "net/http/problem.h"

namespace swarm {

using namespace gateway;  // NOLINT: the class is the door to this namespace

namespace {

constexpr std::string_view kRetrySoon = "2";
constexpr int kMaxWaiting = 256;  ///< requests that wait for the end of a move

WaitingKind waitingKindOf(const InstanceRoute& route, Availability availability) {
  if (route.moving) return WaitingKind::Moving;
  return availability == Availability::Stopping  ? WaitingKind::Stopping
         : availability == Availability::Stopped ? WaitingKind::Stopped
         : availability == Availability::Failed  ? WaitingKind::Failed
                                                 : WaitingKind::Starting;
}

/// A script, style or fetch of a page that a browser loads: without it the browser shows half a page, without a message.
bool isPartOfAPage(const net::RequestHead& head) {
  const auto mode = head.headers.find("Sec-Fetch-Mode");
  return mode && *mode != "navigate" && *mode != "websocket" && head.method == "GET" && head.upgrade.empty() &&
         head.body.kind == net::BodyKind::None;
}

MessagePage nothingListens(const InstanceRoute& route, std::uint16_t port) {
  return {.title = format("Port {} is closed", port),
          .text = format("No program in {} accepts connections on port {}. Start the program, and let it listen on 127.0.0.1 or 0.0.0.0.",
                         route.name, port)};
}

MessagePage wantsHttps(const InstanceRoute& route, std::uint16_t port) {
  return {.title = format("Port {} expects HTTPS", port),
          .text = format("The program on port {} of {} expects HTTPS, but this server connects to it over HTTP. Disable HTTPS in the "
                         "program's configuration: the browser's connection ends at this server, which can have its own certificate.",
                         port, route.name)};
}

MessagePage programFailed(std::uint16_t port) {
  return {.title = format("Port {} did not respond", port), .text = "The connection to the program in the workspace failed."};
}

MessagePage vscodeFailed() { return {.title = "VS Code did not respond", .text = "The connection to VS Code in the workspace failed."}; }

net::Headers statusHeaders() {
  return {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
}

}  // namespace

Availability gateway::availabilityOf(const InstanceRoute& route, std::uint16_t port) {
  using enum Availability;
  constexpr Availability kByStatus[] = {Starting, Starting, Open, Stopping, Stopped, Failed, Gone, Gone};  // in the order of InstanceStatus
  static_assert(std::size(kByStatus) == static_cast<std::size_t>(InstanceStatus::deleted) + 1);
  // After the pause of a move the old place does not respond any more, independent of its last known state.
  const bool waits = port == 0 || (route.moving && route.moving->paused);
  if (route.status == InstanceStatus::running && !route.ready && waits) return Starting;
  return kByStatus[static_cast<std::size_t>(route.status)];
}

async::awaitable<bool> Gateway::Impl::waitForNewPlace(const net::RequestHead& head, std::shared_ptr<Target> target) {
  if (!isPartOfAPage(head) || waiting >= kMaxWaiting) co_return false;
  struct Counted {
    explicit Counted(int& its_count) : count(its_count) { ++count; }
    ~Counted() { --count; }
    int& count;
  } counted(waiting);
  const auto limit = Deadline::after(options.moveWait);
  for (;;) {
    targets->follow();
    const auto seen = targets->routesChanged().version();
    if (!target->known) co_return false;
    const auto availability = availabilityOf(*target->route, target->port);
    if (availability == Availability::Open) co_return true;
    if (!target->route->moving || limit.hasPassed()) co_return false;
    co_await targets->routesChanged().wait(seen, limit);
  }
}

async::awaitable<void> Gateway::Impl::respondStatus(net::Exchange& exchange, const InstanceRoute& route) {
  const bool running = route.status == InstanceStatus::running;
  boost::json::object status{{"instance", route.name},
                             {"status", enumName(route.status)},
                             {"ready", running && route.ready},
                             {"generation", route.generation},
                             {"step", route.step},
                             {"reason", route.reason},
                             {"moving", movingJson(route.moving.get())},
                             {"home", address.baseOrigin(exchange.head()) + "/"}};
  if (!route.step.empty() && route.stepStartedAt != SystemTime{})
    status["elapsedSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(clock.now() - route.stepStartedAt).count();
  co_await exchange.respond(200, statusHeaders(), boost::json::serialize(status));
}

async::awaitable<void> Gateway::Impl::respondDeleted(net::Exchange& exchange) {
  const boost::json::object status{{"status", "deleted"}, {"home", address.baseOrigin(exchange.head()) + "/"}};
  co_await exchange.respond(410, statusHeaders(), boost::json::serialize(status));
}

async::awaitable<void> Gateway::Impl::respondPortRefused(Request request) {
  auto rules = rulesFor(request);
  const auto port = request.host.port();
  co_await respondMessage(request.exchange, 403, ErrorCode::PermissionDenied,
                          {.title = format("Port {} is not shared", port), .text = portRefusal(*request.target->route, port)},
                          std::move(rules.cors), rules.frameAncestors);
}

async::awaitable<void> Gateway::Impl::respondTooMany(Request request, Error error) {
  auto rules = rulesFor(request);
  std::ranges::move(net::retryAfter(error), std::back_inserter(rules.cors));
  co_await respondMessage(request.exchange, 429, error.code(), {.title = "Too many requests", .text = error.message()},
                          std::move(rules.cors), rules.frameAncestors);
}

async::awaitable<void> Gateway::Impl::respondNothingHere(Request request) {
  auto rules = rulesFor(request);
  rules.cors.push_back({"Retry-After", "60"});
  co_await respondMessage(request.exchange, 503, ErrorCode::Unavailable,
                          {.title = "Not available", .text = "Nothing responds at this address at the moment. Try again later."},
                          std::move(rules.cors), rules.frameAncestors);
}

async::awaitable<void> Gateway::Impl::respondClosed(Request request, Availability availability) {
  const auto route = request.target->route;
  if (availability == Availability::Gone) {
    auto rules = rulesFor(request);
    co_return co_await respondMessage(request.exchange, 404, ErrorCode::NotFound,
                                      {.title = "Deleted",
                                       .text = "This workspace is being deleted.",
                                       .linkText = "Your workspaces",
                                       .link = address.baseOrigin(request.head())},
                                      std::move(rules.cors), rules.frameAncestors);
  }
  co_await respondUnavailable(std::move(request), route, waitingKindOf(*route, availability), route->reason);
}

async::awaitable<void> Gateway::Impl::respondUnavailable(Request request, std::shared_ptr<const InstanceRoute> given, WaitingKind kind,
                                                         std::string reason) {
  const InstanceRoute& route = *given;
  auto& exchange = request.exchange;
  auto rules = rulesFor(request);
  if (kind == WaitingKind::Moving) reason = {};  // page and problem already report the move
  net::Headers headers = std::move(rules.cors);
  if (kind == WaitingKind::Starting || kind == WaitingKind::Reconnecting || kind == WaitingKind::Moving)
    headers.push_back({"Retry-After", std::string(kRetrySoon)});
  if (!isNavigation(exchange.head())) {
    auto detail = format("The workspace {} is {}.", route.name, enumName(route.status));
    if (kind == WaitingKind::Starting && route.status == InstanceStatus::running) detail = format("VS Code in {} is starting.", route.name);
    if (kind == WaitingKind::Reconnecting) detail = format("VS Code in {} is not responding yet.", route.name);
    if (kind == WaitingKind::Moving) detail = format("The workspace {} is moving to {}.", route.name, route.moving->to);
    if (!reason.empty()) detail += format(" {}", reason);
    co_return co_await respondProblem(exchange, 503, kind == WaitingKind::Stopped ? ErrorCode::Conflict : ErrorCode::Unavailable, detail,
                                      std::move(headers));
  }
  std::int64_t elapsed = 0;
  if (route.stepStartedAt != SystemTime{})
    elapsed = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(clock.now() - route.stepStartedAt).count());
  const std::string step =
      route.step.empty() && route.status == InstanceStatus::running ? std::string(stepName(Step::WaitForVscode)) : route.step;
  co_await respondPage(exchange, 503,
                       waitingPage({.kind = kind,
                                    .name = route.name,
                                    .step = step,
                                    .reason = reason,
                                    .elapsedSeconds = elapsed,
                                    .mayStart = request.mayStart,
                                    .needsVscode = request.isVscode(),
                                    .moving = route.moving}),
                       std::move(headers), rules.frameAncestors);
}

async::awaitable<void> Gateway::Impl::respondFailure(Request request, ForwardResult result) {
  const auto target = request.target;
  log::info("a workspace did not respond",
            {{"host", request.host.label()}, {"instance", target->route->instanceId}, {"reason", result.reason}});
  targets->follow();
  const auto route = target->route;
  const auto availability = availabilityOf(*route, target->port);
  auto rules = rulesFor(request);
  if (result.outcome == ForwardOutcome::SignedOut || !target->known) {
    co_await handover.challenge(request.exchange, request.host, std::move(rules.cors));
  } else if (request.isStranger) {
    co_await respondNothingHere(std::move(request));
  } else if (availability != Availability::Open) {
    co_await respondClosed(std::move(request), availability);
  } else if (result.outcome == ForwardOutcome::RouteChanged || (result.outcome == ForwardOutcome::ConnectFailed && target->port == 0)) {
    co_await respondUnavailable(std::move(request), route, route->moving ? WaitingKind::Moving : WaitingKind::Reconnecting, result.reason);
  } else {
    auto message = result.outcome == ForwardOutcome::ConnectFailed       ? nothingListens(*route, target->port)
                   : target->port == 0                                   ? vscodeFailed()
                   : co_await speaksTls(*connector, route, target->port) ? wantsHttps(*route, target->port)
                                                                         : programFailed(target->port);
    message.detail = result.reason;
    message.linkText = "Try again";
    message.link = isLocalPath(request.head().target) ? std::string(request.head().target) : "/";
    co_await respondMessage(request.exchange, 502, ErrorCode::UpstreamFailed, std::move(message), std::move(rules.cors),
                            rules.frameAncestors);
  }
}

}  // namespace swarm
