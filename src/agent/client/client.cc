// AgentClient over HTTP and tunnels.
#include "agent/client/client.h"

#include <boost/json/serialize.hpp>

#include "agent/client/client_responses.h"
#include "agent/client/ssh_client.h"
#include "async/attempt.h"
#include "async/deadline.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "model/archive.h"
#include "model/codec/codec.h"
#include "protocol/ssh.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr std::chrono::seconds kTokenLife{60};
constexpr milliseconds kReportMargin{500};  // the agent ends a command this long before the server's deadline, so that it can still report
constexpr double kLongestTimeout = 24 * 3600;
constexpr std::chrono::seconds kImportProbe{10};

std::string token(const AgentTarget& target, TokenScope scope, const Clock& clock) {
  return signInstanceToken(target.key, target.instanceId.str(), scope, kTokenLife, clock);
}

net::HttpClientOptions options(const AgentTarget& target) {
  net::HttpClientOptions result;
  result.host = target.endpoint.host.empty() ? "swarm-agent" : target.endpoint.host;
  result.headers = target.endpoint.headers;
  result.name = "the workspace's agent";
  result.maxIdle = 0;
  return result;
}

awaitable<boost::json::value> call(AgentTarget target, TokenScope scope, net::HttpRequest request, JsonLimits limits, Deadline deadline) {
  net::HttpClient client(target.endpoint.connect, options(target));
  request.headers.push_back({std::string(kTokenHeader), token(target, scope, RealClock())});
  auto exchange = co_await client.open(std::move(request), deadline);
  co_return co_await readObject(*exchange, target.instanceId, limits, deadline);
}

net::HttpRequest get(std::string_view path) {
  net::HttpRequest request;
  request.target = path;
  return request;
}

net::HttpRequest post(std::string_view path, const boost::json::object& body) {
  net::HttpRequest request;
  request.method = "POST";
  request.target = path;
  request.body = boost::json::serialize(body);
  request.contentType = "application/json";
  return request;
}

awaitable<std::unique_ptr<net::HttpExchange>> upgrade(AgentTarget target, TokenScope scope, std::string path, net::Headers headers,
                                                      Deadline deadline) {
  net::HttpClient client(target.endpoint.connect, options(target));
  net::HttpRequest request = get(path);
  request.headers = std::move(headers);
  request.headers.push_back({"Connection", "Upgrade"});
  request.headers.push_back({std::string(kTokenHeader), token(target, scope, RealClock())});
  auto exchange = co_await client.open(std::move(request), deadline);
  if (exchange->upgraded()) co_return exchange;
  throw co_await readFailure(*exchange, target.instanceId, deadline);
}

awaitable<net::StreamPtr> openTunnel(AgentTarget target, TokenScope scope, std::string path, Deadline deadline) {
  net::Headers headers{{"Upgrade", std::string(kTunnelProtocol)}};
  auto exchange = co_await upgrade(std::move(target), scope, std::move(path), std::move(headers), deadline);
  co_return exchange->takeStream();
}

}  // namespace

awaitable<AgentHealth> getHealth(AgentTarget target, Deadline deadline, milliseconds wait) {
  std::string path(kHealthPath);
  if (wait.count() > 0) path += format("?wait={}", wait.count());
  auto response = co_await call(std::move(target), TokenScope::Status, get(path), kStatusLimits, deadline);
  co_return readMembers(std::move(response), [](ObjectReader& reader) {
    AgentHealth health;
    health.ready = reader.require<bool>("ready");
    health.reason = printable(reader.require<std::string>("reason"));
    health.generation = printable(reader.require<std::string>("generation"));
    health.held = textOf(reader, "held");
    health.boot = textOf(reader, "boot");
    health.vscodeEnded = textOf(reader, "vscode") == "waiting";
    health.importing = reader.read<bool>("importing").value_or(!health.ready);
    health.warning = textOf(reader, "warning");
    auto setup = reader.read<boost::json::object>("setup").value_or(boost::json::object());
    if (const auto* state = setup.if_contains("state"); state && state->is_string()) health.setup = setupStateOf(state->as_string());
    if (const auto* code = setup.if_contains("exitCode"); code && code->is_int64()) health.setupExitCode = code->as_int64();
    return health;
  });
}

