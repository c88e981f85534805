// AgentClient over HTTP and tunnels.
#include "agent/client.h"

#include <boost/json/serialize.hpp>

#include "base/format.h"
#include "model/archive.h"
#include "model/codec.h"
#include "net/deadline.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr std::chrono::seconds kTokenLife{60};
constexpr milliseconds kAnswerMargin{500};  // the agent stops a command this long before our own deadline, and can still say so
constexpr double kLongestTimeout = 24 * 3600;
constexpr std::size_t kMaxAnswer = 16 * 1024 * 1024;  // two outputs of 1 MiB, each byte of which may be six in JSON

std::string token(const AgentTarget& target, TokenScope scope, const Clock& clock) {
  return signInstanceToken(target.secret, target.instanceId, scope, kTokenLife, clock);
}

net::HttpClientOptions options(const AgentTarget& target) {
  net::HttpClientOptions result;
  result.host = target.endpoint.host.empty() ? "swarm-agent" : target.endpoint.host;
  result.headers = target.endpoint.headers;
  result.name = "the instance's agent";
  result.maxIdle = 0;
  result.maxBody = kMaxAnswer;
  return result;
}

/// {"reason"} of an answer that is no success.
std::string reasonOf(std::string_view body, int status) {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  if (!error && value.is_object()) {
    if (const auto* reason = value.as_object().if_contains("reason"); reason && reason->is_string())
      return std::string(reason->as_string());
  }
  return format("The instance's agent answered with status {}.", status);
}

Error failure(const AgentTarget& target, int status, std::string_view body) {
  if (status == 401) {
    return Error(ErrorCode::UpstreamFailed,
                 "The instance's agent did not accept our token: its clock or its secret differs from the server's.")
        .withUpstream({status, ""})
        .withInstance(target.instanceId);
  }
  if (status == 404) {  // every path that we ask for is one of an agent of this version
    return Error(
               ErrorCode::Unprocessable,
               "The agent in this workspace is older than the server, and does not know what was asked of it. Make the workspace anew from "
               "the current image; its files stay (a changed environment does it: swarm update NAME --env REMADE=1).")
        .withUpstream({status, ""})
        .withInstance(target.instanceId);
  }
  // What the agent finds wrong in a request of a person (an unknown user, a bad directory) is theirs to know.
  ErrorCode code = status == 502 || status == 503 ? ErrorCode::Unavailable
                   : status == 400                ? ErrorCode::InvalidArgument
                   : status == 409                ? ErrorCode::Conflict
                   : status == 413                ? ErrorCode::PayloadTooLarge
                   : status == 422                ? ErrorCode::Unprocessable
                   : status == 507                ? ErrorCode::OutOfResources
                                                  : ErrorCode::UpstreamFailed;
  return Error(code, reasonOf(body, status)).withUpstream({status, ""}).withInstance(target.instanceId);
}

awaitable<boost::json::value> call(AgentTarget target, TokenScope scope, net::HttpRequest request, Deadline deadline) {
  net::HttpClient client(target.endpoint.connect, options(target));
  request.headers.push_back({std::string(kTokenHeader), token(target, scope, RealClock())});
  net::HttpResponse response = co_await client.send(std::move(request), deadline);
  if (response.status != 200) throw failure(target, response.status, response.body);
  boost::system::error_code error;
  auto value = boost::json::parse(response.body, error);
  if (error || !value.is_object()) {
    throw Error(ErrorCode::UpstreamFailed, "The instance's agent gave an answer that is no JSON object.").withInstance(target.instanceId);
  }
  co_return value;
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

/// A wrong or missing member of an answer is the agent's fault, not the caller's.
template <typename Read>
auto readAnswer(boost::json::value value, Read read) {
  ObjectReader reader(std::move(value), UnknownFields::Ignore);
  auto result = read(reader);
  if (reader.faults().empty()) return result;
  const FieldError& fault = reader.faults().front();
  throw Error(ErrorCode::UpstreamFailed, format("The instance's agent gave a wrong answer: {} {}.", fault.pointer, fault.detail));
}

awaitable<std::string> readRefusal(net::HttpExchange& exchange, Deadline deadline) {
  std::string body;
  for (;;) {
    std::string piece = co_await exchange.read(deadline);
    if (piece.empty() || body.size() > net::kMaxHeadBytes) co_return body;
    body += piece;
  }
}

awaitable<net::StreamPtr> openTunnel(AgentTarget target, TokenScope scope, std::string path, Deadline deadline) {
  net::HttpClient client(target.endpoint.connect, options(target));
  net::HttpRequest request = get(path);
  request.headers.push_back({"Connection", "Upgrade"});
  request.headers.push_back({"Upgrade", std::string(kTunnelProtocol)});
  request.headers.push_back({std::string(kTokenHeader), token(target, scope, RealClock())});
  auto exchange = co_await client.open(std::move(request), deadline);
  if (exchange->upgraded()) co_return exchange->takeStream();
  std::string body = co_await readRefusal(*exchange, deadline);
  throw failure(target, exchange->status(), body);
}

}  // namespace

