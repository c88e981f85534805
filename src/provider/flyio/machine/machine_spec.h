// An InstanceSpec in Fly's words: names, the Machine's configuration, the agent's file, and what is refused before anything is made. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "provider/flyio/api/fly_types.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/machine/guest_size.h"
#include "provider/flyio/volume/storage_record.h"
#include "provider/provider.h"

namespace swarm::flyio {

namespace json = boost::json;

inline constexpr std::string_view kMetaSwarm = "swarm_id";
inline constexpr std::string_view kMetaInstance = "swarm_instance";
inline constexpr std::string_view kMetaOwner = "swarm_owner";
inline constexpr std::string_view kMetaName = "swarm_name";
inline constexpr std::string_view kMetaSpec = "swarm_spec";            ///< hash of all that an update would change
inline constexpr std::string_view kMetaResources = "swarm_resources";  ///< JSON: what a guest can't tell back
inline constexpr std::string_view kMetaPorts = "swarm_ports";          ///< JSON: the exposed ports as asked for
inline constexpr std::string_view kMetaStorage = "swarm_storage";      ///< JSON: the storage record
inline constexpr std::string_view kMetaPrivate = "swarm_private";      ///< "true": no public address

inline constexpr std::string_view kMetaRole = "swarm_role";    ///< "reader": of a snapshot; absent: an instance
inline constexpr std::string_view kMetaReads = "swarm_reads";  ///< the instance whose app a reader stands in

/// JSON: volumes that this Machine's one is a copy of; they go when all of it is on its own host.
inline constexpr std::string_view kMetaReplaces = "swarm_replaces";

inline constexpr std::string_view kMetaAgent = "swarm_agent";  ///< kPublicKeyAgent; absent: its agent was given a secret
inline constexpr std::string_view kPublicKeyAgent = "public-key";

inline constexpr std::string_view kMetaRegions = "swarm_regions";  ///< JSON: the regions that the instance itself asked for

/// base64 of the agent's file, for Machines that were made before agents had public keys.
inline constexpr std::string_view kAgentSecret = "SWARM_AGENT_CONFIG";
inline constexpr std::string_view kStorageSecret = "SWARM_STORAGE";  ///< the StorageRecord

inline constexpr std::string_view kVolumeName = "data";  ///< forks on other hosts: data_1, data_2 …
inline constexpr std::string_view kVolumeMount = "/data";

/// All that is made for an instance, as far as the spec alone decides it.
struct InstancePlan {
  std::string instanceId;
  std::string owner;
  std::string app;  ///< of its own; an instance that takes over a kept volume lives in that volume's app
  Guest guest;
  std::int64_t volumeGb = 0;  ///< 0: no storage, no volume
  std::vector<StorageEntry> storage;
  std::string volumeId;                   ///< has the files already; empty: none does
  std::string copyName;                   ///< as StorageRecord::copyName: of a copy that an earlier call began
  std::vector<std::string> askedVolumes;  ///< volume names that a person chose
  std::vector<std::string> regions;       ///< as configured, best first; empty: the nearest
  bool newVolumes = false;                ///< those names are made anew, whoever else has them
  bool privateOnly = false;
  bool ipv6 = true;
  json::object config;  ///< fly.MachineConfig without mounts
  Secret agentFile;     ///< to be written as kAgentSecret; empty: the agent's settings are in the environment
  std::string hash;
};

/// "<prefix>-<hash of the swarm>-<instance>": letters, digits and dashes, at most 63.
std::string appName(const FlyIOProviderConfig& config, const std::string& swarm_id, const std::string& instance_id);
std::string appNamePrefix(const FlyIOProviderConfig& config, const std::string& swarm_id);  ///< of all apps of the swarm

/// The image where Fly can pull it. Throws Error(Unprocessable) for the local workspace image when none was pushed.
std::string imageAtFly(const std::string& image, const FlyIOProviderConfig& config);

/// Throws Error(Unprocessable) with field and reason for what Fly can't do.
InstancePlan planInstance(const InstanceSpec& spec, const FlyIOProviderConfig& config, const std::string& swarm_id,
                          AgentCredential credential = AgentCredential::PublicKey);
/// What its agent was given, and will be given again by a change that keeps its image: that of an older image knows no public keys.
AgentCredential credentialOf(const Machine& machine);
/// What lies on the volume already: entries of the plan's names keep whose they are, others that persist stay in the record.
void addToRecord(InstancePlan& plan, const std::vector<StorageEntry>& present);
/// The volume's size as the Machine's metadata has it, where it is another than the spec's.
void noteSize(InstancePlan& plan, std::int64_t volume_gb);
void writeRegions(NetworkConfig& network, std::vector<std::string> regions);  ///< tried in this order
void checkNetwork(const NetworkConfig& network);
json::array servicesFor(const std::vector<std::int64_t>& exposed_ports);
std::int64_t externalPort(std::int64_t port);  ///< where an exposed port answers: 80 and 443 are the agent's

/// `current` with what `wanted` says; members that are not ours stay as they are, mounts always do.
json::object patchedConfig(const json::object& current, const json::object& wanted);
json::object withMount(json::object config, const std::string& volume_id);

/// The volumes that are left over once all of this Machine's one is on its own host; and a configuration that says it of one more.
std::vector<std::string> replacedBy(const Machine& machine);
json::object replacing(json::object config, const std::string& volume_id);

/// The n-th Machine of an instance (moved to another host: -g1, -g2 …) and back; nothing for another name.
std::string machineName(const std::string& instance_id, int generation);
int generationOf(const Machine& machine);
std::string volumeName(int generation);
int generationOf(const Volume& volume);  ///< -1: no instance's

/// A reader (flyio_snapshots.cc) stands in its instance's app under names of its own. As a resource, kReaderKind is that app.
inline constexpr std::string_view kReaderKind = "reader";
bool isReader(const Machine& machine);
bool isReader(const Volume& volume);
std::string readerVolume(const std::string& reader_id);
std::string readerSecret(const std::string& reader_id);  ///< the agent's file of one from before public keys; to be removed with it
/// The plan of the instance whose snapshot it reads, but for what makes it the reader; agent's settings and storages as in `reader.of`.
InstancePlan planReader(const SnapshotReader& reader, const FlyIOProviderConfig& config, const std::string& swarm_id,
                        AgentCredential credential);

/// The app's public (or private) address, by the configured template.
std::string appUrl(const FlyIOProviderConfig& config, const std::string& app, bool is_private);

}  // namespace swarm::flyio
