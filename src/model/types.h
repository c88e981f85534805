// The types of the original design's Appendix A, as plain structs described once: JSON, tables and OpenAPI come from these descriptions.
// Ranges and lengths of their members: field_rules.h.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace swarm {

/// JSON: "docker", "flyio", "fake". Fake is for tests and benchmarks.
enum class ProviderType { docker, flyio, fake };
BOOST_DESCRIBE_ENUM(ProviderType, docker, flyio, fake)

/// How a provider is chosen for an instance whose request names none.
enum class PlacementPolicy { fixed, leastLoaded, cheapest };
BOOST_DESCRIBE_ENUM(PlacementPolicy, fixed, leastLoaded, cheapest)

/// creating → running ⇄ stopped → deleted; failed from any, and back by start, restart or delete. starting/stopping/deleting are the
/// transients between.
enum class InstanceStatus { creating, starting, running, stopping, stopped, failed, deleting, deleted };
BOOST_DESCRIBE_ENUM(InstanceStatus, creating, starting, running, stopping, stopped, failed, deleting, deleted)

struct CpuConfig {
  double cores = 2;        ///< cores to reserve or show
  std::int64_t limit = 0;  ///< hard limit in millicores; 0: cores × 1000
};
BOOST_DESCRIBE_STRUCT(CpuConfig, (), (cores, limit))

struct MemoryConfig {
  std::int64_t min = 0;     ///< MiB kept for it (soft); 0: none
  std::int64_t max = 4096;  ///< MiB, hard limit
};
BOOST_DESCRIBE_STRUCT(MemoryConfig, (), (min, max))

struct StorageResource {
  std::int64_t size = 10;  ///< GiB
  bool persistent = true;
};
BOOST_DESCRIBE_STRUCT(StorageResource, (), (size, persistent))

struct ResourceConfig {
  CpuConfig cpu;
  MemoryConfig memory;
  StorageResource storage;
  std::int64_t pids = 4096;  ///< most processes and threads
};
BOOST_DESCRIBE_STRUCT(ResourceConfig, (), (cpu, memory, storage, pids))

struct DockerNetworkConfig {
  std::string networkName;  ///< empty: the owner's own network
  std::string networkDriver = "bridge";
  std::string host;  ///< which of the configured Engines ([docker.hosts.NAME]); empty: the provider chooses
};
BOOST_DESCRIBE_STRUCT(DockerNetworkConfig, (), (networkName, networkDriver, host))

struct FlyNetworkConfig {
  bool privateNetwork = false;
  std::vector<std::string> regions;
  bool ipv6 = true;
};
BOOST_DESCRIBE_STRUCT(FlyNetworkConfig, (), (privateNetwork, regions, ipv6))

struct NetworkConfig {
  std::vector<std::int64_t> exposedPorts;  ///< published on 127.0.0.1 unless the provider is configured otherwise
  bool internalNetwork = false;            ///< no way out to the internet
  std::optional<DockerNetworkConfig> docker;
  std::optional<FlyNetworkConfig> flyio;
};
BOOST_DESCRIBE_STRUCT(NetworkConfig, (), (exposedPorts, internalNetwork, docker, flyio))

struct StorageConfig {
  std::int64_t size = 10;  ///< GiB
  bool persistent = true;  ///< false: deleted with the instance
  std::string mountPath;   ///< absolute
  std::string volumeName;  ///< empty: made from the instance's id; a name: that volume is made or attached
};
BOOST_DESCRIBE_STRUCT(StorageConfig, (), (size, persistent, mountPath, volumeName))

struct InstanceConfig {
  std::string name;   ///< DNS label, unique in the swarm; empty: one is made
  std::string image;  ///< empty: the workspace image
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  ResourceConfig resources;
  NetworkConfig network;
  std::vector<StorageConfig> storage;  ///< empty in a request: one persistent volume at /home/coder
  std::map<std::string, std::string> labels;
  boost::json::object metadata;
  std::string setup{};  ///< script that each new container runs once, as ~/.config/swarm/setup.sh where the home has none; empty: none
};
BOOST_DESCRIBE_STRUCT(InstanceConfig, (), (name, image, command, env, resources, network, storage, labels, metadata, setup))

/// Who a person's commits are by. Either both are set or none.
struct GitIdentity {
  std::string name{};
  std::string email{};
  bool operator==(const GitIdentity&) const = default;
};
BOOST_DESCRIBE_STRUCT(GitIdentity, (), (name, email))

struct PortMapping {
  std::int64_t internal = 0;
  std::int64_t external = 0;
  std::string protocol = "tcp";
};
BOOST_DESCRIBE_STRUCT(PortMapping, (), (internal, external, protocol))

struct NetworkInfo {
  std::string internalIp;
  std::string externalIp;
  std::string hostname;
  std::vector<PortMapping> ports;
  std::vector<std::string> urls;
};
BOOST_DESCRIBE_STRUCT(NetworkInfo, (), (internalIp, externalIp, hostname, ports, urls))

