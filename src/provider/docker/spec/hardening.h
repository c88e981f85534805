// What a container may not do: what its instance requests, what [docker] requires of all, and the seccomp profile.
#pragma once

#include <filesystem>

#include "engine/client.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {

/// What the instance requests, and what the configuration requires.
SecurityConfig effectiveSecurity(const SecurityConfig& requested, const DockerProviderConfig& config);

/// Adds it to a container's HostConfig. `volumes`: what is mounted, and so can be written.
void harden(json::object& host, const InstanceConfig& instance, const DockerProviderConfig& config, const std::vector<VolumePlan>& volumes);

/// A profile's contents as the Engine's API takes them. Throws Error(InvalidArgument) with what is wrong with the file.
std::string readSeccompProfile(const std::filesystem::path& file);

/// What protects the Engine's machine from its containers.
ValidationCheck hardeningCheck(const DockerProviderConfig& config, const engine::Facts& facts);

}  // namespace swarm::docker
