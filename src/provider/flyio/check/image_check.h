// Whether Fly can pull an image: requests its manifest from the registry, as Fly does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "provider/flyio/api/machines_client.h"
#include "provider/flyio/fly_swarm.h"

namespace swarm::flyio {

/// The parts of a reference: "registry.fly.io/app:tag", "alpine", "ghcr.io/a/b@sha256:…".
struct ImageName {
  std::string registry;    ///< "docker.io" when none is named
  std::string repository;  ///< "library/alpine"
  std::string reference;   ///< tag or digest
};
ImageName parseImage(const std::string& image);
/// A Machine may show its image with the digest that its tag was resolved to.
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

/// A registry's address, and the login to use.
struct RegistryAccess {
  net::Url url;
  std::string login = {};                     ///< "user:password"; empty: none, or the registry's anonymous token
  std::shared_ptr<net::TlsContext> tls = {};  ///< trusted authorities; null: the system's
};
/// Requests the manifest, as a pull does. True: the image exists and may be pulled. False: it does not exist. Throws Error otherwise.
boost::asio::awaitable<bool> hasManifest(ImageName name, RegistryAccess access, Deadline deadline);

/// The password for registry.fly.io: the token without its scheme.
std::string registryPassword(const std::string& token);

/// The result as a sentence for validate(); throws Error with the next step. Only Fly's own registry gets the token.
boost::asio::awaitable<std::string> checkImage(std::string image, const FlySwarm& swarm, Deadline deadline);

}  // namespace swarm::flyio