struct CpuUsage {
  double usage = 0;        ///< percent of one core, 0 … cores × 100
  std::int64_t limit = 0;  ///< millicores
};
BOOST_DESCRIBE_STRUCT(CpuUsage, (), (usage, limit))
struct SizeUsage {
  double usage = 0;  ///< memory: MiB; storage: GiB
  double limit = 0;
};
BOOST_DESCRIBE_STRUCT(SizeUsage, (), (usage, limit))
struct ResourceUsage {
  CpuUsage cpu;
  SizeUsage memory;
  SizeUsage storage;
};
BOOST_DESCRIBE_STRUCT(ResourceUsage, (), (cpu, memory, storage))

struct CommandResult {
  std::int64_t exitCode = 0;
  std::string stdoutText;  ///< JSON "stdout"
  std::string stderrText;  ///< JSON "stderr"
  bool truncated = false;  ///< output beyond the limit was dropped
};

struct ProviderCapabilities {
  bool supportsLiveResize = false;
  bool supportsSnapshotting = false;
  bool supportsMultiRegion = false;
  bool enforcesStorage = true;  ///< false: the size of a storage limits nothing, and is only what usage is shown against
  std::vector<std::string> supportedRegions;
  std::int64_t maxInstancesPerUser = 0;  ///< 0: no limit of the provider's
  ResourceConfig maxResourcesPerInstance;
};
BOOST_DESCRIBE_STRUCT(ProviderCapabilities, (),
                      (supportsLiveResize, supportsSnapshotting, supportsMultiRegion, enforcesStorage, supportedRegions,
                       maxInstancesPerUser, maxResourcesPerInstance))

/// What a replacement of an instance's container or Machine drops: what was installed or written outside of its volumes.
struct DroppedFolder {
  std::string path;
  std::int64_t files = 0;  ///< changed, added or removed in it
};
BOOST_DESCRIBE_STRUCT(DroppedFolder, (), (path, files))
struct ReplacementLoss {
  std::int64_t files = 0;
  bool more = false;                   ///< there is more than was looked at
  std::vector<DroppedFolder> folders;  ///< those with most first; not all
};
BOOST_DESCRIBE_STRUCT(ReplacementLoss, (), (files, more, folders))

/// What a change of the configuration would do.
struct UpdatePlan {
  std::string effect;     ///< "none", "live", or "restart": another container or Machine takes its place
  ReplacementLoss drops;  ///< by a restart
};
BOOST_DESCRIBE_STRUCT(UpdatePlan, (), (effect, drops))

/// The place that an instance was moved from, kept as it was left: stopped, with its files, until a time.
struct KeptSource {
  ProviderType provider = ProviderType::docker;
  std::string region;
  SystemTime until{};
};
BOOST_DESCRIBE_STRUCT(KeptSource, (), (provider, region, until))

/// Why a place beside the one in force is there.
enum class PlaceRole {
  target,     ///< a move into it is in progress
  kept,       ///< the instance was moved away; stopped, with its files, until `expiresAt`
  discarded,  ///< to be removed, with its volumes, as soon as its provider can be reached
  snapshot,   ///< volumes with the files of a moment; nothing runs there
};
BOOST_DESCRIBE_ENUM(PlaceRole, target, kept, discarded, snapshot)

/// What an instance is, to everybody outside the providers.
struct Instance {
  std::string id;     ///< "i-…", stable for life
  std::string owner;  ///< user name
  ProviderType provider = ProviderType::docker;
  std::string region;  ///< where at the provider: Fly's region, or the name of a Docker host; empty where there is only one
  InstanceStatus status = InstanceStatus::creating;
  std::string statusReason;                          ///< why it failed or is not ready, as a sentence; empty when all is well
  InstanceStatus desired = InstanceStatus::running;  ///< running, stopped or deleted
  SystemTime createdAt{};
  SystemTime lastActive{};
  InstanceConfig config;
  ResourceConfig resources;  ///< effective
  NetworkInfo network;
  std::string url;           ///< where VS Code opens
  std::int64_t version = 1;  ///< grows with each change of configuration: the ETag
  bool stale = false;        ///< the provider can't be reached: this is the last known state, of observedAt
  SystemTime observedAt{};
  std::string operationId;  ///< the one in progress, or empty
  std::optional<KeptSource> keptSource;
  bool imageOutdated = false;  ///< made from an older image than config.image names now; false where that is not known
};

/// JSON "healthy", "degraded", "unavailable".
enum class ProviderHealth { healthy, degraded, unavailable };
BOOST_DESCRIBE_ENUM(ProviderHealth, healthy, degraded, unavailable)

