// The inside of an instance: commands, network, tokens, and the two streams that are passed through to its agent as bytes.
#include <boost/json/serializer.hpp>

#include "agent/client/ssh_client.h"
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "api/watch.h"
#include "auth/entry.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "protocol/ssh.h"

namespace swarm::api {
namespace {

namespace json = boost::json;
constexpr std::size_t kJsonPiece = 32 * 1024;

/// The part of a client's WebSocket handshake that is forwarded to the agent.
net::Headers handshakeOf(const net::RequestHead& head) {
  net::Headers handshake;
  for (std::string_view name : {"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"}) {
    if (auto value = head.headers.find(name)) handshake.push_back({std::string(name), std::string(*value)});
  }
  return handshake;
}

net::Headers upgradeHeaders(const net::HttpExchange& response, const std::string& request_id) {
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"X-Request-Id", request_id}};
  for (const net::Header& header : response.headers()) {
    if (net::equalsIgnoreCase(header.name, "Sec-WebSocket-Accept") || net::equalsIgnoreCase(header.name, "Sec-WebSocket-Protocol"))
      headers.push_back(header);
  }
  return headers;
}

/// Both ends close when the session ends, or the client leaves.
awaitable<void> passThrough(Services& services, Call& call, net::StreamPtr client, net::StreamPtr inside) {
  if (!co_await runWhileWanted(services, call, *client, net::pump(*client, *inside))) {
    client->close();
    inside->close();
  }
}

awaitable<agent::AgentTarget> requireAgent(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Inside);
  co_return co_await services.controller.agentTarget(instance.id.str());
}

/// Sends a response that may be large piece by piece: as JSON, text may take six times its bytes.
awaitable<Reply> sendJson(Call& call, json::value value) {
  net::Exchange& exchange = call.exchange();
  co_await call.begin(kJsonType);
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

awaitable<Reply> executeCommand(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Inside);
  std::vector<FieldError> faults;
  auto request = readRequest<ExecuteCommandRequest>(call.body(), faults);
  if (faults.empty() && request.command.front().empty()) faults.push_back({"/command", "must name a program"});
  for (std::size_t i = 0; i < request.command.size(); ++i)
    if (request.command[i].find('\0') != std::string::npos) faults.push_back({format("/command/{}", i), "must not contain NUL"});
  throwIfAny(std::move(faults));
  auto place = services.open.take(call.principal().user, instance.id, 2 * agent::kMaxBufferedOutput);
  CommandResult result;
  auto run = [](SwarmController& controller, std::string id, ExecuteCommandRequest what, CommandResult& its_result) -> awaitable<void> {
    its_result = co_await controller.executeCommand(std::move(id), std::move(what.command), std::move(what.stdinText),
                                                    Deadline::after(std::chrono::seconds(what.timeout)));
  };
  if (!co_await runCommandWhileWanted(services, call, run(services.controller, instance.id.str(), std::move(request), result)))
    throw Error(ErrorCode::Cancelled, "The command was ended, because its session ended or its client closed its side of the connection.")
        .withInstance(instance.id.str());
  co_return co_await sendJson(call, toJson(result));
}

awaitable<Reply> getNetwork(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Read);
  co_return reply(co_await services.controller.getNetworkInfo(instance.id.str()));
}

awaitable<Reply> getAccess(Services& services, Call& call) {
  const Instance instance = co_await requireInstance(services, call, Permission::Read);
  const bool may_enter = isAllowed(call.principal(), Permission::Inside, instance.owner, instance.id);
  co_return reply(InstanceAccess{instance.owner, may_enter, may_enter && isRecordedEntry(call.principal(), instance.owner, instance.id)});
}

