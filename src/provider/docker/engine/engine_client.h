// EngineClient: the Docker Engine's HTTP API over a unix socket, TCP or TLS; version negotiation and errors in one place.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/http/http_client.h"
#include "provider/docker/docker_config.h"
#include "provider/docker/engine/unsettled.h"
#include "provider/json_answer.h"

namespace swarm::docker {

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
inline constexpr ApiVersion kNewestApi{1, 55};  ///< the newest whose specification we have read

/// The version to speak with an Engine that offers `oldest` … `newest`. Throws Error(Unprocessable) that says what to upgrade.
ApiVersion chooseApiVersion(ApiVersion oldest, ApiVersion newest, const std::string& endpoint);

struct EngineCall {
  std::string method = "GET";
  std::string target;               ///< without the version: "/containers/json?all=1"
  std::string doing;                ///< completes "could not …" in an error
  std::optional<json::value> body;  ///< sent as JSON
  std::string rawBody = {};         ///< else this, as `contentType`
  std::string contentType = {};
  net::Headers headers = {};
};

struct EngineReply {
  int status = 0;
  std::string body;
  std::expected<json::value, std::string> document{};  ///< of a good answer; null when it has no body
  bool ok() const { return status < 400; }
  /// The document of a good answer. Throws Error(UpstreamFailed) when its body is not JSON.
  json::value json(const std::string& doing) const&;
  json::value json(const std::string& doing) &&;  ///< without a copy
};

/// What /version and /info tell, learnt by connect().
struct EngineFacts {
  std::string engineVersion;
  ApiVersion api;
  int cpus = 0;
  std::int64_t memoryBytes = 0;
  std::string name;
  std::string cgroupVersion;
};

/// Owned by one loop.
class EngineClient {
 public:
  explicit EngineClient(DockerProviderConfig config);

  /// Negotiates and reads the facts, once; again after forget(). Called by every other method.
  awaitable<void> connect(Deadline deadline);
  /// After a disconnect: the Engine behind the endpoint may be another one.
  void forget();
  bool connected() const { return facts_.has_value(); }
  const EngineFacts& facts() const { return *facts_; }

  /// Any status is an answer. Throws Error(Unavailable | DeadlineExceeded) for transport trouble.
  awaitable<EngineReply> send(EngineCall call, Deadline deadline);
  /// The same for a call that the Engine finishes whatever becomes of its caller (a create): cancelling or outliving the caller ends the
  /// waiting only, the request goes on by itself and counts as unsettled for `subject` until the Engine has answered. `held` is kept until
  /// then.
  awaitable<EngineReply> sendToTheEnd(EngineCall call, std::string subject, Deadline deadline, std::shared_ptr<void> held = {});
  /// Waits until nothing goes on for `subject`. Throws Error(Unavailable) at the deadline.
  awaitable<void> settled(std::string subject, Deadline deadline) { return unsettled_.wait(std::move(subject), deadline); }
  /// The parsed answer (null when there is no body); a status of 400 and above is thrown as engineError() says.
  awaitable<json::value> call(EngineCall call, Deadline deadline);
  /// A streaming or upgraded answer; statuses of 400 and above are thrown.
  awaitable<std::unique_ptr<net::HttpExchange>> open(EngineCall call, Deadline deadline);

  /// A plain GET /_ping by a connection of its own, for validation and health.
  awaitable<void> ping(Deadline deadline);

  const DockerProviderConfig& config() const { return config_; }
  bool isLocal() const;  ///< the Engine shares our network namespace: its loopback is ours

 private:
  net::HttpRequest request(const EngineCall& call) const;
  static awaitable<EngineReply> read(net::HttpResponse response);
  awaitable<EngineReply> sendUnversioned(std::string target, Deadline deadline);

  DockerProviderConfig config_;
  net::HttpClient http_;
  std::optional<EngineFacts> facts_;
  std::string prefix_;
  Unsettled unsettled_;
};

/// Tolerant access to the Engine's JSON: absent or null gives the default.
const json::value* member(const json::value& value, std::string_view path);  ///< "State.ExitCode"
std::string stringAt(const json::value& value, std::string_view path);
std::int64_t integerAt(const json::value& value, std::string_view path);
bool boolAt(const json::value& value, std::string_view path);
std::string labelOf(const json::value& thing, std::string_view name);  ///< of its member Labels

/// A filters= query value: {"label":["a=b"]}.
std::string filterQuery(const json::object& filters);

}  // namespace swarm::docker
