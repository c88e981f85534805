// What the fault and crash tests of the Fly provider share: every operation of an instance's life, and what must be true afterwards.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "conformance/provider/fly/fly_memory_backend.h"
#include "conformance/provider/provider_fixture.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::testing {

enum class FlyOperation { Create, Start, Stop, Replace, Delete };
inline constexpr std::array kFlyOperations{FlyOperation::Create, FlyOperation::Start, FlyOperation::Stop, FlyOperation::Replace,
                                           FlyOperation::Delete};
std::string_view toString(FlyOperation operation);

/// One swarm with one instance on an emulated Fly of its own. The provider is not opened: every request is one of the operation's.
class FlyLife {
 public:
  explicit FlyLife(CoroutineRunner& runner);

  /// Brings the instance to where `operation` begins.
  void prepare(FlyOperation operation);
  asio::awaitable<void> perform(FlyOperation operation, Progress& progress, std::chrono::milliseconds limit = std::chrono::seconds(20));
  void restartServer();  ///< another provider on the same Fly: nothing is remembered

  /// Requests that the operation sends when nothing goes wrong.
  static int requestsOf(CoroutineRunner& runner, FlyOperation operation);

  /// Fails the test unless exactly what the operation leads to exists: one of each, or nothing.
  void expectOutcome(FlyOperation operation);
  void expectNothingAfterDelete();

  FlyWorld& world() { return world_; }
  flyio::FlyIOProvider& provider() { return *provider_; }
  RecordingProgress& recorded() { return recorded_; }

 private:
  CoroutineRunner& runner_;
  FlyWorld world_;
  std::string swarm_id_ = newId("test");
  InstanceSpec spec_;
  std::unique_ptr<flyio::FlyIOProvider> provider_;
  RecordingProgress recorded_;  ///< what the controller's store would know
};

}  // namespace swarm::testing
