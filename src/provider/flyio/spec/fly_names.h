// What is ours at Fly, by its names: apps, Machines, volumes, secrets, keys of metadata, and addresses. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/types/instance_config.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/volume.h"
#include "provider/flyio/flyio_config.h"

namespace swarm::flyio {

// Keys of a Machine's metadata.
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

/// "<prefix>-<hash of the swarm>-<instance>": letters, digits and dashes, at most 63.
std::string appName(const FlyIOProviderConfig& config, const std::string& swarm_id, const PlaceId& place_id);
std::string appNamePrefix(const FlyIOProviderConfig& config, const std::string& swarm_id);  ///< of all apps of the swarm
/// The folder of a storage on the volume of the instance.
std::string folderName(const PlaceId& place_id, const StorageConfig& storage);

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

/// The address of an app's services, from the configured template; on the organization's private network, Fly has another one.
std::string appUrl(const FlyIOProviderConfig& config, const std::string& app);
std::string privateAppUrl(const FlyIOProviderConfig& config, const std::string& app);

}  // namespace swarm::flyio
