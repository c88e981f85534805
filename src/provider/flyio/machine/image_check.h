// Whether an image is where Fly can pull it: asks its registry for the manifest, as Fly will.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/flyio_config.h"

namespace swarm::flyio {

/// A reference taken apart: "registry.fly.io/app:tag", "alpine", "ghcr.io/a/b@sha256:…".
struct ImageName {
  std::string registry;    ///< "docker.io" when none is named
  std::string repository;  ///< "library/alpine"
  std::string reference;   ///< tag or digest
};
ImageName parseImage(const std::string& image);
/// A Machine may show its image with the digest that was found for it.
std::string withoutDigest(const std::string& image);
/// Whether a Machine with the image `present` has another one than `wanted`: by their digests where both have one, else by their names.
bool isOtherImage(const std::string& present, const std::string& wanted);

/// The challenge of a registry's 401: Bearer realm="…",service="…",scope="…"; an empty realm for another kind.
struct RegistryChallenge {
  std::string realm;
  std::string service;
  std::string scope;
};
RegistryChallenge parseChallenge(std::string_view header);

/// Where a registry answers, and as whom to ask.
struct RegistryAccess {
  net::Url url;
  std::string login = {};                     ///< "user:password"; empty: nobody, or the anonymous token that a registry names
  std::shared_ptr<net::TlsContext> tls = {};  ///< whom to trust; null: the system's authorities
};
/// Asks for the manifest, as a pull begins. True: it is there and may be pulled. False: there is none. Throws Error for everything else.
boost::asio::awaitable<bool> hasManifest(ImageName name, RegistryAccess access, Deadline deadline);

/// The password for registry.fly.io: the token without its scheme.
std::string registryPassword(const std::string& token);

/// What was found, as a sentence for validate(); throws Error that says what to do. Fly's own registry gets the token, others none.
boost::asio::awaitable<std::string> checkImage(std::string image, const FlyIOProviderConfig& config, std::shared_ptr<net::TlsContext> tls,
                                               Deadline deadline);

}  // namespace swarm::flyio
