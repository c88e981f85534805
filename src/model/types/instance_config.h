// InstanceConfig: what a request for an instance contains.
// Ranges and lengths of the members: rules/field_rules.h.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace swarm {

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

}  // namespace swarm
