// Reads the types of Fly's API from JSON.
#include "provider/flyio/api/fly_types.h"

#include <array>

#include "base/error.h"
#include "provider/flyio/api/json_access.h"

namespace swarm::flyio {

std::string Machine::metadata(std::string_view key) const {
  const json::value* all = config.if_contains("metadata");
  const json::object* object = all ? all->if_object() : nullptr;
  const json::value* found = object ? object->if_contains(key) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string Machine::volumeId() const {
  const json::value* mounts = config.if_contains("mounts");
  if (!mounts || !mounts->is_array() || mounts->as_array().empty()) return {};
  return stringAt(mounts->as_array().front(), "volume");
}

bool Volume::isGone() const {
  constexpr std::array<std::string_view, 6> kEnding{"scheduling_destroy", "waiting_for_detach", "fork_cleanup",
                                                    "pending_destroy",    "destroying",         "destroyed"};
  return std::find(kEnding.begin(), kEnding.end(), state) != kEnding.end();
}

SystemTime readTime(const std::string& text) {
  if (text.empty() || text.starts_with("0001-")) return {};
  try {
    return parseTime(text);
  } catch (const Error&) {
    return {};
  }
}

App readApp(const json::value& answer) {
  App app;
  app.name = stringAt(answer, "name");
  app.network = stringAt(answer, "network");
  app.organization = stringAt(answer, "organization.slug");
  app.machineCount = integerAt(answer, "machine_count");
  app.volumeCount = integerAt(answer, "volume_count");
  return app;
}

Machine readMachine(const json::value& answer, std::string app) {
  Machine machine;
  machine.app = std::move(app);
  machine.id = stringAt(answer, "id");
  machine.name = stringAt(answer, "name");
  machine.state = stringAt(answer, "state");
  machine.region = stringAt(answer, "region");
  machine.version = stringAt(answer, "instance_id");
  if (machine.version.empty()) machine.version = stringAt(answer, "version");
  machine.privateIp = stringAt(answer, "private_ip");
  machine.hostStatus = stringAt(answer, "host_status");
  machine.imageDigest = stringAt(answer, "image_ref.digest");
  machine.createdAt = readTime(stringAt(answer, "created_at"));
  machine.updatedAt = readTime(stringAt(answer, "updated_at"));
  machine.config = objectAt(answer, "config");
  machine.hasConfig = member(answer, "config") != nullptr;
  if (!machine.hasConfig) machine.config = objectAt(answer, "incomplete_config");
  machine.events = arrayAt(answer, "events");
  return machine;
}

Volume readVolume(const json::value& answer, std::string app) {
  Volume volume;
  volume.app = std::move(app);
  volume.id = stringAt(answer, "id");
  volume.name = stringAt(answer, "name");
  volume.state = stringAt(answer, "state");
  volume.region = stringAt(answer, "region");
  volume.machineId = stringAt(answer, "attached_machine_id");
  volume.sizeGb = integerAt(answer, "size_gb");
  volume.createdAt = readTime(stringAt(answer, "created_at"));
  volume.hostStatus = stringAt(answer, "host_status");
  return volume;
}

}  // namespace swarm::flyio
