// SecretBox: seals secrets before they are stored, with a key that is not stored with them (docs/adr/0016-sealed-secrets.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace swarm {

/// What a secret is for. Purpose and id are authenticated with it: a sealed text that was copied to another row does not open.
enum class SecretPurpose : std::uint8_t { named, tokenKey, agentSecret, agentKey, totpSeed };

/// XChaCha20-Poly1305 with a random nonce. Immutable, and so thread-safe.
class SecretBox {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  explicit SecretBox(Secret key);  ///< kKeyBytes raw bytes

  /// A text without special characters. An empty secret remains empty: it is the absence of one.
  std::string seal(SecretPurpose purpose, std::string_view id, const Secret& secret) const;
  /// Throws Error(Unprocessable), which names purpose and id, for a text that this key did not seal for them.
  Secret open(SecretPurpose purpose, std::string_view id, std::string_view sealed) const;
  /// Identifies the key, and reveals nothing about it.
  const std::string& keyId() const { return key_id_; }

 private:
  Secret key_;
  std::string key_id_;
};

}  // namespace swarm
