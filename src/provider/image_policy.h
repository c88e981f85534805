// Which images users may choose, and from which registries images are fetched: one rule for all providers. It concerns new requests:
// existing instances keep their images. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace swarm {

/// What a user may choose beside the images that the configuration lists.
enum class ImageChoice {
  Allowed,  ///< nothing
  Any,      ///< every image of a public registry
};

/// Where an image of this name comes from, port included: "docker.io" where the name has none.
std::string registryOf(std::string_view image);

/// Whether one of the patterns is for the image: `*` stands for any characters, the names of docker.io may be written in full, and a name
/// without a tag has the tag "latest". A name that an Engine may read as the id of any image it has fits only itself.
bool matchesAny(const std::string& image, const std::vector<std::string>& patterns);

/// Error(Unprocessable) for an image that the configuration does not list: its registry is an address or a name of an internal network,
/// where the provider would fetch what only its own network may reach; or the user may not choose it.
std::optional<Error> refusalOfUnlisted(const std::string& image, ImageChoice choice);

}  // namespace swarm