awaitable<AgentHealth> getHealth(AgentTarget target, Deadline deadline, milliseconds wait) {
  std::string path(kHealthPath);
  if (wait.count() > 0) path += format("?wait={}", wait.count());
  auto answer = co_await call(std::move(target), TokenScope::Status, get(path), deadline);
  co_return readAnswer(std::move(answer), [](ObjectReader& reader) {
    AgentHealth health;
    health.ready = reader.require<bool>("ready");
    health.reason = reader.require<std::string>("reason");
    health.generation = reader.require<std::string>("generation");
    health.held = reader.read<std::string>("held").value_or("");
    health.boot = reader.read<std::string>("boot").value_or("");
    return health;
  });
}

namespace {

awaitable<AgentHold> changeHold(AgentTarget target, net::HttpRequest request, Deadline deadline) {
  auto answer = co_await call(std::move(target), TokenScope::Files, std::move(request), deadline);
  co_return readAnswer(std::move(answer), [](ObjectReader& reader) {
    AgentHold state;
    state.held = reader.require<std::string>("held");
    state.boot = reader.require<std::string>("boot");
    return state;
  });
}

}  // namespace

awaitable<AgentHold> hold(AgentTarget target, std::string transfer, std::string reason, Deadline deadline) {
  return changeHold(std::move(target), post(kHoldPath, {{"transfer", transfer}, {"reason", reason}}), deadline);
}

awaitable<AgentHold> release(AgentTarget target, Deadline deadline) {
  return changeHold(std::move(target), post(kReleasePath, {}), deadline);
}

awaitable<std::size_t> freeze(AgentTarget target, std::string transfer, Deadline deadline) {
  auto answer = co_await call(std::move(target), TokenScope::Files, post(kFreezePath, {{"transfer", transfer}}), deadline);
  co_return readAnswer(std::move(answer),
                       [](ObjectReader& reader) { return static_cast<std::size_t>(reader.require<std::int64_t>("frozen")); });
}

awaitable<void> thaw(AgentTarget target, Deadline deadline) {
  co_await call(std::move(target), TokenScope::Files, post(kThawPath, {}), deadline);
}

awaitable<ResourceUsage> getUsage(AgentTarget target, Deadline deadline) {
  auto answer = co_await call(std::move(target), TokenScope::Status, get(kUsagePath), deadline);
  co_return fromJson<ResourceUsage>(answer, UnknownFields::Ignore);
}

awaitable<AgentActivity> getActivity(AgentTarget target, Deadline deadline) {
  auto answer = co_await call(std::move(target), TokenScope::Status, get(kActivityPath), deadline);
  co_return readAnswer(std::move(answer), [](ObjectReader& reader) {
    AgentActivity activity;
    activity.lastActivity = parseTime(reader.require<std::string>("lastActivity"));
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
    auto left = std::max(deadline.left() - kAnswerMargin, deadline.left() / 2);
    body["timeout"] = std::min(std::chrono::duration<double>(left).count(), kLongestTimeout);
  }
  auto answer = co_await call(std::move(target), TokenScope::Exec, post(kExecPath, body), deadline);
  bool timed_out = false;
  auto result = readAnswer(std::move(answer), [&](ObjectReader& reader) {
    CommandResult command;
    command.exitCode = reader.require<std::int64_t>("exitCode");
    command.stdoutText = reader.require<std::string>("stdout");
    command.stderrText = reader.require<std::string>("stderr");
    command.truncated = reader.read<bool>("truncated").value_or(false);
    timed_out = reader.read<bool>("timedOut").value_or(false);
    return command;
  });
  if (timed_out) throw Error(ErrorCode::DeadlineExceeded, "The command ran longer than it was allowed to, and was ended.");
  co_return result;
}

awaitable<net::StreamPtr> openVscodeTunnel(AgentTarget target, Deadline deadline) {
  return openTunnel(std::move(target), TokenScope::Vscode, std::string(kVscodeTunnelPath), deadline);
}

awaitable<net::StreamPtr> openPortTunnel(AgentTarget target, std::uint16_t port, Deadline deadline) {
  return openTunnel(std::move(target), TokenScope::Port, format("{}{}", kPortTunnelPrefix, port), deadline);
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
  std::string body = co_await readRefusal(*exchange, deadline);
  throw failure(target, exchange->status(), body);
}

awaitable<boost::json::object> importArchive(AgentTarget target, ArchivePlaces places, bool force, ArchiveSource source) {
  net::HttpRequest request;
  request.method = "PUT";
  request.target = format("{}?force={}", kImportPath, force);
  for (const std::string& path : places.storages) request.target += "&storage=" + net::percentEncode(path);
  for (const std::string& path : places.excluded) request.target += "&excluded=" + net::percentEncode(path);
  request.contentType = kArchiveType;
  request.bodySource = std::move(source);
  auto answer = co_await call(std::move(target), TokenScope::Files, std::move(request), Deadline::never());
  co_return answer.as_object();
}

net::Headers execHeaders(const AgentTarget& target, const Clock& clock) {
  return {{std::string(kTokenHeader), token(target, TokenScope::Exec, clock)}};
}

}  // namespace swarm::agent
