// From the organization's lists and the records of apps.
#include "provider/flyio/volume/volume_catalog.h"

#include <utility>

#include "base/text/format.h"

namespace swarm::flyio {
namespace {

constexpr std::chrono::seconds kNewerThanLists{60};

}  // namespace

struct VolumeCatalog::Inventory {
  struct User {
    PlaceId placeId;
    std::string owner;
    std::string machineId;
    std::string volumeId;  ///< if this server knows it; otherwise the volume names the Machine that mounts it
    std::vector<StorageEntry> entries;
  };
  std::map<std::string, User> users;                   ///< by app
  std::map<std::string, std::vector<Volume>> volumes;  ///< by app

  std::string mountedIn(const std::string& app) const {
    auto user = users.find(app);
    if (user == users.end()) return "";
    for (const Volume& volume : volumes.at(app)) {
      if (!volume.machineId.empty() && volume.machineId == user->second.machineId) return volume.id;
    }
    return user->second.volumeId;
  }
};

awaitable<VolumeCatalog::Inventory> VolumeCatalog::readInventory(Deadline deadline) {
  Inventory all;
  OrganizationMachines machines = co_await organization_.readMachines({}, deadline);
  for (const Machine& machine : machines.machines) {
    if (machine.isGone() || cache_.wasDestroyed(machine.id) || isReader(machine)) continue;
    all.users[machine.app] = {placeOf(machine), machine.metadata(kMetaOwner), machine.id, "", readStorage(machine.metadata(kMetaStorage))};
  }
  SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [instance, place] : cache_.places()) {
    if (now - place.learnt >= kNewerThanLists || place.isReader) continue;
    std::string volume;
    for (const ExternalResource& resource : place.details.external) {
      if (resource.kind == ResourceKind::volume) volume = resource.id;
    }
    all.users[place.app] = {instance, place.details.owner, place.machineId, volume, readStorage(place.storage)};
  }
  std::vector<Volume> volumes = co_await organization_.readVolumes(deadline);
  for (Volume& volume : volumes) {
    if (!volume.isGone() && !isReader(volume)) all.volumes[volume.app].push_back(std::move(volume));
  }
  for (const auto& [app, record] : records_.kept()) all.volumes.try_emplace(app);
  co_return all;
}

awaitable<std::vector<StoredVolume>> VolumeCatalog::list(Deadline deadline) {
  Inventory all = co_await readInventory(deadline);
  std::vector<StoredVolume> found;
  for (const auto& [app, volumes] : all.volumes) {
    auto user = all.users.find(app);
    bool is_used = user != all.users.end();
    StorageRecord record;
    if (is_used) {
      record.entries = user->second.entries;
    } else {
      record = co_await records_.read(app, deadline);
    }
    VolumeChoice choice = chooseVolume(volumes, all.mountedIn(app), record, {});
    std::optional<Error> trouble = is_used || volumes.empty() ? std::nullopt : ambiguityOf(choice, app);
    // Its content is unknown: it is listed under its own name.
    if (record.entries.empty() && choice.data && !is_used) choice.strays.push_back(*std::exchange(choice.data, std::nullopt));
    std::string owner = is_used ? user->second.owner : record.entries.empty() ? "" : record.entries.front().owner;
    std::string volume_id = choice.data ? choice.data->id : choice.missing;
    SystemTime created = choice.data ? choice.data->createdAt : SystemTime{};
    for (StorageEntry& entry : record.entries)
      found.push_back({std::move(entry), app, volume_id, is_used ? user->second.placeId : PlaceId(), created, false, trouble});
    for (const Volume& stray : choice.strays) {
      StorageEntry entry{stray.id, "", true, PlaceId(app.substr(swarm_.appPrefix.size())), owner, false};
      found.push_back({std::move(entry), app, stray.id, {}, stray.createdAt, true, std::nullopt});
    }
  }
  co_return found;
}

awaitable<void> VolumeCatalog::removeApp(std::string app, Deadline deadline) {
  co_await apps_.releaseAddresses(app, deadline);
  co_await apps_.remove(app, deadline);
}

/// `others`: what else is in its app.
awaitable<void> VolumeCatalog::removeStray(const StoredVolume& stray, const std::vector<StoredVolume>& others, Deadline deadline) {
  // The instance of the app may be creating something there.
  auto guard = co_await locks_.acquire(stray.entry.placeId.str(), deadline);
  auto volume = co_await client_.findVolume(stray.app, stray.volumeId, deadline);
  if (volume && !volume->machineId.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is mounted by the Machine {}.", volume->id, volume->machineId));
  }
  if (volume) co_await volumes_.remove(stray.app, volume->id, deadline);
  if (!others.empty()) co_return;
  std::vector<Machine> machines = co_await machines_.listIn(stray.app, deadline);
  if (machines.empty()) co_await removeApp(stray.app, deadline);
}

/// `others`: what else is in its app.
awaitable<void> VolumeCatalog::removeStorage(const StoredVolume& stored, const std::vector<StoredVolume>& others, Deadline deadline) {
  if (!stored.usedBy.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the workspace that uses it first.", stored.entry.name));
  }
  std::vector<Machine> users = co_await machines_.listIn(stored.app, deadline);
  if (!users.empty()) throw Error(ErrorCode::Conflict, format("The volume {} is in use.", stored.entry.name));
  StorageRecord record = co_await records_.read(stored.app, deadline);
  std::erase_if(record.entries, [&](const StorageEntry& entry) { return entry.name == stored.entry.name; });
  if (record.entries.empty() && !stored.volumeId.empty()) co_await volumes_.remove(stored.app, stored.volumeId, deadline);
  if (record.entries.empty() && others.empty()) co_return co_await removeApp(stored.app, deadline);
  if (record.entries.empty()) record = {};  // otherwise its folder is deleted with its volume, which others still use
  records_.keep(stored.app, record);
  co_await records_.write(stored.app, std::move(record), deadline);
}

awaitable<void> VolumeCatalog::remove(std::string name, Deadline deadline) {
  auto guard = co_await locks_.acquire(lockOf(name), deadline);
  std::vector<StoredVolume> all = co_await list(deadline);
  // After a move two volumes may have the name for a while: the unused one is meant.
  auto found = std::ranges::find_if(all, [&](const StoredVolume& stored) { return stored.entry.name == name && stored.usedBy.empty(); });
  if (found == all.end()) found = std::ranges::find_if(all, [&](const StoredVolume& stored) { return stored.entry.name == name; });
  if (found == all.end()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on Fly.", name));
  const StoredVolume meant = *found;
  std::erase_if(all, [&](const StoredVolume& stored) { return stored.app != meant.app || stored.entry.name == name; });
  if (meant.isStray) co_return co_await removeStray(meant, all, deadline);
  if (meant.trouble && meant.volumeId.empty()) throw *meant.trouble;
  co_await removeStorage(meant, all, deadline);
}

}  // namespace swarm::flyio
