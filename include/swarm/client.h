// SwarmClient: the public C++ library to a swarm server. Blocking calls; one background thread does the I/O. The `swarm` command is built
// on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/secret.h"
#include "model/archive.h"
#include "model/patch.h"
#include "model/requests.h"
#include "model/types.h"

namespace swarm {

/// Where the server is, and who we are.
struct ClientConfig {
  std::string url = "http://swarm.localhost:7420";  ///< http or https; no path
  Secret token{};                                   ///< what login() or `swarm serve` gave; empty: only login() and healthy() answer
  std::string caFile{};                             ///< PEM, for https; empty: the system's
  std::chrono::milliseconds timeout{60'000};        ///< of one call; calls that wait have their own
};

struct CreateOptions {
  std::optional<ProviderType> provider;   ///< absent: the server places it
  std::string idempotencyKey = {};        ///< makes a retry safe; empty: none
  std::vector<std::string> regions = {};  ///< Fly.io's regions or names of Docker hosts, best first; they choose the provider, too
};

struct StartedOperation {
  Instance instance;
  std::string operationId;  ///< empty: there was nothing to do
};

struct ListOptions {
  std::optional<InstanceStatus> status;
  std::optional<ProviderType> provider;
  std::string owner;
  std::map<std::string, std::string> labels;
};

/// What updateInstance changes.
using UpdateOptions = UpdateInstanceRequest;

struct UpdateOutcome {
  Instance instance;
  std::string operationId;
  std::string effect;  ///< "none", "live" or "restart"
};

/// Where an instance moves, and how.
using MigrateOptions = MigrateInstanceRequest;

/// What became of an archive on its way.
struct ArchiveReport {
  std::string workspace;   ///< import: name of the one that was exported
  std::int64_t files = 0;  ///< import
  std::int64_t bytes = 0;  ///< export: of the archive; import: of the files' content
  ArchiveNotes left;       ///< what was left out, or changed while it was read
};

struct LogOptions {
  bool follow = false;
  std::optional<int> tail{};
  std::string since{};  ///< RFC 3339, or empty
};

struct ExecOptions {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::string cwd;
  std::string user;  ///< empty: coder
  bool tty = false;
  int columns = 80, rows = 24;
};

/// One interactive command. Thread-safe: one thread may write while another reads.
class ExecSession {
 public:
  enum class Kind { Stdout, Stderr, Exit };
  struct Output {
    Kind kind = Kind::Stdout;
    std::string data;
    int exitCode = 0;  ///< for Exit
  };
  virtual ~ExecSession() = default;
  /// Blocks; Exit comes once, at the end. Throws Error(Unavailable) when the connection is cut, Error(Cancelled) after a request to stop:
  /// then the session can only be destroyed.
  virtual Output read(const std::stop_token& stop = {}) = 0;
  virtual void write(std::string data) = 0;  ///< blocks until it was sent: back pressure
  virtual void closeStdin() = 0;
  virtual void resize(int columns, int rows) = 0;
  virtual void signal(std::string name) = 0;  ///< "INT", "TERM" …
};

/// A local TCP port that leads to a port inside an instance, until destroyed.
class Forward {
 public:
  virtual ~Forward() = default;
  virtual std::uint16_t localPort() const = 0;
};

/// All calls throw swarm::Error as the server reports it, or Unavailable when it can't be reached. `ref` is an instance's id or name.
/// Thread-safe. Calls that may take long also take a stop_token: a request to stop ends the call, wherever it waits, with Error(Cancelled).
/// What it had begun at the server goes on; cancelOperation() ends that.
class SwarmClient {
 public:
  explicit SwarmClient(ClientConfig config);
  ~SwarmClient();
  SwarmClient(const SwarmClient&) = delete;
  SwarmClient& operator=(const SwarmClient&) = delete;

  struct Login {
    Secret token;
    std::string user;
    std::string role;
    SystemTime expiresAt{};
  };
  Login login(std::string user, Secret password);
  void logout();
  Login authStatus();
  /// Who the signed-in user's commits are by in new workspaces. Empty: not set; setting an empty one removes it.
  GitIdentity gitIdentity();
  GitIdentity setGitIdentity(const GitIdentity& identity);
  bool healthy();  ///< whether /readyz answers 200; false when unreachable
  boost::json::object serverVersion();

  StartedOperation createInstance(const InstanceConfig& config, const CreateOptions& options = {});
  std::optional<Instance> getInstance(const std::string& ref);
  std::vector<Instance> listInstances(const ListOptions& options = {});
  UpdateOutcome updateInstance(const std::string& ref, const UpdateOptions& options);
  /// A JSON merge patch (RFC 7396) of resources, network, env, labels and metadata: null removes a member, or sets it back to its default.
  UpdateOutcome patchInstance(const std::string& ref, const boost::json::object& patch, std::optional<std::int64_t> if_version = {});
  /// What that would do; changes nothing. A restart drops what was installed or written outside of volumes.
  UpdatePlan planUpdate(const std::string& ref, const UpdateOptions& options);
  /// With `if_version`, an instance at another version is left alone, and Error(PreconditionFailed) is thrown.
  /// A volume that is gone, with the instance's files, is replaced with an empty one only with `empty_volumes`; else the start fails.
  StartedOperation startInstance(const std::string& ref, std::optional<std::int64_t> if_version = {}, bool empty_volumes = false);
  StartedOperation stopInstance(const std::string& ref, std::optional<std::int64_t> if_version = {});
  StartedOperation restartInstance(const std::string& ref, std::optional<std::int64_t> if_version = {});
  StartedOperation deleteInstance(const std::string& ref, bool volumes = false, std::optional<std::int64_t> if_version = {});

