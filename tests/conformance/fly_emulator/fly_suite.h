// FlySuite: one emulator behind a real listener on loopback, and a client that says exactly what goes over the wire. Expectations in the
// tests come from docs/reference/fly-machines.md and cases.txt, not from the emulator's code; a backend is a parameter.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/awaitable.h"
#include "base/clock.h"
#include "emulator/emulator.h"
#include "net/http/http_client.h"
#include "net/http/http_server.h"
#include "support/coroutine_test.h"

namespace swarm::testing {

namespace json = boost::json;

inline constexpr const char* kMachines = "/v1/apps/a1/machines";  ///< of the app that most tests make

/// What a backend provides for the suite. All resources that a test created on it are destroyed through Backend at the end of the test, so
/// `make` must return backends that see only their own resources (a separate label each).
struct FlyBackend {
  std::string name;
  std::function<emulator::BackendPtr(async::Executor, const Clock&)> make;
  std::function<std::string()> image;  ///< the name of one with a shell, cat, sleep, id, env; makes it at the first call
  std::vector<std::string> idle;       ///< init.exec of a Machine that runs until it is stopped, and then ends soon; empty: the image's
};
inline void PrintTo(const FlyBackend& backend, std::ostream* out) { *out << backend.name; }
inline std::string flyBackendName(const ::testing::TestParamInfo<FlyBackend>& info) { return info.param.name; }

/// The real time plus what a test adds; or, once frozen, only what a test adds.
class SteppedClock final : public Clock {
 public:
  SystemTime now() const override { return frozen_ ? frozen_now_ : real_.now() + ahead_; }
  SteadyTime steadyNow() const override { return frozen_ ? frozen_steady_ : real_.steadyNow() + ahead_; }
  void advance(std::chrono::milliseconds by) {
    ahead_ += by;
    frozen_now_ += by;
    frozen_steady_ += by;
  }
  /// Prevents a slow machine from staying below a rate limit that a test must reach.
  void freeze() {
    frozen_now_ = now();
    frozen_steady_ = steadyNow();
    frozen_ = true;
  }

 private:
  RealClock real_;
  std::chrono::milliseconds ahead_{0};
  bool frozen_ = false;
  SystemTime frozen_now_{};
  SteadyTime frozen_steady_{};
};

struct FlyResponse {
  int status = 0;
  net::Headers headers;
  std::string text;  ///< the unparsed body
  json::value body;  ///< null when the body is not JSON

  std::string header(std::string_view name) const { return std::string(net::findHeader(headers, name)); }
  std::string at(std::string_view pointer) const;  ///< a string's text, else the value as JSON; "(missing)"
  std::string error() const { return at("/error"); }
};
std::ostream& operator<<(std::ostream& out, const FlyResponse& response);
json::object named(json::object request, const char* name);  ///< with this "name"
/// As FlyResponse::at, in any tree.
std::string textAt(const json::value& tree, std::string_view pointer);

struct FlyRequest {
  std::string method;
  std::string target;
  std::optional<std::string> body{};
  net::Headers headers{};
  std::optional<std::string> authorization{};  ///< instead of the suite's; empty text: no such header
};

/// A Machine created by a test.
struct FlyMachine {
  std::string id;
  std::string version;
  std::string path;  ///< "/v1/apps/a1/machines/ID"
};

inline constexpr const char* kToken = "fm2_good";
inline constexpr const char* kOtherToken = "fm2_other";  ///< of the organisation "elsewhere"
inline constexpr const char* kNonce = "fly-machine-lease-nonce";

class FlySuite : public ::testing::TestWithParam<FlyBackend> {
 protected:
  FlySuite();
  ~FlySuite() override;
  void TearDown() override;

  /// Options of the emulator, which the first request starts. No rate limits, no delays.
  emulator::EmulatorOptions options;
  SteppedClock clock;

  /// Every response is checked against three rules: it has a request id (case 6), it conforms to Fly's OpenAPI document, and a request that
  /// was accepted is allowed by the document or the documented extras.
  FlyResponse send(FlyRequest request);
  /// Each on a connection of its own; responses are in the order of the requests.
  std::vector<FlyResponse> sendAtOnce(std::vector<FlyRequest> requests);
  FlyResponse get(std::string target) { return send({"GET", std::move(target)}); }
  FlyResponse post(std::string target, std::optional<std::string> body = {}) { return send({"POST", std::move(target), std::move(body)}); }
  FlyResponse post(std::string target, const json::object& body);
  FlyResponse put(std::string target, std::string body) { return send({"PUT", std::move(target), std::move(body)}); }
  FlyResponse patch(std::string target, std::string body) { return send({"PATCH", std::move(target), std::move(body)}); }
  FlyResponse remove(std::string target) { return send({"DELETE", std::move(target)}); }
  FlyResponse postWithNonce(std::string target, std::string nonce, std::optional<std::string> body = {}) {
    return send({"POST", std::move(target), std::move(body), {{kNonce, std::move(nonce)}}});
  }

  void createApp(const std::string& name = "a1");
  /// {"image", "guest": shared 1 cpu 256 MB, "init"}; the minimum that a Machine needs.
  json::object config() const;
  /// The same with one additional member.
  json::object configWith(std::string_view key, json::value value) const;
  /// {"region":"ams","config":…}.
  json::object machineRequest(json::object config) const;
  json::object machineRequest() const { return machineRequest(config()); }

  /// Creates without waiting. Fails the test on an error.
  FlyMachine create(const json::object& request, const std::string& app = "a1");
  FlyMachine started(const json::object& request, const std::string& app = "a1");
  FlyMachine started() { return started(machineRequest()); }
  FlyMachine stopped(const json::object& request);
  FlyMachine stopped() { return stopped(machineRequest()); }
  void stop(const FlyMachine& machine);
  /// Uses the API's own wait, with the version; fails the test unless it returns 200.
  void waitFor(const FlyMachine& machine, const std::string& state);
  json::value show(const FlyMachine& machine) { return get(machine.path).body; }
  std::string state(const FlyMachine& machine) { return textAt(show(machine), "/state"); }
  /// The id.
  std::string createVolume(const std::string& body = R"({"name":"data","region":"ams","size_gb":1})", const std::string& app = "a1");
  json::object mounting(const std::string& volume_id) const;
  /// The nonce.
  std::string lease(const FlyMachine& machine, const std::string& body = R"({"ttl":30})");
  /// Uses the API's exec, with a shell.
  FlyResponse runInside(const FlyMachine& machine, const std::string& script);
  /// The number of events of this type and status that the Machine has.
  int countEvents(const FlyMachine& machine, std::string_view type, std::string_view status);

  /// Runs the loop until `condition` holds; fails the test after ten seconds.
  void eventually(const std::function<bool()>& condition, const std::string& what);

  /// Replaces the emulator by another one on another backend: only options.dataDir is preserved.
  void restart();

  emulator::Emulator& emulator();
  test::TestLoop loop;

 private:
  struct World;
  World& world();
  enum class Leftovers { Keep, Destroy };
  void endWorld(Leftovers leftovers);
  async::awaitable<void> exchange(FlyRequest request, std::optional<FlyResponse>& response);
  void expectLikeFly(const FlyRequest& request, const FlyResponse& response);
  async::awaitable<void> destroyAll();
  std::unique_ptr<World> world_;
};

/// Cases about the API's rules, which are independent of the backend.
class FlyRules : public FlySuite {};
/// Cases about processes inside, for every backend.
class FlyProcesses : public FlySuite {};

}  // namespace swarm::testing
