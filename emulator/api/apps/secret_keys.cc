// An app's secret keys: created, listed and used here. Bytes are encoded as base64, as in Go, or as lists of numbers, as in Fly's document.
#include <algorithm>

#include "base/id.h"
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/rules/secret_key_crypto.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

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
  const SecretKeyType* type = findSecretKeyType(name);
  if (!type) refuse(400, "unsupported secret key type: " + std::string(name));  // I: the wording
  return *type;
}

/// The named key, if its type allows this use.
const SecretKey& requireKeyFor(const Call& call, KeyUse use) {
  const SecretKey& key = requireKey(call);
  if (requireType(key.type).use != use) refuse(400, "a key of the type " + key.type + " can't do that");  // I: the wording
  return key;
}

Answer putKey(Core& core, const Call& call, const SecretKeyType& type, std::string value) {
  App& app = *call.app;
  SecretKey& key = app.secretKeys[call.arguments[1]];
  if (key.type.empty()) key.createdAt = core.now();
  key.type = type.name;
  key.value = std::move(value);
  key.updatedAt = core.now();
  ++app.secretsVersion;
  core.journal.changed(call.app);
  return jsonAnswer(201, withSecretsVersion(app, keyToJson(call.arguments[1], key)));
}

}  // namespace

awaitable<Answer> listSecretKeys(Core&, Call& call) {
  const std::vector<std::string> types = call.parameterList("types");
  json::array list;
  for (const auto& [name, key] : call.app->secretKeys) {
    if (types.empty() || std::ranges::find(types, key.type) != types.end()) list.push_back(keyToJson(name, key));
  }
  co_return jsonAnswer(200, json::object{{"secret_keys", std::move(list)}});
}

awaitable<Answer> getSecretKey(Core&, Call& call) { co_return jsonAnswer(200, keyToJson(call.arguments[1], requireKey(call))); }

awaitable<Answer> setSecretKey(Core& core, Call& call) {
  const SecretKeyType& type = requireType(call.fields().text("type"));
  std::string value = bytesAt(call, "value");
  if (value.empty() || (type.use == KeyUse::Encrypt && value.size() != type.bytes))
    refuse(400, "the key has the wrong length");  // I: the wording
  co_return putKey(core, call, type, std::move(value));
}

awaitable<Answer> generateSecretKey(Core& core, Call& call) {
  const SecretKeyType& type = requireType(call.fields().text("type"));
  co_return putKey(core, call, type, randomBytes(type.bytes));
}

awaitable<Answer> deleteSecretKey(Core& core, Call& call) {
  requireKey(call);
  call.app->secretKeys.erase(call.arguments[1]);
  ++call.app->secretsVersion;
  core.journal.changed(call.app);
  co_return jsonAnswer(200, withSecretsVersion(*call.app, {}));
}

awaitable<Answer> encryptBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Encrypt);
  co_return jsonAnswer(
      200, json::object{{"ciphertext", toBase64(encryptWith(key.value, bytesAt(call, "plaintext"), bytesAt(call, "associated_data")))}});
}

awaitable<Answer> decryptBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Encrypt);
  auto plaintext = decryptWith(key.value, bytesAt(call, "ciphertext"), bytesAt(call, "associated_data"));
  if (!plaintext) refuse(400, "decryption failed");  // I: the wording
  co_return jsonAnswer(200, json::object{{"plaintext", toBase64(*plaintext)}});
}

awaitable<Answer> signBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Sign);
  co_return jsonAnswer(200, json::object{{"signature", toBase64(signWith(requireType(key.type), key.value, bytesAt(call, "plaintext")))}});
}

awaitable<Answer> verifyBySecretKey(Core&, Call& call) {
  const SecretKey& key = requireKeyFor(call, KeyUse::Sign);
  std::string signature = signWith(requireType(key.type), key.value, bytesAt(call, "plaintext"));
  if (!equalConstantTime(signature, bytesAt(call, "signature"))) refuse(400, "verification failed");  // I: the wording
  co_return emptyAnswer(204);
}

}  // namespace swarm::emulator
