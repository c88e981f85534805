// OpenSSL's HMAC and AES-GCM.
#include "emulator/rules/secret_key_crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/diagnostics/check.h"
#include "base/id.h"

namespace swarm::emulator {
namespace {

constexpr std::array kTypes = std::to_array<SecretKeyType>({
    {"hs256", KeyUse::Sign, 32, "SHA256", 32},
    {"hs384", KeyUse::Sign, 48, "SHA384", 48},
    {"hs512", KeyUse::Sign, 64, "SHA512", 64},
    {"nacl_auth", KeyUse::Sign, 32, "SHA512", 32},  // NaCl uses half of HMAC-SHA-512
    {"xaes256gcm", KeyUse::Encrypt, 32},
    {"nacl_secretbox", KeyUse::Encrypt, 32},
});
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype([](EVP_CIPHER_CTX* context) { EVP_CIPHER_CTX_free(context); })>;

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytesOf(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int lengthOf(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

const SecretKeyType* findSecretKeyType(std::string_view name) {
  auto found = std::ranges::find(kTypes, name, &SecretKeyType::name);
  return found == kTypes.end() ? nullptr : &*found;
}

std::string signWith(const SecretKeyType& type, std::string_view key, std::string_view message) {
  std::string signature(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  const EVP_MD* digest = EVP_get_digestbyname(std::string(type.digest).c_str());
  SWARM_CHECK(digest && HMAC(digest, key.data(), lengthOf(key), bytesOf(message), message.size(), bytesOf(signature), &length));
  signature.resize(type.signatureBytes);
  return signature;
}

std::string encryptWith(std::string_view key, std::string_view plaintext, std::string_view associated) {
  const std::string nonce = randomBytes(kNonceBytes);
  std::string ciphertext(plaintext.size(), '\0'), tag(kTagBytes, '\0');
  CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  bool done = EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytesOf(key), bytesOf(nonce)) == 1 &&
              EVP_EncryptUpdate(context.get(), nullptr, &length, bytesOf(associated), lengthOf(associated)) == 1 &&
              EVP_EncryptUpdate(context.get(), bytesOf(ciphertext), &length, bytesOf(plaintext), lengthOf(plaintext)) == 1 &&
              EVP_EncryptFinal_ex(context.get(), bytesOf(tag), &length) == 1 &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  SWARM_CHECK(done);
  return nonce + ciphertext + tag;
}

std::optional<std::string> decryptWith(std::string_view key, std::string_view ciphertext, std::string_view associated) {
  if (ciphertext.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = ciphertext.substr(0, kNonceBytes);
  std::string tag(ciphertext.substr(ciphertext.size() - kTagBytes));
  ciphertext = ciphertext.substr(kNonceBytes, ciphertext.size() - kNonceBytes - kTagBytes);
  std::string plaintext(ciphertext.size(), '\0'), rest(kTagBytes, '\0');
  CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  bool done = EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytesOf(key), bytesOf(nonce)) == 1 &&
              EVP_DecryptUpdate(context.get(), nullptr, &length, bytesOf(associated), lengthOf(associated)) == 1 &&
              EVP_DecryptUpdate(context.get(), bytesOf(plaintext), &length, bytesOf(ciphertext), lengthOf(ciphertext)) == 1 &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
              EVP_DecryptFinal_ex(context.get(), bytesOf(rest), &length) == 1;
  return done ? std::optional(std::move(plaintext)) : std::nullopt;
}

}  // namespace swarm::emulator
