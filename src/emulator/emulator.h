// Emulator: Fly's Machines API, its rules and its state, for one process; a Backend makes the Machines run. What Fly does is written in
// shared/reference/fly-machines.md (sections are quoted as §n); README.md tells how to run, fault and change it.
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

#include "base/clock.h"
#include "base/secret.h"
#include "emulator/backend.h"
#include "net/http_server.h"
#include "net/loop.h"

namespace swarm::emulator {

/// A credential and what it may see. `value` is what stands behind "Bearer " or "FlyV1 " (§1); a leading "FlyV1 " is cut.
struct ApiToken {
  Secret value;
  std::string organization = "personal";  ///< slug; apps of others answer 403 (§12 E3)
  std::string user = "someone@example.com";
};

/// How long a state lasts beyond what the backend itself needs. All zero: as fast as the backend is.
struct TransitionTimes {
  std::chrono::milliseconds launch{0};                 ///< created → starting
  std::chrono::milliseconds start{0};                  ///< starting → started
  std::chrono::milliseconds stop{0};                   ///< stopping → stopped
  std::chrono::milliseconds suspend{0};                ///< suspending → suspended
  std::chrono::milliseconds update{0};                 ///< replacing → starting or stopped
  std::chrono::milliseconds destroy{0};                ///< destroying → destroyed
  std::chrono::milliseconds stopSettle{0};             ///< after a stop was reported, start answers E12 for so long (§4: up to 8 s)
  std::chrono::milliseconds volumeUnbind{0};           ///< after destroy, the volume stays bound for so long (§7: up to 180 s)
  std::chrono::milliseconds volumeHydrate{0};          ///< a fork's or a restored volume's way to `created`
  std::chrono::milliseconds appPropagation{0};         ///< after creation, the app is not found by calls below it (§2)
  std::chrono::milliseconds machinePropagation{0};     ///< after creation, GET answers 404 without the affinity cookie (§12, pitfall 4)
  std::chrono::milliseconds destroyedVisible{60'000};  ///< GET answers `destroyed` for so long, then 404
  std::chrono::milliseconds restartDelay{10};          ///< before the restart policy's first restart; doubles up to 64 times that
  std::chrono::milliseconds backendRetry{1000};        ///< before a stop or destroy that failed in the backend is tried again

  /// What a person sees who tries the emulator by hand: transients are visible, and a workspace still starts in seconds.
  static TransitionTimes likeFly();
};

/// What one host of a region has; zero is without limit. A started or suspended Machine holds its guest's size (§10, §12 E19).
struct HostSize {
  std::int64_t memoryMb = 0;
  int cpus = 0;
};

struct CapacityOptions {
  int hostsPerRegion = 3;
  HostSize host;
  std::map<std::string, HostSize> hostInRegion;    ///< instead of `host`
  std::int64_t organizationMemoryMbPerRegion = 0;  ///< the quota of E4; zero: none
};

/// Judges a request against Fly's OpenAPI document; a sentence about what it does not allow, or nothing. `path` without query, decoded
/// nowhere; `query` without "?".
using StrictCheck = std::function<std::optional<std::string>(std::string_view method, std::string_view path, std::string_view query,
                                                             std::string_view content_type, std::string_view body)>;

enum class RateLimits { On, Off };

struct EmulatorOptions {
  std::vector<ApiToken> tokens;
  std::filesystem::path dataDir;  ///< empty: nothing outlives the process
  StrictCheck strictCheck;        ///< empty: as lenient as Fly itself. With it, a violation answers 400 and the header emulator-strict
  std::vector<std::string> regions = {"ams", "fra", "iad"};  ///< codes of §9; the first is "nearest"
  TransitionTimes times;
  CapacityOptions capacity;
  RateLimits rateLimits = RateLimits::On;
};

/// What the edge proxy asks: which Machine serves this external port of an app.
struct EdgeQuery {
  std::string app;
  std::uint16_t externalPort = 443;
  std::string forceInstance{};   ///< fly-force-instance-id; empty: any that runs
  std::string preferInstance{};  ///< fly-prefer-instance-id
};
struct EdgeTarget {
  std::string machineId;
  std::uint16_t internalPort = 0;
  std::vector<std::string> handlers;  ///< of the port: "tls", "http" …; empty: raw TCP
  std::string protocol = "tcp";
  bool forceHttps = false;
};
struct EdgeRefusal {
  int status = 503;  ///< 404: no such app, or no address leads to it; 503: nothing serves it now
  std::string reason;
};
/// One external port of an app that some Machine's configuration offers.
struct EdgeService {
  std::string app;
  std::uint16_t externalPort = 0;
  std::string protocol;
  std::vector<std::string> handlers;
  bool operator==(const EdgeService&) const = default;
};

/// Not thread-safe: everything on the loop of `executor`.
class Emulator {
 public:
  Emulator(net::Executor executor, const Clock& clock, EmulatorOptions options, BackendPtr backend);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  /// Loads what is durable and matches it with what the backend has. Throws Error: Conflict (another process uses dataDir), Unprocessable.
  awaitable<void> open();
  /// Ends what goes on in the background; Machines run on where the backend lets them. No request may be in progress.
  awaitable<void> close();

  /// Answers one request of the Machines API or of /emulator/… Throws nothing but cancellation. The handler of an HttpServer.
  awaitable<void> handle(net::Exchange& exchange);

  /// Starts a stopped Machine whose service says autostart, and waits for it.
  awaitable<std::expected<EdgeTarget, EdgeRefusal>> findEdgeTarget(EdgeQuery query);
  std::vector<EdgeService> edgeServices() const;
  std::vector<EdgeService> edgeServicesOf(const std::string& app) const;
  /// Called, on the loop, a few milliseconds after a change of what edgeServices() gives.
  void onEdgeServicesChanged(std::function<void()> listener);
  /// Adds members to the answer of GET /emulator/state (the edge's listeners).
  void addToState(std::function<void(boost::json::object& state)> contributor);

  /// As POST /emulator/faults does (README.md tells the members). Throws Error(InvalidArgument).
  void addFault(const boost::json::object& fault);
  void clearFaults();

  Backend& backend();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace swarm::emulator
