// The calls of SwarmClient: each is one route of the API.
#include "swarm/client.h"

#include "async/deadline.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "client/connection.h"
#include "client/impl.h"
#include "client/sessions.h"
#include "model/codec/codec.h"
#include "model/queries.h"
#include "model/requests.h"

namespace swarm {

using client::instancePath;

SwarmClient::SwarmClient(ClientConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
SwarmClient::~SwarmClient() = default;

namespace {

SwarmClient::Login readLogin(const boost::json::value& response) {
  SwarmClient::Login login{
      .token = Secret(stringAt(response, "token")), .user = stringAt(response, "user"), .role = stringAt(response, "role")};
  if (const std::string expires = stringAt(response, "expiresAt"); !expires.empty()) login.expiresAt = parseTime(expires);
  return login;
}

UpdateOutcome readOutcome(const boost::json::value& response) {
  UpdateOutcome outcome;
  outcome.instance = fromJson<Instance>(response, UnknownFields::Ignore);
  outcome.operationId = outcome.instance.operationId;
  outcome.effect = ObjectReader(response, UnknownFields::Ignore).read<UpdateEffect>("effect").value_or(UpdateEffect::none);
  return outcome;
}

}  // namespace

SwarmClient::Login SwarmClient::login(std::string user, Secret password, std::string code) {
  const boost::json::value body = requestBody(LoginRequest{std::move(user), password.reveal(), std::move(code)});
  Login login = readLogin(impl_->connection.call("POST", "/api/auth/login", &body));
  impl_->connection.setToken(login.token);
  return login;
}

SwarmClient::Login SwarmClient::loginWithCode(const std::string& code, const Secret& verifier) {
  const boost::json::value body = requestBody(ProgramLoginRequest{code, verifier.reveal()});
  Login login = readLogin(impl_->connection.call("POST", "/api/auth/program", &body));
  impl_->connection.setToken(login.token);
  return login;
}

SwarmClient::DeviceLogin SwarmClient::beginDeviceLogin() {
  const boost::json::value begun = impl_->connection.call("POST", "/api/auth/device");
  return {Secret(stringAt(begun, "deviceCode")), stringAt(begun, "userCode"), stringAt(begun, "verificationUri"),
          std::chrono::seconds(integerAt(begun, "expiresIn")), std::chrono::seconds(integerAt(begun, "interval"))};
}

std::optional<SwarmClient::Login> SwarmClient::pollDeviceLogin(const DeviceLogin& begun) {
  const boost::json::value body = requestBody(DeviceLoginRequest{begun.deviceCode.reveal()});
  Login login = readLogin(impl_->connection.call("POST", "/api/auth/device/token", &body));
  if (login.token.empty()) return std::nullopt;
  impl_->connection.setToken(login.token);
  return login;
}

SwarmClient::Login SwarmClient::refresh() {
  Login login = readLogin(impl_->connection.call("POST", "/api/auth/refresh"));
  impl_->connection.setToken(login.token);
  return login;
}

void SwarmClient::logout() { impl_->connection.call("POST", "/api/auth/logout"); }

SwarmClient::Login SwarmClient::authStatus() { return readLogin(impl_->connection.call("GET", "/api/auth/status")); }

GitIdentity SwarmClient::gitIdentity() {
  return fromJson<GitIdentity>(impl_->connection.call("GET", "/api/users/me/git-identity"), UnknownFields::Ignore);
}

GitIdentity SwarmClient::setGitIdentity(const GitIdentity& identity) {
  boost::json::value body = toJson(identity);
  return fromJson<GitIdentity>(impl_->connection.call("PUT", "/api/users/me/git-identity", &body), UnknownFields::Ignore);
}

bool SwarmClient::healthy() {
  try {
    impl_->connection.call("GET", "/readyz");
    return true;
  } catch (const Error&) {
    return false;
  }
}

boost::json::object SwarmClient::serverVersion() { return impl_->connection.call("GET", "/api/version").as_object(); }

StartedOperation SwarmClient::createInstance(const InstanceConfig& config, const CreateOptions& options) {
  boost::json::value body = toJson(config);
  if (options.provider) body.get_object()["provider"] = enumName(*options.provider);
  net::Headers headers;
  if (!options.idempotencyKey.empty()) headers.push_back({"Idempotency-Key", options.idempotencyKey});
  return Impl::started(impl_->connection.call("POST", "/api/instances", &body, std::move(headers)));
}

std::optional<Instance> SwarmClient::getInstance(const std::string& ref) {
  auto response = impl_->connection.find(instancePath(ref));
  if (!response) return std::nullopt;
  return fromJson<Instance>(*response, UnknownFields::Ignore);
}

std::vector<Instance> SwarmClient::listInstances(ListOptions options) {
  options.limit = 500;
  options.cursor.clear();
  std::vector<Instance> instances;
  do {
    ObjectReader page(impl_->connection.call("GET", "/api/instances" + client::queryText(options)), UnknownFields::Ignore);
    for (Instance& instance : page.read<std::vector<Instance>>("items").value_or(std::vector<Instance>{}))
      instances.push_back(std::move(instance));
    options.cursor = page.read<std::string>("nextCursor").value_or("");
  } while (!options.cursor.empty());
  return instances;
}

UpdatePlan SwarmClient::planUpdate(const std::string& ref, const UpdateOptions& options) {
  const boost::json::value value = requestBody(options);
  boost::json::value response =
      impl_->connection.call("PUT", instancePath(ref, options.refreshImage ? "?dryRun=true&refreshImage=true" : "?dryRun=true"), &value,
                             Impl::ifMatch(options.ifVersion));
  return fromJson<UpdatePlan>(response, UnknownFields::Ignore);
}

UpdateOutcome SwarmClient::updateInstance(const std::string& ref, const UpdateOptions& options) {
  const boost::json::value value = requestBody(options);
  return readOutcome(impl_->connection.call("PUT", instancePath(ref, options.refreshImage ? "?refreshImage=true" : ""), &value,
                                            Impl::ifMatch(options.ifVersion)));
}

UpdateOutcome SwarmClient::patchInstance(const std::string& ref, const boost::json::object& patch, std::optional<std::int64_t> if_version) {
  const boost::json::value value = patch;
  return readOutcome(impl_->connection.call("PATCH", instancePath(ref), &value, Impl::ifMatch(if_version)));
}

StartedOperation SwarmClient::startInstance(const std::string& ref, std::optional<std::int64_t> if_version, bool empty_volumes) {
  return impl_->begin("POST", instancePath(ref, empty_volumes ? "/start?emptyVolumes=true" : "/start"), nullptr, if_version);
}

StartedOperation SwarmClient::stopInstance(const std::string& ref, std::optional<std::int64_t> if_version) {
  return impl_->begin("POST", instancePath(ref, "/stop"), nullptr, if_version);
}

StartedOperation SwarmClient::restartInstance(const std::string& ref, std::optional<std::int64_t> if_version) {
  return impl_->begin("POST", instancePath(ref, "/restart"), nullptr, if_version);
}

StartedOperation SwarmClient::deleteInstance(const std::string& ref, bool volumes, std::optional<std::int64_t> if_version) {
  return impl_->begin("DELETE", instancePath(ref, volumes ? "?volumes=true" : ""), nullptr, if_version);
}

StartedOperation SwarmClient::migrateInstance(const std::string& ref, const MigrateOptions& options) {
  const boost::json::value body = requestBody(options);
  return impl_->begin("POST", instancePath(ref, "/migrate"), &body);
}

MigrationPlan SwarmClient::planMigration(const std::string& ref, const MigrateOptions& options) {
  MigrateInstanceRequest request = options;
  request.dryRun = true;
  const boost::json::value value = requestBody(request);
  return fromJson<MigrationPlan>(impl_->connection.call("POST", instancePath(ref, "/migrate"), &value), UnknownFields::Ignore);
}

Instance SwarmClient::switchProvider(const std::string& ref, ProviderType target, const std::stop_token& stop) {
  StartedOperation started = migrateInstance(ref, {.targetProvider = target});
  if (started.operationId.empty()) return started.instance;
  for (;;) {
    Operation operation = waitForOperation(started.operationId, std::chrono::hours(1), {}, stop);
    if (operation.status == OperationStatus::succeeded) break;
    if (operation.status == OperationStatus::cancelled) throw Error(ErrorCode::Cancelled, "The move was cancelled.");
    if (operation.status == OperationStatus::failed)
      throw operation.error ? *operation.error : Error(ErrorCode::Internal, "The move failed without a reason; see the log of the server.");
  }
  return getInstance(started.instance.id.str()).value_or(started.instance);
}

CommandResult SwarmClient::executeCommand(const std::string& ref, std::vector<std::string> command, std::string stdin_text,
                                          std::chrono::seconds timeout) {
  const boost::json::value value =
      requestBody(ExecuteCommandRequest{.command = std::move(command), .stdinText = std::move(stdin_text), .timeout = timeout.count()});
  return fromJson<CommandResult>(impl_->connection.call("POST", instancePath(ref, "/exec"), &value), UnknownFields::Ignore);
}

std::unique_ptr<ExecSession> SwarmClient::openExec(const std::string& ref, const ExecOptions& options) {
  return client::openExecSession(impl_->connection, ref, options);
}

std::unique_ptr<Forward> SwarmClient::forward(const std::string& ref, std::uint16_t remote_port, const std::string& local_address,
                                              std::uint16_t local_port) {
  return client::openForward(impl_->connection, ref, remote_port, {local_address, local_port});
}

std::unique_ptr<SshConnection> SwarmClient::openSsh(const std::string& ref, const std::string& public_key) {
  return client::openSshConnection(impl_->connection, ref, public_key);
}

void SwarmClient::readLogs(const std::string& ref, const LogOptions& options, const std::function<bool(std::string_view)>& sink,
                           const std::stop_token& stop) {
  net::HttpRequest request;
  request.target = instancePath(ref, options.follow ? "/logs?follow=true" : "/logs?follow=false");
  if (options.tail) request.target += format("&tail={}", *options.tail);
  if (!options.since.empty()) request.target += "&since=" + net::percentEncode(options.since);
  request.headers = impl_->connection.authorization();
  request.headers.push_back({"Accept", "text/plain"});
  auto& connection = impl_->connection;
  auto short_time = [&] { return Deadline::after(connection.config().timeout); };
  client::OnLoop<net::HttpExchange> exchange(connection, connection.run(connection.http().open(std::move(request), short_time()), stop));
  if (exchange->status() >= 400)
    throw client::errorFromResponse(exchange->status(), exchange->headers(),
                                    connection.run(client::readRest(*exchange, short_time()), stop));
  for (;;) {
    std::string piece = connection.run(exchange->read(options.follow ? Deadline::never() : short_time()), stop);
    if (piece.empty() || !sink(piece)) return;
  }
}

std::optional<InstanceAccess> SwarmClient::getInstanceAccess(const std::string& ref) {
  auto response = impl_->connection.find(instancePath(ref, "/access"));
  if (!response) return std::nullopt;
  return fromJson<InstanceAccess>(*response, UnknownFields::Ignore);
}

UsageHistory SwarmClient::getUsageHistory(const std::string& ref, const UsageQuery& query) {
  UsageQuery range = query;
  if (range.from.empty() && range.to.empty() && range.step == 0) range.to = formatTime(RealClock().now());
  ObjectReader usage(impl_->connection.call("GET", instancePath(ref, "/usage" + client::queryText(range))), UnknownFields::Ignore);
  return usage.read<UsageHistory>("history").value_or(UsageHistory());
}

std::vector<InstanceUsage> SwarmClient::listUsage() {
  ListUsageQuery query{.limit = 1000, .cursor = {}};
  std::vector<InstanceUsage> all;
  do {
    ObjectReader page(impl_->connection.call("GET", "/api/usage" + client::queryText(query)), UnknownFields::Ignore);
    for (InstanceUsage& one : page.read<std::vector<InstanceUsage>>("items").value_or(std::vector<InstanceUsage>{}))
      all.push_back(std::move(one));
    query.cursor = page.read<std::string>("nextCursor").value_or("");
  } while (!query.cursor.empty());
  return all;
}

ResourceUsage SwarmClient::getResourceUsage(const std::string& ref) {
  return fromJson<ResourceUsage>(impl_->connection.call("GET", instancePath(ref, "/usage")), UnknownFields::Ignore);
}

NetworkInfo SwarmClient::getNetworkInfo(const std::string& ref) {
  return fromJson<NetworkInfo>(impl_->connection.call("GET", instancePath(ref, "/network")), UnknownFields::Ignore);
}

std::optional<Operation> SwarmClient::getOperation(const std::string& id) {
  auto response = impl_->connection.find("/api/operations/" + net::percentEncode(id));
  if (!response) return std::nullopt;
  return fromJson<Operation>(*response, UnknownFields::Ignore);
}

std::vector<Operation> SwarmClient::listOperations(ListOperationsQuery query) {
  ObjectReader page(impl_->connection.call("GET", "/api/operations" + client::queryText(query)), UnknownFields::Ignore);
  return page.read<std::vector<Operation>>("items").value_or(std::vector<Operation>{});
}

Operation SwarmClient::cancelOperation(const std::string& id) {
  return fromJson<Operation>(impl_->connection.call("DELETE", "/api/operations/" + net::percentEncode(id)), UnknownFields::Ignore);
}

namespace {

bool hasEnded(const Operation& operation) {
  return operation.status != OperationStatus::pending && operation.status != OperationStatus::running;
}

}  // namespace

Operation SwarmClient::waitForOperation(const std::string& id, std::chrono::seconds timeout,
                                        const std::function<void(const Operation&)>& observer, const std::stop_token& stop) {
  constexpr std::chrono::seconds longest{60};
  Deadline deadline = Deadline::after(timeout);
  const std::string path = "/api/operations/" + net::percentEncode(id);
  // An observer needs each step: the operation is polled, quickly at first, because most operations end within a second.
  std::chrono::milliseconds pause{40};
  for (;;) {
    client::Patience patience{.stop = stop};
    std::string target = path;
    if (!observer) {
      patience.extra = std::min<std::chrono::milliseconds>(longest, deadline.left());
      target += format("?wait={}", std::chrono::ceil<std::chrono::seconds>(patience.extra).count());
    }
    std::optional<boost::json::value> response;
    try {
      response = impl_->connection.find(std::move(target), patience);
    } catch (const Error& error) {  // the user's other requests use all shares: the operation continues, and so does the wait
      if (error.code() != ErrorCode::TooManyRequests || deadline.hasPassed()) throw;
      impl_->connection.run(async::sleepUntil(deadline.orAfter(std::max<std::chrono::milliseconds>(error.retryAfter(), pause))), stop);
      continue;
    }
    if (!response) throw notFound("operation", id);
    Operation operation = fromJson<Operation>(*response, UnknownFields::Ignore);
    if (observer) observer(operation);
    if (hasEnded(operation) || deadline.hasPassed()) return operation;
    if (!observer) continue;
    impl_->connection.run(async::sleepUntil(deadline.orAfter(pause)), stop);
    pause = std::min(pause * 5 / 4, std::chrono::milliseconds(500));
  }
}

StartedOperation SwarmClient::takeSnapshot(const std::string& ref, const std::string& name) {
  const boost::json::value value = requestBody(TakeSnapshotRequest{name});
  return impl_->begin("POST", instancePath(ref, "/snapshots"), &value);
}

StartedOperation SwarmClient::restoreSnapshot(const std::string& ref, const std::string& snapshot) {
  const boost::json::value body = requestBody(RestoreSnapshotRequest{snapshot});
  return impl_->begin("POST", instancePath(ref, "/restore"), &body);
}

std::vector<Snapshot> SwarmClient::listSnapshots() {
  return fromJson<std::vector<Snapshot>>(impl_->connection.call("GET", "/api/snapshots").at("items"), UnknownFields::Ignore);
}

SnapshotList SwarmClient::listSnapshotsOf(const std::string& ref) {
  const boost::json::value response = impl_->connection.call("GET", instancePath(ref, "/snapshots"));
  return {fromJson<std::vector<Snapshot>>(response.at("items"), UnknownFields::Ignore), stringAt(response, "missing")};
}

void SwarmClient::deleteSnapshot(const std::string& id) { impl_->connection.call("DELETE", "/api/snapshots/" + net::percentEncode(id)); }

boost::json::array SwarmClient::listNameHolds() { return impl_->connection.call("GET", "/api/names").at("items").as_array(); }

void SwarmClient::releaseName(const std::string& name) { impl_->connection.call("DELETE", "/api/names/" + net::percentEncode(name)); }

boost::json::array SwarmClient::listSessions() { return impl_->connection.call("GET", "/api/auth/sessions").at("items").as_array(); }

void SwarmClient::endSession(const std::string& id) { impl_->connection.call("DELETE", "/api/auth/sessions/" + net::percentEncode(id)); }

boost::json::array SwarmClient::listSigningKeys() { return impl_->connection.call("GET", "/api/auth/keys").at("items").as_array(); }

std::string SwarmClient::rotateSigningKey() { return stringAt(impl_->connection.call("POST", "/api/auth/keys"), "id"); }

std::string SwarmClient::createLoginLink(const std::string& instance) {
  const boost::json::value body = requestBody(LoginLinkRequest{instance});
  return std::string(impl_->connection.call("POST", "/api/auth/links", &body).at("url").as_string());
}

boost::json::array SwarmClient::listVolumes() { return impl_->connection.call("GET", "/api/volumes").at("items").as_array(); }

void SwarmClient::deleteVolume(const std::string& name) { impl_->connection.call("DELETE", "/api/volumes/" + net::percentEncode(name)); }

std::string SwarmClient::callApi(const std::string& method, const std::string& target, const std::string& body) {
  auto& connection = impl_->connection;
  net::HttpRequest request;
  request.method = method;
  request.target = target;
  request.headers = connection.authorization();
  if (!body.empty()) request.contentType = "application/json";
  request.body = body;
  net::HttpResponse response = connection.run(connection.http().send(std::move(request), Deadline::after(connection.config().timeout)));
  if (response.status >= 400) throw client::errorFromResponse(response.status, response.headers, response.body);
  return response.body;
}

SwarmStatus SwarmClient::getSwarmStatus() {
  return fromJson<SwarmStatus>(impl_->connection.call("GET", "/api/swarm/status"), UnknownFields::Ignore);
}

boost::json::array SwarmClient::listProviders() {
  boost::json::value response = impl_->connection.call("GET", "/api/providers");
  if (const auto* page = response.if_object()) return page->at("items").as_array();
  return response.as_array();
}

boost::json::object SwarmClient::getProvider(const std::string& type) {
  return impl_->connection.call("GET", "/api/providers/" + net::percentEncode(type)).as_object();
}

boost::json::object SwarmClient::validateProvider(const std::string& type) {
  return impl_->connection.call("POST", "/api/providers/" + net::percentEncode(type) + "/validate").as_object();
}

boost::json::object SwarmClient::setProviderToken(const std::string& type, const Secret& token, bool force) {
  const boost::json::value body = requestBody(SetProviderTokenRequest{token.reveal()});
  const std::string path = "/api/providers/" + net::percentEncode(type) + "/token";
  return impl_->connection.call("PUT", path + (force ? "?force=true" : ""), &body).as_object();
}

boost::json::object SwarmClient::removeProviderToken(const std::string& type) {
  return impl_->connection.call("DELETE", "/api/providers/" + net::percentEncode(type) + "/token").as_object();
}

}  // namespace swarm
