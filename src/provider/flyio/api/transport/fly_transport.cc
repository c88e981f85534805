// Rate limits, retries, cookies, and the meaning of a lost response.
#include "provider/flyio/api/transport/fly_transport.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <exception>

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "model/codec/json_response.h"
#include "provider/flyio/api/transport/backoff.h"

namespace swarm::flyio {
namespace {

/// Marks a failure to connect: no part of the request was sent.
constexpr std::string_view kNotSent = "not sent: ";
constexpr std::string_view kUserAgent = "vscode-remote-swarm";
constexpr std::chrono::seconds kMaxRetryAfter{60};
constexpr std::size_t kMaxRequestId = 128;

bool wasNotSent(const Error& error) { return error.cause().starts_with(kNotSent); }

std::string withoutFullStop(std::string text) {
  while (text.ends_with('.')) text.pop_back();
  return text;
}

std::chrono::seconds retryAfter(const net::Headers& headers) {
  std::string_view text = net::findHeader(headers, "retry-after");
  std::int64_t seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), kMaxRetryAfter);
}

/// Connects, and marks a failure as not sent.
net::Connector marking(net::Connector connect) {
  return [connect](Deadline deadline) -> awaitable<net::StreamPtr> {
    auto stream = co_await async::attempt(connect(deadline));
    if (stream) co_return std::move(*stream);
    throw stream.error().withCause(std::string(kNotSent) + stream.error().cause());
  };
}

}  // namespace

std::string authorizationFor(const std::string& token) {
  if (token.starts_with("FlyV1 ")) return token;
  for (std::string_view macaroon : {"fm1r_", "fm1a_", "fm2_"}) {
    if (token.starts_with(macaroon)) return "FlyV1 " + token;
  }
  return "Bearer " + token;
}

net::Url serverUrl(const std::string& text, std::string_view key) {
  auto url = net::parseUrl(text);
  if (url && url->target.find_first_not_of('/') == std::string::npos) return *url;
  throw Error(ErrorCode::InvalidArgument, format("[flyio] {} is \"{}\": expected https://HOST or http://HOST:PORT.", key, text));
}

std::string webUrl(const std::string& api_base_url) {
  std::string host = serverUrl(api_base_url, "apiBaseUrl").host;
  return host == "api.machines.dev" || host == "_api.internal" ? "https://api.fly.io" : api_base_url;
}

FlyTransport::FlyTransport(const std::string& base_url, FlyToken token, Tuning tuning, std::shared_ptr<net::TlsContext> tls)
    : base_url_(base_url), token_(std::move(token)), tuning_(tuning), limiter_(tuning.ratesTimes) {
  const net::Url url = serverUrl(base_url, "apiBaseUrl");
  net::HttpClientOptions options;
  options.host = url.authority();
  options.name = format("Fly's Machines API at {}", base_url);
  options.maxIdle = 64;
  options.maxBody = kMaxJsonResponse;
  // Shorter than any server's: a POST on a connection that the server is closing has an unknown result.
  options.idleTimeout = std::chrono::seconds(10);
  options.headers = {{"User-Agent", std::string(kUserAgent)}, {"Accept", "application/json"}};
  http_ = std::make_unique<net::HttpClient>(marking(connectorTo(url, tls)), std::move(options));
}

net::HttpRequest FlyTransport::request(const FlyCall& call) const {
  net::HttpRequest request;
  request.method = call.method;
  request.target = call.target;
  request.headers = {{"Authorization", authorizationFor(token_.current().reveal())}};
  if (!call.leaseNonce.empty()) request.headers.push_back({"fly-machine-lease-nonce", call.leaseNonce});
  std::string cookie = cookies_.headerFor(call.target, std::chrono::steady_clock::now());
  if (!cookie.empty()) request.headers.push_back({"Cookie", cookie});
  if (call.body) {
    request.body = json::serialize(*call.body);
    request.contentType = "application/json";
  }
  return request;
}

void FlyTransport::learn(const FlyCall& call, const net::HttpResponse& response) {
  SteadyTime now = std::chrono::steady_clock::now();
  for (const net::Header& header : response.headers) {
    if (net::equalsIgnoreCase(header.name, "set-cookie")) cookies_.keep(header.value, call.target, now);
  }
  if (response.status != 429) return;
  ++refused_for_rate_;
  limiter_.blockUntil(call.action, call.id, now + retryAfter(response.headers), now);
}

