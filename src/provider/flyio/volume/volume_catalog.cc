// From the organization's lists and the records of apps.
#include <utility>

#include "base/text/format.h"
#include "provider/flyio/fly_parts.h"

namespace swarm::flyio {
namespace {

constexpr std::chrono::seconds kNewerThanLists{60};

/// All volumes of the swarm, and who uses them.
struct Inventory {
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

awaitable<Inventory> readInventory(FlyParts& parts, Deadline deadline) {
  Inventory all;
  OrganizationMachines machines = co_await parts.organization.readMachines({}, deadline);
  for (const Machine& machine : machines.machines) {
    if (machine.isGone() || parts.cache.wasDestroyed(machine.id) || isReader(machine)) continue;
    all.users[machine.app] = {placeOf(machine), machine.metadata(kMetaOwner), machine.id, "", readStorage(machine.metadata(kMetaStorage))};
  }
  SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [instance, place] : parts.cache.places()) {
    if (now - place.learnt >= kNewerThanLists || place.isReader) continue;
    std::string volume;
    for (const ExternalResource& resource : place.details.external) {
      if (resource.kind == ResourceKind::volume) volume = resource.id;
    }
    all.users[place.app] = {instance, place.details.owner, place.machineId, volume, readStorage(place.storage)};
  }
  std::vector<Volume> volumes = co_await parts.organization.readVolumes(deadline);
  for (Volume& volume : volumes) {
    if (!volume.isGone() && !isReader(volume)) all.volumes[volume.app].push_back(std::move(volume));
  }
  for (const auto& [app, record] : parts.records.kept()) all.volumes.try_emplace(app);
  co_return all;
}

awaitable<void> removeApp(FlyParts& parts, std::string app, Deadline deadline) {
  co_await parts.apps.releaseAddresses(app, deadline);
  co_await parts.apps.remove(app, deadline);
}

/// `others`: what else is in its app.
awaitable<void> removeStray(FlyParts& parts, const StoredVolume& stray, const std::vector<StoredVolume>& others, Deadline deadline) {
  // The instance of the app may be creating something there.
  auto guard = co_await parts.locks.acquire(stray.entry.placeId.str(), deadline);
  auto volume = co_await parts.client.findVolume(stray.app, stray.volumeId, deadline);
  if (volume && !volume->machineId.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is mounted by the Machine {}.", volume->id, volume->machineId));
  }
  if (volume) co_await parts.volumes.remove(stray.app, volume->id, deadline);
  if (!others.empty()) co_return;
  std::vector<Machine> machines = co_await parts.machines.listIn(stray.app, deadline);
  if (machines.empty()) co_await removeApp(parts, stray.app, deadline);
}

/// `others`: what else is in its app.
awaitable<void> removeStorage(FlyParts& parts, const StoredVolume& stored, const std::vector<StoredVolume>& others, Deadline deadline) {
  if (!stored.usedBy.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the workspace that uses it first.", stored.entry.name));
  }
  std::vector<Machine> users = co_await parts.machines.listIn(stored.app, deadline);
  if (!users.empty()) throw Error(ErrorCode::Conflict, format("The volume {} is in use.", stored.entry.name));
  StorageRecord record = co_await parts.records.read(stored.app, deadline);
  std::erase_if(record.entries, [&](const StorageEntry& entry) { return entry.name == stored.entry.name; });
  if (record.entries.empty() && !stored.volumeId.empty()) co_await parts.volumes.remove(stored.app, stored.volumeId, deadline);
  if (record.entries.empty() && others.empty()) co_return co_await removeApp(parts, stored.app, deadline);
  if (record.entries.empty()) record = {};  // otherwise its folder is deleted with its volume, which others still use
  parts.records.keep(stored.app, record);
  co_await parts.records.write(stored.app, std::move(record), deadline);
}

}  // namespace

awaitable<std::vector<StoredVolume>> listStoredVolumes(FlyParts& parts, Deadline deadline) {
  Inventory all = co_await readInventory(parts, deadline);
  std::vector<StoredVolume> found;
  for (const auto& [app, volumes] : all.volumes) {
    auto user = all.users.find(app);
    bool is_used = user != all.users.end();
    StorageRecord record;
    if (is_used) {
      record.entries = user->second.entries;
    } else {
      record = co_await parts.records.read(app, deadline);
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
      StorageEntry entry{stray.id, "", true, PlaceId(app.substr(parts.swarm.appPrefix.size())), owner, false};
      found.push_back({std::move(entry), app, stray.id, {}, stray.createdAt, true, std::nullopt});
    }
  }
  co_return found;
}

awaitable<void> removeVolume(FlyParts& parts, std::string name, Deadline deadline) {
  auto guard = co_await parts.locks.acquire(lockOfVolume(name), deadline);
  std::vector<StoredVolume> all = co_await listStoredVolumes(parts, deadline);
  // After a move two volumes may have the name for a while: the unused one is meant.
  auto found = std::ranges::find_if(all, [&](const StoredVolume& stored) { return stored.entry.name == name && stored.usedBy.empty(); });
  if (found == all.end()) found = std::ranges::find_if(all, [&](const StoredVolume& stored) { return stored.entry.name == name; });
  if (found == all.end()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on Fly.", name));
  const StoredVolume meant = *found;
  std::erase_if(all, [&](const StoredVolume& stored) { return stored.app != meant.app || stored.entry.name == name; });
  if (meant.isStray) co_return co_await removeStray(parts, meant, all, deadline);
  if (meant.trouble && meant.volumeId.empty()) throw *meant.trouble;
  co_await removeStorage(parts, meant, all, deadline);
}

}  // namespace swarm::flyio
