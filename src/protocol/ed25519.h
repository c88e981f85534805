// Ed25519 signatures (RFC 8032), as needed for instance tokens. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace swarm::ed25519 {

inline constexpr std::size_t kSeedBytes = 32;  ///< the private key
inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

/// `seed` must have kSeedBytes; another size is a broken invariant.
std::string publicKeyOf(const Secret& seed);
std::string sign(const Secret& seed, std::string_view message);
/// False for every key, signature and message that do not match, whatever their sizes.
bool verify(std::string_view public_key, std::string_view message, std::string_view signature);

}  // namespace swarm::ed25519
