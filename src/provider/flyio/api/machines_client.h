// MachinesClient: Fly's REST API. Keeps rate limits, affinity cookies and the token; distinguishes a response that settles a request from
// one that leaves its result unknown.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/secret.h"
#include "net/http/http_client.h"
#include "net/url.h"
#include "provider/flyio/api/transport/affinity_cookies.h"
#include "provider/flyio/api/fly_errors.h"
#include "provider/flyio/api/fly_types.h"
#include "provider/flyio/api/transport/rate_limiter.h"
#include "provider/flyio/tuning.h"

namespace swarm::flyio {

using boost::asio::awaitable;
namespace json = boost::json;

/// Whether a request may be sent again when its result is unknown.
enum class Repeat { Safe, Never };

struct FlyCall {
  Action action = Action::GetMachine;
  std::string id;  ///< what the action's rate limit applies to: a Machine, an app, the organization
  std::string method = "GET";
  std::string target = {};  ///< path and query, "/v1/…"
  std::string doing;        ///< for messages: "create the Machine"
  std::optional<json::value> body = {};
  Repeat repeat = Repeat::Safe;
  std::string leaseNonce = {};
  std::chrono::milliseconds timeout{20'000};    ///< of one attempt
  std::chrono::milliseconds patienceForNew{0};  ///< how long a 404 counts as "not propagated yet" (§12, pitfall 4)
};

struct FlyReply {
  int status = 0;  ///< 0: the connection failed or timed out after the request was sent
  std::string body;
  std::string requestId;
  std::string nextCursor;
  std::string trouble;     ///< why status is 0
  json::value document{};  ///< the body's; null if it is not JSON
  bool ok() const { return status >= 200 && status <= 299; }
  /// Fly reports that the named thing does not exist; not an unknown path or a proxy's page (§1, "Unrouted path").
  bool isAbsent() const;
  /// The request may have been performed: no response, 408, or an error of the platform that does not refuse it.
  bool isFateOpen() const;
  /// A successful response without its complete body: its content is unknown.
  bool isCut() const { return ok() && status != 202 && status != 204 && document.is_null() && !body.starts_with("null"); }
  FlyFault fault() const;
  const json::value& json() const { return document; }
};

/// One loop owns it. Errors are swarm::Error; what is not found is empty. Names and ids in paths must be Fly's own (letters, digits,
/// dashes, underscores): they are not escaped.
class MachinesClient {
 public:
  /// `base_url`: "https://api.machines.dev" or "http://host:port". Throws Error(InvalidArgument) for another kind.
  /// `tls`: trusted authorities for https; null: the system's.
  MachinesClient(const std::string& base_url, Secret token, std::string organization, Tuning tuning,
                 std::shared_ptr<net::TlsContext> tls = {});

  /// Returns any status; 429, 5xx, successful responses without their body and lost connections were retried where that is safe. Throws
  /// Error(Unavailable) when no request could be sent, Error(DeadlineExceeded).
  awaitable<FlyReply> send(FlyCall call, Deadline deadline);
  /// The JSON of a successful response; throws flyError otherwise.
  awaitable<json::value> call(FlyCall call, Deadline deadline);
  Error failure(const FlyReply& reply, std::string_view doing) const;  ///< of any reply that is not ok

  const std::string& organization() const { return organization_; }
  const std::string& baseUrl() const { return base_url_; }
  const Tuning& tuning() const { return tuning_; }
  void dropConnections() { http_->dropIdle(); }
  std::int64_t requests() const { return requests_; }                ///< sent so far, retries included
  std::int64_t refusedForRate() const { return refused_for_rate_; }  ///< 429s received

  /// Waits, and throws Error(DeadlineExceeded) at once when the deadline comes first.
  awaitable<void> pause(std::chrono::milliseconds duration, Deadline deadline, std::string what);
  std::chrono::milliseconds jittered(std::chrono::milliseconds duration);  ///< 50 to 100 % of it