awaitable<Reply> issueToken(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Inside);
  std::vector<FieldError> faults;
  const auto request = readRequest<IssueTokenRequest>(call.body(), faults);
  const std::optional<TokenScope> scope = issuedScopeFromString(request.scope);
  if (!scope && faults.empty()) faults.push_back({"/scope", format("must be one of {}", issuedScopeNames())});
  throwIfAny(std::move(faults));
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id.str());
  // The token ends with its session, or soon after when the agent cannot be notified.
  auto session_left = std::chrono::floor<std::chrono::seconds>(call.principal().expiresAt - services.clock.now());
  auto life = std::min({std::chrono::seconds(request.ttl), kLongestIssuedLife, session_left});
  const Grant* grant = instance.owner == call.principal().user ? nullptr : grantFor(call.principal(), instance.id);
  if (grant) life = std::min(life, std::chrono::ceil<std::chrono::seconds>(grant->until - services.clock.now()));
  SystemTime expires_at = services.clock.now() + life;
  // A share that is granted again is another one: the agent accepts no token of the former.
  const std::string session = call.principal().sessionId + (grant ? format("/{}", grant->since.time_since_epoch().count()) : std::string());
  std::string token = signInstanceToken(target.key, instance.id.str(), *scope, life, services.clock, session);
  co_await services.controller.noteIssuedToken(instance.id.str(), session, expires_at, mayGoOn(services, call));
  co_return reply(InstanceTokenResponse{std::move(token), instance.id, request.scope, expires_at});
}

awaitable<Reply> openExec(Services& services, Call& call) {
  agent::AgentTarget target = co_await requireAgent(services, call);
  if (!call.exchange().head().headers.has("Sec-WebSocket-Key"))
    throw Error(ErrorCode::InvalidArgument, "The WebSocket handshake lacks the header Sec-WebSocket-Key.");
  auto place = services.open.take(call.principal().user, target.instanceId);
  auto response = co_await agent::openExec(target, handshakeOf(call.exchange().head()), Deadline::after(services.options.upstreamTimeout));
  net::StreamPtr inside = response->takeStream();
  net::StreamPtr client = co_await call.takeOver(upgradeHeaders(*response, call.requestId()));
  co_await passThrough(services, call, std::move(client), std::move(inside));
  co_return sentReply(101);
}

awaitable<Reply> openPort(Services& services, Call& call) {
  const std::uint16_t port = parseNumber<std::uint16_t>(call.argument(1)).value_or(0);
  if (port == 0) throw Error(ErrorCode::InvalidArgument, "The port must be a number from 1 to 65535.");
  agent::AgentTarget target = co_await requireAgent(services, call);
  auto place = services.open.take(call.principal().user, target.instanceId);
  net::StreamPtr inside = co_await agent::openPortTunnel(target, port, Deadline::after(services.options.upstreamTimeout));
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", std::string(agent::kTunnelProtocol)}, {"X-Request-Id", call.requestId()}};
  net::StreamPtr client = co_await call.takeOver(std::move(headers));
  co_await passThrough(services, call, std::move(client), std::move(inside));
  co_return sentReply(101);
}

awaitable<Reply> openSsh(Services& services, Call& call) {
  agent::AgentTarget target = co_await requireAgent(services, call);
  const std::optional<std::string> key = agent::readSshPublicKey(call.text(agent::kSshKeyHeader).value_or(""));
  std::vector<FieldError> faults;
  if (!key) faults.push_back({format("header {}", agent::kSshKeyHeader), "must be a public key of SSH, like \"ssh-ed25519 AAAA…\""});
  throwIfAny(std::move(faults));
  const std::string id = target.instanceId.str();
  auto place = services.open.take(call.principal().user, target.instanceId);
  agent::SshTunnel tunnel =
      co_await agent::openSshTunnel(std::move(target), {.keys = {*key}}, Deadline::after(services.options.upstreamTimeout));
  net::Headers headers{{"Connection", "Upgrade"},
                       {"Upgrade", std::string(agent::kTunnelProtocol)},
                       {"X-Request-Id", call.requestId()},
                       {std::string(agent::kSshHostKeyHeader), tunnel.hostKey},
                       {std::string(agent::kInstanceHeader), id}};
  net::StreamPtr client = co_await call.takeOver(std::move(headers));
  co_await passThrough(services, call, std::move(client), std::move(tunnel.stream));
  co_return sentReply(101);
}

}  // namespace