struct UsedTotal {
  double used = 0;
  double total = 0;
};
BOOST_DESCRIBE_STRUCT(UsedTotal, (), (used, total))
struct SwarmResourceUsage {
  UsedTotal cpu;      ///< cores
  UsedTotal memory;   ///< MiB
  UsedTotal storage;  ///< GiB
};
BOOST_DESCRIBE_STRUCT(SwarmResourceUsage, (), (cpu, memory, storage))
struct ProviderStatus {
  ProviderType type = ProviderType::docker;
  ProviderHealth status = ProviderHealth::healthy;
  std::int64_t instances = 0;
  std::string detail;  ///< why it is not healthy
};
BOOST_DESCRIBE_STRUCT(ProviderStatus, (), (type, status, instances, detail))
struct SwarmStatus {
  std::int64_t totalInstances = 0;
  std::int64_t runningInstances = 0;
  std::int64_t stoppedInstances = 0;
  std::int64_t failedInstances = 0;
  SwarmResourceUsage resourceUsage;
  std::vector<ProviderStatus> providers;
};
BOOST_DESCRIBE_STRUCT(SwarmStatus, (), (totalInstances, runningInstances, stoppedInstances, failedInstances, resourceUsage, providers))

enum class OperationKind { create, start, stop, restart, update, remove, migrate, snapshot, restore };
BOOST_DESCRIBE_ENUM(OperationKind, create, start, stop, restart, update, remove, migrate, snapshot, restore)
enum class OperationStatus { pending, running, succeeded, failed, cancelled };
BOOST_DESCRIBE_ENUM(OperationStatus, pending, running, succeeded, failed, cancelled)

/// One named part of an operation. Times are zero until it begins or ends.
struct OperationStep {
  std::string name;  ///< "pull image", "create container", "wait until VS Code answers"
  OperationStatus status = OperationStatus::pending;
  SystemTime startedAt{};
  SystemTime endedAt{};
  std::string detail;  ///< "layer 3 of 7"
  std::int64_t bytesDone = 0;
  std::int64_t bytesTotal = 0;
  std::int64_t filesDone = 0;
  std::int64_t filesTotal = 0;
  std::int64_t bytesPerSecond = 0;
};

struct Operation {
  std::string id;  ///< "op-…"
  OperationKind kind = OperationKind::create;
  std::string instanceId;
  std::string instanceName;
  std::string owner;  ///< the instance's owner
  std::string actor;  ///< who asked
  OperationStatus status = OperationStatus::pending;
  SystemTime createdAt{};
  SystemTime updatedAt{};
  SystemTime endedAt{};
  std::vector<OperationStep> steps;
  std::optional<Error> error;
};

/// The files of an instance as they were at a moment, kept at its provider.
struct Snapshot {
  std::string id;
  std::string name;  ///< unique among those of its instance
  std::string instanceId;
  std::string instanceName;  ///< as it was called then
  std::string owner;
  ProviderType provider = ProviderType::docker;
  std::string region;
  SystemTime createdAt{};
  std::int64_t files = 0;
  std::int64_t bytes = 0;  ///< of their content
  bool automatic = false;  ///< taken by the provider itself, which deletes it by itself; name is the id, and nobody counted its files
  SystemTime expiresAt{};  ///< when it does; zero: kept until somebody deletes it
};
BOOST_DESCRIBE_STRUCT(Snapshot, (),
                      (id, name, instanceId, instanceName, owner, provider, region, createdAt, files, bytes, automatic, expiresAt))

/// An instance's own, and those that its provider takes by itself.
struct SnapshotList {
  std::vector<Snapshot> items;
  std::string missing;  ///< why the provider's are not among them, as a sentence; empty: they are, or it takes none
};

/// What a move would do, as far as can be said before it begins. Sizes in bytes, times in seconds (0: not known).
struct MigrationEnd {
  ProviderType provider = ProviderType::docker;
  std::string region;
};
BOOST_DESCRIBE_STRUCT(MigrationEnd, (), (provider, region))
struct MigrationChange {
  std::string what;  ///< "memory", "image", "published ports"
  std::string from;
  std::string to;
};
BOOST_DESCRIBE_STRUCT(MigrationChange, (), (what, from, to))
struct MigrationSkip {
  std::string path;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(MigrationSkip, (), (path, reason))
struct MigrationPlan {
  MigrationEnd from;
  MigrationEnd to;
  bool fits = true;
  std::vector<std::string> problems;  ///< why it does not fit; a move would fail
  std::vector<MigrationChange> changes;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t expectedSeconds = 0;
  std::int64_t expectedPauseSeconds = 0;
  std::vector<std::string> costNotes;
  bool usesKeptSource = false;  ///< only what differs from the kept place travels
  std::vector<MigrationSkip> skipped;
  std::int64_t skippedCount = 0;
};
BOOST_DESCRIBE_STRUCT(MigrationPlan, (),
                      (from, to, fits, problems, changes, files, bytes, expectedSeconds, expectedPauseSeconds, costNotes, usesKeptSource,
                       skipped, skippedCount))

}  // namespace swarm