  /// Begins a move to another provider or region: the same files under the same id, name and URL. It runs as an operation that can be
  /// cancelled until it switches; what goes wrong before leaves the instance where it was.
  StartedOperation migrateInstance(const std::string& ref, const MigrateOptions& options);
  /// What such a move would do; changes nothing. A plan that does not fit says why in `problems`.
  MigrationPlan planMigration(const std::string& ref, const MigrateOptions& options);
  /// Moves the instance, waits for the end however long it takes, and gives it as it is there. Throws the move's error.
  Instance switchProvider(const std::string& ref, ProviderType target, const std::stop_token& stop = {});

  /// Gives the archive of a running instance's persistent storages piece by piece (POSIX tar in Zstandard). Throws Error(Unavailable) when
  /// it was cut, UpstreamFailed with the reason when the instance could not finish it: then what was given is no whole archive.
  ArchiveReport exportInstance(const std::string& ref, const std::function<void(std::string_view)>& sink, const std::stop_token& stop = {});
  /// Replaces what is in a running instance's storages by an archive. `source` gives the next piece, empty at the end; what it throws
  /// passes. Everything in the instance is ended for it; it returns when VS Code was started again. Throws Conflict when a person's files
  /// are there and not `force`; whatever fails after the first bytes leaves the storages incomplete.
  ArchiveReport importInstance(const std::string& ref, const std::function<std::string()>& source, bool force = false,
                               const std::stop_token& stop = {});

  CommandResult executeCommand(const std::string& ref, std::vector<std::string> command, std::string stdin_text = {},
                               std::chrono::seconds timeout = std::chrono::seconds(60));
  std::unique_ptr<ExecSession> openExec(const std::string& ref, const ExecOptions& options);
  /// Gives pieces of text until the end, or until `sink` answers false.
  void readLogs(const std::string& ref, const LogOptions& options, const std::function<bool(std::string_view)>& sink,
                const std::stop_token& stop = {});
  std::unique_ptr<Forward> forward(const std::string& ref, std::uint16_t remote_port, const std::string& local_address = "127.0.0.1",
                                   std::uint16_t local_port = 0);
  ResourceUsage getResourceUsage(const std::string& ref);
  NetworkInfo getNetworkInfo(const std::string& ref);

  std::optional<Operation> getOperation(const std::string& id);
  std::vector<Operation> listOperations(const std::string& instance_ref = {});
  Operation cancelOperation(const std::string& id);
  /// Follows an operation to its end and calls `observer` at each change of its steps. Gives it as it is at the timeout when that comes
  /// first.
  Operation waitForOperation(const std::string& id, std::chrono::seconds timeout,
                             const std::function<void(const Operation&)>& observer = {}, const std::stop_token& stop = {});

  /// Keeps the instance's files as they are now; an empty name: the time. restore: `snapshot` is a name or an id; what the files were
  /// becomes a snapshot, too.
  StartedOperation takeSnapshot(const std::string& ref, const std::string& name = {});
  StartedOperation restoreSnapshot(const std::string& ref, const std::string& snapshot);
  std::vector<Snapshot> listSnapshots();                 ///< also those of deleted instances
  SnapshotList listSnapshotsOf(const std::string& ref);  ///< also those that its provider takes by itself
  void deleteSnapshot(const std::string& id);

  boost::json::array
  listVolumes();  ///< also those that deleted instances left: name, instanceId, owner, mountPath, inUse, createdAt, stray
  void deleteVolume(const std::string& name);  ///< with its files; Conflict while an instance has it

  boost::json::array listNameHolds();         ///< names of deleted instances that are kept for their owners: name, owner, until
  void releaseName(const std::string& name);  ///< anyone can take it again

  boost::json::array listSessions();       ///< id, user, kind, createdAt, expiresAt, current; administrators see all
  void endSession(const std::string& id);  ///< its token and cookies become void
  /// A URL that signs in the browser that opens it, once, as this user; it ends in the workspace `instance`, if that is given.
  std::string createLoginLink(const std::string& instance = {});

  /// Any other call: `target` is a path with its query, `body` JSON or empty. Gives the answer's body as it came; throws the server's Error
  /// for a status of 400 and above.
  std::string callApi(const std::string& method, const std::string& target, const std::string& body = {});
  SwarmStatus getSwarmStatus();
  boost::json::array listProviders();
  boost::json::object getProvider(const std::string& type);
  boost::json::object validateProvider(const std::string& type);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