std::vector<Endpoint> insideRoutes() {
  return {

      at("POST", "/api/instances/{id}/exec", Permission::Inside, "executeCommand", executeCommand,
         {.summary = "Run a command to its end",
          .description = "As the user coder, in the home folder. Output beyond 1 MiB is discarded, and `truncated` is true. The command is "
                         "ended when the client closes the connection, or its side of it, before the response.",
          .responses = {ok<CommandResult>("Its output and exit code")},
          .problems = {409, 503},
          .parameters = {instanceRef()},
          .body = jsonBody<ExecuteCommandRequest>(),
          .recorded = Recorded::Entry}),
      at("GET", "/api/instances/{id}/network", Permission::Read, "getNetworkInfo", getNetwork,
         {.summary = "Addresses, ports and URLs",
          .description = "As the provider reports them at this moment.",
          .responses = {ok<NetworkInfo>("The network")},
          .problems = {409, 503},
          .parameters = {instanceRef()}}),
      at("GET", "/api/instances/{id}/access", Permission::Read, "getInstanceAccess", getAccess,
         {.summary = "Whether the caller may enter",
          .description = "And whether such an entry is recorded, which programs announce to their users before it.",
          .responses = {ok<InstanceAccess>("What the caller may do with it")},
          .parameters = {instanceRef()}}),
      at("POST", "/api/instances/{id}/token", Permission::Inside, "issueInstanceToken", issueToken,
         {.summary = "Issue a short-lived token for the instance's agent",
          .description = "It opens only the agent of that instance, and only for the scope.",
          .responses = {ok<InstanceTokenResponse>("The token")},
          .problems = {409, 503},
          .parameters = {instanceRef()},
          .body = jsonBody<IssueTokenRequest>()}),
      at("GET", "/api/instances/{id}/exec", Permission::Inside, "openExec", openExec,
         {.summary = "Run a command with streams (WebSocket)",
          .description = "The frames are those of the agent's exec stream (src/agent/README.md), passed through as bytes.",
          .responses = {{.status = 101, .description = "A WebSocket with the agent's exec frames", .headers = {"Upgrade"}}},
          .problems = {409, 426, 503},
          .parameters = {instanceRef()},
          .kind = RouteKind::Upgrade,
          .upgrade = "websocket"}),
      at("GET", "/api/instances/{id}/ports/{port}", Permission::Inside, "openPort", openPort,
         {.summary = "Tunnel to a TCP port inside",
          .description = "After the 101, the connection is a connection to the port, in both directions.",
          .responses = {{.status = 101, .description = "From here on, the connection is the port's", .headers = {"Upgrade"}}},
          .problems = {409, 426, 503},
          .parameters = {instanceRef(),
                         {.location = Parameter::Location::Path,
                          .name = "port",
                          .kind = Parameter::Kind::Integer,
                          .description = "A port that listens in the instance",
                          .minimum = 1,
                          .maximum = 65'535}},
          .kind = RouteKind::Upgrade,
          .upgrade = agent::kTunnelProtocol}),
      at("GET", "/api/instances/{id}/ssh", Permission::Inside, "openSsh", openSsh,
         {.summary = "Connect to the SSH server inside",
          .description = "After the 101, the connection is one to an sshd that admits the key in Swarm-Ssh-Key alone, for the user coder.",
          .responses = {{.status = 101,
                         .description = "From here on, the connection is SSH's",
                         .headers = {"Upgrade", agent::kSshHostKeyHeader, agent::kInstanceHeader}}},
          .problems = {409, 422, 426, 503},
          .parameters = {instanceRef(), header(agent::kSshKeyHeader, "The client's public key, in OpenSSH's form; required",
                                               static_cast<std::int64_t>(agent::kMaxSshKey))},
          .kind = RouteKind::Upgrade,
          .upgrade = agent::kTunnelProtocol}),
  };
}

}  // namespace swarm::api
