// Internal: the docker backend's class. Split over docker_backend.cc (life cycle and events), machines.cc, volumes.cc and
// networks.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "async/lock/keyed_lock.h"
#include "async/notifier.h"
#include "emulator/docker/docker_backend.h"
#include "emulator/docker/machine_body.h"
#include "engine/client.h"
#include "engine/events.h"
#include "net/stream/stream.h"

namespace swarm::emulator {

namespace json = boost::json;

// An exit code between them encodes a signal, as in a shell.
inline constexpr int kFirstSignalCode = 128, kLastSignalCode = 159;

class DockerBackend final : public Backend {
 public:
  DockerBackend(DockerBackendOptions options, std::string guest_tool);

  awaitable<void> open(GuestExitSink sink) override;
  awaitable<void> close() override;
  awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline deadline) override;
  awaitable<void> boot(MachinePlan plan, Deadline deadline) override;
  awaitable<void> stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) override;
  awaitable<void> suspend(std::string machine_id, Deadline deadline) override;
  awaitable<void> resume(std::string machine_id, Deadline deadline) override;
  awaitable<void> signal(std::string machine_id, std::string signal, Deadline deadline) override;
  awaitable<void> destroy(std::string machine_id, Deadline deadline) override;
  awaitable<bool> isRunning(std::string machine_id, Deadline deadline) override;
  awaitable<GuestExecResult> exec(std::string machine_id, GuestExec request, Deadline deadline) override;
  awaitable<std::vector<GuestProcess>> processes(std::string machine_id, Deadline deadline) override;
  awaitable<std::vector<GuestLine>> log(std::string machine_id, int most, Deadline deadline) override;
  awaitable<net::StreamPtr> connect(std::string machine_id, std::uint16_t port, Deadline deadline) override;
  awaitable<void> createVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline) override;
  awaitable<void> copyVolume(std::string from_id, std::string to_id, Deadline deadline) override;
  awaitable<void> destroyVolume(std::string volume_id, Deadline deadline) override;
  awaitable<std::int64_t> volumeBytesUsed(std::string volume_id, Deadline deadline) override;
  awaitable<std::vector<std::string>> machineIds(Deadline deadline) override;
  awaitable<std::vector<std::string>> volumeIds(Deadline deadline) override;

 private:
  /// One run of a main process, whose end has not been reported yet.
  struct Run {
    std::string machineId;
    bool starting = true;  ///< boot() has not returned: the end is reported after it
    bool outOfMemory = false;
    bool killedByUs = false;
    std::optional<GuestExit> end{};
  };
  struct ContainerState {
    std::string id;
    bool running = false;  ///< also when suspended
    bool paused = false;
    std::string address{};
  };

  /// Runs to its end even if the caller is cancelled: the effects of an aborted call at the Engine would appear later, and belong to no
  /// caller. `afterwards` is called once it has ended and the caller has continued.
  awaitable<void> finish(awaitable<void> work, std::function<void()> afterwards = [] {});

  // Events (docker_backend.cc)
  awaitable<void> catchUp(Deadline deadline);
  awaitable<json::array> listContainers(std::string_view label, Deadline deadline);
  void handleEvent(const json::value& event);
  void noteEnd(const std::string& container, std::int64_t exit_code, SystemTime at);
  void reportEnd(const std::string& container);
  void announceEnd(const std::string& machine_id);  ///< boot() has returned: the end may be reported from now on

  // Machines (machines.cc)
  awaitable<std::optional<ImageDetails>> inspectImage(std::string image, Deadline deadline);
  awaitable<std::optional<ContainerState>> inspect(std::string machine_id, Deadline deadline);
  awaitable<ContainerState> requireRunning(std::string machine_id, Deadline deadline);  ///< throws NotFound, Conflict
  awaitable<void> removeMachine(std::string machine_id, Deadline deadline);
  awaitable<void> awaitEnd(std::string container, Deadline deadline);
  awaitable<std::string> makeContainer(const MachinePlan& plan, const ImageDetails& image, Deadline deadline);
  awaitable<void> bootNow(MachinePlan plan, Deadline deadline);
  awaitable<void> bootFresh(const MachinePlan& plan, const ImageDetails& image, Deadline deadline);
  awaitable<void> startContainer(std::string container, const MachinePlan& plan, Deadline deadline);
  awaitable<void> giveUp(std::string container, Error reason, Deadline deadline);

  // Networks (networks.cc)
  awaitable<void> ensureNetwork(std::string network, Deadline deadline);
  awaitable<void> removeUnusedNetworks(Deadline deadline);

  // Volumes (volumes.cc)
  struct HelperMount {
    std::string volume;
    std::string path;
    bool readOnly = false;
  };
  awaitable<void> makeVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline);
  awaitable<void> copyNow(std::string from_id, std::string to_id, Deadline deadline);
  awaitable<void> removeVolume(std::string volume_id, Deadline deadline);
  awaitable<void> requireVolume(std::string volume_id, Deadline deadline);
  awaitable<std::string> ensureToolImage(Deadline deadline);
  /// The tool's output. Throws Error with the output when it failed.
  awaitable<std::string> runTool(std::vector<std::string> arguments, std::vector<HelperMount> mounts, Deadline deadline);
  awaitable<std::string> toolOutput(std::string container, std::string doing, Deadline deadline);

  std::string id() const { return options_.emulatorId; }
  json::object ownFilter(std::string_view label = {}) const;

  DockerBackendOptions options_;
  std::string guest_tool_;
  engine::Client engine_;
  async::KeyedLock locks_;
  GuestExitSink sink_;
  std::map<std::string, Run> runs_;               ///< by container
  std::map<std::string, std::string> addresses_;  ///< by Machine; of the running container
  std::map<std::string, int> network_pins_;       ///< of boots in progress
  struct UsedBytes {
    std::int64_t bytes = 0;
    SteadyTime at{};
  };
  std::map<std::string, UsedBytes> used_bytes_;  ///< by volume

  engine::Events events_{engine_, std::chrono::seconds(2)};
  int unfinished_ = 0;         ///< calls of finish()
  async::Notifier one_ended_;  ///< one of them
};

}  // namespace swarm::emulator
