// Backend: what makes an emulated Machine run. The rules of Fly's API (states, leases, versions, limits, eventual consistency) stand above
// it and are the same for every backend.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/connect.h"

namespace swarm::emulator {

using boost::asio::awaitable;

/// A file that is put into the root file system before each start (fly-machines.md §3, config.files).
struct GuestFile {
  std::string path;
  std::string content;
  std::uint32_t mode = 0644;
};

/// All that a backend must know to make one version of a Machine run.
struct MachinePlan {
  std::string app;
  std::string network;                     ///< the app's 6PN: Machines of different networks can't reach each other
  std::string machineId;                   ///< stable over versions
  std::string image;                       ///< as config.image says it
  std::vector<std::string> entrypoint;     ///< empty: the image's
  std::vector<std::string> command;        ///< empty: the image's
  std::vector<std::string> exec;           ///< not empty: overrides both
  std::map<std::string, std::string> env;  ///< config.env, secrets, and what Fly injects (FLY_APP_NAME …)
  std::vector<GuestFile> files;
  std::string volumeId;  ///< empty: no mount
  std::string mountPath;
  int cpus = 1;
  bool sharedCpu = true;
  std::int64_t memoryMb = 256;
};

struct ImageFacts {
  std::string digest;  ///< "sha256:…"
  std::map<std::string, std::string> labels;
};

/// How a Machine's main process ended.
struct GuestExit {
  std::string machineId;
  int exitCode = 0;
  int signal = 0;  ///< 0: none
  bool outOfMemory = false;
  SystemTime at{};
};
using GuestExitSink = std::function<void(const GuestExit&)>;

struct GuestExec {
  std::vector<std::string> command;
  std::string stdinText;
  std::chrono::milliseconds timeout{30'000};
};
/// Nothing in `exitCode`: the command ran into its time-out.
struct GuestExecResult {
  std::optional<int> exitCode;
  int exitSignal = 0;
  std::string stdoutText;
  std::string stderrText;
};

struct GuestProcess {
  std::int64_t pid = 0;
  std::string command;
  std::int64_t rssBytes = 0;
};

/// One loop calls everything. Calls may be made again after a crash of the emulator: what is there is found by Machine or volume id.
/// Errors are swarm::Error: NotFound (image, Machine), Unavailable (the Engine), UpstreamFailed.
class Backend {
 public:
  virtual ~Backend() = default;

  /// `sink` hears of every end of a main process, asked for or not, on this loop.
  virtual awaitable<void> open(GuestExitSink sink) = 0;
  virtual awaitable<void> close() = 0;  ///< Machines go on running where they can (docker)

  /// Nothing: there is no such image.
  virtual awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline deadline) = 0;

  /// Cold boot: a fresh root file system from the image, the files, the volume's mount, then the main process. Whatever ran under this id
  /// before is gone.
  virtual awaitable<void> boot(MachinePlan plan, Deadline deadline) = 0;
  /// Sends `signal`, and SIGKILL after `timeout`; returns when the main process has ended. The exit goes to the sink, too.
  virtual awaitable<void> stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) = 0;
  virtual awaitable<void> suspend(std::string machine_id, Deadline deadline) = 0;  ///< memory and root file system are kept
  virtual awaitable<void> resume(std::string machine_id, Deadline deadline) = 0;
  virtual awaitable<void> signal(std::string machine_id, std::string signal, Deadline deadline) = 0;
  /// In any state, also not there: fine. The volume stays.
  virtual awaitable<void> destroy(std::string machine_id, Deadline deadline) = 0;
  virtual awaitable<bool> isRunning(std::string machine_id, Deadline deadline) = 0;

  /// As root, cwd /, with the Machine's environment.
  virtual awaitable<GuestExecResult> exec(std::string machine_id, GuestExec request, Deadline deadline) = 0;
  virtual awaitable<std::vector<GuestProcess>> processes(std::string machine_id, Deadline deadline) = 0;
  /// A TCP connection to a port inside, on the caller's executor; for the edge proxy. Thread-safe is not asked for: one loop. Throws
  /// Error(Unavailable) when nothing listens.
  virtual awaitable<net::StreamPtr> connect(std::string machine_id, std::uint16_t port, Deadline deadline) = 0;

  virtual awaitable<void> createVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline) = 0;
  /// An independent copy of all content (fork; snapshot and restore are copies, too).
  virtual awaitable<void> copyVolume(std::string from_id, std::string to_id, Deadline deadline) = 0;
  virtual awaitable<void> destroyVolume(std::string volume_id, Deadline deadline) = 0;  ///< gone already: fine
  virtual awaitable<std::int64_t> volumeBytesUsed(std::string volume_id, Deadline deadline) = 0;

  /// Everything that this backend made and still has, for tests and for the emulator's own recovery.
  virtual awaitable<std::vector<std::string>> machineIds(Deadline deadline) = 0;
  virtual awaitable<std::vector<std::string>> volumeIds(Deadline deadline) = 0;
};

using BackendPtr = std::unique_ptr<Backend>;

}  // namespace swarm::emulator
