// Whether an image is where Fly can pull it: asks its registry for the manifest, as Fly will.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "provider/flyio/flyio_config.h"

namespace swarm::flyio {

/// A reference taken apart: "registry.fly.io/app:tag", "alpine", "ghcr.io/a/b@sha256:…".
struct ImageName {
  std::string registry;    ///< "docker.io" when none is named
  std::string repository;  ///< "library/alpine"
  std::string reference;   ///< tag or digest
};
ImageName parseImage(const std::string& image);

/// The challenge of a registry's 401: Bearer realm="…",service="…",scope="…"; an empty realm for another kind.
struct RegistryChallenge {
  std::string realm;
  std::string service;
  std::string scope;
};
RegistryChallenge parseChallenge(std::string_view header);

/// What was found, as a sentence for validate(); throws Error that says what to do. Fly's own registry gets the token, others none.
boost::asio::awaitable<std::string> checkImage(std::string image, const FlyIOProviderConfig& config, Deadline deadline);

}  // namespace swarm::flyio
