// What people may ask for of a Docker Engine, by rule and not by what the Engine has. It concerns new requests: instances that are there go
// on as they are. Pure.
#pragma once

#include <string>
#include <string_view>

#include "provider/docker/docker_config.h"

namespace swarm::docker {

/// Where an image of this name comes from, port included: "docker.io" where the name does not say.
std::string registryOf(std::string_view image);

/// Whether the Engine may be sent to the image's registry. Without a list of allowed images any registry on the internet is; not one that
/// is given by an address or by a name of an internal network: the Engine would fetch what only its own network may reach.
bool isImageAllowed(const std::string& image, const DockerProviderConfig& config);

/// Throws Error(Unprocessable) for an image that isImageAllowed() refuses.
void checkImage(const std::string& image, const DockerProviderConfig& config);
/// Throws Error(Unprocessable) for names that the Engine may take for the beginning of another network's id.
void checkNetworkName(const NetworkConfig& network);
/// Both. Parts that the request leaves empty pass.
void checkPolicy(const InstanceConfig& config, const DockerProviderConfig& engine);

/// Why a pull failed, in words of ours: what a registry said is not for the user, who chose the registry.
std::string pullTrouble(std::string_view engine_text);

}  // namespace swarm::docker
