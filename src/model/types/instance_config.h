// InstanceConfig: what a request for an instance contains, and patches: what a request changes of it.
// Ranges and lengths of the members: rules/field_rules.h.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace swarm {

/// The same members describe a configuration and a change of one. In a patch each may be absent, and what is absent stays as it is.
enum class Form { Config, Patch };
template <Form form, typename T>
using Member = std::conditional_t<form == Form::Config, T, std::optional<T>>;
/// The initial value of a member: a patch has none.
template <Form form, typename T>
constexpr Member<form, T> initially(T value) {
  if constexpr (form == Form::Config) {
    return value;
  } else {
    return std::nullopt;
  }
}

template <Form form>
struct CpuMembers {
  Member<form, double> cores = initially<form>(2.0);                    ///< cores to reserve or show
  Member<form, std::int64_t> limit = initially<form, std::int64_t>(0);  ///< hard limit in millicores; 0: cores × 1000
  BOOST_DESCRIBE_CLASS(CpuMembers, (), (cores, limit), (), ())
};
using CpuConfig = CpuMembers<Form::Config>;
using CpuPatch = CpuMembers<Form::Patch>;

template <Form form>
struct MemoryMembers {
  Member<form, std::int64_t> min = initially<form, std::int64_t>(0);     ///< MiB kept for it (soft); 0: none
  Member<form, std::int64_t> max = initially<form, std::int64_t>(4096);  ///< MiB, hard limit
  BOOST_DESCRIBE_CLASS(MemoryMembers, (), (min, max), (), ())
};
using MemoryConfig = MemoryMembers<Form::Config>;
using MemoryPatch = MemoryMembers<Form::Patch>;

template <Form form>
struct StorageResourceMembers {
  Member<form, std::int64_t> size = initially<form, std::int64_t>(10);  ///< GiB
  Member<form, bool> persistent = initially<form>(true);
  BOOST_DESCRIBE_CLASS(StorageResourceMembers, (), (size, persistent), (), ())
};
using StorageResource = StorageResourceMembers<Form::Config>;
using StorageResourcePatch = StorageResourceMembers<Form::Patch>;

template <Form form>
struct ResourceMembers {
  Member<form, CpuMembers<form>> cpu{};
  Member<form, MemoryMembers<form>> memory{};
  Member<form, StorageResourceMembers<form>> storage{};
  Member<form, std::int64_t> pids = initially<form, std::int64_t>(4096);  ///< most processes and threads
  Member<form, std::int64_t> shmSize = initially<form, std::int64_t>(0);  ///< MiB of /dev/shm; 0: the provider's default
  BOOST_DESCRIBE_CLASS(ResourceMembers, (), (cpu, memory, storage, pids, shmSize), (), ())
};
using ResourceConfig = ResourceMembers<Form::Config>;
using ResourcePatch = ResourceMembers<Form::Patch>;

template <Form form>
struct DockerNetworkMembers {
  Member<form, std::string> networkName{};  ///< empty: the owner's own network
  Member<form, std::string> networkDriver = initially<form, std::string>("bridge");
  BOOST_DESCRIBE_CLASS(DockerNetworkMembers, (), (networkName, networkDriver), (), ())
};
using DockerNetworkConfig = DockerNetworkMembers<Form::Config>;
using DockerNetworkPatch = DockerNetworkMembers<Form::Patch>;

template <Form form>
struct FlyNetworkMembers {
  Member<form, bool> privateNetwork{};
  Member<form, bool> ipv6 = initially<form>(true);
  BOOST_DESCRIBE_CLASS(FlyNetworkMembers, (), (privateNetwork, ipv6), (), ())
};
using FlyNetworkConfig = FlyNetworkMembers<Form::Config>;
using FlyNetworkPatch = FlyNetworkMembers<Form::Patch>;

/// What an instance may reach. open: everything. standard: not the provider's machine, private ranges, link-local addresses and metadata
/// services of clouds. none: nothing. In JSON: "open", "default" and "none".
enum class EgressPolicy { open, standard, none };
BOOST_DESCRIBE_ENUM(EgressPolicy, open, standard, none)

template <Form form>
struct EgressMembers {
  Member<form, EgressPolicy> policy = initially<form>(EgressPolicy::open);
  Member<form, std::vector<std::string>> allow{};  ///< "10.1.0.0/16:443" (rules/egress_target.h): may be reached in spite of the policy
  BOOST_DESCRIBE_CLASS(EgressMembers, (), (policy, allow), (), ())
};
using EgressConfig = EgressMembers<Form::Config>;
using EgressPatch = EgressMembers<Form::Patch>;

/// A provider checks its own options. `docker.host` and `flyio.regions` of earlier versions are read as `regions`.
template <Form form>
struct NetworkMembers {
  /// Published on 127.0.0.1 unless the provider is configured otherwise. A patch has the whole list.
  Member<form, std::vector<std::int64_t>> exposedPorts{};
  Member<form, bool> internalNetwork{};              ///< no way out to the internet
  Member<form, std::vector<std::string>> regions{};  ///< where it may be, best first; empty: the provider chooses
  std::optional<DockerNetworkMembers<form>> docker{};
  std::optional<FlyNetworkMembers<form>> flyio{};
  std::optional<EgressMembers<form>> egress{};  ///< absent: as the provider is configured
  BOOST_DESCRIBE_CLASS(NetworkMembers, (), (exposedPorts, internalNetwork, regions, docker, flyio, egress), (), ())
};
using NetworkConfig = NetworkMembers<Form::Config>;
using NetworkPatch = NetworkMembers<Form::Patch>;

/// What runs inside may do less than the provider permits. The server's configuration may require each for all instances.
template <Form form>
struct SecurityMembers {
  Member<form, bool> noNewPrivileges{};  ///< set-uid programs give no other user's rights: no sudo
  Member<form, bool> readOnlyRoot{};     ///< only volumes and folders in memory (/tmp, /var/tmp, /run) can be written
  BOOST_DESCRIBE_CLASS(SecurityMembers, (), (noNewPrivileges, readOnlyRoot), (), ())
};
using SecurityConfig = SecurityMembers<Form::Config>;
using SecurityPatch = SecurityMembers<Form::Patch>;

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
  SecurityConfig security{};
};
BOOST_DESCRIBE_STRUCT(InstanceConfig, (), (name, image, command, env, resources, network, storage, labels, metadata, setup, security))

}  // namespace swarm
