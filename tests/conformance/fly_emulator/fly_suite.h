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

#include "base/clock.h"
#include "emulator/emulator.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "support/coroutine_test.h"

namespace swarm::testing {

namespace json = boost::json;

/// What a backend brings to the suite. Everything that a test made on it is destroyed through Backend at the test's end, so that `make`
/// gives backends that see only what they made themselves (a label of their own).
struct FlyBackend {
  std::string name;
  std::function<emulator::BackendPtr(net::Executor, const Clock&)> make;
  std::string image;              ///< has a shell, cat, sleep, id, env
  std::vector<std::string> idle;  ///< init.exec of a Machine that runs until it is stopped, and then ends soon; empty: the image's
};
inline void PrintTo(const FlyBackend& backend, std::ostream* out) { *out << backend.name; }
inline std::string flyBackendName(const ::testing::TestParamInfo<FlyBackend>& info) { return info.param.name; }

/// The real time, and what a test adds to it; or, once frozen, only what a test adds.
class SteppedClock final : public Clock {
 public:
  SystemTime now() const override { return frozen_ ? frozen_now_ : real_.now() + ahead_; }
  SteadyTime steadyNow() const override { return frozen_ ? frozen_steady_ : real_.steadyNow() + ahead_; }
  void advance(std::chrono::milliseconds by) {
    ahead_ += by;
    frozen_now_ += by;
    frozen_steady_ += by;
  }
  /// So that a slow machine does not pass a limit that a test wants to meet.
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

struct FlyAnswer {
  int status = 0;
  net::Headers headers;
  std::string text;  ///< the body as it came
  json::value body;  ///< null when the body is not JSON

  std::string header(std::string_view name) const { return std::string(net::findHeader(headers, name)); }
  std::string at(std::string_view pointer) const;  ///< a string's text, else the value as JSON; "(missing)"
  std::string error() const { return at("/error"); }
};
std::ostream& operator<<(std::ostream& out, const FlyAnswer& answer);
/// As FlyAnswer::at, in any tree.
std::string textAt(const json::value& tree, std::string_view pointer);

struct FlyRequest {
  std::string method;
  std::string target;
  std::optional<std::string> body{};
  net::Headers headers{};
  std::optional<std::string> authorization{};  ///< instead of the suite's; empty text: no such header
};

/// A Machine as a test holds it.
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

  /// For the emulator, which the first request starts. No rate limits, no delays.
  emulator::EmulatorOptions options;
  SteppedClock clock;

  /// Every answer is held against three rules: it has a request id (case 6), it fits Fly's OpenAPI document, and a request that was
  /// accepted is one that the document or the documented extras allow.
  FlyAnswer send(FlyRequest request);
  /// Each on a connection of its own; the answers in the requests' order.
  std::vector<FlyAnswer> sendAtOnce(std::vector<FlyRequest> requests);
  FlyAnswer get(std::string target) { return send({"GET", std::move(target)}); }
  FlyAnswer post(std::string target, std::optional<std::string> body = {}) { return send({"POST", std::move(target), std::move(body)}); }
  FlyAnswer post(std::string target, const json::object& body);
  FlyAnswer put(std::string target, std::string body) { return send({"PUT", std::move(target), std::move(body)}); }
  FlyAnswer patch(std::string target, std::string body) { return send({"PATCH", std::move(target), std::move(body)}); }
  FlyAnswer remove(std::string target) { return send({"DELETE", std::move(target)}); }
  FlyAnswer postWithNonce(std::string target, std::string nonce, std::optional<std::string> body = {}) {
    return send({"POST", std::move(target), std::move(body), {{kNonce, std::move(nonce)}}});
  }

  void createApp(const std::string& name = "a1");
  /// {"image", "guest": shared 1 cpu 256 MB, "init"}; the least that a Machine needs.
  json::object config() const;
  /// The same with one member more.
  json::object configWith(std::string_view key, json::value value) const;
  /// {"region":"ams","config":…}.
  json::object machineRequest(json::object config) const;
  json::object machineRequest() const { return machineRequest(config()); }

  /// Created, and not waited for. Fails the test when that fails.
  FlyMachine create(const json::object& request, const std::string& app = "a1");
  FlyMachine started(const json::object& request, const std::string& app = "a1");
  FlyMachine started() { return started(machineRequest()); }
  FlyMachine stopped(const json::object& request);
  FlyMachine stopped() { return stopped(machineRequest()); }
  void stop(const FlyMachine& machine);
  /// Over the API's own wait, with the version; fails the test when it does not answer 200.
  void waitFor(const FlyMachine& machine, const std::string& state);
  json::value show(const FlyMachine& machine) { return get(machine.path).body; }
  std::string state(const FlyMachine& machine) { return textAt(show(machine), "/state"); }
  /// The id.
  std::string createVolume(const std::string& body = R"({"name":"data","region":"ams","size_gb":1})", const std::string& app = "a1");
  json::object mounting(const std::string& volume_id) const;
  /// The nonce.
  std::string lease(const FlyMachine& machine, const std::string& body = R"({"ttl":30})");
  /// Over the API's exec, with a shell.
  FlyAnswer runInside(const FlyMachine& machine, const std::string& script);
  /// How many events of this type and status the Machine has.
  int countEvents(const FlyMachine& machine, std::string_view type, std::string_view status);

  /// Runs everything until `condition` holds; fails the test after ten seconds.
  void eventually(const std::function<bool()>& condition, const std::string& what);

  /// Another emulator, on another backend, in the place of this one: what options.dataDir holds is all that it knows.
  void restart();

  emulator::Emulator& emulator();
  test::TestLoop loop;

 private:
  struct World;
  World& world();
  enum class Leftovers { Keep, Destroy };
  void endWorld(Leftovers leftovers);
  net::awaitable<void> exchange(FlyRequest request, std::optional<FlyAnswer>& answer);
  void expectLikeFly(const FlyRequest& request, const FlyAnswer& answer);
  net::awaitable<void> destroyAll();
  std::unique_ptr<World> world_;
};

/// Cases about the API's rules, which no backend changes.
class FlyRules : public FlySuite {};
/// Cases about what runs inside, for every backend.
class FlyProcesses : public FlySuite {};

}  // namespace swarm::testing
