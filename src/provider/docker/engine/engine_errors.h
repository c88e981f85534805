// Engine answers and transport failures as swarm::Error: the one table of texts that the Engine is known to say.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "provider/docker/docker_config.h"

namespace swarm::docker {

inline constexpr std::size_t kMaxErrorBody = 64 * 1024;  ///< what is behind is not looked at

/// The Engine's `message`, or the raw body when that is not JSON: printable, cut to a sane length.
std::string engineMessage(std::string_view body);

/// An answer of 400 and above. `doing` completes "could not …": "create the container".
Error engineError(int status, std::string_view body, std::string_view doing);

/// A create of a container whose name another one has, or is about to have.
bool saysNameIsTaken(int status, std::string_view body);

/// The endpoint does not know the container, or (podman 4.3) not the call itself.
bool saysNoContainer(int status, std::string_view body);
bool saysNoSuchCall(int status, std::string_view body);

/// A connection that could not be made or broke, in words that tell what to do about it.
Error transportError(const Error& cause, const DockerProviderConfig& config);

/// "unix:///var/run/docker.sock", "tcp://host:2376".
std::string endpointText(const DockerProviderConfig& config);

/// The image is not on the Engine and did not come from a registry either. `why` may be empty.
Error imageMissing(std::string_view image, std::string_view why, bool local_only);

}  // namespace swarm::docker