namespace {

awaitable<AgentHold> changeHold(AgentTarget target, net::HttpRequest request, Deadline deadline) {
  auto response = co_await call(std::move(target), TokenScope::Files, std::move(request), kStatusLimits, deadline);
  co_return readMembers(std::move(response), [](ObjectReader& reader) {
    AgentHold state;
    state.held = printable(reader.require<std::string>("held"));
    state.boot = printable(reader.require<std::string>("boot"));
    return state;
  });
}

}  // namespace

awaitable<AgentHold> hold(AgentTarget target, std::string transfer, std::string reason, Deadline deadline) {
  return changeHold(std::move(target), post(kHoldPath, {{"transfer", transfer}, {"reason", reason}}), deadline);
}

awaitable<AgentHold> release(AgentTarget target, Deadline deadline, std::string boot) {
  boost::json::object body;
  if (!boot.empty()) body["boot"] = boot;
  return changeHold(std::move(target), post(kReleasePath, body), deadline);
}

awaitable<std::size_t> freeze(AgentTarget target, std::string transfer, Deadline deadline) {
  auto response = co_await call(std::move(target), TokenScope::Files, post(kFreezePath, {{"transfer", transfer}}), kStatusLimits, deadline);
  co_return readMembers(std::move(response), [](ObjectReader& reader) {
    return static_cast<std::size_t>(std::max<std::int64_t>(reader.require<std::int64_t>("frozen"), 0));
  });
}

awaitable<void> thaw(AgentTarget target, Deadline deadline) {
  co_await call(std::move(target), TokenScope::Files, post(kThawPath, {}), kStatusLimits, deadline);
}

awaitable<void> endSession(AgentTarget target, std::string session, Deadline deadline) {
  co_await call(std::move(target), TokenScope::Control, post(kEndSessionPath, {{"session", session}}), kStatusLimits, deadline);
}

awaitable<ResourceUsage> getUsage(AgentTarget target, Deadline deadline) {
  auto response = co_await call(std::move(target), TokenScope::Status, get(kUsagePath), kUsageLimits, deadline);
  co_return usageOf(response);
}

awaitable<AgentActivity> getActivity(AgentTarget target, Deadline deadline) {
  auto response = co_await call(std::move(target), TokenScope::Status, get(kActivityPath), kStatusLimits, deadline);
  co_return readMembers(std::move(response), [](ObjectReader& reader) {
    AgentActivity activity;
    activity.lastActivity = reader.require<SystemTime>("lastActivity");
    activity.connections = reader.require<std::int64_t>("connections");
    return activity;
  });
}

awaitable<CommandResult> exec(AgentTarget target, ExecRequest request, Deadline deadline) {
  boost::json::object body{{"command", toJson(request.command)},
                           {"env", toJson(request.env)},
                           {"cwd", request.cwd},
                           {"user", request.user},
                           {"stdin", request.stdinText}};
  if (!deadline.isNever()) {
    auto left = std::max(deadline.left() - kReportMargin, deadline.left() / 2);
    body["timeout"] = std::min(std::chrono::duration<double>(left).count(), kLongestTimeout);
  }
  auto response = execResponseOf(co_await call(std::move(target), TokenScope::Exec, post(kExecPath, body), kExecLimits, deadline));
  if (response.timedOut) throw Error(ErrorCode::DeadlineExceeded, "The command timed out and was killed.");
  co_return std::move(response.command);
}

awaitable<net::StreamPtr> openVscodeTunnel(AgentTarget target, Deadline deadline) {
  return openTunnel(std::move(target), TokenScope::Vscode, std::string(kVscodeTunnelPath), deadline);
}

awaitable<net::StreamPtr> openPortTunnel(AgentTarget target, std::uint16_t port, Deadline deadline) {
  return openTunnel(std::move(target), TokenScope::Port, format("{}{}", kPortTunnelPrefix, port), deadline);
}

awaitable<SshTunnel> openSshTunnel(AgentTarget target, SshAdmission admitted, Deadline deadline) {
  net::Headers headers{{"Upgrade", std::string(kTunnelProtocol)}};
  for (std::string& key : admitted.keys) headers.push_back({std::string(kSshKeyHeader), std::move(key)});
  if (!admitted.authority.empty())
    headers.push_back({std::string(kSshAuthorityHeader), format("{} {}", admitted.user, admitted.authority)});
  const InstanceId instance_id = target.instanceId;
  auto exchange = co_await upgrade(std::move(target), TokenScope::Ssh, std::string(kSshTunnelPath), std::move(headers), deadline);
  auto host_key = readSshPublicKey(net::findHeader(exchange->headers(), kSshHostKeyHeader));
  if (!host_key)
    throw Error(ErrorCode::UpstreamFailed, "The workspace's agent sent an invalid response: it names no SSH host key.")
        .withInstance(instance_id.str());
  co_return SshTunnel{exchange->takeStream(), std::move(*host_key)};
}

