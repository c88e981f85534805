// SwarmClient: the public C++ library for a swarm server. Blocking calls; one background thread does the I/O. The `swarm` command is built
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
#include "model/queries.h"
#include "model/requests.h"
#include "model/types/accounts/limits.h"
#include "model/types/git_identity.h"
#include "model/types/instance.h"
#include "model/types/instance_config.h"
#include "model/types/migration_plan.h"
#include "model/types/operation.h"
#include "model/types/provider_type.h"
#include "model/types/sharing.h"
#include "model/types/snapshot.h"
#include "model/types/swarm_status.h"
#include "model/types/update_plan.h"
#include "model/types/usage.h"

namespace swarm {

/// Where the server is, and the credentials to use.
struct ClientConfig {
  std::string url = "http://swarm.localhost:7420";  ///< http or https; no path
  Secret token{};                                   ///< from login() or `swarm serve`; empty: only login() and healthy() succeed
  std::string caFile{};                             ///< PEM, for https; empty: the system's trust store
  std::chrono::milliseconds timeout{60'000};        ///< of one call; calls that wait take their own timeout
};

struct CreateOptions {
  std::optional<ProviderType> provider;  ///< absent: the server chooses
  std::string idempotencyKey = {};       ///< makes a retry safe; empty: none
};

struct StartedOperation {
  Instance instance;
  std::string operationId;  ///< empty: nothing had to be done
};

/// The filters of listInstances; limit and cursor are its own.
using ListOptions = ListInstancesQuery;

/// The changes of updateInstance.
using UpdateOptions = UpdateInstanceRequest;

struct UpdateOutcome {
  Instance instance;
  std::string operationId;
  UpdateEffect effect = UpdateEffect::none;
};

/// The target of a move, and its options.
using MigrateOptions = MigrateInstanceRequest;

/// The result of an export or import.
struct ArchiveReport {
  std::string workspace;   ///< import: name of the exported workspace
  std::int64_t files = 0;  ///< import
  std::int64_t bytes = 0;  ///< export: size of the archive; import: total size of the files
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
    int exitCode = 0;  ///< set for Exit
  };
  virtual ~ExecSession() = default;
  /// Blocks; Exit comes once, at the end. Throws Error(Unavailable) when the connection is lost, Error(Cancelled) after a request to stop;
  /// after that the session can only be destroyed.
  virtual Output read(const std::stop_token& stop = {}) = 0;
  virtual void write(std::string data) = 0;  ///< blocks until the data is sent: back pressure
  virtual void closeStdin() = 0;
  virtual void resize(int columns, int rows) = 0;
  virtual void signal(std::string name) = 0;  ///< "INT", "TERM" …
};

/// A local TCP port that forwards to a port inside an instance, until destroyed.
class Forward {
 public:
  virtual ~Forward() = default;
  virtual std::uint16_t localPort() const = 0;
};

/// A connection to the SSH server inside an instance, as bytes, for the program ssh. One thread may write while another reads.
class SshConnection {
 public:
  virtual ~SshConnection() = default;
  virtual const std::string& hostKey() const = 0;     ///< "ssh-ed25519 …", to be pinned for this instance
  virtual const std::string& instanceId() const = 0;  ///< names are reused, ids are not
  virtual std::string read() = 0;                     ///< blocks; empty at the end
  virtual bool write(std::string data) = 0;           ///< blocks until the data is sent: back pressure; false: the connection was closed
  virtual void closeWrite() = 0;
  virtual void close() = 0;  ///< ends calls of other threads
};

/// All calls throw swarm::Error as the server reports it, or Unavailable when the server is unreachable. `ref` is an instance's id or name.
/// Thread-safe. Calls that may take long also take a stop_token: a request to stop ends the call, wherever it waits, with Error(Cancelled).
/// Work already started at the server continues; cancelOperation() ends it.
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
  /// `code`: of the second factor. Error(Unauthenticated) with the field /code when one is required.
  Login login(std::string user, Secret password, std::string code = {});
  /// With the code that a browser brought, and the secret behind its challenge (POST /api/auth/program).
  Login loginWithCode(const std::string& code, const Secret& verifier);
  struct DeviceLogin {
    Secret deviceCode;
    std::string userCode;  ///< which the user types at verificationUri
    std::string verificationUri;
    std::chrono::seconds expiresIn{};
    std::chrono::seconds interval{};  ///< between two calls of pollDeviceLogin()
  };
  DeviceLogin beginDeviceLogin();
  /// Nothing while the user has not confirmed the code.
  std::optional<Login> pollDeviceLogin(const DeviceLogin& begun);
  Login refresh();  ///< a later token of the same session, which it extends; the client uses it from then on
  void logout();
  Login authStatus();
  /// The author of the signed-in user's commits in new workspaces. Empty: not set; setting an empty identity removes it.
  GitIdentity gitIdentity();
  GitIdentity setGitIdentity(const GitIdentity& identity);
  bool healthy();  ///< whether /readyz returns 200; false when unreachable
  boost::json::object serverVersion();

