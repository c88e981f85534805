// An InstanceSpec in Fly's terms: names, the Machine's configuration, the agent's file, and what is refused before anything is created.
// Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/volume.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/spec/guest_size.h"
#include "provider/flyio/volume/storage_record.h"
#include "provider/provider.h"

namespace swarm::flyio {

namespace json = boost::json;

inline constexpr std::string_view kMetaSwarm = "swarm_id";
inline constexpr std::string_view kMetaInstance = "swarm_instance";
inline constexpr std::string_view kMetaOwner = "swarm_owner";
inline constexpr std::string_view kMetaName = "swarm_name";
inline constexpr std::string_view kMetaSpec = "swarm_spec";            ///< hash of everything that an update would change
inline constexpr std::string_view kMetaResources = "swarm_resources";  ///< JSON: the requested ResourceConfig
inline constexpr std::string_view kMetaPorts = "swarm_ports";          ///< JSON: the exposed ports as requested
inline constexpr std::string_view kMetaStorage = "swarm_storage";      ///< JSON: the storage record
inline constexpr std::string_view kMetaPrivate = "swarm_private";      ///< "true": no public address

inline constexpr std::string_view kMetaRole = "swarm_role";    ///< "reader" of a snapshot; absent: an instance
inline constexpr std::string_view kMetaReads = "swarm_reads";  ///< the instance whose app contains the reader

/// JSON: volumes of which this Machine's volume is a copy; they are deleted when all of it is on its own host.
inline constexpr std::string_view kMetaReplaces = "swarm_replaces";

inline constexpr std::string_view kMetaAgent = "swarm_agent";  ///< kPublicKeyAgent; absent: its agent has a secret
inline constexpr std::string_view kPublicKeyAgent = "public-key";

inline constexpr std::string_view kMetaRegions = "swarm_regions";  ///< JSON: the regions that the instance itself names

/// base64 of the agent's file, for Machines that were created before agents had public keys.
inline constexpr std::string_view kAgentSecret = "SWARM_AGENT_CONFIG";
inline constexpr std::string_view kStorageSecret = "SWARM_STORAGE";  ///< the StorageRecord

inline constexpr std::string_view kVolumeName = "data";  ///< forks on other hosts: data_1, data_2 …
inline constexpr std::string_view kVolumeMount = "/data";

/// Everything that is created for an instance, as far as the spec alone determines it.
struct InstancePlan {
  PlaceId placeId;
  std::string owner;
  std::string app;  ///< its own; an instance that uses a kept volume is in that volume's app
  Guest guest;
  std::int64_t volumeGb = 0;  ///< 0: no storage and no volume
  std::vector<StorageEntry> storage;
  std::string volumeId;                                       ///< the volume that has the files; empty: none
  std::string copyName;                                       ///< as StorageRecord::copyName: a copy that an earlier call began
  std::vector<std::string> requestedVolumes;                  ///< volume names that the user chose
  std::vector<std::string> regions;                           ///< as configured, best first; empty: the nearest
  bool newVolumes = false;                                    ///< create those names, even if another instance has them
  std::function<std::string(const VolumeInfo&)> volumeOwner;  ///< as InstanceSpec::volumeOwner
  bool privateOnly = false;
  bool ipv6 = true;
  json::object config;  ///< fly.MachineConfig without mounts
  Secret agentFile;     ///< written as kAgentSecret; empty: the agent's settings are in the environment
  std::string hash;
};

/// "<prefix>-<hash of the swarm>-<instance>": letters, digits and dashes, at most 63.
std::string appName(const FlyIOProviderConfig& config, const std::string& swarm_id, const PlaceId& place_id);
std::string appNamePrefix(const FlyIOProviderConfig& config, const std::string& swarm_id);  ///< of all apps of the swarm

/// The image's name where Fly can pull it. Throws Error(Unprocessable) for the local workspace image if it was not pushed.
std::string imageAtFly(const std::string& image, const FlyIOProviderConfig& config);

/// Throws Error(Unprocessable) with field and reason for what Fly cannot do.
InstancePlan planInstance(const InstanceSpec& spec, const FlyIOProviderConfig& config, const std::string& swarm_id,
                          AgentCredential credential = AgentCredential::PublicKey);
/// What its agent was given and is given again by a change that keeps its image: agents of older images do not support public keys.
AgentCredential credentialOf(const Machine& machine);
/// Adds what is on the volume already: entries of the plan's names keep their instance, other persistent ones stay in the record.
void addToRecord(InstancePlan& plan, const std::vector<StorageEntry>& present);
/// Writes the volume's size to the Machine's metadata, where it differs from the spec's.
void noteSize(InstancePlan& plan, std::int64_t volume_gb);
void checkNetwork(const NetworkConfig& network);
void checkSecurity(const SecurityConfig& security);
/// For an image that the user may not choose, or that this machine would look up at an internal registry.
void checkImageChoice(const std::string& image, ImageChoice choice, const FlyIOProviderConfig& config);
json::array servicesFor(const std::vector<std::int64_t>& exposed_ports);
std::int64_t externalPort(std::int64_t port);  ///< where an exposed port is reached: 80 and 443 are the agent's

/// `current` with the changes in `wanted`; mounts and members that are not ours stay as they are.
json::object patchedConfig(const json::object& current, const json::object& wanted);
json::object withMount(json::object config, const std::string& volume_id);

/// The volumes that become superfluous when all of this Machine's volume is on its own host; and a configuration that adds one.
std::vector<std::string> replacedBy(const Machine& machine);
json::object replacing(json::object config, const std::string& volume_id);

PlaceId placeOf(const Machine& machine);  ///< empty: it is not ours

/// Name and generation of an instance's n-th Machine (after moves to other hosts: -g1, -g2 …).
std::string machineName(const PlaceId& place_id, int generation);
int generationOf(const Machine& machine);
std::string volumeName(int generation);
int generationOf(const Volume& volume);  ///< -1: of no instance

/// A reader (snapshot/) is in its instance's app under names of its own. As a resource it is that app.
inline constexpr std::string_view kReaderRole = "reader";
bool isReader(const Machine& machine);
bool isReader(const Volume& volume);
std::string readerVolume(const PlaceId& reader);
std::string readerSecret(const PlaceId& reader);  ///< the agent's file of a reader without public keys; removed with the reader
/// The plan of the instance whose snapshot it reads, with what distinguishes the reader; agent settings and storages as in `reader.of`.
InstancePlan planReader(const SnapshotReader& reader, const FlyIOProviderConfig& config, const std::string& swarm_id,
                        AgentCredential credential);

/// The address of an app's services, from the configured template; on the organization's private network, Fly has another one.
std::string appUrl(const FlyIOProviderConfig& config, const std::string& app);
std::string privateAppUrl(const FlyIOProviderConfig& config, const std::string& app);

}  // namespace swarm::flyio
