// The agent's one authenticated port.
#include "agent/server/server.h"

#include <algorithm>
#include <array>
#include <span>

#include "agent/exec/exec.h"
#include "agent/server/responses.h"
#include "agent/server/tunnel.h"
#include "async/attempt.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/number.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"
#include "protocol/ssh.h"

namespace swarm::agent {
namespace {
constexpr std::chrono::seconds kFrozenPatience{10};
constexpr std::string_view kFrozenReason = "This workspace is paused briefly while a snapshot is taken.";
constexpr std::size_t kMaxHoldRequest = 64 * 1024;
constexpr std::chrono::seconds kLongestHealthWait{10};
constexpr std::array kAllScopes{TokenScope::Status, TokenScope::Exec,  TokenScope::Vscode, TokenScope::Port,
                                TokenScope::Ssh,    TokenScope::Files, TokenScope::Control};

/// "wait=500"; anything else means no wait.
std::chrono::milliseconds waitOf(std::string_view query) {
  constexpr std::string_view name = "wait=";
  if (!query.starts_with(name)) return {};
  return std::chrono::milliseconds(parseNumber<int>(query.substr(name.size())).value_or(0));
}

}  // namespace

struct AgentServer::Route {
  enum class WhileHeld { Served, Refused };
  std::string_view path;
  TokenScope scope;
  std::string_view methods;  // comma-separated
  async::awaitable<void> (*handle)(AgentServer&, net::Exchange&);
  WhileHeld whileHeld = WhileHeld::Served;
};

const AgentServer::Route* AgentServer::findRoute(std::string_view path) {
  using Self = AgentServer;
  using Call = net::Exchange;
  using enum Route::WhileHeld;
  static constexpr std::array kRoutes{
      Route{kHealthPath, TokenScope::Status, "GET", [](Self& self, Call& call) { return self.handleHealth(call); }},
      Route{kUsagePath, TokenScope::Status, "GET", [](Self& self, Call& call) { return self.handleUsage(call); }},
      Route{kActivityPath, TokenScope::Status, "GET", [](Self& self, Call& call) { return self.handleActivity(call); }},
      Route{kExecPath, TokenScope::Exec, "GET, POST", [](Self& self, Call& call) { return self.handleExec(call); }, Refused},
      Route{kVscodeTunnelPath, TokenScope::Vscode, "GET",
            [](Self& self, Call& call) {
              AgentParts& parts = self.parts_;
              return handleVscodeTunnel(parts.vscode, parts.vscodeSocket, parts.activity, parts.hold, call);
            },
            Refused},
      Route{kSshTunnelPath, TokenScope::Ssh, "GET", [](Self& self, Call& call) { return self.handleSsh(call); }, Refused},
      Route{kHoldPath, TokenScope::Files, "POST", [](Self& self, Call& call) { return self.handleHold(call); }},
      Route{kReleasePath, TokenScope::Files, "POST", [](Self& self, Call& call) { return self.handleRelease(call); }},
      Route{kExportPath, TokenScope::Files, "POST", [](Self& self, Call& call) { return self.parts_.archives.handleExport(call); },
            Refused},
      Route{kImportPath, TokenScope::Files, "PUT", [](Self& self, Call& call) { return self.parts_.archives.handleImport(call); }, Refused},
      Route{kFreezePath, TokenScope::Files, "POST", [](Self& self, Call& call) { return self.handleFreeze(call); }, Refused},
      Route{kThawPath, TokenScope::Files, "POST", [](Self& self, Call& call) { return self.handleThaw(call); }},
      Route{kSendPath, TokenScope::Files, "GET",
            [](Self& self, Call& call) { return self.parts_.transfers.handle(transfer::Role::Source, call); }},
      Route{kReceivePath, TokenScope::Files, "GET",
            [](Self& self, Call& call) { return self.parts_.transfers.handle(transfer::Role::Target, call); }},
      Route{kEndSessionPath, TokenScope::Control, "POST", [](Self& self, Call& call) { return self.handleEndSession(call); }},
  };
  static constexpr Route kPortRoute{kPortTunnelPrefix, TokenScope::Port, "GET",
                                    [](Self& self, Call& call) {
                                      std::string port(call.head().path().substr(kPortTunnelPrefix.size()));
                                      return handlePortTunnel(std::move(port), self.parts_.activity, self.parts_.hold, call);
                                    },
                                    Refused};
  const auto* found = std::ranges::find(kRoutes, path, &Route::path);
  return found != kRoutes.end() ? found : path.starts_with(kPortRoute.path) ? &kPortRoute : nullptr;
}

AgentServer::AgentServer(AgentParts parts)
    : parts_(std::move(parts)), sessions_(parts_.clock), started_(parts_.clock.steadyNow()), boot_(toHex(randomBytes(8))) {}

net::HttpHandler AgentServer::handler() {
  return [this](net::Exchange& exchange) { return handle(exchange); };
}

std::optional<TokenClaims> AgentServer::claimsOf(const net::RequestHead& head, std::optional<TokenScope> scope) const {
  auto token = head.headers.find(kTokenHeader);
  if (!token) return std::nullopt;
  // An unknown path has no scope: any valid token may receive the 404.
  for (TokenScope wanted : scope ? std::span(&*scope, 1) : std::span<const TokenScope>(kAllScopes)) {
    auto claims = verifyInstanceToken(*token, parts_.key, parts_.instanceId, wanted, parts_.clock);
    if (claims) return sessions_.hasEnded(claims->session) ? std::nullopt : std::optional(std::move(*claims));
  }
  return std::nullopt;
}

async::awaitable<void> AgentServer::handle(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  const Route* route = findRoute(head.path());
  auto claims = claimsOf(head, route ? std::optional(route->scope) : std::nullopt);
  if (!claims) co_return co_await exchange.respond(401, {}, "");
  if (!route) co_return co_await respondReason(exchange, 404, "Unknown path.");
  if (!net::listHasToken(route->methods, head.method)) {
    net::Headers headers{{"Allow", std::string(route->methods)}};
    co_return co_await exchange.respond(405, std::move(headers), "");
  }
  if (route->whileHeld == Route::WhileHeld::Refused && parts_.hold.closed())
    co_return co_await respondReason(exchange, 503, parts_.hold.reason());
  // The stream lives as long as the request, even after a takeover: its handler keeps the request until the end.
  Sessions::Request request(sessions_, claims->session, [&stream = exchange.stream()] { stream.close(); });
  auto done = co_await async::attempt(route->handle(*this, exchange));
  if (done) co_return;
  if (exchange.responded()) throw done.error();
  if (done.error().code() == ErrorCode::Internal)
    log::warning("a request failed", {{"path", head.path()}, {"error", done.error().message()}, {"cause", done.error().cause()}});
  co_await respondError(exchange, done.error());
}

async::awaitable<void> AgentServer::handleHealth(net::Exchange& exchange) {
  if (auto wait = waitOf(exchange.head().query()); wait > std::chrono::milliseconds(0) && !isReady()) {
    auto end = Deadline::after(std::min<std::chrono::milliseconds>(wait, kLongestHealthWait));
    co_await async::race(parts_.vscode.waitUntilReady(end), parts_.hold.waitUntilHeld(end));
  }
  auto uptime = std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.steadyNow() - started_).count();
  boost::json::object body{{"ready", isReady()},
                           {"reason", parts_.hold.closed() ? parts_.hold.reason() : parts_.vscode.reason()},
                           {"generation", parts_.vscode.generation()},
                           {"vscode", toString(parts_.vscode.state())},
                           {"uptime", uptime},
                           {"held", parts_.archives.isImporting() ? std::string() : parts_.hold.transfer()},
                           {"importing", parts_.archives.isImporting()},
                           {"boot", boot_},
                           {"setup", parts_.setup.toJson()},
                           {"warning", parts_.warning}};
  co_await respondJson(exchange, 200, std::move(body));
}

async::awaitable<void> AgentServer::handleUsage(net::Exchange& exchange) {
  ResourceUsage usage = co_await parts_.usage.measure();
  co_await respondJson(exchange, 200, toJson(usage).as_object());
}

async::awaitable<void> AgentServer::handleActivity(net::Exchange& exchange) {
  boost::json::object body{{"lastActivity", formatTime(parts_.activity.lastActivity())}, {"connections", parts_.activity.connections()}};
  co_await respondJson(exchange, 200, std::move(body));
}

async::awaitable<void> AgentServer::handleExec(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  if (!co_await parts_.freeze.waitUntilThawed(Deadline::after(kFrozenPatience)))
    co_return co_await respondReason(exchange, 503, std::string(kFrozenReason));
  if (head.method == "POST") co_return co_await handleExecPost(parts_.exec, parts_.activity, parts_.hold, exchange);
  if (!net::equalsIgnoreCase(head.upgrade, "websocket"))
    co_return co_await respondReason(exchange, 426, "GET needs \"Upgrade: websocket\".");
  co_await handleExecStream(parts_.exec, parts_.activity, parts_.hold, exchange);
}

async::awaitable<void> AgentServer::handleSsh(net::Exchange& exchange) {
  if (!co_await parts_.freeze.waitUntilThawed(Deadline::after(kFrozenPatience)))
    co_return co_await respondReason(exchange, 503, std::string(kFrozenReason));
  co_await handleSshTunnel(parts_.ssh, parts_.activity, parts_.hold, exchange);
}

