// What happens inside an instance: commands, usage, network, tokens, and the two streams that are passed through to its agent as bytes.
#include <boost/json/serializer.hpp>

#include "agent/client/client.h"
#include "api/handlers/handlers.h"
#include "api/watch.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/requests.h"

namespace swarm::api {
namespace {

namespace json = boost::json;
constexpr std::size_t kJsonPiece = 32 * 1024;

/// The part of a client's WebSocket handshake that is the agent's to answer.
net::Headers handshakeOf(const net::RequestHead& head) {
  net::Headers handshake;
  for (std::string_view name : {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"}) {
    if (auto value = head.headers.find(name)) handshake.push_back({std::string(name), std::string(*value)});
  }
  return handshake;
}

net::Headers upgradeHeaders(const net::HttpExchange& answer, const std::string& request_id) {
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"X-Request-Id", request_id}};
  for (const net::Header& header : answer.headers()) {
    if (net::equalsIgnoreCase(header.name, "Sec-WebSocket-Accept") || net::equalsIgnoreCase(header.name, "Sec-WebSocket-Protocol"))
      headers.push_back(header);
  }
  return headers;
}

/// Both ends close when the session ends.
awaitable<void> passThrough(Services& services, Call& call, net::StreamPtr client, net::StreamPtr inside) {
  if (!co_await runWhileWanted(services, call, WatchPeer::No, net::pump(*client, *inside))) {
    client->close();
    inside->close();
  }
}

awaitable<agent::AgentTarget> requireAgent(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::UseOwn);
  co_return co_await services.controller.agentTarget(instance.id);
}

/// An answer that may be large: as JSON, text may have six times its bytes, so that it is written piece by piece.
awaitable<Reply> sendJson(Call& call, json::value value) {
  net::Exchange& exchange = call.exchange();
  co_await exchange.begin(200, {{"Content-Type", "application/json"},
                                {"X-Request-Id", call.requestId()},
                                {"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"}});
  json::serializer pieces;
  pieces.reset(&value);
  std::vector<char> buffer(kJsonPiece);
  while (!pieces.done()) {
    const json::string_view piece = pieces.read(buffer.data(), buffer.size());
    if (!co_await exchange.write({piece.data(), piece.size()})) {
      call.cut();
      co_return sentReply(200);
    }
  }
  co_await exchange.finish();
  co_return sentReply(200);
}

}  // namespace

awaitable<Reply> executeCommand(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::UseOwn);
  std::vector<FieldError> faults;
  auto asked = readRequest<ExecuteCommandRequest>(call.body(), faults);
  if (faults.empty() && asked.command.front().empty()) faults.push_back({"/command", "must name a program"});
  for (std::size_t i = 0; i < asked.command.size(); ++i)
    if (asked.command[i].find('\0') != std::string::npos) faults.push_back({format("/command/{}", i), "must not contain NUL"});
  throwIfAny(std::move(faults));
  auto place = services.open.take(call.principal().user, instance.id, 2 * agent::kMaxBufferedOutput);
  CommandResult result = co_await services.controller.executeCommand(instance.id, std::move(asked.command), std::move(asked.stdinText),
                                                                     Deadline::after(std::chrono::seconds(asked.timeout)));
  co_return co_await sendJson(call, toJson(result));
}

awaitable<Reply> getUsage(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::ReadOwn);
  co_return jsonReply(200, toJson(co_await services.controller.getResourceUsage(instance.id)));
}

awaitable<Reply> getNetwork(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::ReadOwn);
  co_return jsonReply(200, toJson(co_await services.controller.getNetworkInfo(instance.id)));
}

awaitable<Reply> issueToken(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::UseOwn);
  std::vector<FieldError> faults;
  const auto asked = readRequest<IssueTokenRequest>(call.body(), faults);
  const std::optional<TokenScope> scope = issuedScopeFromString(asked.scope);
  if (!scope && faults.empty()) faults.push_back({"/scope", format("must be one of {}", issuedScopeNames())});
  throwIfAny(std::move(faults));
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id);
  // It ends with its session; where the agent can't be told of that, soon after.
  auto session_left = std::chrono::floor<std::chrono::seconds>(call.principal().expiresAt - services.clock.now());
  auto life = std::min({std::chrono::seconds(asked.ttl), kLongestIssuedLife, session_left});
  SystemTime expires_at = services.clock.now() + life;
  const std::string& session = call.principal().sessionId;
  std::string token = signInstanceToken(target.key, instance.id, *scope, life, services.clock, session);
  co_await services.controller.noteIssuedToken(instance.id, session, expires_at, [&auth = services.auth, principal = call.principal()] {
    return auth.stillSignedIn(principal).has_value();
  });
  co_return jsonReply(
      200, json::object{{"token", token}, {"instanceId", instance.id}, {"scope", asked.scope}, {"expiresAt", formatTime(expires_at)}});
}

awaitable<Reply> openExec(Services& services, Call& call) {
  agent::AgentTarget target = co_await requireAgent(services, call);
  if (!call.exchange().head().headers.has("Sec-WebSocket-Key"))
    throw Error(ErrorCode::InvalidArgument, "A WebSocket handshake needs a Sec-WebSocket-Key header.");
  auto place = services.open.take(call.principal().user, target.instanceId);
  auto answer = co_await agent::openExec(target, handshakeOf(call.exchange().head()), Deadline::after(services.options.upstreamTimeout));
  net::StreamPtr inside = answer->takeStream();
  net::StreamPtr client = co_await call.takeOver(upgradeHeaders(*answer, call.requestId()));
  co_await passThrough(services, call, std::move(client), std::move(inside));
  co_return sentReply(101);
}

awaitable<Reply> openPort(Services& services, Call& call) {
  std::uint16_t port = 0;
  const std::string& text = call.argument(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    throw Error(ErrorCode::InvalidArgument, "A port is a number from 1 to 65535.");
  agent::AgentTarget target = co_await requireAgent(services, call);
  auto place = services.open.take(call.principal().user, target.instanceId);
  net::StreamPtr inside = co_await agent::openPortTunnel(target, port, Deadline::after(services.options.upstreamTimeout));
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", std::string(agent::kTunnelProtocol)}, {"X-Request-Id", call.requestId()}};
  net::StreamPtr client = co_await call.takeOver(std::move(headers));
  co_await passThrough(services, call, std::move(client), std::move(inside));
  co_return sentReply(101);
}

}  // namespace swarm::api
