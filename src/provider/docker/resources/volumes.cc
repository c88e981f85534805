// A volume belongs to the instance in its label, or in its name where it has none.
#include "provider/docker/resources/volumes.h"

#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/docker/spec/container_state.h"

namespace swarm::docker {
namespace {

/// "swarm-i-0abc-home-coder-1234abcd" → "i-0abc", for names that planVolumes() makes; empty for others.
PlaceId placeInName(std::string_view name) {
  constexpr std::string_view prefix = "swarm-";
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  std::size_t end = name.find('-', name.find('-') + 1);
  return name.starts_with("i-") && end != std::string_view::npos ? PlaceId(std::string(name.substr(0, end))) : PlaceId();
}

/// Named by the Engine: 64 digits, for a VOLUME of an image.
bool isAnonymous(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

awaitable<void> Volumes::create(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Progress& progress, Deadline deadline) {
  if (!plans.empty()) progress.step(Step::CreateVolume);
  for (const VolumePlan& plan : plans) {
    if (!plan.carried) {
      faultPoint("docker.create.volume.before");
      json::object body = volumeBody(spec, plan, context_.config, context_.swarmId);
      json::value made = co_await context_.engine.createVolume(std::move(body), spec.placeId.str(), deadline);
      faultPoint("docker.create.volume.after");
      // The Engine responds with the volume of that name when there was one.
      if (!plan.mounted) checkTaken(made, plan.name, spec, context_.swarmId);
    }
    co_await progress.recorded({ResourceKind::volume, plan.name});
  }
}

awaitable<void> Volumes::preview(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline) {
  for (const StorageConfig& storage : spec.config.storage) {
    if (storage.volumeName.empty()) continue;  // its name contains the instance's id: there is none yet, or it is this instance's
    auto found = co_await context_.engine.inspectVolume(storage.volumeName, deadline);
    if (found) collectProblem(preview, [&] { checkTaken(*found, storage.volumeName, spec, context_.swarmId); });
  }
}

awaitable<std::vector<Volumes::Volume>> Volumes::labelled(Deadline deadline) {
  json::array list = co_await context_.engine.listVolumes(ownFilter(context_), deadline);
  std::vector<Volume> found;
  for (const json::value& item : list) {
    Volume volume;
    volume.info.name = stringAt(item, "Name");
    volume.info.placeId = PlaceId(labelOf(item, kLabelInstance));
    volume.info.owner = labelOf(item, kLabelOwner);
    volume.info.mountPath = labelOf(item, kLabelMount);
    volume.info.createdAt = timeAt(item, "CreatedAt");
    volume.persistent = labelOf(item, kLabelPersistent) != "false";
    found.push_back(std::move(volume));
  }
  co_return found;
}

/// Containers of earlier versions, created after their volume was removed, created one again without a label.
awaitable<std::vector<Volumes::Volume>> Volumes::unlabelled(PlaceId place_id, Deadline deadline) {
  std::string begin = place_id.empty() ? "swarm-i-" : format("swarm-{}-", place_id);
  json::array list = co_await context_.engine.listVolumes({{"name", json::array{json::string(begin)}}}, deadline);
  std::vector<Volume> found;
  for (const json::value& item : list) {
    Volume volume;
    volume.info.name = stringAt(item, "Name");
    volume.info.placeId = placeInName(volume.info.name);
    volume.info.createdAt = timeAt(item, "CreatedAt");
    bool is_that = place_id.empty() ? !volume.info.placeId.empty() : volume.info.placeId == place_id;
    if (is_that && labelOf(item, kLabelSwarm).empty()) found.push_back(std::move(volume));
  }
  co_return found;
}

awaitable<std::vector<Volumes::Volume>> Volumes::all(Deadline deadline) {
  std::vector<Volume> found = co_await labelled(deadline);
  std::vector<Volume> others = co_await unlabelled({}, deadline);
  found.insert(found.end(), others.begin(), others.end());
  co_return found;
}

awaitable<std::vector<VolumeInfo>> Volumes::list(Deadline deadline) {
  std::vector<Volume> found = co_await all(deadline);
  json::array containers = co_await context_.engine.listContainers(ownFilter(context_), deadline);
  std::set<std::string> used;
  for (const json::value& container : containers) {
    for (const json::value& mount : arrayAt(container, "Mounts")) used.insert(stringAt(mount, "Name"));
  }
  std::vector<VolumeInfo> infos;
  for (Volume& volume : found) {
    volume.info.inUse = used.contains(volume.info.name);
    infos.push_back(std::move(volume.info));
  }
  co_return infos;
}

awaitable<std::vector<LostVolume>> Volumes::findLost(const InstanceSpec& spec, std::vector<VolumePlan> plans, Deadline deadline) {
  std::vector<LostVolume> lost;
  for (const VolumePlan& plan : plans) {
    if (std::ranges::find(spec.known, ExternalResource{ResourceKind::volume, plan.name}) == spec.known.end()) continue;
    auto found = co_await context_.engine.inspectVolume(plan.name, deadline);
    if (!found) lost.push_back({plan.name, plan.mountPath});
  }
  co_return lost;
}

awaitable<void> Volumes::requireKnown(const InstanceSpec& spec, const std::vector<VolumePlan>& plans, Deadline deadline) {
  if (spec.emptyVolumes) co_return;
  std::vector<LostVolume> lost = co_await findLost(spec, plans, deadline);
  if (lost.empty()) co_return;
  throw Error(ErrorCode::Conflict,
              format("The volume {}, which had the files of {}, is gone from the Docker Engine. No empty one was made in "
                     "its place.",
                     lost.front().name, lost.front().mountPath))
      .withInstance(spec.placeId.str());
}

awaitable<bool> Volumes::remove(std::string name, Deadline deadline) {
  faultPoint("docker.delete.volume.before");
  bool removed = co_await context_.engine.removeVolume(std::move(name), deadline);
  faultPoint("docker.delete.volume.after");
  co_return removed;
}

/// Whether a container that is listed, of another instance or of no instance, mounts it.
awaitable<bool> Volumes::isUsedByOthers(std::string volume, PlaceId place_id, Deadline deadline) {
  json::array users = co_await context_.engine.listContainers({{"volume", json::array{json::string(volume)}}}, deadline);
  co_return std::ranges::any_of(users, [&](const json::value& user) {
    return labelOf(user, kLabelInstance) != place_id.str() || labelOf(user, kLabelSwarm) != context_.swarmId;
  });
}

awaitable<std::set<std::string>> Volumes::findRemovable(PlaceId place_id, DeleteVolumes volumes, const std::set<std::string>& mounted,
                                                        Deadline deadline) {
  std::set<std::string> going;
  std::vector<Volume> known = co_await labelled(deadline);
  for (const Volume& volume : known) {
    bool concerned = volume.info.placeId == place_id || mounted.contains(volume.info.name);
    if (concerned && (volumes == DeleteVolumes::Yes || !volume.persistent)) going.insert(volume.info.name);
  }
  if (volumes == DeleteVolumes::Yes) {
    std::vector<Volume> others = co_await unlabelled(place_id, deadline);
    for (const Volume& volume : others) going.insert(volume.info.name);
  }
  // What an image declares as VOLUME is a part of its container, also where a replacement took it over by name.
  std::ranges::copy_if(mounted, std::inserter(going, going.end()), isAnonymous);
  co_return going;
}

awaitable<bool> Volumes::removeAll(const std::set<std::string>& names, PlaceId place_id, Deadline deadline) {
  bool decided = true;
  for (const std::string& name : names) {
    // One that another instance uses stays until that one is deleted.
    if (co_await remove(name, deadline) || co_await isUsedByOthers(name, place_id, deadline)) continue;
    decided = false;
  }
  co_return decided;
}

awaitable<void> Volumes::removeOwn(std::string name, Deadline deadline) {
  std::vector<Volume> found = co_await all(deadline);
  bool is_ours = std::ranges::any_of(found, [&](const Volume& volume) { return volume.info.name == name; });
  if (!is_ours) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on the Docker Engine.", name));
  if (!co_await remove(name, deadline)) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the workspace that uses it first.", name));
  }
}

}  // namespace swarm::docker
