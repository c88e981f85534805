// What users may request of a Docker Engine, by rule and not by what the Engine has. It concerns new requests: existing instances stay as
// they are. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "provider/docker/docker_config.h"

namespace swarm::docker {

/// Error(Unprocessable) for an image that is not allowed. With ImageChoice::Any: for one that the Engine may not pull.
std::optional<Error> imageRefusal(const std::string& image, ImageChoice choice, const DockerProviderConfig& config);
/// Throws it.
void checkImage(const std::string& image, ImageChoice choice, const DockerProviderConfig& config);
/// Throws Error(InvalidArgument) for options that are malformed, and Error(Unprocessable) for a name that the Engine may read as the
/// beginning of another network's id, or that the server's isolation rules out.
void checkNetworkOptions(const NetworkConfig& network, const DockerProviderConfig& config);
/// Both. Parts that the request leaves empty pass.
void checkPolicy(const InstanceSpec& spec, const DockerProviderConfig& config);

}  // namespace swarm::docker
