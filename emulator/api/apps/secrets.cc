// App secrets (§2): Machines receive them at their next start.
#include "emulator/api/machines/shapes.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

json::object secretToJson(const std::string& name, const AppSecret& secret) {
  return {{"name", name},
          {"digest", secretDigest(secret)},
          {"created_at", formatSeconds(secret.createdAt)},
          {"updated_at", formatSeconds(secret.updatedAt)}};
}

/// With the value where the request says so.
json::object shownSecret(const Call& call, const std::string& name, const AppSecret& secret) {
  json::object object = secretToJson(name, secret);
  if (call.flag("show_secrets")) object["value"] = secret.value;
  return object;
}

void put(Core& core, App& app, const std::string& name, std::string value) {
  AppSecret& secret = app.secrets[name];
  if (secret.version == 0) secret.createdAt = core.now();
  secret.value = std::move(value);
  secret.version = app.secretsVersion;
  secret.updatedAt = core.now();
}

/// I: a version that is not reached yet is a 400. Fly's own client calls min_version "version".
void checkMinVersion(const Call& call) {
  for (std::string_view name : {"min_version", "version"}) {
    auto minimum = call.integer(name, 0, INT64_MAX);
    if (minimum && *minimum > call.app->secretsVersion) refuse(400, "secrets version not available yet");
  }
}

AppSecret& requireSecret(const Call& call) {
  auto found = call.app->secrets.find(call.arguments[1]);
  if (found == call.app->secrets.end()) refuse(404, "secret not found");  // I: the wording
  return found->second;
}

awaitable<Response> listSecrets(Core&, Call& call) {
  checkMinVersion(call);
  json::array list;
  for (const auto& [name, secret] : call.app->secrets) list.push_back(shownSecret(call, name, secret));
  co_return jsonResponse(200, json::object{{"secrets", std::move(list)}});
}

awaitable<Response> getSecret(Core&, Call& call) {
  checkMinVersion(call);
  co_return jsonResponse(200, shownSecret(call, call.arguments[1], requireSecret(call)));
}

awaitable<Response> setSecret(Core& core, Call& call) {
  App& app = *call.app;
  std::string value = call.fields().text("value");
  ++app.secretsVersion;
  put(core, app, call.arguments[1], std::move(value));
  core.journal.changed(call.app);
  co_return jsonResponse(201, withSecretsVersion(app, secretToJson(call.arguments[1], app.secrets[call.arguments[1]])));
}

awaitable<Response> deleteSecret(Core& core, Call& call) {
  requireSecret(call);
  App& app = *call.app;
  app.secrets.erase(call.arguments[1]);
  ++app.secretsVersion;
  core.journal.changed(call.app);
  co_return jsonResponse(200, withSecretsVersion(app, {}));
}

}  // namespace

awaitable<Response> updateSecrets(Core& core, Call& call) {
  const json::object* values = call.fields().object("values");
  if (!values) refuse(400, "values is required");  // I: the wording
  App& app = *call.app;
  for (const auto& [name, value] : *values) {
    if (!value.is_string() && !value.is_null())
      refuse(400, "json: cannot unmarshal value into Go struct field updateSecretsRequest.values of type string");
  }
  ++app.secretsVersion;
  json::array changed;
  for (const auto& [key, value] : *values) {
    std::string name(key);
    if (value.is_null()) {
      app.secrets.erase(name);
      continue;
    }
    put(core, app, name, std::string(value.get_string()));
    changed.push_back(secretToJson(name, app.secrets[name]));
  }
  core.journal.changed(call.app);
  co_return jsonResponse(200, withSecretsVersion(app, {{"secrets", std::move(changed)}}));
}

std::vector<Route> secretRoutes() {
  return {
      {"GET", "/secrets", "secret_list", listSecrets},
      {"POST", "/secrets", "secret_update", updateSecrets, Scope::App, required("main.updateSecretsRequest")},
      {"GET", "/secrets/{name}", "secret_get", getSecret},
      {"POST", "/secrets/{name}", "secret_set", setSecret, Scope::App, required("main.setSecretRequest")},
      {"DELETE", "/secrets/{name}", "secret_delete", deleteSecret},
  };
}

}  // namespace swarm::emulator
