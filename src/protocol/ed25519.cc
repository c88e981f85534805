// Ed25519 with OpenSSL.
#include "protocol/ed25519.h"

#include <openssl/evp.h>

#include <memory>

#include "base/diagnostics/check.h"

namespace swarm::ed25519 {
namespace {

struct FreeEvp {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeEvp>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeEvp>;

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytesOf(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Key privateKey(const Secret& seed) {
  SWARM_CHECK(seed.reveal().size() == kSeedBytes);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytesOf(seed.reveal()), kSeedBytes));
  SWARM_CHECK(key != nullptr);
  return key;
}

}  // namespace

std::string publicKeyOf(const Secret& seed) {
  Key key = privateKey(seed);
  std::string result(kPublicKeyBytes, '\0');
  std::size_t size = result.size();
  SWARM_CHECK(EVP_PKEY_get_raw_public_key(key.get(), bytesOf(result), &size) == 1 && size == kPublicKeyBytes);
  return result;
}

std::string sign(const Secret& seed, std::string_view message) {
  Key key = privateKey(seed);
  Context context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  SWARM_CHECK(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), bytesOf(signature), &size, bytesOf(message), message.size()) == 1 && size == kSignatureBytes);
  return signature;
}

bool verify(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != kPublicKeyBytes || signature.size() != kSignatureBytes) return false;
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(public_key), kPublicKeyBytes));
  Context context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytesOf(signature), signature.size(), bytesOf(message), message.size()) == 1;
}

}  // namespace swarm::ed25519