  StartedOperation createInstance(const InstanceConfig& config, const CreateOptions& options = {});
  std::optional<Instance> getInstance(const std::string& ref);
  std::vector<Instance> listInstances(ListOptions options = {});
  UpdateOutcome updateInstance(const std::string& ref, const UpdateOptions& options);
  /// A JSON merge patch (RFC 7396) of resources, network, env, labels and metadata: null removes a member, or resets it to its default.
  UpdateOutcome patchInstance(const std::string& ref, const boost::json::object& patch, std::optional<std::int64_t> if_version = {});
  /// The effect of such an update; changes nothing. A restart discards what was installed or written outside of volumes.
  UpdatePlan planUpdate(const std::string& ref, const UpdateOptions& options);
  /// With `if_version`, an instance at another version stays unchanged, and Error(PreconditionFailed) is thrown.
  /// With `empty_volumes`, a volume that was lost, with the instance's files, is replaced by an empty one; without it the start fails.
  StartedOperation startInstance(const std::string& ref, std::optional<std::int64_t> if_version = {}, bool empty_volumes = false);
  StartedOperation stopInstance(const std::string& ref, std::optional<std::int64_t> if_version = {});
  StartedOperation restartInstance(const std::string& ref, std::optional<std::int64_t> if_version = {});
  StartedOperation deleteInstance(const std::string& ref, bool volumes = false, std::optional<std::int64_t> if_version = {});

  /// Starts a move to another provider or region: the same files under the same id, name and URL. It runs as an operation that can be
  /// cancelled until it switches; a failure before that leaves the instance where it was.
  StartedOperation migrateInstance(const std::string& ref, const MigrateOptions& options);
  /// The plan of such a move; changes nothing. A plan that cannot be carried out lists the reasons in `problems`.
  MigrationPlan planMigration(const std::string& ref, const MigrateOptions& options);
  /// Moves the instance, waits for the end however long it takes, and returns the moved instance. Throws the move's error.
  Instance switchProvider(const std::string& ref, ProviderType target, const std::stop_token& stop = {});

  /// Passes the archive of a running instance's persistent storages to the sink piece by piece (POSIX tar in Zstandard). Throws
  /// Error(Unavailable) when the connection is lost, UpstreamFailed with the reason when the instance could not complete the archive; in
  /// both cases the pieces passed so far are not a complete archive.
  ArchiveReport exportInstance(const std::string& ref, const std::function<void(std::string_view)>& sink, const std::stop_token& stop = {});
  /// Replaces the contents of a running instance's storages with an archive. `source` returns the next piece, empty at the end; its
  /// exceptions propagate. All processes in the instance are ended for it; the call returns once VS Code is running again. Throws Conflict
  /// when user files are present and `force` is not set; a failure after the first bytes leaves the storages incomplete.
  ArchiveReport importInstance(const std::string& ref, const std::function<std::string()>& source, bool force = false,
                               const std::stop_token& stop = {});

