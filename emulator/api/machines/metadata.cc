// Metadata (§3): a change causes neither a new version nor a reboot.
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"

namespace swarm::emulator {
namespace {

/// The configuration's metadata, created if missing.
json::object& metadataOf(Machine& machine) {
  json::value& metadata = machine.config["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  return metadata.get_object();
}

void changed(Core& core, const MachinePtr& machine) {
  if (!machine->versions.empty()) machine->versions.back().config = machine->config;
  core.touch(machine);
}

/// updated_at is accepted and not compared. I: what Fly does with it.
void checkVersion(const Call& call) {
  std::string version = call.fields().text("machine_version");
  if (!version.empty() && version != call.machine->version) {
    refuse(412, "failed_precondition: machine version mismatch");  // I: the wording
  }
}

awaitable<Response> getMetadata(Core&, Call& call) { co_return jsonResponse(200, metadataOf(*call.machine)); }

awaitable<Response> patchMetadata(Core& core, Call& call) {
  const json::object* changes = call.fields().object("metadata");
  if (!changes) refuse(400, "metadata is required");  // I: the wording
  checkVersion(call);
  for (const auto& [key, value] : *changes) {
    if (!value.is_string() && !value.is_null())
      refuse(400, "json: cannot unmarshal value into Go struct field updateMetadataRequest.metadata of type string");
  }
  json::object& metadata = metadataOf(*call.machine);
  for (const auto& [key, value] : *changes) {
    if (value.is_null() || value.get_string().empty())
      metadata.erase(key);
    else
      metadata[key] = value;
  }
  changed(core, call.machine);
  co_return emptyResponse(204);
}

awaitable<Response> getMetadataKey(Core&, Call& call) {
  const json::object& metadata = metadataOf(*call.machine);
  const json::value* value = metadata.if_contains(call.arguments[2]);
  if (!value) refuse(404, "metadata key not found");  // I: the wording
  co_return jsonResponse(200, json::object{{"value", *value}});
}

awaitable<Response> setMetadataKey(Core& core, Call& call) {
  Body fields = call.fields();
  if (!fields.has("value")) refuse(400, "value is required");  // I: the wording
  metadataOf(*call.machine)[call.arguments[2]] = fields.text("value");
  changed(core, call.machine);
  co_return emptyResponse(204);
}

awaitable<Response> deleteMetadataKey(Core& core, Call& call) {
  metadataOf(*call.machine).erase(call.arguments[2]);
  changed(core, call.machine);
  co_return emptyResponse(204);
}

}  // namespace

std::vector<Route> metadataRoutes() {
  return {
      {"GET", "/metadata", "metadata_get", getMetadata, Scope::Machine},
      {"PATCH", "/metadata", "metadata_patch", patchMetadata, Scope::Machine, required("main.updateMetadataRequest")},
      {"PUT", "/metadata", "metadata_patch", patchMetadata, Scope::Machine, required("main.updateMetadataRequest")},
      {"GET", "/metadata/{key}", "metadata_key_get", getMetadataKey, Scope::Machine},
      {"POST", "/metadata/{key}", "metadata_key_set", setMetadataKey, Scope::Machine, required("main.upsertMetadataKeyRequest")},
      {"DELETE", "/metadata/{key}", "metadata_key_delete", deleteMetadataKey, Scope::Machine},
  };
}

}  // namespace swarm::emulator
