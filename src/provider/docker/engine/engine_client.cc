// Requests, negotiation and tolerant JSON access for the Engine's API.
#include "provider/docker/engine/engine_client.h"

#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {
namespace {

std::uint16_t portOf(const DockerProviderConfig& config) {
  if (config.port != 0) return config.port;
  return config.tls.enabled ? 2376 : 2375;
}

net::Connector makeConnector(const DockerProviderConfig& config) {
  if (config.host.empty()) {
    return [path = config.socketPath](Deadline deadline) { return net::connectUnix(path, deadline); };
  }
  net::HostPort address{config.host, portOf(config)};
  if (!config.tls.enabled) {
    return [address](Deadline deadline) { return net::connectTcp(address, deadline); };
  }
  auto context = net::makeTlsClient({config.tls.ca, config.tls.certificate, config.tls.key, config.host});
  return [address, context](Deadline deadline) { return net::connectTls(address, context, deadline); };
}

net::HttpClientOptions makeOptions(const DockerProviderConfig& config) {
  net::HttpClientOptions options;
  options.maxBody = kMaxJsonAnswer;
  options.host = config.host.empty() ? "docker" : net::toString({config.host, portOf(config)});
  return options;
}

}  // namespace

std::optional<ApiVersion> parseApiVersion(std::string_view text) {
  auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  ApiVersion version;
  auto major = std::from_chars(text.data(), text.data() + dot, version.major);
  auto minor = std::from_chars(text.data() + dot + 1, text.data() + text.size(), version.minor);
  if (major.ec != std::errc() || major.ptr != text.data() + dot) return std::nullopt;
  if (minor.ec != std::errc() || minor.ptr != text.data() + text.size()) return std::nullopt;
  return version;
}

std::string toString(ApiVersion version) { return format("{}.{}", version.major, version.minor); }

ApiVersion chooseApiVersion(ApiVersion oldest, ApiVersion newest, const std::string& endpoint) {
  if (newest < kOldestApi) {
    throw Error(ErrorCode::Unprocessable,
                format("The Docker Engine at {} speaks API {}; {} is the oldest that works. Upgrade it to Docker Engine 20.10 or newer.",
                       endpoint, toString(newest), toString(kOldestApi)));
  }
  if (kNewestApi < oldest) {
    throw Error(ErrorCode::Unprocessable,
                format("The Docker Engine at {} speaks only API {} and newer; this server knows up to {}. Upgrade the server, or set "
                       "min-api-version in the Engine's daemon.json.",
                       endpoint, toString(oldest), toString(kNewestApi)));
  }
  return std::min(newest, kNewestApi);
}

json::value EngineReply::json(const std::string& doing) && {
  if (document) return std::move(*document);
  throw Error(ErrorCode::UpstreamFailed, format("The Docker Engine gave a wrong answer when asked to {}: {}.", doing, document.error()))
      .withCause(body.substr(0, 200))
      .withUpstream({.status = status, .requestId = {}});
}

json::value EngineReply::json(const std::string& doing) const& { return EngineReply(*this).json(doing); }

EngineClient::EngineClient(DockerProviderConfig config) : config_(std::move(config)), http_(makeConnector(config_), makeOptions(config_)) {}

bool EngineClient::isLocal() const {
  return config_.host.empty() || config_.host == "localhost" || config_.host == "::1" || config_.host.starts_with("127.");
}

void EngineClient::forget() {
  facts_.reset();
  http_.dropIdle();
}

net::HttpRequest EngineClient::request(const EngineCall& call) const {
  net::HttpRequest request;
  request.method = call.method;
  request.target = prefix_ + call.target;
  request.headers = call.headers;
  if (call.body) {
    request.body = json::serialize(*call.body);
    request.contentType = "application/json";
  } else if (!call.rawBody.empty()) {
    request.body = call.rawBody;
    request.contentType = call.contentType;
  }
  return request;
}

awaitable<EngineReply> EngineClient::read(net::HttpResponse response) {
  if (response.status >= 400 || response.body.empty()) co_return EngineReply{response.status, std::move(response.body)};
  auto document = co_await parseAnswer(response.body);
  co_return EngineReply{response.status, std::move(response.body), std::move(document)};
}

awaitable<EngineReply> EngineClient::sendUnversioned(std::string target, Deadline deadline) {
  std::optional<Error> failure;
  try {
    net::HttpRequest request;
    request.target = std::move(target);
    net::HttpResponse response = co_await http_.send(std::move(request), deadline);
    co_return co_await read(std::move(response));
  } catch (const Error& error) {
    failure = error;
  }
  throw transportError(*failure, config_);
}

