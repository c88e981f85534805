// The verbs: each takes its parsed options and gives an exit code. They print results on stdout and progress on stderr, and throw Error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace swarm::cli {

struct WaitOptions {
  bool wait = true;                   ///< --no-wait clears it
  std::chrono::seconds timeout{900};  ///< --timeout
};

/// Resource flags of create and update; absent: not given.
struct ResourceFlags {
  std::optional<double> cpus;
  std::string memory;  ///< "4g", "512m"
  std::string memoryMin;
  std::optional<std::int64_t> disk;  ///< GiB
  std::optional<std::int64_t> pids;
  bool given() const { return cpus || !memory.empty() || !memoryMin.empty() || disk || pids; }
};

struct CreateFlags {
  std::string name;
  std::string provider;
  std::vector<std::string> regions;  ///< tried in this order
  std::string image;
  ResourceFlags resources;
  std::vector<std::string> env;     ///< K=V
  std::vector<std::string> labels;  ///< K=V
  std::vector<std::int64_t> ports;
  std::vector<std::string> volumes;  ///< [NAME:]/path[:GiB]
  bool ephemeral = false;            ///< volumes go with the instance
  bool internalNetwork = false;
  std::string setupFile;  ///< "-": stdin
  std::vector<std::string> command;
  bool open = false;
  WaitOptions wait;
};
int create(Context& context, const CreateFlags& flags);

struct ExportFlags {
  std::string name;
  std::string file;  ///< empty: stdout
};
int exportArchive(Context& context, const ExportFlags& flags);

struct ImportFlags {
  std::string file;    ///< "-": stdin
  CreateFlags create;  ///< of the instance that is made for it
  bool force = false;  ///< into the one of that name, replacing its files
};
int importArchive(Context& context, const ImportFlags& flags);

struct ListFlags {
  std::string status, provider, owner;
  std::vector<std::string> labels;
};
int list(Context& context, const ListFlags& flags);
int show(Context& context, const std::string& name);

enum class LifecycleVerb { Start, Stop, Restart };
/// `empty_volumes`: a start makes an empty one where one with files is gone.
int lifecycle(Context& context, LifecycleVerb verb, const std::vector<std::string>& names, const WaitOptions& wait, bool empty_volumes);

struct UpdateFlags {
  std::string name;
  ResourceFlags resources;
  std::vector<std::string> env;  ///< K=V sets, K removes
  std::vector<std::string> labels;
  std::vector<std::int64_t> ports;  ///< replaces the list
  bool portsGiven = false;
  bool refreshImage = false;  ///< recreate it from the image that its image's name means now
  bool yes = false;           ///< no question before a restart
  WaitOptions wait;
};
int update(Context& context, const UpdateFlags& flags);

struct DeleteFlags {
  std::vector<std::string> names;
  bool volumes = false;
  bool yes = false;  ///< no question when files go or something runs
  WaitOptions wait;
};
int remove(Context& context, const DeleteFlags& flags);

struct MigrateFlags {
  std::string name;
  std::string to;      ///< a provider
  std::string region;  ///< Fly's region, or the name of a Docker host
  bool back = false;
  std::string keepSource;  ///< "true": a day; else hours; empty: not given
  std::string limit;       ///< "10M"
  ResourceFlags resources;
  bool dryRun = false;
  WaitOptions wait{.timeout = std::chrono::hours(24)};
};
int migrate(Context& context, const MigrateFlags& flags);

struct SnapshotFlags {
  std::string instance;
  std::string name;
  WaitOptions wait{.timeout = std::chrono::hours(24)};
};
int snapshotCreate(Context& context, const SnapshotFlags& flags);
int snapshotList(Context& context, const std::string& instance);
int snapshotRestore(Context& context, const SnapshotFlags& flags);
int snapshotDelete(Context& context, const std::vector<std::string>& names, bool yes);
/// The plan of a move, for people.
std::string planText(const std::string& name, const MigrationPlan& plan, int columns, bool colour);
/// "" and "false": not kept. Throws WrongUse.
std::optional<std::int64_t> parseKeepHours(const std::string& text);

struct LoginFlags {
  std::string user = "admin";
  bool passwordFromStdin = false;
};
int login(Context& context, const LoginFlags& flags);
int logout(Context& context);
int whoami(Context& context);

struct GitIdentityFlags {
  std::string name;  ///< empty: show it
  std::string email;
  bool clear = false;
};
int gitIdentity(Context& context, const GitIdentityFlags& flags);

struct OpenFlags {
  std::string name;
  bool printOnly = false;
  bool signIn = false;  ///< by a one-time link
};
int open(Context& context, const OpenFlags& flags);
int loginLink(Context& context, const std::string& name);
int sessionsList(Context& context);
int sessionsEnd(Context& context, const std::vector<std::string>& ids);
int namesList(Context& context);
int namesFree(Context& context, const std::vector<std::string>& names);

struct ExecFlags {
  std::string name;
  std::vector<std::string> command;
  std::string user, cwd;
  std::vector<std::string> env;
  bool tty = false;
  bool noTty = false;
};
int exec(Context& context, const ExecFlags& flags);

struct LogFlags {
  std::string name;
  bool follow = false;
  std::optional<int> tail;
  std::string since;  ///< "5m", or RFC 3339
};
int logs(Context& context, const LogFlags& flags);
int forward(Context& context, const std::string& name, const std::vector<std::string>& ports);
int usage(Context& context, const std::string& name);

int status(Context& context);
int providersList(Context& context);
int providersRegions(Context& context);
int providersShow(Context& context, const std::string& type);
int providersValidate(Context& context, const std::string& type);
int volumesList(Context& context);
int volumesDelete(Context& context, const std::vector<std::string>& names, bool yes);
int operationsList(Context& context, const std::string& instance);
int operationsShow(Context& context, const std::string& id, bool follow);
int operationsCancel(Context& context, const std::string& id);
int version(Context& context);

struct ApiFlags {
  std::string method, path;
  std::string data;  ///< JSON, "@FILE" or "@-"
};
int callApi(Context& context, const ApiFlags& flags);

/// "K=V" → pair. Throws WrongUse that names `flag`.
std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag);

}  // namespace swarm::cli