  /// Nothing: there is no such instance, or the server is of an earlier version.
  std::optional<InstanceAccess> getInstanceAccess(const std::string& ref);
  CommandResult executeCommand(const std::string& ref, std::vector<std::string> command, std::string stdin_text = {},
                               std::chrono::seconds timeout = std::chrono::seconds(60));
  std::unique_ptr<ExecSession> openExec(const std::string& ref, const ExecOptions& options);
  /// Passes pieces of text to `sink` until the end, or until `sink` returns false.
  void readLogs(const std::string& ref, const LogOptions& options, const std::function<bool(std::string_view)>& sink,
                const std::stop_token& stop = {});
  std::unique_ptr<Forward> forward(const std::string& ref, std::uint16_t remote_port, const std::string& local_address = "127.0.0.1",
                                   std::uint16_t local_port = 0);
  /// The server admits the user coder with `public_key` ("ssh-ed25519 …") and no other key on this connection.
  std::unique_ptr<SshConnection> openSsh(const std::string& ref, const std::string& public_key);
  ResourceUsage getResourceUsage(const std::string& ref);
  UsageHistory getUsageHistory(const std::string& ref, const UsageQuery& query = {});  ///< without `from`: of the last hour
  std::vector<InstanceUsage> listUsage();                                              ///< the last samples of running instances
  NetworkInfo getNetworkInfo(const std::string& ref);

  std::optional<Operation> getOperation(const std::string& id);
  std::vector<Operation> listOperations(ListOperationsQuery query = {.limit = 50});  ///< newest first; one page
  Operation cancelOperation(const std::string& id);
  /// Follows an operation to its end and calls `observer` at each change of its steps. Returns the operation in its current state if the
  /// timeout comes first.
  Operation waitForOperation(const std::string& id, std::chrono::seconds timeout,
                             const std::function<void(const Operation&)>& observer = {}, const std::stop_token& stop = {});

  /// Takes a snapshot of the instance's files; an empty name: named by the time. restore: `snapshot` is a name or an id; the files before
  /// the restore are kept as a snapshot too.
  StartedOperation takeSnapshot(const std::string& ref, const std::string& name = {});
  StartedOperation restoreSnapshot(const std::string& ref, const std::string& snapshot);
  std::vector<Snapshot> listSnapshots();                 ///< includes those of deleted instances
  SnapshotList listSnapshotsOf(const std::string& ref);  ///< includes those that the provider takes automatically
  void deleteSnapshot(const std::string& id);

  boost::json::array
  listVolumes();  ///< includes those left by deleted instances: name, instanceId, owner, mountPath, inUse, createdAt, stray
  void deleteVolume(const std::string& name);  ///< with its files; Conflict while an instance uses it

  /// Shares of a workspace: user or group, access (viewer or editor), grantedBy, createdAt, expiresAt. For those with whom it is shared,
  /// their own.
  boost::json::array listShares(const std::string& ref);
  boost::json::object share(const std::string& ref, const Grantee& grantee, const ShareRequest& share);  ///< replaces an earlier one
  boost::json::object share(const std::string& ref, const std::string& user, const ShareRequest& share) {
    return this->share(ref, Grantee::ofUser(user), share);
  }
  void endShare(const std::string& ref, const Grantee& grantee);  ///< connections that it allowed end within a second
  void endShare(const std::string& ref, const std::string& user) { endShare(ref, Grantee::ofUser(user)); }
  Instance handOver(const std::string& ref, const std::string& owner);  ///< gives it to another user

  /// Ports that others than the owner may open in a browser: port, level, expiresAt, url.
  boost::json::array listPorts(const std::string& ref);
  boost::json::object setPort(const std::string& ref, std::uint16_t port, const PortLevelRequest& request);
  void closePort(const std::string& ref, std::uint16_t port);  ///< only the owner may open it

  boost::json::array listNameHolds();         ///< names of deleted instances that are reserved for their owners: name, owner, until
  void releaseName(const std::string& name);  ///< makes the name available to all users

