// From an HTTP request to a response: route, credentials, strict mode, limits, faults, lookup, handler, journal; in this order.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/api/facade/facade.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::size_t kMaxBody = 8 * 1024 * 1024;
constexpr std::string_view kAffinityCookie = "fly_flaps_affinity";
constexpr std::string_view kAffinityValue = "emulated";

std::string_view withoutScheme(std::string_view token) {
  constexpr std::string_view kFlyV1 = "FlyV1 ";
  return token.starts_with(kFlyV1) ? token.substr(kFlyV1.size()) : token;
}

/// The tokens in an Authorization header: "Bearer t", or "FlyV1 t1,t2" (§1). I: that "Bearer FlyV1 t" is accepted, too.
std::vector<std::string_view> tokensOf(std::string_view header) {
  constexpr std::string_view kBearer = "Bearer ";
  if (header.starts_with(kBearer))
    header.remove_prefix(kBearer.size());
  else if (!header.starts_with("FlyV1 "))
    return {};
  header = withoutScheme(header);
  std::vector<std::string_view> tokens;
  while (!header.empty()) {
    tokens.push_back(header.substr(0, header.find(',')));
    header.remove_prefix(std::min(header.size(), tokens.back().size() + 1));
  }
  return tokens;
}

/// certificates and ip_assignments use different texts (E2). I: the response of GraphQL.
[[noreturn]] void refuseToken(const Route& route) {
  if (route.action == "graphql") throw Refusal(graphErrorResponse("", "You must be authenticated to view this.", "UNAUTHORIZED"));
  refuseBy(route.action.starts_with("ip_") || route.action.starts_with("certificate_") ? "E2" : "E1");
}

AppPtr appOfDeployToken(const Core& core, std::string_view token) {
  if (!token.starts_with("fm2_")) return nullptr;
  for (const auto& [name, app] : core.world.apps) {
    for (const std::string& known : app->deployTokens) {
      if (equalConstantTime(known, token)) return app;
    }
  }
  return nullptr;
}

void authenticate(const Core& core, const Route& route, std::string_view header, Call& call) {
  for (std::string_view token : tokensOf(header)) {
    for (const ApiToken& known : core.options.tokens) {
      if (!equalConstantTime(withoutScheme(known.value.reveal()), token)) continue;
      call.token = &known;
      call.owner = known.user;
      return;
    }
    // A deploy token sees its app only.
    if (AppPtr app = appOfDeployToken(core, token)) {
      if (call.arguments.empty() || call.arguments[0] != app->name) refuseBy("E3");
      call.owner = "deploy token of " + app->name;
      return;
    }
  }
  refuseToken(route);
}

void checkLimit(Core& core, const Route& route, const Call& call) {
  if (core.options.rateLimits == RateLimits::Off || route.scope == Scope::Nothing || route.scope == Scope::WebApp) return;
  RateLimiter::Rate rate{1, 3};
  if (route.limit == Limit::GetMachine) rate = {5, 10};
  std::string identifier = call.arguments[route.scope == Scope::Machine ? 1 : 0];
  if (route.limit == Limit::DeleteApp) {
    rate = {100.0 / 60, 100};
    identifier = call.token ? call.token->organization : "";
  }
  if (!core.limiter.allow(route.action, identifier, rate)) refuseBy("E31");
}

void findApp(const Core& core, const Route& route, Call& call) {
  call.app = core.world.findApp(call.arguments[0]);
  if (!call.app || call.app->deleted) {
    if (route.action == "app_delete") refuseBy("E6.delete", {{"name", call.arguments[0]}});
    refuseBy("E6");
  }
  if (call.token && call.token->organization != call.app->organization) refuseBy("E3");
  if (route.scope != Scope::AppItself && core.now() < call.app->visibleAt) refuseBy("E6");
}

void findTarget(const Core& core, const Route& route, Call& call) {
  if (route.scope == Scope::Nothing) return;
  findApp(core, route, call);
  if (route.scope == Scope::Machine) {
    call.machine = core.world.findMachine(*call.app, call.arguments[1]);
    if (!call.machine || !isVisible(core, call, *call.machine)) refuseBy("E7");
    bool reads = route.action == "machine_wait" || route.action == "machine_get" || route.action == "machine_delete";
    if (!reads && !isRemembered(core, *call.machine)) refuseBy("E7");
  }
  if (route.scope == Scope::Volume) {
    call.volume = core.world.findVolume(*call.app, call.arguments[1]);
    if (!call.volume) refuse(404, "volume not found");  // I: the wording
  }
}

void readDocument(const Route& route, Call& call) {
  if (route.body.rule == RequestBody::Rule::None) return;
  call.goType = route.body.goType;
  if (!call.body.empty())
    call.document = parseBody(call.body, call.goType);
  else if (route.body.rule == RequestBody::Rule::Required)
    refuseBy("E33");
}

/// An empty list, as observed once on the real API (§12 pitfall 3).
void emptyTheList(Response& response) {
  boost::system::error_code code;
  json::value body = json::parse(response.body, code);
  if (code) return;
  if (body.is_array()) body = json::array();
  if (body.is_object()) {
    for (std::string_view name : {"machines", "volumes", "apps", "ips", "secrets"}) {
      if (json::value* list = body.get_object().if_contains(name); list && list->is_array()) *list = json::array();
    }
    body.get_object().erase("next_cursor");
  }
  response.body = json::serialize(body);
  std::erase_if(response.headers, [](const net::Header& header) { return header.name == "fly-next-cursor"; });
}

