// Volumes: listed by label, deleted when nobody uses them.
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {

namespace {

/// "swarm-i-0abc-home-coder-1234abcd" → "i-0abc", for names that planVolumes() makes; empty for others.
std::string instanceInName(std::string_view name) {
  constexpr std::string_view prefix = "swarm-";
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  std::size_t end = name.find('-', name.find('-') + 1);
  return name.starts_with("i-") && end != std::string_view::npos ? std::string(name.substr(0, end)) : std::string();
}

/// What the Engine names by itself: 64 digits, for a VOLUME of an image.
bool isAnonymous(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

awaitable<json::array> DockerProvider::volumesBy(json::object filter, Deadline deadline) {
  json::value answer = co_await engine_.call({.target = "/volumes?" + filterQuery(filter), .doing = "list volumes", .body = {}}, deadline);
  json::value* list = answer.is_object() ? answer.as_object().if_contains("Volumes") : nullptr;
  co_return list && list->is_array() ? std::move(list->as_array()) : json::array();
}

awaitable<std::vector<DockerProvider::Volume>> DockerProvider::ownVolumes(std::string extra_label, Deadline deadline) {
  json::array list = co_await volumesBy(ownFilter(extra_label), deadline);
  std::vector<Volume> found;
  for (const json::value& item : list) {
    Volume volume;
    volume.info.name = stringAt(item, "Name");
    volume.info.instanceId = labelOf(item, kLabelInstance);
    volume.info.owner = labelOf(item, kLabelOwner);
    volume.info.mountPath = labelOf(item, kLabelMount);
    volume.info.createdAt = readTime(stringAt(item, "CreatedAt"));
    volume.persistent = labelOf(item, kLabelPersistent) != "false";
    found.push_back(std::move(volume));
  }
  co_return found;
}

/// Containers of earlier versions, made after their volume was removed, made one again without a label.
awaitable<std::vector<DockerProvider::Volume>> DockerProvider::unlabelledVolumes(std::string instance_id, Deadline deadline) {
  std::string begin = instance_id.empty() ? "swarm-i-" : format("swarm-{}-", instance_id);
  json::array list = co_await volumesBy({{"name", json::array{json::string(begin)}}}, deadline);
  std::vector<Volume> found;
  for (const json::value& item : list) {
    Volume volume;
    volume.info.name = stringAt(item, "Name");
    volume.info.instanceId = instanceInName(volume.info.name);
    volume.info.createdAt = readTime(stringAt(item, "CreatedAt"));
    bool is_that = instance_id.empty() ? !volume.info.instanceId.empty() : volume.info.instanceId == instance_id;
    if (is_that && labelOf(item, kLabelSwarm).empty()) found.push_back(std::move(volume));
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

/// Whether a container that is listed, of another instance or of no instance, mounts it.
awaitable<bool> DockerProvider::isUsedByOthers(std::string volume, std::string instance_id, Deadline deadline) {
  std::string filter = filterQuery({{"volume", json::array{json::string(volume)}}});
  json::value users =
      co_await engine_.call({.target = "/containers/json?all=true&" + filter, .doing = "list containers", .body = {}}, deadline);
  if (!users.is_array()) co_return false;
  for (const json::value& user : users.as_array()) {
    if (labelOf(user, kLabelInstance) != instance_id || labelOf(user, kLabelSwarm) != swarm_id_) co_return true;
  }
  co_return false;
}

awaitable<std::set<std::string>> DockerProvider::volumesToRemove(std::string instance_id, DeleteVolumes volumes,
                                                                 const std::set<std::string>& mounted, Deadline deadline) {
  std::set<std::string> going;
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  for (const Volume& volume : all) {
    bool concerned = volume.info.instanceId == instance_id || mounted.contains(volume.info.name);
    if (concerned && (volumes == DeleteVolumes::Yes || !volume.persistent)) going.insert(volume.info.name);
  }
  if (volumes == DeleteVolumes::Yes) {
    std::vector<Volume> unlabelled = co_await unlabelledVolumes(instance_id, deadline);
    for (const Volume& volume : unlabelled) going.insert(volume.info.name);
  }
  // What an image declares as VOLUME is a part of its container, also where a replacement took it over by name.
  for (const std::string& name : mounted) {
    if (isAnonymous(name)) going.insert(name);
  }
  co_return going;
}

awaitable<bool> DockerProvider::removeVolumes(const std::set<std::string>& names, std::string instance_id, Deadline deadline) {
  bool decided = true;
  for (const std::string& name : names) {
    // One that another instance uses stays until that one goes.
    if (co_await removeVolume(name, deadline) || co_await isUsedByOthers(name, instance_id, deadline)) continue;
    decided = false;
  }
  co_return decided;
}

/// Those without a label have no owner either: only whoever knows the instances can tell whether they are this swarm's.
awaitable<std::vector<VolumeInfo>> DockerProvider::listVolumes(Deadline deadline) {
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  std::vector<Volume> unlabelled = co_await unlabelledVolumes("", deadline);
  all.insert(all.end(), unlabelled.begin(), unlabelled.end());
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

awaitable<std::optional<std::vector<LostVolume>>> DockerProvider::findLostVolumes(InstanceSpec spec, Deadline deadline) {
  co_return co_await lostAmong(spec, planVolumes(spec), deadline);
}

awaitable<std::vector<LostVolume>> DockerProvider::lostAmong(const InstanceSpec& spec, std::vector<VolumePlan> plans, Deadline deadline) {
  std::vector<LostVolume> lost;
  for (const VolumePlan& volume : plans) {
    if (std::ranges::find(spec.known, ExternalResource{"volume", volume.name}) == spec.known.end()) continue;
    const std::string doing = format("look at the volume {}", volume.name);
    EngineReply reply = co_await engine_.send({.target = "/volumes/" + volume.name, .doing = doing, .body = {}}, deadline);
    if (!reply.ok() && reply.status != 404) throw engineError(reply.status, reply.body, doing);
    if (reply.status == 404) lost.push_back({volume.name, volume.mountPath});
  }
  co_return lost;
}

/// An empty volume in the place of one with files would hide that they are lost.
awaitable<void> DockerProvider::requireKnownVolumes(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Deadline deadline) {
  if (spec.emptyVolumes) co_return;
  std::vector<LostVolume> lost = co_await lostAmong(spec, plans, deadline);
  if (lost.empty()) co_return;
  throw Error(ErrorCode::Conflict,
              format("The volume {}, which had the files of {}, is gone from the Docker Engine. No empty one was made in "
                     "its place.",
                     lost.front().name, lost.front().mountPath))
      .withInstance(spec.instanceId);
}

awaitable<void> DockerProvider::deleteVolume(std::string name, Deadline deadline) {
  std::vector<Volume> all = co_await ownVolumes("", deadline);
  std::vector<Volume> unlabelled = co_await unlabelledVolumes("", deadline);
  all.insert(all.end(), unlabelled.begin(), unlabelled.end());
  bool ours = std::any_of(all.begin(), all.end(), [&](const Volume& volume) { return volume.info.name == name; });
  if (!ours) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on the Docker Engine.", name));
  if (!co_await removeVolume(name, deadline)) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the workspace that uses it first.", name));
  }
}

}  // namespace swarm::docker
