// Backend: runs emulated Machines. The rules of Fly's API (states, leases, versions, limits, eventual consistency) are above it and are the
// same for every backend.
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
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/connect.h"

namespace swarm::emulator {

using boost::asio::awaitable;

/// A file that is written into the root file system before each start (§3, config.files).
struct GuestFile {
  std::string path;
  std::string content;
  std::uint32_t mode = 0644;
};

/// Everything a backend needs to run one version of a Machine.
struct MachinePlan {
  std::string app;
  std::string network;                     ///< the app's 6PN: Machines of different networks cannot reach each other
  std::string machineId;                   ///< stable across versions
  std::string image;                       ///< as in config.image
  std::vector<std::string> entrypoint;     ///< empty: the image's
  std::vector<std::string> command;        ///< empty: the image's
  std::vector<std::string> exec;           ///< not empty: overrides both
  std::map<std::string, std::string> env;  ///< config.env, secrets, and Fly's own variables (FLY_APP_NAME …)
  std::vector<GuestFile> files;
  std::string volumeId;  ///< empty: no mount
  std::string mountPath;
  int cpus = 1;
  bool sharedCpu = true;
  std::int64_t memoryMb = 256;
};

/// The signals that a Machine takes (§3).
inline constexpr std::pair<std::string_view, int> kSignals[] = {
    {"SIGABRT", 6},  {"SIGALRM", 14}, {"SIGFPE", 8},   {"SIGHUP", 1},   {"SIGILL", 4},  {"SIGINT", 2},   {"SIGKILL", 9},
    {"SIGPIPE", 13}, {"SIGQUIT", 3},  {"SIGSEGV", 11}, {"SIGTERM", 15}, {"SIGTRAP", 5}, {"SIGUSR1", 10}, {"SIGUSR2", 12}};

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
/// `exitCode` is empty: the command timed out.
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

/// A line that the main process wrote.
struct GuestLine {
  std::string time;  ///< RFC 3339 with nanoseconds: in order as text, and no two lines of a Machine have the same
  std::string text;
};

/// One loop makes all calls. Calls may be repeated after a crash of the emulator: existing resources are found by Machine or volume id.
/// Errors are swarm::Error: NotFound (image, Machine), Unavailable (the Engine), UpstreamFailed.
class Backend {
 public:
  virtual ~Backend() = default;

  /// `sink` is called for every end of a main process, requested or not, on this loop.
  virtual awaitable<void> open(GuestExitSink sink) = 0;
  virtual awaitable<void> close() = 0;  ///< Machines continue to run where possible (docker)

  /// Empty: the image does not exist.
  virtual awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline deadline) = 0;

  /// Cold boot: a fresh root file system from the image, the files, the volume's mount, then the main process. Replaces what ran under this
  /// id before.
  virtual awaitable<void> boot(MachinePlan plan, Deadline deadline) = 0;
  /// Sends `signal`, and SIGKILL after `timeout`; returns when the main process has ended. The exit is also reported to the sink.
  virtual awaitable<void> stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) = 0;
  virtual awaitable<void> suspend(std::string machine_id, Deadline deadline) = 0;  ///< keeps memory and root file system
  virtual awaitable<void> resume(std::string machine_id, Deadline deadline) = 0;
  virtual awaitable<void> signal(std::string machine_id, std::string signal, Deadline deadline) = 0;
  /// In any state; no-op if it does not exist. The volume stays.
  virtual awaitable<void> destroy(std::string machine_id, Deadline deadline) = 0;
  virtual awaitable<bool> isRunning(std::string machine_id, Deadline deadline) = 0;

  /// As root, cwd /, with the Machine's environment.
  virtual awaitable<GuestExecResult> exec(std::string machine_id, GuestExec request, Deadline deadline) = 0;
  virtual awaitable<std::vector<GuestProcess>> processes(std::string machine_id, Deadline deadline) = 0;
  /// The last `most` lines of the main process, also after its end, oldest first. Empty: there is no container.
  virtual awaitable<std::vector<GuestLine>> log(std::string machine_id, int most, Deadline deadline) = 0;
  /// A TCP connection to a port inside, on the caller's executor; for the edge proxy. Not thread-safe: one loop. Throws Error(Unavailable)
  /// when no process is listening.
  virtual awaitable<net::StreamPtr> connect(std::string machine_id, std::uint16_t port, Deadline deadline) = 0;

  virtual awaitable<void> createVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline) = 0;
  /// An independent copy of all content (used for fork, snapshot and restore).
  virtual awaitable<void> copyVolume(std::string from_id, std::string to_id, Deadline deadline) = 0;
  virtual awaitable<void> destroyVolume(std::string volume_id, Deadline deadline) = 0;  ///< no-op if it does not exist
  virtual awaitable<std::int64_t> volumeBytesUsed(std::string volume_id, Deadline deadline) = 0;

  /// All existing resources created by this backend, for tests and for the emulator's recovery.
  virtual awaitable<std::vector<std::string>> machineIds(Deadline deadline) = 0;
  virtual awaitable<std::vector<std::string>> volumeIds(Deadline deadline) = 0;
};

using BackendPtr = std::unique_ptr<Backend>;

}  // namespace swarm::emulator
