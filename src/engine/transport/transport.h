// Transport: requests to a Docker Engine over its endpoint, with version negotiation. The paths are in engine/client.h.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/transport/endpoint.h"
#include "engine/transport/unsettled.h"
#include "net/http/http_client.h"

namespace swarm::engine {

namespace json = boost::json;

/// "1.41" as a number pair that compares.
struct ApiVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const ApiVersion&) const = default;
};
std::optional<ApiVersion> parseApiVersion(std::string_view text);
std::string toString(ApiVersion version);

inline constexpr ApiVersion kOldestApi{1, 41};  ///< Engine 20.10
inline constexpr ApiVersion kNewestApi{1, 55};  ///< the newest whose specification was reviewed

/// The version to use with an Engine that offers `oldest` … `newest`. Throws Error(Unprocessable) that says what to upgrade.
ApiVersion chooseApiVersion(ApiVersion oldest, ApiVersion newest, const std::string& endpoint);

struct Request {
  std::string method = "GET";
  std::string target;                    ///< without the version: "/containers/json?all=1"
  std::string doing;                     ///< completes "could not …" in an error
  std::optional<json::value> body = {};  ///< sent as JSON
  std::string rawBody = {};              ///< else this, as `contentType`
  std::string contentType = {};
  net::Headers headers = {};
};

struct Reply {
  int status = 0;
  std::string body;
  std::expected<json::value, std::string> document{};  ///< of a successful reply; null without a body
  bool ok() const { return status < 400; }
  /// The document of a successful reply. Throws Error(UpstreamFailed) when its body is not JSON.
  json::value json(const std::string& doing) const&;
  json::value json(const std::string& doing) &&;  ///< without a copy
};

/// What /version and /info report, as read by connect().
struct Facts {
  std::string engineVersion;
  ApiVersion api;
  int cpus = 0;
  std::int64_t memoryBytes = 0;
  std::string name;
  std::string cgroupVersion;
  bool hasSeccomp = false;
  bool hasUserNamespaces = false;  ///< root in a container is another user on the machine
  bool isPodman = false;           ///< whose versions up to 4.3 at least change no limits of a running container
};

/// Owned by one loop.
class Transport {
 public:
  explicit Transport(Endpoint endpoint);

  /// Negotiates and reads the facts, once; again after forget(). Called by every other method.
  awaitable<void> connect(Deadline deadline);
  /// After a disconnect: the Engine behind the endpoint may be another one.
  void forget();
  bool connected() const { return facts_.has_value(); }
  const Facts& facts() const { return *facts_; }

  /// Any status is a reply. Throws Error(Unavailable | DeadlineExceeded) for failures of the connection.
  awaitable<Reply> send(Request request, Deadline deadline);
  /// The same for a request that the Engine finishes even if its caller is gone (a create): cancelling or outliving the caller ends only
  /// the wait, the request continues and counts as unsettled for `subject` until the Engine has responded. `held` is kept until then.
  awaitable<Reply> sendToTheEnd(Request request, std::string subject, Deadline deadline, std::shared_ptr<void> held = {});
  /// Waits until no request for `subject` continues. Throws Error(Unavailable) at the deadline.
  awaitable<void> settled(std::string subject, Deadline deadline) { return unsettled_.wait(std::move(subject), deadline); }
  /// A streaming or upgraded response; statuses of 400 and above are thrown.
  awaitable<std::unique_ptr<net::HttpExchange>> open(Request request, Deadline deadline);

  /// A plain GET /_ping without version negotiation, for validation.
  awaitable<void> ping(Deadline deadline);

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  net::HttpRequest httpRequest(const Request& request) const;
  awaitable<Reply> read(std::expected<net::HttpResponse, Error> response) const;
  awaitable<Reply> sendUnversioned(std::string target, Deadline deadline);
  awaitable<json::value> query(std::string target, std::string doing, Deadline deadline);

  Endpoint endpoint_;
  net::HttpClient http_;
  std::optional<Facts> facts_;
  std::string prefix_;
  Unsettled unsettled_;
};

}  // namespace swarm::engine
