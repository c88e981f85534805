// Emulator: Fly's Machines API, its rules and its state, for one process; a Backend runs the Machines. Fly's behaviour is documented in
// docs/reference/fly-machines.md (§n is a section of it); README.md explains how to run, fault and change the emulator.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "base/clock.h"
#include "base/secret.h"
#include "emulator/backend.h"
#include "net/http/http_server.h"

namespace swarm::emulator {

/// A credential and its scope. `value` is the text after "Bearer " or "FlyV1 " (§1); a leading "FlyV1 " is removed.
struct ApiToken {
  Secret value;
  std::string organization = "personal";  ///< slug; 403 for apps of others (§12 E3)
  std::string user = "someone@example.com";
};

/// How long states last in addition to the backend's own time. All zero: as fast as the backend.
struct TransitionTimes {
  std::chrono::milliseconds launch{0};                 ///< created → starting
  std::chrono::milliseconds start{0};                  ///< starting → started
  std::chrono::milliseconds stop{0};                   ///< stopping → stopped
  std::chrono::milliseconds suspend{0};                ///< suspending → suspended
  std::chrono::milliseconds update{0};                 ///< replacing → starting or stopped
  std::chrono::milliseconds destroy{0};                ///< destroying → destroyed
  std::chrono::milliseconds stopSettle{0};             ///< after a stop was reported, start returns E12 for this time (§4: up to 8 s)
  std::chrono::milliseconds volumeUnbind{0};           ///< after destroy, the volume stays bound for this time (§7: up to 180 s)
  std::chrono::milliseconds volumeHydrate{0};          ///< until a fork or a restored volume is `created`
  std::chrono::milliseconds appPropagation{0};         ///< after creation, calls below the app do not find it (§2)
  std::chrono::milliseconds machinePropagation{0};     ///< after creation, GET returns 404 without the affinity cookie (§12, pitfall 4)
  std::chrono::milliseconds destroyedVisible{60'000};  ///< GET returns `destroyed` for this time, then 404
  std::chrono::milliseconds restartDelay{10};          ///< before the restart policy's first restart; doubles up to 64 times that
  std::chrono::milliseconds backendRetry{1000};        ///< before a stop or destroy that failed in the backend is retried

  /// Values for trying the emulator by hand: transients are visible, and a workspace still starts in seconds.
  static TransitionTimes likeFly();
  /// By the name in POST /emulator/settings: "stop_settle"; null: unknown.
  std::chrono::milliseconds* named(std::string_view name);
};

/// The size of one host of a region; zero is unlimited. A started or suspended Machine uses its guest's size (§10, §12 E19).
struct HostSize {
  std::int64_t memoryMb = 0;
  int cpus = 0;
};

struct CapacityOptions {
  int hostsPerRegion = 3;
  HostSize host;
  std::map<std::string, HostSize> hostInRegion;    ///< instead of `host`
  std::int64_t organizationMemoryMbPerRegion = 0;  ///< the quota of E4; zero: unlimited
};

/// Checks a request against Fly's OpenAPI document; returns a sentence about the violation, or empty. `path` is without query and not
/// decoded; `query` is without "?".
using StrictCheck = std::function<std::optional<std::string>(std::string_view method, std::string_view path, std::string_view query,
                                                             std::string_view content_type, std::string_view body)>;

enum class RateLimits { On, Off };

struct EmulatorOptions {
  std::vector<ApiToken> tokens;
  std::filesystem::path dataDir;  ///< empty: nothing outlives the process
  StrictCheck strictCheck;        ///< empty: as lenient as Fly itself. With it, a violation returns 400 and the header emulator-strict
  std::vector<std::string> regions = {"ams", "fra", "iad"};  ///< codes of §9; the first is "nearest"
  TransitionTimes times;
  CapacityOptions capacity;
  RateLimits rateLimits = RateLimits::On;
};

/// The edge proxy's query: which Machine serves this external port of an app.
struct EdgeQuery {
  std::string app;
  std::uint16_t externalPort = 443;
  std::string forceInstance{};   ///< fly-force-instance-id; empty: any running one
  std::string preferInstance{};  ///< fly-prefer-instance-id
};
struct EdgeTarget {
  std::string machineId;
  std::uint16_t internalPort = 0;
};
struct EdgeRefusal {
  int status = 503;  ///< 404: the app does not exist, or has no address; 503: no Machine serves it now
  std::string reason;
};
/// One external port of an app that some Machine's configuration exposes.
struct EdgeService {
  std::string app;
  std::uint16_t externalPort = 0;
  std::string protocol;
  std::vector<std::string> handlers;
  bool operator==(const EdgeService&) const = default;
};

class Core;

/// Not thread-safe: everything on the loop of `executor`.
class Emulator {
 public:
  Emulator(async::Executor executor, const Clock& clock, EmulatorOptions options, BackendPtr backend);
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  /// Loads the durable state and reconciles it with the backend. Throws Error: Conflict (another process uses dataDir), Unprocessable.
  awaitable<void> open();
  /// Ends background tasks; Machines continue to run if the backend supports it. No request may be in progress.
  awaitable<void> close();

  /// Handles one request of the Machines API or of /emulator/… Throws only on cancellation. The handler of an HttpServer.
  awaitable<void> handle(net::Exchange& exchange);

  /// Starts a stopped Machine whose service says autostart, and waits for it.
  awaitable<std::expected<EdgeTarget, EdgeRefusal>> findEdgeTarget(EdgeQuery query);
  std::vector<EdgeService> edgeServices() const;
  std::vector<EdgeService> edgeServicesOf(const std::string& app) const;
  /// Called, on the loop, a few milliseconds after the result of edgeServices() changes.
  void onEdgeServicesChanged(std::function<void()> listener);
  /// Adds members to the response of GET /emulator/state (the edge's listeners).
  void addToState(std::function<void(boost::json::object& state)> contributor);

  /// As POST /emulator/faults (README.md lists the members). Throws Error(InvalidArgument).
  void addFault(const boost::json::object& fault);
  void clearFaults();

  Backend& backend();

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace swarm::emulator
