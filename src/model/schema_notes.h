// What a member of a public type means, beyond its type. Only schema.cc includes this. Ranges are those that validation.cc enforces.
#pragma once

#include <optional>
#include <string_view>

namespace swarm {

struct SchemaNote {
  std::string_view type;
  std::string_view member;
  std::string_view description;
  std::optional<double> minimum = std::nullopt;
  std::optional<double> maximum = std::nullopt;
};

inline constexpr SchemaNote kNotes[] = {
    {"CpuConfig", "cores", "Cores to reserve or show", 0.1, 1024},
    {"CpuConfig", "limit", "Hard limit in millicores; 0: cores x 1000", 0, 1'024'000},
    {"MemoryConfig", "min", "MiB kept for it (soft); 0: none", 0, 16'777'216},
    {"MemoryConfig", "max", "MiB, hard limit", 6, 16'777'216},
    {"StorageResource", "size", "GiB", 1, 65'536},
    {"ResourceConfig", "pids", "Maximum number of processes and threads", 16, 4'194'304},
    {"DockerNetworkConfig", "networkName", "Empty: the owner's own network"},
    {"DockerNetworkConfig", "host", "One of the configured Engines, by name; empty: the provider chooses"},
    {"NetworkConfig", "exposedPorts", "TCP ports to publish, 1 to 65535, without 7777 (the agent's)"},
    {"NetworkConfig", "internalNetwork", "No way out to the internet"},
    {"StorageConfig", "size", "GiB", 1, 65'536},
    {"StorageConfig", "persistent", "false: deleted with the instance"},
    {"StorageConfig", "mountPath", "Absolute path in the instance"},
    {"StorageConfig", "volumeName", "Empty: made from the instance's id; a name: that volume is made or attached"},
    {"InstanceConfig", "name", "DNS label of at most 40 characters without \"--\", unique in the swarm; empty: one is made"},
    {"InstanceConfig", "image", "Image reference; empty: the workspace image"},
    {"InstanceConfig", "storage", "Empty in a request: one persistent volume at /home/coder"},
    {"InstanceConfig", "setup",
     "Script (at most 16 KiB) that each new container runs once; empty: the home's own ~/.config/swarm/setup.sh"},
    {"GitIdentity", "name", "Author of commits; empty together with email: not set"},
    {"CpuUsage", "usage", "Percent of one core"},
    {"CpuUsage", "limit", "Millicores"},
    {"ResourceUsage", "memory", "MiB"},
    {"ResourceUsage", "storage", "GiB"},
    {"CommandResult", "truncated", "Output beyond the limit was dropped"},
    {"ProviderCapabilities", "maxInstancesPerUser", "0: no limit of the provider's"},
    {"Instance", "region", "Fly's region or the name of a Docker host; empty where there is only one"},
    {"Instance", "keptSource", "The place that it was moved from, as long as it is kept"},
    {"Instance", "statusReason", "Why it failed or is not ready, as a sentence; empty when all is well"},
    {"Instance", "desired", "The status that it is meant to have"},
    {"Instance", "resources", "The effective ones"},
    {"Instance", "url", "Where VS Code opens"},
    {"Instance", "version", "Grows with each change of configuration; the ETag"},
    {"Instance", "stale", "The provider can't be reached: this is the last known state, of observedAt"},
    {"Instance", "operationId", "The operation in progress, or empty"},
    {"Instance", "imageOutdated",
     "It was made from an older image than config.image names now; an update with refreshImage replaces it. false where that is not known"},
    {"Operation", "endedAt", "null until it has ended"},
    {"OperationStep", "startedAt", "null until it has begun"},
    {"OperationStep", "endedAt", "null until it has ended"},
    {"Snapshot", "expiresAt", "When its provider deletes it; null: it is kept until a user deletes it"},
    {"SwarmResourceUsage", "cpu", "Cores"},
    {"SwarmResourceUsage", "memory", "MiB"},
    {"SwarmResourceUsage", "storage", "GiB"},
    {"ProviderStatus", "detail", "Why it is not healthy"},
};

struct MemberName {
  std::string_view type;
  std::string_view member;
};

/// The times that may be null; the others are always there.
inline constexpr MemberName kNullableTimes[] = {
    {"Operation", "endedAt"}, {"OperationStep", "startedAt"}, {"OperationStep", "endedAt"}, {"Snapshot", "expiresAt"}};

/// Members of an enumeration's type that take only some of its values.
struct Choices {
  std::string_view type;
  std::string_view member;
  std::string_view values[3];
};
inline constexpr Choices kChoices[] = {{"Instance", "desired", {"running", "stopped", "deleted"}}};

}  // namespace swarm
