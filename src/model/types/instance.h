// Instance: an instance as its users see it.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/types/ids.h"
#include "model/types/instance_config.h"
#include "model/types/provider_type.h"

namespace swarm {

/// creating → running ⇄ stopped → deleted; failed from any, and back by start, restart or delete. starting/stopping/deleting are the
/// transients between.
enum class InstanceStatus { creating, starting, running, stopping, stopped, failed, deleting, deleted };
BOOST_DESCRIBE_ENUM(InstanceStatus, creating, starting, running, stopping, stopped, failed, deleting, deleted)

struct PortMapping {
  std::int64_t internal = 0;
  std::int64_t external = 0;
  std::string protocol = "tcp";
};
BOOST_DESCRIBE_STRUCT(PortMapping, (), (internal, external, protocol))

/// What stands between an instance and its network.
struct EgressReport {
  EgressPolicy policy = EgressPolicy::open;  ///< in effect: the stricter one of the instance's and the provider's
  std::int64_t denied = 0;                   ///< packets that were refused since the instance was started or its policy was changed
  friend bool operator==(const EgressReport&, const EgressReport&) = default;
};
BOOST_DESCRIBE_STRUCT(EgressReport, (), (policy, denied))

struct NetworkInfo {
  std::string internalIp;
  std::string externalIp;
  std::string hostname;
  std::vector<PortMapping> ports;
  std::vector<std::string> urls;
  std::optional<EgressReport> egress{};  ///< absent: everything may be reached
};
BOOST_DESCRIBE_STRUCT(NetworkInfo, (), (internalIp, externalIp, hostname, ports, urls, egress))

/// The place that an instance was moved from, kept as it was left: stopped, with its files, until a time.
struct KeptSource {
  ProviderType provider = ProviderType::docker;
  std::string region;
  SystemTime until{};
};
BOOST_DESCRIBE_STRUCT(KeptSource, (), (provider, region, until))

/// The role of a place that is not the current one.
enum class PlaceRole {
  target,     ///< a move into it is in progress
  kept,       ///< the instance was moved away; stopped, with its files, until `expiresAt`
  discarded,  ///< to be removed, with its volumes, as soon as its provider can be reached
  snapshot,   ///< volumes with the files of a moment; nothing runs there
};
BOOST_DESCRIBE_ENUM(PlaceRole, target, kept, discarded, snapshot)

/// An instance, as everything outside the providers sees it.
struct Instance {
  InstanceId id;      ///< "i-…", stable for life
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

}  // namespace swarm
