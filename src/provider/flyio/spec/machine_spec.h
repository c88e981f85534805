// An InstanceSpec in Fly's terms: the Machine's configuration, the agent's file, and what is refused before anything is created. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "provider/flyio/api/machine.h"
#include "provider/flyio/api/volume.h"
#include "provider/flyio/flyio_config.h"
#include "provider/flyio/spec/fly_names.h"
#include "provider/flyio/spec/guest_size.h"
#include "provider/flyio/volume/storage_record.h"
#include "provider/provider.h"

namespace swarm::flyio {

namespace json = boost::json;

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
  std::vector<std::string> regions;                           ///< as regionsFor()
  bool newVolumes = false;                                    ///< create those names, even if another instance has them
  std::function<std::string(const VolumeInfo&)> volumeOwner;  ///< as InstanceSpec::volumeOwner
  bool privateOnly = false;
  bool ipv6 = true;
  json::object config;  ///< fly.MachineConfig without mounts
  Secret agentFile;     ///< written as kAgentSecret; empty: the agent's settings are in the environment
  std::string hash;
};

/// The image's name where Fly can pull it. Throws Error(Unprocessable) for the local workspace image if it was not pushed.
std::string imageAtFly(const std::string& image, const FlyIOProviderConfig& config);

/// As requested, else as configured, best first; empty: the nearest.
std::vector<std::string> regionsFor(const NetworkConfig& network, const FlyIOProviderConfig& config);
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

/// The plan of the instance whose snapshot it reads, with what distinguishes the reader; agent settings and storages as in `reader.of`.
InstancePlan planReader(const SnapshotReader& reader, const FlyIOProviderConfig& config, const std::string& swarm_id,
                        AgentCredential credential);

}  // namespace swarm::flyio
