// FlyTransport: requests to Fly's REST API. Keeps rate limits, affinity cookies and the token; retries what may be sent twice.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/secret.h"
#include "net/http/http_client.h"
#include "net/url_connector.h"
#include "provider/flyio/api/fly_errors.h"
#include "provider/flyio/api/transport/affinity_cookies.h"
#include "provider/flyio/api/transport/fly_token.h"
#include "provider/flyio/api/transport/rate_limiter.h"
#include "provider/flyio/tuning.h"

namespace swarm::flyio {

using boost::asio::awaitable;

/// Whether a request may be sent again when its result is unknown.
enum class Repeat { Safe, Never };

inline constexpr std::chrono::seconds kCallTimeout{20};

struct FlyCall {
  Action action = Action::GetMachine;
  std::string id;  ///< what the action's rate limit applies to: a Machine, an app, the organization
  std::string method = "GET";
  std::string target = {};  ///< path and query, "/v1/…"
  std::string doing;        ///< for messages: "create the Machine"
  std::optional<json::value> body = {};
  std::string leaseNonce = {};
  Repeat repeat = Repeat::Safe;
  std::chrono::milliseconds timeout = kCallTimeout;  ///< of one attempt
  std::chrono::milliseconds patienceForNew{0};       ///< how long a 404 counts as "not propagated yet" (§12, pitfall 4)
};

/// For one loop.
class FlyTransport {
 public:
  /// `base_url`: "https://api.machines.dev" or "http://host:port". Throws Error(InvalidArgument) for another kind.
  /// `tls`: trusted authorities for https; null: the system's.
  FlyTransport(const std::string& base_url, FlyToken token, Tuning tuning, std::shared_ptr<net::TlsContext> tls = {});

  /// Returns any status; 429, 5xx, successful responses without their body and lost connections were retried where that is safe. Throws
  /// Error(Unavailable) when no request could be sent, Error(DeadlineExceeded).
  awaitable<FlyReply> send(FlyCall call, Deadline deadline);
  /// The JSON of a successful response; nothing when what the call names does not exist. Throws for every other response.
  awaitable<std::optional<json::value>> find(FlyCall call, Deadline deadline);
  /// The JSON of a successful response; throws otherwise.
  awaitable<json::value> call(FlyCall call, Deadline deadline);
  FlyFailure failure(const FlyReply& reply, std::string doing) const { return {reply, std::move(doing), base_url_}; }

  const std::string& baseUrl() const { return base_url_; }
  const Tuning& tuning() const { return tuning_; }
  void dropConnections() { http_->dropIdle(); }
  std::int64_t requests() const { return requests_; }                ///< sent so far, retries included
  std::int64_t refusedForRate() const { return refused_for_rate_; }  ///< 429s received

 private:
  awaitable<FlyReply> receive(const FlyCall& call, Deadline deadline);
  awaitable<FlyReply> sendOnce(const FlyCall& call, Deadline deadline);
  awaitable<FlyReply> sendToEnd(const FlyCall& call, Deadline deadline);
  awaitable<void> awaitTurn(const FlyCall& call, Deadline deadline);
  net::HttpRequest request(const FlyCall& call) const;
  void learn(const FlyCall& call, const net::HttpResponse& response);
  [[noreturn]] void throwUnreachable(const Error& reason) const;

  std::string base_url_;
  FlyToken token_;
  Tuning tuning_;
  RateLimiter limiter_;
  AffinityCookies cookies_;
  std::unique_ptr<net::HttpClient> http_;
  std::int64_t requests_ = 0;
  std::int64_t refused_for_rate_ = 0;
};

/// The Authorization header for a token: what begins with "FlyV1 " as it is, a bare macaroon (fm1r, fm1a, fm2) behind "FlyV1 ", everything
/// else as "Bearer " (docs/reference/fly-machines.md §1).
std::string authorizationFor(const std::string& token);

/// "https://host:port": a URL without a path. Throws Error(InvalidArgument) that names the `key` of the configuration.
net::Url serverUrl(const std::string& text, std::string_view key);
using net::connectorTo;
/// Address of Fly's web API, which has what the Machines API lacks: for other servers than Fly's own the same address.
std::string webUrl(const std::string& api_base_url);

}  // namespace swarm::flyio
