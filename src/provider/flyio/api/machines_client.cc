// Transport: rate limits, retries, cookies, and the meaning of a lost response.
#include "provider/flyio/api/machines_client.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <exception>

#include "async/deadline.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "provider/flyio/api/json_access.h"
#include "provider/json_answer.h"

namespace swarm::flyio {
namespace {

/// Marks a failure to connect: no part of the request was sent.
constexpr std::string_view kNotSent = "not sent: ";
constexpr std::string_view kUserAgent = "vscode-remote-swarm";
constexpr std::chrono::seconds kMaxRetryAfter{60};
constexpr std::size_t kMaxRequestId = 128;

bool wasNotSent(const Error& error) { return error.cause().starts_with(kNotSent); }

std::chrono::seconds retryAfter(const net::Headers& headers) {
  std::string_view text = net::findHeader(headers, "retry-after");
  std::int64_t seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), kMaxRetryAfter);
}

/// Connects, and marks a failure as not sent.
net::Connector marking(net::Connector connect) {
  return [connect](Deadline deadline) -> awaitable<net::StreamPtr> {
    std::optional<Error> failure;
    try {
      co_return co_await connect(deadline);
    } catch (const Error& error) {
      failure = error;
    }
    throw failure->withCause(std::string(kNotSent) + failure->cause());
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

net::Connector connectorTo(const net::Url& url, const std::shared_ptr<net::TlsContext>& tls) {
  net::HostPort address = url.address();
  if (!url.tls) return [address](Deadline deadline) { return net::connectTcp(address, deadline); };
  auto context = tls ? net::withServerName(*tls, url.host) : net::makeTlsClient({.serverName = url.host});
  return [address, context](Deadline deadline) { return net::connectTls(address, context, deadline); };
}

std::string webUrl(const std::string& api_base_url) {
  std::string host = serverUrl(api_base_url, "apiBaseUrl").host;
  return host == "api.machines.dev" || host == "_api.internal" ? "https://api.fly.io" : api_base_url;
}

bool FlyReply::isAbsent() const {
  if (status != 404) return false;
  return body.find("page not found") == std::string::npos && body.find('<') == std::string::npos;
}

bool FlyReply::isFateOpen() const {
  if (status == 0 || status == 408) return true;
  if (ok()) return true;  // the caller did not find what it expected in the response
  return status >= 500 && shortageOf(fault()) == Shortage::None;
}

FlyFault FlyReply::fault() const {
  if (status == 0) return {0, trouble, {}, requestId};
  return readFault(status, body, requestId);
}

MachinesClient::MachinesClient(const std::string& base_url, Secret token, std::string organization, Tuning tuning,
                               std::shared_ptr<net::TlsContext> tls)
    : base_url_(base_url),
      authorization_(authorizationFor(token.reveal())),
      organization_(std::move(organization)),
      tuning_(tuning),
      limiter_(tuning.ratesTimes),
      random_(std::random_device{}()) {
  const net::Url url = serverUrl(base_url, "apiBaseUrl");
  net::HttpClientOptions options;
  options.host = url.authority();
  options.name = format("Fly's Machines API at {}", base_url);
  options.maxIdle = 64;
  options.maxBody = kMaxJsonAnswer;
  // Shorter than any server's: a POST on a connection that the server is closing has an unknown result.
  options.idleTimeout = std::chrono::seconds(10);
  options.headers = {{"User-Agent", std::string(kUserAgent)}, {"Accept", "application/json"}};
  http_ = std::make_unique<net::HttpClient>(marking(connectorTo(url, tls)), std::move(options));
}

std::chrono::milliseconds MachinesClient::jittered(std::chrono::milliseconds duration) {
  std::uniform_real_distribution<double> part(0.5, 1.0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(duration.count()) * part(random_)) + 1);
}

awaitable<void> MachinesClient::pause(std::chrono::milliseconds duration, Deadline deadline, std::string what) {
  if (deadline.left() <= duration) throw Error(ErrorCode::DeadlineExceeded, std::move(what));
  co_await async::sleepFor(duration);
}

net::HttpRequest MachinesClient::request(const FlyCall& call) const {
  net::HttpRequest request;
  request.method = call.method;
  request.target = call.target;
  request.headers = {{"Authorization", authorization_.reveal()}};
  if (!call.leaseNonce.empty()) request.headers.push_back({"fly-machine-lease-nonce", call.leaseNonce});
  std::string cookie = cookies_.headerFor(call.target, std::chrono::steady_clock::now());
  if (!cookie.empty()) request.headers.push_back({"Cookie", cookie});
  if (call.body) {
    request.body = json::serialize(*call.body);
    request.contentType = "application/json";
  }
  return request;
}

void MachinesClient::learn(const FlyCall& call, const net::HttpResponse& response) {
  SteadyTime now = std::chrono::steady_clock::now();
  for (const net::Header& header : response.headers) {
    if (net::equalsIgnoreCase(header.name, "set-cookie")) cookies_.keep(header.value, call.target, now);
  }
  if (response.status != 429) return;
  ++refused_for_rate_;
  limiter_.blockUntil(call.action, call.id, now + retryAfter(response.headers), now);
}

awaitable<void> MachinesClient::awaitTurn(const FlyCall& call, Deadline deadline) {
  SteadyTime now = std::chrono::steady_clock::now();
  if (deadline.left() < limiter_.waitTime(call.action, call.id, now)) {
    throw Error(ErrorCode::DeadlineExceeded,
                format("Timed out before the request to {}: Fly allows about one request per second of a kind.", call.doing));
  }
  std::chrono::nanoseconds wait = limiter_.take(call.action, call.id, now);
  if (wait.count() > 0) co_await async::sleepUntil(Deadline::at(now + wait));
}

awaitable<FlyReply> MachinesClient::attempt(const FlyCall& call, Deadline deadline) {
  std::optional<Error> failure;
  try {
    ++requests_;
    net::HttpResponse response = co_await http_->send(request(call), deadline.orAfter(call.timeout));
    learn(call, response);
    auto document = co_await parseAnswer(response.body);
    co_return FlyReply{.status = response.status,
                       .body = std::move(response.body),
                       .requestId = printable(net::findHeader(response.headers, "fly-request-id"), kMaxRequestId),
                       .nextCursor = std::string(net::findHeader(response.headers, "fly-next-cursor")),
                       .trouble = {},
                       .document = document ? std::move(*document) : json::value()};
  } catch (const Error& error) {
    failure = error;
  }
  if (wasNotSent(*failure)) throw *failure;
  FlyReply lost;
  lost.trouble = failure->message();
  while (lost.trouble.ends_with('.')) lost.trouble.pop_back();
  co_return lost;
}

/// A change that was sent takes effect even if its caller is cancelled: the cancellation waits for the response, so that the next read
/// shows the change.
awaitable<FlyReply> MachinesClient::attemptWhole(const FlyCall& call, Deadline deadline) {
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
    reply = co_await attempt(call, deadline);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (*cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*reply);
}

void MachinesClient::throwUnreachable(const std::string& reason) const {
  std::string why = reason;
  while (why.ends_with('.')) why.pop_back();
  throw Error(ErrorCode::Unavailable, format("Fly's Machines API at {} is unreachable: {}.", base_url_, why));
}

awaitable<FlyReply> MachinesClient::send(FlyCall call, Deadline deadline) {
  SteadyTime patient_until = std::chrono::steady_clock::now() + call.patienceForNew;
  std::chrono::milliseconds delay = tuning_.firstPause;
  for (int tries = 1;; ++tries) {
    co_await awaitTurn(call, deadline);
    std::optional<FlyReply> reply;
    std::string unsent;
    try {
      reply = co_await (call.method == "GET" ? attempt(call, deadline) : attemptWhole(call, deadline));
    } catch (const Error& error) {
      unsent = error.message();
    }
    bool is_last = tries >= tuning_.attempts;
    if (!reply && (is_last || deadline.left() <= delay)) throwUnreachable(unsent);
    if (reply) {
      bool new_yet = reply->status == 404 && std::chrono::steady_clock::now() < patient_until;
      bool refused = reply->status == 429;
      // A wait that timed out returns 408; for other requests 408 leaves the result unknown, as every failure of the platform does.
      bool is_open = reply->ok() ? reply->isCut() : reply->isFateOpen();
      bool passing = call.repeat == Repeat::Safe && is_open && call.action != Action::WaitMachine;
      if (!new_yet && (is_last || !(refused || passing))) co_return std::move(*reply);
      if (deadline.left() <= delay) co_return std::move(*reply);
    }
    co_await async::sleepFor(jittered(delay));
    delay = std::min(delay * 2, tuning_.longestPause);
  }
}

Error MachinesClient::failure(const FlyReply& reply, std::string_view doing) const {
  if (reply.isCut()) {
    return Error(ErrorCode::UpstreamFailed,
                 format("Fly's response to the request to {} was empty or incomplete (status {}). Try again.", doing, reply.status))
        .withRetryable(true)
        .withUpstream({.status = reply.status, .requestId = reply.requestId});
  }
  if (reply.status != 0) return flyError(reply.fault(), doing);
  return Error(ErrorCode::Unavailable,
               format("Fly's Machines API at {} did not respond to the request to {}: {}.", base_url_, doing, reply.trouble));
}

awaitable<json::value> MachinesClient::call(FlyCall call, Deadline deadline) {
  std::string doing = call.doing;
  FlyReply reply = co_await send(std::move(call), deadline);
  if (!reply.ok()) throw failure(reply, doing);
  if (reply.isCut()) throw failure(reply, doing);
  co_return std::move(reply.document);
}

}  // namespace swarm::flyio