  /// Users: name, role, disabled, hasPassword, invitedUntil, createdAt. Administrators and auditors see all, others themselves.
  boost::json::array listUsers();
  boost::json::object createUser(const CreateUserRequest& user);
  /// A single-use URL, valid for 72 hours, with which a person sets the password of their account.
  std::string inviteUser(const std::string& name);
  boost::json::object setUserRole(const std::string& name, const std::string& role);  ///< the user's sessions end
  boost::json::object disableUser(const std::string& name);
  boost::json::object enableUser(const std::string& name);
  /// What belongs to the user goes to `successor`; with an empty one, Conflict while they have workspaces or snapshots.
  void deleteUser(const std::string& name, const std::string& successor = {});
  /// `name`: "me" with the present password, or for administrators another user, whose sessions end.
  void setPassword(const std::string& name, Secret password, Secret present = {});
  boost::json::object secondFactor(const std::string& user = "me");  ///< enabled, required, since, recoveryCodes (how many are left)
  struct SecondFactorSetUp {
    std::string ticket;
    Secret secret;  ///< for an authenticator app, in base 32
    Secret uri;     ///< otpauth://…
  };
  SecondFactorSetUp setUpSecondFactor(Secret password);                                              ///< counts after confirmSecondFactor()
  std::vector<std::string> confirmSecondFactor(const std::string& ticket, const std::string& code);  ///< returns recovery codes
  void disableSecondFactor(Secret password, const std::string& code);
  void resetSecondFactor(const std::string& user);  ///< for administrators; ends the user's sessions
  void endSessions(const std::string& user);        ///< all of a user, "me" included

  /// Groups of users: name, managedBy, members, createdAt. Administrators and auditors see all, others their own.
  boost::json::array listGroups();
  boost::json::object createGroup(const std::string& name);
  void deleteGroup(const std::string& name);  ///< with the shares with it
  boost::json::object addGroupMember(const std::string& group, const std::string& user);
  void removeGroupMember(const std::string& group, const std::string& user);

  /// Limits in effect, and what is held: scope, provider, name, limits, sources, quota, used. Administrators and auditors see all, others
  /// the totals and their own.
  boost::json::array listQuotas();
  boost::json::array getQuota(const QuotaSubject& subject);
  void setQuota(const QuotaSubject& subject, const ResourceLimits& limits);  ///< for administrators; replaces the former one
  void removeQuota(const QuotaSubject& subject);

  boost::json::array listSessions();       ///< id, user, kind, createdAt, expiresAt, current; administrators see all
  void endSession(const std::string& id);  ///< invalidates its token and cookies
  boost::json::array listSigningKeys();    ///< of API tokens, for administrators: id, createdAt, expiresAt (of replaced keys)
  std::string rotateSigningKey();          ///< for administrators; returns the id of the new key
  boost::json::array listAccessTokens();   ///< id, name, owner, scopes, namePrefix, maxInstances, createdAt, expiresAt, lastUsedAt
  boost::json::object createAccessToken(const CreateAccessTokenRequest& request);  ///< as above, and its secret: token
  void revokeAccessToken(const std::string& id);
  boost::json::array listSshKeys();  ///< id, name, owner, type, fingerprint, publicKey, createdAt, lastUsedAt
  boost::json::object addSshKey(const AddSshKeyRequest& request);
  void removeSshKey(const std::string& id);
  boost::json::object sshListener();  ///< enabled, host, port, hostKey
  /// A single-use URL that signs the browser that opens it in as this user; it leads to the workspace `instance`, if given.
  std::string createLoginLink(const std::string& instance = {});

  boost::json::object listAudit(const ListAuditQuery& query = {});  ///< newest first: items, nextCursor
  /// Passes the records as NDJSON, oldest first, to `sink`. Throws Error(Unavailable) when the connection is lost before the end.
  void exportAudit(const AuditQuery& query, const std::function<void(std::string_view)>& sink, const std::stop_token& stop = {});
  /// Without `hash`, only the chain. Result: intact, fault, first, sequence, hash.
  boost::json::object verifyAudit(std::int64_t sequence = 0, const std::string& hash = {});

  /// Any other call: `target` is a path with its query, `body` JSON or empty. Returns the response's body unchanged; throws the server's
  /// Error for a status of 400 and above.
  std::string callApi(const std::string& method, const std::string& target, const std::string& body = {});
  SwarmStatus getSwarmStatus();
  boost::json::array listProviders();
  boost::json::object getProvider(const std::string& type);
  boost::json::object validateProvider(const std::string& type);
  /// Returns where the token in use comes from: source, setAt. `force`: also while the provider cannot be reached.
  boost::json::object setProviderToken(const std::string& type, const Secret& token, bool force = false);
  boost::json::object removeProviderToken(const std::string& type);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm
