// The agent's one authenticated port.
#include "agent/server/server.h"

#include <array>
#include <charconv>
#include <span>

#include "agent/exec/exec.h"
#include "agent/server/responses.h"
#include "agent/server/tunnel.h"
#include "async/deadline.h"
#include "base/id.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"

namespace swarm::agent {
namespace {

enum class WhileHeld { Served, Refused };

struct Route {
  std::string_view path;
  TokenScope scope;
  std::string_view methods;  // comma-separated
  WhileHeld whileHeld = WhileHeld::Served;
};
constexpr std::array kRoutes{Route{kHealthPath, TokenScope::Status, "GET"},
                             Route{kUsagePath, TokenScope::Status, "GET"},
                             Route{kActivityPath, TokenScope::Status, "GET"},
                             Route{kExecPath, TokenScope::Exec, "GET, POST", WhileHeld::Refused},
                             Route{kVscodeTunnelPath, TokenScope::Vscode, "GET", WhileHeld::Refused},
                             Route{kHoldPath, TokenScope::Files, "POST"},
                             Route{kReleasePath, TokenScope::Files, "POST"},
                             Route{kExportPath, TokenScope::Files, "POST", WhileHeld::Refused},
                             Route{kImportPath, TokenScope::Files, "PUT", WhileHeld::Refused},
                             Route{kFreezePath, TokenScope::Files, "POST", WhileHeld::Refused},
                             Route{kThawPath, TokenScope::Files, "POST"},
                             Route{kSendPath, TokenScope::Files, "GET"},
                             Route{kReceivePath, TokenScope::Files, "GET"},
                             Route{kEndSessionPath, TokenScope::Control, "POST"}};
constexpr std::chrono::seconds kFrozenPatience{10};
constexpr std::string_view kFrozenReason = "This workspace is paused briefly while a snapshot is taken.";
constexpr std::size_t kMaxHoldRequest = 64 * 1024;
constexpr std::chrono::seconds kLongestHealthWait{10};
constexpr Route kPortRoute{kPortTunnelPrefix, TokenScope::Port, "GET", WhileHeld::Refused};
constexpr std::array kAllScopes{TokenScope::Status, TokenScope::Exec,  TokenScope::Vscode, TokenScope::Port,
                                TokenScope::Ssh,    TokenScope::Files, TokenScope::Control};

const Route* findRoute(std::string_view path) {
  for (const auto& route : kRoutes) {
    if (route.path == path) return &route;
  }
  return path.starts_with(kPortRoute.path) ? &kPortRoute : nullptr;
}

/// "wait=500"; anything else means no wait.
std::chrono::milliseconds waitOf(std::string_view query) {
  constexpr std::string_view name = "wait=";
  int milliseconds = 0;
  if (!query.starts_with(name)) return {};
  query.remove_prefix(name.size());
  auto [end, error] = std::from_chars(query.data(), query.data() + query.size(), milliseconds);
  return error == std::errc() && end == query.data() + query.size() ? std::chrono::milliseconds(milliseconds)
                                                                    : std::chrono::milliseconds(0);
}

}  // namespace

std::optional<TokenScope> scopeOf(std::string_view path) {
  const Route* route = findRoute(path);
  return route ? std::optional(route->scope) : std::nullopt;
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
  if (!route) co_return co_await answerReason(exchange, 404, "Unknown path.");
  if (!net::listHasToken(route->methods, head.method)) {
    net::Headers headers{{"Allow", std::string(route->methods)}};
    co_return co_await exchange.respond(405, std::move(headers), "");
  }
  if (route->whileHeld == WhileHeld::Refused && parts_.hold.closed()) co_return co_await answerReason(exchange, 503, parts_.hold.reason());
  // The stream lives as long as the request, even after a takeover: its handler keeps the request until the end.
  Sessions::Request request(sessions_, claims->session, [&stream = exchange.stream()] { stream.close(); });
  co_await answer(route->path, exchange);
}

async::awaitable<void> AgentServer::answer(std::string_view path, net::Exchange& exchange) {
  if (path == kEndSessionPath) co_return co_await answerEndSession(exchange);
  if (path == kExportPath) co_return co_await parts_.archives.handleExport(exchange);
  if (path == kImportPath) co_return co_await parts_.archives.handleImport(exchange);
  if (path == kFreezePath) co_return co_await answerFreeze(exchange);
  if (path == kThawPath) co_return co_await answerThaw(exchange);
  if (path == kHoldPath) co_return co_await answerHold(exchange);
  if (path == kReleasePath) co_return co_await answerRelease(exchange);
  if (path == kSendPath) co_return co_await parts_.transfers.handle(transfer::Role::Source, exchange);
  if (path == kReceivePath) co_return co_await parts_.transfers.handle(transfer::Role::Target, exchange);
  if (path == kHealthPath) co_return co_await answerHealth(exchange);
  if (path == kUsagePath) co_return co_await answerUsage(exchange);
  if (path == kActivityPath) co_return co_await answerActivity(exchange);
  if (path == kExecPath) co_return co_await handleExec(exchange);
  if (path == kVscodeTunnelPath) {
    co_return co_await handleVscodeTunnel(parts_.vscode, parts_.vscodeSocket, parts_.activity, parts_.hold, exchange);
  }
  co_await handlePortTunnel(std::string(exchange.head().path().substr(kPortTunnelPrefix.size())), parts_.activity, parts_.hold, exchange);
}

async::awaitable<void> AgentServer::answerHealth(net::Exchange& exchange) {
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
  co_await answerJson(exchange, 200, std::move(body));
}

async::awaitable<void> AgentServer::answerUsage(net::Exchange& exchange) {
  ResourceUsage usage = co_await parts_.usage.measure();
  co_await answerJson(exchange, 200, toJson(usage).as_object());
}

async::awaitable<void> AgentServer::answerActivity(net::Exchange& exchange) {
  boost::json::object body{{"lastActivity", formatTime(parts_.activity.lastActivity())}, {"connections", parts_.activity.connections()}};
  co_await answerJson(exchange, 200, std::move(body));
}

async::awaitable<void> AgentServer::handleExec(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.head();
  if (!co_await parts_.freeze.waitUntilThawed(Deadline::after(kFrozenPatience)))
    co_return co_await answerReason(exchange, 503, std::string(kFrozenReason));
  if (head.method == "POST") co_return co_await handleExecPost(parts_.exec, parts_.activity, parts_.hold, exchange);
  if (!net::equalsIgnoreCase(head.upgrade, "websocket"))
    co_return co_await answerReason(exchange, 426, "GET needs \"Upgrade: websocket\".");
  co_await handleExecStream(parts_.exec, parts_.activity, parts_.hold, exchange);
}

async::awaitable<std::optional<AgentServer::TransferRequest>> AgentServer::readTransferRequest(net::Exchange& exchange) {
  TransferRequest wanted;
  std::optional<Error> wrong;
  try {
    std::string body = co_await net::readAll(exchange.body(), kMaxHoldRequest);
    ObjectReader reader(parseJson(body), UnknownFields::Ignore);
    wanted.transfer = reader.require<std::string>("transfer");
    wanted.reason = reader.read<std::string>("reason").value_or("");
    if (wanted.transfer.empty()) reader.fail("/transfer", "must not be empty");
    reader.finish();
  } catch (const Error& error) {
    wrong = error;
  }
  if (!wrong) co_return wanted;
  co_await answerError(exchange, *wrong);
  co_return std::nullopt;
}

async::awaitable<void> AgentServer::answerHold(net::Exchange& exchange) {
  auto wanted = co_await readTransferRequest(exchange);
  if (!wanted) co_return;
  if (parts_.archives.isImporting()) co_return co_await answerReason(exchange, 409, parts_.hold.reason());
  parts_.freeze.thaw();  // a stopped process would not react to SIGTERM
  co_await answerHeld(exchange, parts_.hold.hold(std::move(wanted->transfer), std::move(wanted->reason)));
}

async::awaitable<void> AgentServer::answerRelease(net::Exchange& exchange) {
  co_await net::readAll(exchange.body(), kMaxHoldRequest);
  if (parts_.archives.isImporting()) co_return co_await answerReason(exchange, 409, parts_.hold.reason());
  parts_.freeze.thaw();
  co_await answerHeld(exchange, parts_.hold.release());
}

async::awaitable<void> AgentServer::answerFreeze(net::Exchange& exchange) {
  auto wanted = co_await readTransferRequest(exchange);
  if (!wanted) co_return;
  if (parts_.hold.closed()) co_return co_await answerReason(exchange, 503, parts_.hold.reason());
  std::size_t frozen = 0;
  std::optional<Error> failure;
  try {
    frozen = co_await parts_.freeze.freeze(std::move(wanted->transfer));
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) co_return co_await answerError(exchange, *failure);
  co_await answerJson(exchange, 200, boost::json::object{{"frozen", frozen}});
}

async::awaitable<void> AgentServer::answerThaw(net::Exchange& exchange) {
  co_await net::readAll(exchange.body(), kMaxHoldRequest);
  parts_.freeze.thaw();
  co_await answerJson(exchange, 200, {});
}

async::awaitable<void> AgentServer::answerEndSession(net::Exchange& exchange) {
  std::string session;
  std::optional<Error> wrong;
  try {
    ObjectReader reader(parseJson(co_await net::readAll(exchange.body(), kMaxHoldRequest)), UnknownFields::Ignore);
    session = reader.require<std::string>("session");
    reader.finish();
  } catch (const Error& error) {
    wrong = error;
  }
  if (wrong) co_return co_await answerError(exchange, *wrong);
  sessions_.end(session);
  co_await answerJson(exchange, 200, {});
}

async::awaitable<void> AgentServer::answerHeld(net::Exchange& exchange, async::awaitable<void> change) {
  std::optional<Error> failure;
  try {
    co_await std::move(change);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) co_return co_await answerError(exchange, *failure);
  co_await answerJson(exchange, 200, boost::json::object{{"held", parts_.hold.transfer()}, {"boot", boot_}});
}

}  // namespace swarm::agent
