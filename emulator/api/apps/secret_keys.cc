// An app's secret keys: created, listed and used here. Bytes are encoded as base64, as in Go, or as lists of numbers, as in Fly's document.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

enum class KeyUse { Sign, Encrypt };

struct SecretKeyType {
  std::string_view name;
  KeyUse use;
  std::size_t bytes;  ///< of a new key
  std::string_view digest = "";
  std::size_t signatureBytes = 0;
};

// Those with a public key are not emulated.
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

std::string signWith(const SecretKeyType& type, std::string_view key, std::string_view message) {
  std::string signature(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  const EVP_MD* digest = EVP_get_digestbyname(std::string(type.digest).c_str());
  SWARM_CHECK(digest && HMAC(digest, key.data(), lengthOf(key), bytesOf(message), message.size(), bytesOf(signature), &length));
  signature.resize(type.signatureBytes);
  return signature;
}

/// Nonce, ciphertext and tag, in the emulator's own format: AES-256-GCM whatever the type's name. Decryption requires the same `associated`
/// data, which is not included.
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

/// Empty when the ciphertext or the associated data does not match the key.
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

json::object keyToJson(const std::string& name, const SecretKey& key) {
  return {{"name", name}, {"type", key.type}, {"created_at", formatSeconds(key.createdAt)}, {"updated_at", formatSeconds(key.updatedAt)}};
}

std::string bytesAt(const Call& call, std::string_view name) {
  const json::value* value = call.document.if_contains(name);
  if (!value || !value->is_array()) return decodeBase64(call.fields().text(name));
  std::string bytes;
  for (const json::value& byte : value->get_array()) {
    if (!byte.is_int64() || byte.get_int64() < 0 || byte.get_int64() > 255)
      refuse(400, std::string(name) + " must be bytes");  // I: the wording
    bytes.push_back(static_cast<char>(byte.get_int64()));
  }
  return bytes;
}

const SecretKey& requireKey(const Call& call) {
  auto found = call.app->secretKeys.find(call.arguments[1]);
  if (found == call.app->secretKeys.end()) refuse(404, "secret key not found");  // I: the wording
  return found->second;
}

const SecretKeyType& requireType(std::string_view name) {
  auto found = std::ranges::find(kTypes, name, &SecretKeyType::name);
  if (found == kTypes.end()) refuse(400, "unsupported secret key type: " + std::string(name));  // I: the wording
  return *found;
}

/// The named key, if its type allows this use.
const SecretKey& requireKeyFor(const Call& call, KeyUse use) {
  const SecretKey& key = requireKey(call);
  if (requireType(key.type).use != use) refuse(400, "a key of the type " + key.type + " can't do that");  // I: the wording
  return key;
}

Response putKey(Core& core, const Call& call, const SecretKeyType& type, std::string value) {
  App& app = *call.app;
  SecretKey& key = app.secretKeys[call.arguments[1]];
  if (key.type.empty()) key.createdAt = core.now();
  key.type = type.name;
  key.value = std::move(value);
  key.updatedAt = core.now();
  ++app.secretsVersion;
  core.journal.changed(call.app);
  return jsonResponse(201, withSecretsVersion(app, keyToJson(call.arguments[1], key)));
}

awaitable<Response> listSecretKeys(Core&, Call& call) {
  const std::vector<std::string> types = call.parameterList("types");
  json::array list;
  for (const auto& [name, key] : call.app->secretKeys) {
    if (types.empty() || std::ranges::find(types, key.type) != types.end()) list.push_back(keyToJson(name, key));
  }
  co_return jsonResponse(200, json::object{{"secret_keys", std::move(list)}});
}

awaitable<Response> getSecretKey(Core&, Call& call) { co_return jsonResponse(200, keyToJson(call.arguments[1], requireKey(call))); }

awaitable<Response> setSecretKey(Core& core, Call& call) {
  const SecretKeyType& type = requireType(call.fields().text("type"));
  std::string value = bytesAt(call, "value");
  if (value.empty() || (type.use == KeyUse::Encrypt && value.size() != type.bytes))
    refuse(400, "the key has the wrong length");  // I: the wording
  co_return putKey(core, call, type, std::move(value));
}

awaitable<Response> generateSecretKey(Core& core, Call& call) {
  const SecretKeyType& type = requireType(call.fields().text("type"));
  co_return putKey(core, call, type, randomBytes(type.bytes));
}

awaitable<Response> deleteSecretKey(Core& core, Call& call) {
  requireKey(call);
  call.app->secretKeys.erase(call.arguments[1]);
  ++call.app->secretsVersion;
  core.journal.changed(call.app);
  co_return jsonResponse(200, withSecretsVersion(*call.app, {}));
}

awaitable<Response> encryptBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Encrypt);
  co_return jsonResponse(
      200, json::object{{"ciphertext", toBase64(encryptWith(key.value, bytesAt(call, "plaintext"), bytesAt(call, "associated_data")))}});
}

awaitable<Response> decryptBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Encrypt);
  auto plaintext = decryptWith(key.value, bytesAt(call, "ciphertext"), bytesAt(call, "associated_data"));
  if (!plaintext) refuse(400, "decryption failed");  // I: the wording
  co_return jsonResponse(200, json::object{{"plaintext", toBase64(*plaintext)}});
}

awaitable<Response> signBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Sign);
  co_return jsonResponse(200,
                         json::object{{"signature", toBase64(signWith(requireType(key.type), key.value, bytesAt(call, "plaintext")))}});
}

awaitable<Response> verifyBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Sign);
  std::string signature = signWith(requireType(key.type), key.value, bytesAt(call, "plaintext"));
  if (!equalConstantTime(signature, bytesAt(call, "signature"))) refuse(400, "verification failed");  // I: the wording
  co_return emptyResponse(204);
}

}  // namespace

std::vector<Route> secretKeyRoutes() {
  return {
      {"GET", "/secretkeys", "secret_key_list", listSecretKeys},
      {"GET", "/secretkeys/{name}", "secret_key_get", getSecretKey},
      {"POST", "/secretkeys/{name}", "secret_key_set", setSecretKey, Scope::App, required("main.setSecretkeyRequest")},
      {"DELETE", "/secretkeys/{name}", "secret_key_delete", deleteSecretKey},
      {"POST", "/secretkeys/{name}/generate", "secret_key_generate", generateSecretKey, Scope::App, required("main.setSecretkeyRequest")},
      {"POST", "/secretkeys/{name}/encrypt", "secret_key_encrypt", encryptBySecretKey, Scope::App,
       required("main.encryptSecretkeyRequest")},
      {"POST", "/secretkeys/{name}/decrypt", "secret_key_decrypt", decryptBySecretKey, Scope::App,
       required("main.decryptSecretkeyRequest")},
      {"POST", "/secretkeys/{name}/sign", "secret_key_sign", signBySecretKey, Scope::App, required("main.signSecretkeyRequest")},
      {"POST", "/secretkeys/{name}/verify", "secret_key_verify", verifyBySecretKey, Scope::App, required("main.verifySecretkeyRequest")},
  };
}

}  // namespace swarm::emulator
