// Calls to the server, and their errors.
#include "client/connection.h"

#include "base/text/format.h"
#include "base/text/json_access.h"
#include "base/text/number.h"
#include "model/codec/codec.h"
#include "net/tls/rejection.h"
#include "net/url.h"

namespace swarm::client {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{10'000};

net::Url serverUrl(const std::string& text) {
  auto url = net::parseUrl(text);
  if (url && (url->target.empty() || url->target == "/")) return *url;
  throw Error(ErrorCode::InvalidArgument, format("\"{}\" is not a server address; expected one like http://swarm.localhost:7420.", text));
}

async::awaitable<net::StreamPtr> connectWithHint(net::Connector connect, Deadline deadline) {
  try {
    co_return co_await connect(deadline);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unavailable) throw;
    if (error.message().contains(net::kCertificateRejected))
      throw Error(error.code(),
                  error.message() + " If a private authority issued it, name the authority's file: --ca-file or SWARM_CA_FILE.");
    throw Error(error.code(), error.message() + " Is the swarm server running there? `scripts/up` or `swarm serve` starts one.");
  }
}

}  // namespace

Connection::Connection(ClientConfig config) : config_(std::move(config)) {
  const net::Url url = serverUrl(config_.url);
  host_header_ = url.authority();
  net::Connector connect;
  if (url.tls) {
    auto context = net::makeTlsClient({.ca = config_.caFile, .certificate = {}, .key = {}, .serverName = url.host});
    connect = [address = url.address(), context](Deadline deadline) {
      return net::connectTls(address, context, deadline.orAfter(kConnectTimeout));
    };
  } else {
    connect = [address = url.address()](Deadline deadline) { return net::connectTcp(address, deadline.orAfter(kConnectTimeout)); };
  }
  connect_ = [connect = std::move(connect)](Deadline deadline) { return connectWithHint(connect, deadline); };
  net::HttpClientOptions options;
  options.host = host_header_;
  options.headers = {{"User-Agent", "swarm/" SWARM_VERSION}, {"Accept", "application/json"}};
  http_ = std::make_unique<net::HttpClient>(connect_, options);
}

Connection::~Connection() {
  // The pool belongs to the thread of the loop, which is joined after it.
  run([](std::unique_ptr<net::HttpClient> http) -> async::awaitable<void> {
    http.reset();
    co_return;
  }(std::move(http_)));
}

net::Headers Connection::authorization() const {
  if (config_.token.empty()) return {};
  return {{"Authorization", "Bearer " + config_.token.reveal()}};
}

Error errorFromResponse(int status, const net::Headers& headers, std::string_view body) {
  boost::system::error_code malformed;
  boost::json::value value = boost::json::parse(boost::json::string_view(body.data(), body.size()), malformed);
  const boost::json::object* problem = malformed ? nullptr : value.if_object();
  std::string request_id(net::findHeader(headers, "X-Request-Id"));
  if (!problem || !problem->contains("code")) {
    ErrorCode code = status == 404 ? ErrorCode::NotFound : status == 401 ? ErrorCode::Unauthenticated : ErrorCode::UpstreamFailed;
    return Error(code, format("The response ({} {}) is not that of a swarm server. Check the address.", status, net::reasonPhrase(status)))
        .withUpstream({status, request_id});
  }
  ErrorCode code = errorCodeFromString(stringIn(*problem, "code")).value_or(ErrorCode::UpstreamFailed);
  std::string message = stringIn(*problem, "detail");
  if (message.empty()) message = stringIn(*problem, "title");
  if (code == ErrorCode::Unauthenticated) message += " Sign in with `swarm login`.";
  if (std::string own = stringIn(*problem, "requestId"); !own.empty()) request_id = std::move(own);
  Error error = Error(code, message).withUpstream({status, request_id});
  if (const int seconds = parseNumber<int>(net::findHeader(headers, "Retry-After")).value_or(0); seconds > 0)
    error = Error(std::move(error).withRetryAfter(std::chrono::seconds(seconds)));  // an assignment of an object to itself empties it
  for (const boost::json::value& field : arrayAt(value, "errors"))
    if (std::string detail = stringAt(field, "detail"); !detail.empty())
      error.fields().push_back({stringAt(field, "pointer"), std::move(detail)});
  return error;
}

async::awaitable<std::string> readRest(net::HttpExchange& exchange, Deadline deadline) {
  std::string body;
  for (std::string piece = co_await exchange.read(deadline); !piece.empty(); piece = co_await exchange.read(deadline)) body += piece;
  co_return body;
}

boost::json::value Connection::call(std::string method, std::string target, const boost::json::value* body, net::Headers headers,
                                    const Patience& patience) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  for (auto& header : authorization()) request.headers.push_back(std::move(header));
  if (body) {
    request.body = boost::json::serialize(*body);
    request.contentType = "application/json";
  }
  net::HttpResponse response = run(http_->send(std::move(request), Deadline::after(config_.timeout + patience.extra)), patience.stop);
  if (response.status >= 400) throw errorFromResponse(response.status, response.headers, response.body);
  if (response.body.empty()) return nullptr;
  return parseJson(response.body, "The server's response");
}

std::optional<boost::json::value> Connection::find(std::string target, const Patience& patience) {
  try {
    return call("GET", std::move(target), nullptr, {}, patience);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::NotFound) return std::nullopt;
    throw;
  }
}

std::string instancePath(const std::string& ref, std::string_view rest) {
  return "/api/instances/" + net::percentEncode(ref) + std::string(rest);
}

}  // namespace swarm::client