awaitable<void> EngineClient::ping(Deadline deadline) {
  EngineReply reply = co_await sendUnversioned("/_ping", deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, "answer a ping");
}

awaitable<void> EngineClient::connect(Deadline deadline) {
  if (facts_) co_return;
  const std::string doing = "tell its version";
  EngineReply reply = co_await sendUnversioned("/version", deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  json::value version = reply.json(doing);
  auto newest = parseApiVersion(stringAt(version, "ApiVersion"));
  if (!newest) {
    throw Error(ErrorCode::UpstreamFailed,
                format("What answers at {} is no Docker Engine: it tells no API version.", endpointText(config_)));
  }
  ApiVersion oldest = parseApiVersion(stringAt(version, "MinAPIVersion")).value_or(ApiVersion{1, 0});
  EngineFacts facts;
  facts.api = chooseApiVersion(oldest, *newest, endpointText(config_));
  facts.engineVersion = stringAt(version, "Version");
  std::string prefix = "/v" + toString(facts.api);
  EngineReply info_reply = co_await sendUnversioned(prefix + "/info", deadline);
  if (!info_reply.ok()) throw engineError(info_reply.status, info_reply.body, "tell about its machine");
  json::value info = info_reply.json("tell about its machine");
  facts.cpus = static_cast<int>(integerAt(info, "NCPU"));
  facts.memoryBytes = integerAt(info, "MemTotal");
  facts.name = stringAt(info, "Name");
  facts.cgroupVersion = stringAt(info, "CgroupVersion");
  prefix_ = std::move(prefix);
  facts_ = std::move(facts);
}

awaitable<EngineReply> EngineClient::send(EngineCall call, Deadline deadline) {
  co_await connect(deadline);
  std::optional<Error> failure;
  try {
    net::HttpResponse response = co_await http_.send(request(call), deadline);
    co_return co_await read(std::move(response));
  } catch (const Error& error) {
    failure = error;
  }
  throw transportError(*failure, config_);
}

awaitable<EngineReply> EngineClient::sendToTheEnd(EngineCall call, std::string subject, Deadline deadline, std::shared_ptr<void> held) {
  co_await connect(deadline);
  std::optional<Error> failure;
  try {
    net::HttpResponse response = co_await unsettled_.send(http_, request(call), std::move(subject), deadline, std::move(held));
    co_return co_await read(std::move(response));
  } catch (const Error& error) {
    failure = error;
  }
  throw transportError(*failure, config_);
}

awaitable<json::value> EngineClient::call(EngineCall call, Deadline deadline) {
  std::string doing = call.doing;
  EngineReply reply = co_await send(std::move(call), deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  co_return std::move(reply).json(doing);
}

awaitable<std::unique_ptr<net::HttpExchange>> EngineClient::open(EngineCall call, Deadline deadline) {
  co_await connect(deadline);
  std::optional<Error> failure;
  try {
    std::unique_ptr<net::HttpExchange> exchange = co_await http_.open(request(call), deadline);
    if (exchange->status() < 400) co_return exchange;
    std::string body;
    while (body.size() < kMaxErrorBody) {
      std::string piece = co_await exchange->read(deadline);
      if (piece.empty()) break;
      body += piece;
    }
    throw engineError(exchange->status(), body, call.doing);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure->upstream().status != 0) throw *failure;
  throw transportError(*failure, config_);
}

const json::value* member(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  while (!path.empty()) {
    auto dot = path.find('.');
    std::string_view name = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    const json::object* object = at->if_object();
    if (!object) return nullptr;
    at = object->if_contains(name);
    if (!at) return nullptr;
  }
  return at->is_null() ? nullptr : at;
}

std::string stringAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t integerAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  if (!found) return 0;
  if (found->is_int64()) return found->as_int64();
  if (found->is_uint64()) return static_cast<std::int64_t>(found->as_uint64());
  if (found->is_double()) return static_cast<std::int64_t>(found->as_double());
  return 0;
}

bool boolAt(const json::value& value, std::string_view path) {
  const json::value* found = member(value, path);
  return found && found->is_bool() && found->as_bool();
}

std::string labelOf(const json::value& thing, std::string_view name) {
  const json::value* labels = member(thing, "Labels");
  const json::object* object = labels ? labels->if_object() : nullptr;
  const json::value* found = object ? object->if_contains(name) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string filterQuery(const json::object& filters) { return "filters=" + net::percentEncode(json::serialize(filters)); }

}  // namespace swarm::docker
