#include "provider/flyio/spec/machine_patch.h"

#include <boost/json/serialize.hpp>

#include "base/text/json_access.h"
#include "protocol/agent.h"
#include "provider/flyio/spec/fly_names.h"

namespace swarm::flyio {

json::object withMount(json::object config, const std::string& volume_id) {
  if (volume_id.empty()) return config;
  json::array mounts;
  if (const json::value* existing = config.if_contains("mounts"); existing && existing->is_array()) mounts = existing->as_array();
  if (mounts.empty() || !mounts.front().is_object()) mounts = {json::object{{"path", kVolumeMount}}};
  mounts.front().as_object()["volume"] = volume_id;
  config["mounts"] = std::move(mounts);
  return config;
}

std::vector<std::string> replacedBy(const Machine& machine) { return textsAt(parseOrNull(machine.metadata(kMetaReplaces)), ""); }

json::object replacing(json::object config, const std::string& volume_id) {
  Machine machine;
  machine.config = std::move(config);
  std::vector<std::string> ids = replacedBy(machine);
  ids.push_back(volume_id);
  json::value& metadata = machine.config["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  metadata.as_object()[kMetaReplaces] = json::serialize(json::array(ids.begin(), ids.end()));
  return std::move(machine.config);
}

json::object patchedConfig(const json::object& current, const json::object& wanted) {
  json::object patched = current;
  auto merge = [&](std::string_view key) {
    if (!patched[key].is_object()) patched[key] = json::object();
    for (const auto& entry : wanted.at(key).as_object()) patched[key].as_object()[entry.key()] = entry.value();
  };
  for (std::string_view key : {"image", "env", "services", "auto_destroy"}) {
    if (wanted.contains(key)) patched[key] = wanted.at(key);
  }
  for (std::string_view key : {"guest", "restart", "stop_config", "metadata"}) {
    if (wanted.contains(key)) merge(key);
  }
  if (wanted.contains("init")) {
    merge("init");
  } else if (json::value* init = patched.if_contains("init"); init && init->is_object()) {
    init->as_object().erase("cmd");
  }
  if (wanted.contains("files")) {
    json::array files = wanted.at("files").as_array();
    if (const json::value* present = current.if_contains("files"); present && present->is_array()) {
      for (const json::value& file : present->as_array()) {
        if (stringAt(file, "guest_path") != agent::kConfigPath) files.push_back(file);
      }
    }
    patched["files"] = std::move(files);
  }
  // Responses have autostop as a boolean (§3), requests as a word.
  if (json::value* services = patched.if_contains("services"); services && services->is_array()) {
    for (json::value& item : services->as_array()) {
      json::value* autostop = item.is_object() ? item.as_object().if_contains("autostop") : nullptr;
      if (autostop && autostop->is_bool()) *autostop = autostop->as_bool() ? "stop" : "off";
    }
  }
  return patched;
}

}  // namespace swarm::flyio