awaitable<void> FlyTransport::awaitTurn(const FlyCall& call, Deadline deadline) {
  SteadyTime now = std::chrono::steady_clock::now();
  if (deadline.left() < limiter_.waitTime(call.action, call.id, now)) {
    throw Error(ErrorCode::DeadlineExceeded,
                format("Timed out before the request to {}: Fly allows about one request per second of a kind.", call.doing));
  }
  std::chrono::nanoseconds wait = limiter_.take(call.action, call.id, now);
  if (wait.count() > 0) co_await async::sleepUntil(Deadline::at(now + wait));
}

awaitable<FlyReply> FlyTransport::receive(const FlyCall& call, Deadline deadline) {
  ++requests_;
  net::HttpResponse response = co_await http_->send(request(call), deadline.orAfter(call.timeout));
  learn(call, response);
  auto document = co_await parseJsonResponse(response.body);
  co_return FlyReply{.status = response.status,
                     .body = std::move(response.body),
                     .requestId = printable(net::findHeader(response.headers, "fly-request-id"), kMaxRequestId),
                     .trouble = {},
                     .document = document ? std::move(*document) : json::value()};
}

awaitable<FlyReply> FlyTransport::sendOnce(const FlyCall& call, Deadline deadline) {
  auto reply = co_await async::attempt(receive(call, deadline));
  if (reply) co_return std::move(*reply);
  if (wasNotSent(reply.error())) throw reply.error();
  FlyReply lost;
  lost.trouble = withoutFullStop(reply.error().message());
  co_return lost;
}

/// A change that was sent takes effect even if its caller is cancelled: the cancellation waits for the response, so that the next read
/// shows the change.
awaitable<FlyReply> FlyTransport::sendToEnd(const FlyCall& call, Deadline deadline) {
  namespace asio = boost::asio;
  auto cancelled = std::make_shared<bool>(false);
  auto note = [cancelled](asio::cancellation_type) {
    *cancelled = true;
    return asio::cancellation_type::none;
  };
  co_await asio::this_coro::reset_cancellation_state(note);
  std::optional<FlyReply> reply;
  std::exception_ptr failure;
  try {
    reply = co_await sendOnce(call, deadline);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (*cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*reply);
}

void FlyTransport::throwUnreachable(const Error& reason) const {
  throw Error(ErrorCode::Unavailable, format("Fly's Machines API at {} is unreachable: {}.", base_url_, withoutFullStop(reason.message())));
}

awaitable<FlyReply> FlyTransport::send(FlyCall call, Deadline deadline) {
  token_.current();  // without one, nothing is sent
  Backoff backoff(tuning_, call.patienceForNew);
  for (int tries = 1;; ++tries) {
    co_await awaitTurn(call, deadline);
    auto reply = co_await async::attempt(call.method == "GET" ? sendOnce(call, deadline) : sendToEnd(call, deadline));
    bool is_last = tries >= tuning_.attempts;
    if (!reply && (is_last || !backoff.fits(deadline))) throwUnreachable(reply.error());
    if (reply) {
      bool new_yet = reply->status == 404 && backoff.isPatient();
      bool refused = reply->status == 429;
      // A wait that timed out returns 408; for other requests 408 leaves the result unknown, as every failure of the platform does.
      bool is_open = reply->ok() ? reply->isCut() : reply->isFateOpen();
      bool passing = call.repeat == Repeat::Safe && is_open && call.action != Action::WaitMachine;
      if (!new_yet && (is_last || !(refused || passing))) co_return std::move(*reply);
      if (!backoff.fits(deadline)) co_return std::move(*reply);
    }
    co_await backoff.pause(Deadline::never(), "");
  }
}

awaitable<std::optional<json::value>> FlyTransport::find(FlyCall call, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await send(std::move(call), deadline);
  if (reply.isAbsent()) co_return std::nullopt;
  if (!reply.ok() || reply.isCut()) throw failure(reply, std::move(doing)).error();
  co_return std::optional<json::value>(std::move(reply.document));
}

awaitable<json::value> FlyTransport::call(FlyCall call, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await send(std::move(call), deadline);
  if (!reply.ok() || reply.isCut()) throw failure(reply, std::move(doing)).error();
  co_return std::move(reply.document);
}

}  // namespace swarm::flyio