/// Performs the request itself, and returns its response.
awaitable<Response> perform(Core& core, const Route& route, Call& call) {
  findTarget(core, route, call);
  if (route.gate == LeaseGate::Gated) requireLease(core, call, *call.machine);
  co_return co_await route.handler(core, call);
}

/// A refusal counts as a response: what matters is that both were performed.
awaitable<Response> performTwice(Core& core, const Route& route, Call& call) {
  Call again = call;
  std::vector<Response> responses;
  for (Call* one : {&call, &again}) {
    try {
      responses.push_back(co_await perform(core, route, *one));
    } catch (const Refusal& refusal) {
      responses.push_back(refusal.response());
    }
  }
  co_return call.fault.twice == Twice::FirstResponse ? std::move(responses.front()) : std::move(responses.back());
}

awaitable<Response> runRoute(Core& core, const Route& route, Call& call) {
  if (auto fault = core.faults.take(call.method, call.path, route.action)) call.fault = std::move(*fault);
  if (call.fault.latency.count() > 0) co_await async::sleepFor(call.fault.latency);
  const FaultEffect fault = call.fault;
  if (fault.response && fault.commit == Commit::No) co_return *fault.response;
  readDocument(route, call);
  Response response = fault.twice == Twice::No ? co_await perform(core, route, call) : co_await performTwice(core, route, call);
  if (fault.emptyList) emptyTheList(response);
  if (call.method != "GET") response.headers.push_back({"set-cookie", format("{}={}; Path=/v1/apps", kAffinityCookie, kAffinityValue)});
  // The request is done and durable before its response is lost.
  if (call.method != "GET") co_await core.journal.flush();
  co_return fault.response ? *fault.response : std::move(response);
}

awaitable<Response> handleApi(Core& core, Call& call, std::string authorization) {
  const Route* route = findRoute(call.method, call.path, call.arguments);
  if (!route) refuseBy("E5");
  authenticate(core, *route, authorization, call);
  if (core.options.strictCheck && call.path.starts_with("/v1/")) {  // Fly's document covers only the Machines API
    if (auto violation = core.options.strictCheck(call.method, call.path, call.query, call.contentType, call.body)) {
      Response response = errorResponse(400, "strict mode: " + *violation);
      response.headers.push_back({"emulator-strict", "violation"});
      co_return response;
    }
  }
  checkLimit(core, *route, call);
  co_return co_await runRoute(core, *route, call);
}

bool isLocal(const std::string& address) {
  return address.empty() || address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

Call readCall(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  Call call;
  call.method = std::string(head.method);
  call.path = std::string(head.path());
  call.query = std::string(head.query());
  call.contentType = std::string(head.headers.find("content-type").value_or(""));
  call.leaseNonce = std::string(head.headers.find("fly-machine-lease-nonce").value_or(""));
  call.affinity = net::cookieValue(head.headers, kAffinityCookie) == kAffinityValue;
  return call;
}

awaitable<Response> handleCall(Core& core, Call& call, net::Exchange& exchange) {
  std::string authorization(exchange.head().headers.find("authorization").value_or(""));
  std::string peer = exchange.stream().peerAddress();
  call.body = co_await net::readAll(exchange.body(), kMaxBody);
  call.parameters = net::parseQuery(call.query);
  if (!call.path.starts_with("/emulator/")) co_return co_await handleApi(core, call, std::move(authorization));
  if (!isLocal(peer)) refuse(403, "the emulator's own routes are for the loopback interface");
  co_return co_await handleAdmin(core, call);
}

/// I: the response to an internal failure; the backend's text helps the user of the emulator.
Response failed(const Call& call, const Error& error) {
  log::warning("emulator: a request failed",
               {{"method", call.method}, {"path", call.path}, {"error", error.message()}, {"cause", error.cause()}});
  int status = error.code() == ErrorCode::InvalidArgument   ? 400
               : error.code() == ErrorCode::PayloadTooLarge ? 413
               : error.code() == ErrorCode::Unavailable     ? 503
                                                            : 500;
  return errorResponse(status, error.message());
}

}  // namespace

awaitable<void> Emulator::handle(net::Exchange& exchange) {
  Core& core = *core_;
  Call call = readCall(exchange);
  ++core.requests;
  Response response;
  try {
    response = co_await handleCall(core, call, exchange);
  } catch (const Refusal& refusal) {
    response = refusal.response();
  } catch (const Error& error) {
    response = failed(call, error);
  }
  if (response.cut) {
    exchange.stream().close();
    exchange.respondedRaw(net::Exchange::Reuse::Close);
    co_return;
  }
  response.headers.push_back({"fly-request-id", format("{}-{}", newUlid(core.now()), core.options.regions.front())});
  response.headers.push_back({"server", "Fly/emulator"});
  response.headers.push_back({"via", "1.1 fly.io"});
  if (!response.contentType.empty() && !response.body.empty()) response.headers.push_back({"content-type", response.contentType});
  co_await exchange.respond(response.status, std::move(response.headers), std::move(response.body));
}

}  // namespace swarm::emulator
