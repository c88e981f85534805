// What a request changes of a configuration: every member may be absent, and what is absent stays as it is.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/types/instance_config.h"

namespace swarm {

/// The members are those of CpuConfig, MemoryConfig and so on in types.h (checked by a test).
struct CpuPatch {
  std::optional<double> cores{};
  std::optional<std::int64_t> limit{};
};
BOOST_DESCRIBE_STRUCT(CpuPatch, (), (cores, limit))

struct MemoryPatch {
  std::optional<std::int64_t> min{};
  std::optional<std::int64_t> max{};
};
BOOST_DESCRIBE_STRUCT(MemoryPatch, (), (min, max))

struct StorageResourcePatch {
  std::optional<std::int64_t> size{};
  std::optional<bool> persistent{};
};
BOOST_DESCRIBE_STRUCT(StorageResourcePatch, (), (size, persistent))

struct ResourcePatch {
  std::optional<CpuPatch> cpu{};
  std::optional<MemoryPatch> memory{};
  std::optional<StorageResourcePatch> storage{};
  std::optional<std::int64_t> pids{};
};
BOOST_DESCRIBE_STRUCT(ResourcePatch, (), (cpu, memory, storage, pids))

void apply(const ResourcePatch& patch, ResourceConfig& resources);

struct DockerNetworkPatch {
  std::optional<std::string> networkName{};
  std::optional<std::string> networkDriver{};
  std::optional<std::string> host{};
};
BOOST_DESCRIBE_STRUCT(DockerNetworkPatch, (), (networkName, networkDriver, host))

struct FlyNetworkPatch {
  std::optional<bool> privateNetwork{};
  std::optional<std::vector<std::string>> regions{};
  std::optional<bool> ipv6{};
};
BOOST_DESCRIBE_STRUCT(FlyNetworkPatch, (), (privateNetwork, regions, ipv6))

struct NetworkPatch {
  std::optional<std::vector<std::int64_t>> exposedPorts{};  ///< the whole list
  std::optional<bool> internalNetwork{};
  std::optional<DockerNetworkPatch> docker{};
  std::optional<FlyNetworkPatch> flyio{};
};
BOOST_DESCRIBE_STRUCT(NetworkPatch, (), (exposedPorts, internalNetwork, docker, flyio))

}  // namespace swarm
