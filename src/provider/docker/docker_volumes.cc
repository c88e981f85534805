// Volumes: listed by label, deleted when nobody uses them.
#include "base/fault.h"
#include "base/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine_errors.h"

namespace swarm::docker {

struct DockerProvider::Volume {
  VolumeInfo info;
  bool persistent = true;
};

awaitable<std::vector<DockerProvider::Volume>> DockerProvider::ownVolumes(std::string extra_label, Deadline deadline) {
  json::value answer =
      co_await engine_.call({.target = "/volumes?" + filterQuery(ownFilter(extra_label)), .doing = "list volumes", .body = {}}, deadline);
  std::vector<Volume> found;
  const json::value* list = member(answer, "Volumes");
  if (!list || !list->is_array()) co_return found;
  for (const json::value& item : list->as_array()) {
    auto label = [&](std::string_view name) {
      const json::value* labels = member(item, "Labels");
      const json::object* object = labels ? labels->if_object() : nullptr;
      const json::value* value = object ? object->if_contains(name) : nullptr;
      return value && value->is_string() ? std::string(value->as_string()) : std::string();
    };
    Volume volume;
    volume.info.name = stringAt(item, "Name");
    volume.info.instanceId = label(kLabelInstance);
    volume.info.owner = label(kLabelOwner);
    volume.info.mountPath = label(kLabelMount);
    volume.info.createdAt = readTime(stringAt(item, "CreatedAt"));
    volume.persistent = label(kLabelPersistent) != "false";
    found.push_back(std::move(volume));
  }
  co_return found;
}

awaitable<bool> DockerProvider::removeVolume(std::string name, Deadline deadline) {
  const std::string doing = format("remove the volume {}", name);
  faultPoint("docker.delete.volume.before");
  EngineReply reply = co_await engine_.send({.method = "DELETE", .target = "/volumes/" + name, .doing = doing, .body = {}}, deadline);
  faultPoint("docker.delete.volume.after");
  if (reply.ok() || reply.status == 404) co_return true;
  if (reply.status == 409) co_return false;
  throw engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerProvider::deleteVolumesOf(std::string instance_id, DeleteVolumes volumes, std::set<std::string> mounted,
                                                Deadline deadline) {
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  for (const Volume& volume : all) {
    bool concerned = volume.info.instanceId == instance_id || mounted.contains(volume.info.name);
    bool goes = volumes == DeleteVolumes::Yes || !volume.persistent;
    // One that another instance uses stays until that one goes.
    if (concerned && goes) co_await removeVolume(volume.info.name, deadline);
  }
}

awaitable<std::vector<VolumeInfo>> DockerProvider::listVolumes(Deadline deadline) {
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  json::value containers = co_await engine_.call(
      {.target = "/containers/json?all=true&" + filterQuery(ownFilter()), .doing = "list containers", .body = {}}, deadline);
  std::set<std::string> used;
  if (const json::array* list = containers.if_array()) {
    for (const json::value& container : *list) {
      const json::value* mounts = member(container, "Mounts");
      if (!mounts || !mounts->is_array()) continue;
      for (const json::value& mount : mounts->as_array()) used.insert(stringAt(mount, "Name"));
    }
  }
  std::vector<VolumeInfo> infos;
  for (Volume& volume : all) {
    volume.info.inUse = used.contains(volume.info.name);
    infos.push_back(std::move(volume.info));
  }
  co_return infos;
}

awaitable<void> DockerProvider::deleteVolume(std::string name, Deadline deadline) {
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  bool ours = std::any_of(all.begin(), all.end(), [&](const Volume& volume) { return volume.info.name == name; });
  if (!ours) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on the Docker Engine.", name));
  if (!co_await removeVolume(name, deadline)) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the instance that uses it first.", name));
  }
}

}  // namespace swarm::docker