async::awaitable<AgentServer::TransferRequest> AgentServer::readTransferRequest(net::Exchange& exchange) {
  ObjectReader reader(parseJson(co_await net::readAll(exchange.body(), kMaxHoldRequest)), UnknownFields::Ignore);
  TransferRequest wanted{reader.require<std::string>("transfer"), reader.read<std::string>("reason").value_or("")};
  if (wanted.transfer.empty()) reader.fail("/transfer", "must not be empty");
  reader.finish();
  co_return wanted;
}

async::awaitable<void> AgentServer::handleHold(net::Exchange& exchange) {
  auto wanted = co_await readTransferRequest(exchange);
  if (parts_.archives.isImporting()) co_return co_await respondReason(exchange, 409, parts_.hold.reason());
  parts_.freeze.thaw();  // a stopped process would not react to SIGTERM
  co_await parts_.hold.hold(std::move(wanted.transfer), std::move(wanted.reason));
  co_await respondHeld(exchange);
}

async::awaitable<void> AgentServer::handleRelease(net::Exchange& exchange) {
  const std::string body = co_await net::readAll(exchange.body(), kMaxHoldRequest);
  ObjectReader reader(body.empty() ? boost::json::object() : parseJson(body), UnknownFields::Ignore);
  const std::string boot = reader.read<std::string>("boot").value_or(boot_);
  reader.finish();
  // Meant for an earlier run of the workspace, whose network had its rules.
  if (boot != boot_) co_return co_await respondReason(exchange, 409, "The workspace's agent has been started again.");
  if (parts_.archives.isImporting()) co_return co_await respondReason(exchange, 409, parts_.hold.reason());
  parts_.freeze.thaw();
  co_await parts_.hold.release();
  co_await respondHeld(exchange);
}

async::awaitable<void> AgentServer::respondHeld(net::Exchange& exchange) {
  co_await respondJson(exchange, 200, boost::json::object{{"held", parts_.hold.transfer()}, {"boot", boot_}});
}

async::awaitable<void> AgentServer::handleFreeze(net::Exchange& exchange) {
  auto wanted = co_await readTransferRequest(exchange);
  if (parts_.hold.closed()) co_return co_await respondReason(exchange, 503, parts_.hold.reason());
  const std::size_t frozen = co_await parts_.freeze.freeze(std::move(wanted.transfer));
  co_await respondJson(exchange, 200, boost::json::object{{"frozen", frozen}});
}

async::awaitable<void> AgentServer::handleThaw(net::Exchange& exchange) {
  co_await net::readAll(exchange.body(), kMaxHoldRequest);
  parts_.freeze.thaw();
  co_await respondJson(exchange, 200, {});
}

async::awaitable<void> AgentServer::handleEndSession(net::Exchange& exchange) {
  ObjectReader reader(parseJson(co_await net::readAll(exchange.body(), kMaxHoldRequest)), UnknownFields::Ignore);
  auto session = reader.require<std::string>("session");
  reader.finish();
  sessions_.end(session);
  co_await respondJson(exchange, 200, {});
}

}  // namespace swarm::agent
