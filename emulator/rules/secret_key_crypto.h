// The operations of an app's secret keys. Ciphertexts have the emulator's own format: AES-256-GCM whatever the type's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace swarm::emulator {

enum class KeyUse { Sign, Encrypt };

struct SecretKeyType {
  std::string_view name;
  KeyUse use;
  std::size_t bytes;  ///< of a new key
  std::string_view digest = "";
  std::size_t signatureBytes = 0;
};

/// Null for a type that is not emulated: those with a public key.
const SecretKeyType* findSecretKeyType(std::string_view name);

std::string signWith(const SecretKeyType& type, std::string_view key, std::string_view message);
/// Nonce, ciphertext and tag. Decryption requires the same `associated` data, which is not included.
std::string encryptWith(std::string_view key, std::string_view plaintext, std::string_view associated);
/// Empty when the ciphertext or the associated data does not match the key.
std::optional<std::string> decryptWith(std::string_view key, std::string_view ciphertext, std::string_view associated);

}  // namespace swarm::emulator
