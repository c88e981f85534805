// What users may request of a Docker Engine, by rule and not by what the Engine has. It concerns new requests: existing instances stay as
// they are. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "provider/docker/docker_config.h"

namespace swarm::docker {

/// Where an image of this name comes from, port included: "docker.io" where the name has none.
std::string registryOf(std::string_view image);

/// Whether the Engine may pull from the image's registry. Without a list of allowed images it may from any registry on the internet, but
/// not from an address or a name of an internal network: the Engine would fetch what only its own network may reach.
bool isImageAllowed(const std::string& image, const DockerProviderConfig& config);

/// Error(Unprocessable) for an image that is not allowed.
std::optional<Error> imageRefusal(const std::string& image, const DockerProviderConfig& config);
/// Throws it.
void checkImage(const std::string& image, const DockerProviderConfig& config);
/// Throws Error(InvalidArgument) for options that are malformed, and Error(Unprocessable) for a name that the Engine may read as the
/// beginning of another network's id.
void checkNetworkOptions(const NetworkConfig& network);
/// Both. Parts that the request leaves empty pass.
void checkPolicy(const InstanceConfig& config, const DockerProviderConfig& engine);

}  // namespace swarm::docker
