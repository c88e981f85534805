// Version negotiation, and failures of the connection as errors.
#include "engine/transport/transport.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "async/attempt.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/number.h"
#include "engine/transport/errors.h"
#include "model/codec/json_response.h"

namespace swarm::engine {
namespace {

net::HttpClientOptions makeOptions(const Endpoint& endpoint) {
  net::HttpClientOptions options;
  options.maxBody = kMaxJsonResponse;
  options.host = endpoint.host.empty() || endpoint.overSsh ? "docker" : net::toString({endpoint.host, portOf(endpoint)});
  return options;
}

bool isPodman(const json::value& version) {
  const json::value* parts = member(version, "Components");
  return parts && parts->is_array() &&
         std::ranges::any_of(parts->as_array(), [](const json::value& part) { return stringAt(part, "Name") == "Podman Engine"; });
}

}  // namespace

std::optional<ApiVersion> parseApiVersion(std::string_view text) {
  auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = parseNumber<int>(text.substr(0, dot)), minor = parseNumber<int>(text.substr(dot + 1));
  return major && minor ? std::optional(ApiVersion{*major, *minor}) : std::nullopt;
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

json::value Reply::json(const std::string& doing) && {
  if (document) return std::move(*document);
  throw Error(ErrorCode::UpstreamFailed, format("The Docker Engine's response to \"{}\" is invalid: {}.", doing, document.error()))
      .withCause(body.substr(0, 200))
      .withUpstream({.status = status, .requestId = {}});
}

json::value Reply::json(const std::string& doing) const& { return Reply(*this).json(doing); }

Transport::Transport(Endpoint endpoint) : endpoint_(std::move(endpoint)), http_(connectorTo(endpoint_), makeOptions(endpoint_)) {}

void Transport::forget() {
  facts_.reset();
  http_.dropIdle();
}

net::HttpRequest Transport::httpRequest(const Request& request) const {
  net::HttpRequest sent;
  sent.method = request.method;
  sent.target = prefix_ + request.target;
  sent.headers = request.headers;
  if (request.body) {
    sent.body = json::serialize(*request.body);
    sent.contentType = "application/json";
  } else if (!request.rawBody.empty()) {
    sent.body = request.rawBody;
    sent.contentType = request.contentType;
  }
  return sent;
}

awaitable<Reply> Transport::read(std::expected<net::HttpResponse, Error> response) const {
  if (!response) throw transportError(response.error(), endpoint_);
  if (response->status >= 400 || response->body.empty()) co_return Reply{response->status, std::move(response->body)};
  auto document = co_await parseJsonResponse(response->body);
  co_return Reply{response->status, std::move(response->body), std::move(document)};
}

awaitable<Reply> Transport::sendUnversioned(std::string target, Deadline deadline) {
  net::HttpRequest request;
  request.target = std::move(target);
  co_return co_await read(co_await async::attempt(http_.send(std::move(request), deadline)));
}

awaitable<json::value> Transport::query(std::string target, std::string doing, Deadline deadline) {
  Reply reply = co_await sendUnversioned(std::move(target), deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  co_return std::move(reply).json(doing);
}

awaitable<void> Transport::ping(Deadline deadline) {
  Reply reply = co_await sendUnversioned("/_ping", deadline);
  if (!reply.ok()) throw engineError(reply.status, reply.body, "answer a ping");
}

awaitable<void> Transport::connect(Deadline deadline) {
  if (facts_) co_return;
  json::value version = co_await query("/version", "report its version", deadline);
  auto newest = parseApiVersion(stringAt(version, "ApiVersion"));
  if (!newest) {
    throw Error(ErrorCode::UpstreamFailed,
                format("The server at {} is not a Docker Engine: it reports no API version.", toString(endpoint_)));
  }
  ApiVersion oldest = parseApiVersion(stringAt(version, "MinAPIVersion")).value_or(ApiVersion{1, 0});
  Facts facts;
  facts.api = chooseApiVersion(oldest, *newest, toString(endpoint_));
  facts.engineVersion = stringAt(version, "Version");
  facts.isPodman = isPodman(version);
  std::string prefix = "/v" + toString(facts.api);
  json::value info = co_await query(prefix + "/info", "report about its machine", deadline);
  facts.cpus = static_cast<int>(integerAt(info, "NCPU"));
  facts.memoryBytes = integerAt(info, "MemTotal");
  facts.name = stringAt(info, "Name");
  facts.cgroupVersion = stringAt(info, "CgroupVersion");
  for (const std::string& option : textsAt(info, "SecurityOptions")) {
    facts.hasSeccomp |= option.starts_with("name=seccomp") && !option.ends_with("profile=unconfined");
    facts.hasUserNamespaces |= option == "name=userns" || option == "name=rootless";
  }
  prefix_ = std::move(prefix);
  facts_ = std::move(facts);
}

awaitable<Reply> Transport::send(Request request, Deadline deadline) {
  co_await connect(deadline);
  co_return co_await read(co_await async::attempt(http_.send(httpRequest(request), deadline)));
}

awaitable<Reply> Transport::sendToTheEnd(Request request, std::string subject, Deadline deadline, std::shared_ptr<void> held) {
  co_await connect(deadline);
  co_return co_await read(
      co_await async::attempt(unsettled_.send(http_, httpRequest(request), std::move(subject), deadline, std::move(held))));
}

awaitable<std::unique_ptr<net::HttpExchange>> Transport::open(Request request, Deadline deadline) {
  co_await connect(deadline);
  auto opened = co_await async::attempt(http_.open(httpRequest(request), deadline));
  if (!opened) throw transportError(opened.error(), endpoint_);
  std::unique_ptr<net::HttpExchange> exchange = std::move(*opened);
  if (exchange->status() < 400) co_return exchange;
  std::string body;
  while (body.size() < kMaxErrorBody) {
    auto piece = co_await async::attempt(exchange->read(deadline));
    if (!piece) throw transportError(piece.error(), endpoint_);
    if (piece->empty()) break;
    body += *piece;
  }
  throw engineError(exchange->status(), body, request.doing);
}

}  // namespace swarm::engine
