#include "secrets/secret_box.h"

#include <sodium.h>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::string_view kVersion = "x1.";  // of the sealed text's form
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SecretBox::kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

struct PurposeTexts {
  std::string_view name;  ///< authenticated: never changes
  std::string_view text;
};
// In the order of SecretPurpose.
constexpr PurposeTexts kPurposes[] = {{"named", "secret"},
                                      {"token-key", "API tokens' key"},
                                      {"agent-secret", "agent's secret of workspace"},
                                      {"agent-key", "agent's key of workspace"},
                                      {"totp-seed", "second factor of"}};
static_assert(std::size(kPurposes) == static_cast<std::size_t>(SecretPurpose::totpSeed) + 1);

const PurposeTexts& textsOf(SecretPurpose purpose) { return kPurposes[static_cast<std::size_t>(purpose)]; }

std::string associatedData(SecretPurpose purpose, std::string_view id) { return format("{}\n{}", textsOf(purpose).name, id); }

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

SecretBox::SecretBox(Secret key) : key_(std::move(key)), key_id_(toHex(hmacSha256(key_.reveal(), "id of the key").substr(0, 8))) {
  SWARM_CHECK(sodium_init() >= 0);
  SWARM_CHECK(key_.reveal().size() == kKeyBytes);
}

std::string SecretBox::seal(SecretPurpose purpose, std::string_view id, const Secret& secret) const {
  if (secret.empty()) return {};
  const std::string data = associatedData(purpose, id), nonce = randomBytes(kNonceBytes);
  std::string sealed(secret.reveal().size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(sealed), nullptr, bytes(secret.reveal()), secret.reveal().size(), bytes(data),
                                             data.size(), nullptr, bytes(nonce), bytes(key_.reveal()));
  return std::string(kVersion) + toBase64Url(nonce + sealed);
}

Secret SecretBox::open(SecretPurpose purpose, std::string_view id, std::string_view sealed) const {
  if (sealed.empty()) return {};
  const auto raw = sealed.starts_with(kVersion) ? fromBase64Url(sealed.substr(kVersion.size())) : std::nullopt;
  if (raw && raw->size() > kNonceBytes + kTagBytes) {
    const std::string data = associatedData(purpose, id);
    const std::string_view text = std::string_view(*raw).substr(kNonceBytes);
    std::string secret(text.size() - kTagBytes, '\0');
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(secret), nullptr, nullptr, bytes(text), text.size(), bytes(data), data.size(),
                                                   bytes(*raw), bytes(key_.reveal())) == 0)
      return Secret(std::move(secret));
  }
  throw Error(ErrorCode::Unprocessable,
              format("The {} {} in the database is damaged: the key {} does not open it. Restore the database and its key file from the "
                     "same backup.",
                     textsOf(purpose).text, id, key_id_));
}

}  // namespace swarm