  // Typed calls (machines_calls.cc).
  awaitable<std::optional<App>> findApp(std::string app, Deadline deadline);
  awaitable<std::vector<IpAddress>> listIps(std::string app, Deadline deadline);
  awaitable<std::vector<Machine>> listMachines(std::string app, bool include_deleted, Deadline deadline);  ///< no app: none
  awaitable<std::optional<Machine>> findMachine(std::string app, std::string id, Deadline deadline, bool is_new = false);
  awaitable<std::vector<Volume>> listVolumes(std::string app, Deadline deadline);  ///< without those that are being destroyed
  awaitable<std::vector<StoredSnapshot>> listSnapshots(std::string app, std::string volume_id, Deadline deadline);  ///< no volume: none
  awaitable<std::optional<Volume>> findVolume(std::string app, std::string id, Deadline deadline);
  /// Waits until the Machine is in one of `states` (separated by commas), or `round` has passed.
  struct Waited {
    bool reached = false;
    bool gone = false;
    std::string state;
  };
  awaitable<Waited> wait(Machine machine, std::string states, std::chrono::seconds round, Deadline deadline);
  awaitable<std::int64_t> setSecrets(std::string app, json::object values, Deadline deadline);  ///< their version; 0 if unknown
  awaitable<std::optional<std::string>> readSecret(std::string app, std::string name, Deadline deadline);
  awaitable<void> patchMetadata(std::string app, std::string id, json::object values, Deadline deadline);
  struct OrgQuery {
    std::string updatedAfter = {};  ///< RFC 3339
    std::string cursor = {};
    bool includeDeleted = false;
  };
  awaitable<Page<Machine>> listOrgMachines(OrgQuery query, Deadline deadline);
  awaitable<Page<Volume>> listOrgVolumes(std::string cursor, Deadline deadline);
  awaitable<RegionList> regions(Deadline deadline);
  /// Those of `regions` where a Machine of that size with a volume can be created now, considering the quota.
  awaitable<std::vector<std::string>> regionsWithRoom(std::vector<std::string> regions, json::object guest, std::int64_t volume_gb,
                                                      Deadline deadline);
  awaitable<std::vector<TokenInfo>> tokens(Deadline deadline);
  /// What was logged after `token`, or recently without one; oldest first. Served at webUrl(). No app: nothing.
  struct LogPage {
    std::vector<LogLine> lines;
    std::string nextToken;
  };
  awaitable<LogPage> readLog(std::string app, std::string machine_id, std::string token, Deadline deadline);

 private:
  awaitable<FlyReply> attempt(const FlyCall& call, Deadline deadline);
  awaitable<FlyReply> attemptWhole(const FlyCall& call, Deadline deadline);
  awaitable<void> awaitTurn(const FlyCall& call, Deadline deadline);
  net::HttpRequest request(const FlyCall& call) const;
  void learn(const FlyCall& call, const net::HttpResponse& response);
  [[noreturn]] void throwUnreachable(const std::string& reason) const;

  std::string base_url_;
  Secret authorization_;  ///< value of the header
  std::string organization_;
  Tuning tuning_;
  RateLimiter limiter_;
  AffinityCookies cookies_;
  std::minstd_rand random_;
  std::unique_ptr<net::HttpClient> http_;
  std::int64_t requests_ = 0;
  std::int64_t refused_for_rate_ = 0;
};

/// The Authorization header for a token: what begins with "FlyV1 " as it is, a bare macaroon (fm1r, fm1a, fm2) behind "FlyV1 ", everything
/// else as "Bearer " (docs/reference/fly-machines.md §1).
std::string authorizationFor(const std::string& token);

/// "https://host:port": a URL without a path. Throws Error(InvalidArgument) that names the `key` of the configuration.
net::Url serverUrl(const std::string& text, std::string_view key);
/// `tls`: trusted authorities for any server; null: the system's. An https URL is never connected to without TLS.
net::Connector connectorTo(const net::Url& url, const std::shared_ptr<net::TlsContext>& tls);
/// Address of Fly's web API, which has what the Machines API lacks: for other servers than Fly's own the same address.
std::string webUrl(const std::string& api_base_url);

}  // namespace swarm::flyio