awaitable<net::StreamPtr> openTransfer(AgentTarget target, transfer::Role role, std::string transfer_id, Deadline deadline) {
  std::string path = format("{}?transfer={}", role == transfer::Role::Source ? kSendPath : kReceivePath, transfer_id);
  return openTunnel(std::move(target), TokenScope::Files, std::move(path), deadline);
}

awaitable<std::unique_ptr<net::HttpExchange>> openExport(AgentTarget target, boost::json::object workspace, ArchivePlaces places,
                                                         Deadline deadline) {
  net::HttpClient client(target.endpoint.connect, options(target));
  net::HttpRequest request =
      post(kExportPath, {{"workspace", workspace}, {"storages", toJson(places.storages)}, {"excluded", toJson(places.excluded)}});
  request.headers.push_back({std::string(kTokenHeader), token(target, TokenScope::Files, RealClock())});
  auto exchange = co_await client.open(std::move(request), deadline);
  if (exchange->status() == 200) co_return exchange;
  throw co_await readFailure(*exchange, target.instanceId, deadline);
}

namespace {

struct SentArchive {
  SteadyTime takenAt;       ///< when the agent last took bytes; max() while the client sends nothing
  bool isComplete = false;  ///< the agent has been given all of it
};

/// Ends with an Error once the agent has made no progress, or leaves bytes untaken, whatever it reports.
awaitable<void> watchImport(AgentTarget target, const SentArchive& sent, ImportPatience patience) {
  for (SteadyTime reported = patience.now();;) {
    co_await async::sleepFor(patience.probeInterval);
    auto health = co_await async::attempt(getHealth(target, Deadline::after(kImportProbe)));
    if (health && health->importing) reported = patience.now();
    const bool is_stuck = !sent.isComplete && patience.now() - sent.takenAt >= patience.untaken;
    if (!is_stuck && patience.now() - std::max(sent.takenAt, reported) < patience.silence) continue;
    throw Error(
        ErrorCode::DeadlineExceeded,
        format("The workspace's agent has not reported progress of the import for {} s. No files are lost: the workspace has either "
               "the former ones or, if the archive was complete, those of the archive. Check them, and import again if necessary.",
               std::chrono::floor<std::chrono::seconds>(is_stuck ? patience.untaken : patience.silence).count()))
        .withRetryable(false)
        .withInstance(target.instanceId.str());
  }
}

awaitable<void> sendArchive(AgentTarget target, net::HttpRequest request, boost::json::value& response) {
  response = co_await call(std::move(target), TokenScope::Files, std::move(request), kImportLimits, Deadline::never());
}

}  // namespace

awaitable<boost::json::object> importArchive(AgentTarget target, ArchivePlaces places, bool force, ArchiveSource source,
                                             ImportPatience patience) {
  net::HttpRequest request;
  request.method = "PUT";
  request.target = format("{}?force={}", kImportPath, force);
  for (const std::string& path : places.storages) request.target += "&storage=" + net::percentEncode(path);
  for (const std::string& path : places.excluded) request.target += "&excluded=" + net::percentEncode(path);
  request.contentType = kArchiveType;
  SentArchive sent{patience.now()};
  request.bodySource = [&sent, now = patience.now, from = std::move(source)](Deadline deadline) -> awaitable<std::string> {
    sent.takenAt = SteadyTime::max();
    std::string piece = co_await from(deadline);
    sent = {now(), piece.empty()};
    co_return piece;
  };
  boost::json::value response;
  co_await async::race(sendArchive(target, std::move(request), response), watchImport(target, sent, std::move(patience)));
  co_return importReportOf(response);
}

awaitable<std::unique_ptr<net::HttpExchange>> openExec(AgentTarget target, net::Headers handshake, Deadline deadline) {
  handshake.push_back({"Upgrade", "websocket"});
  return upgrade(std::move(target), TokenScope::Exec, std::string(kExecPath), std::move(handshake), deadline);
}

net::Headers execHeaders(const AgentTarget& target, const Clock& clock) {
  return {{std::string(kTokenHeader), token(target, TokenScope::Exec, clock)}};
}

}  // namespace swarm::agent
