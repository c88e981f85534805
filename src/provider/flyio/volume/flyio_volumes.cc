// Volumes in the terms of the contract: the folders of the one volume that a Machine mounts, each under its name.
#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/volume/stored_volume.h"

namespace swarm::flyio {
namespace {

constexpr std::chrono::seconds kNewerThanLists{60};

}  // namespace

/// What is on the volume of an app without a Machine, according to the app's record.
awaitable<StorageRecord> FlyIOProvider::recordOf(std::string app, Deadline deadline) {
  if (auto known = records_.find(app); known != records_.end()) co_return known->second;
  auto text = co_await client_.readSecret(app, std::string(kStorageSecret), deadline);
  if (!text) co_return StorageRecord{};
  co_return readRecord(*text);
}

struct FlyIOProvider::OrgVolumes {
  struct User {
    std::string instanceId;
    std::string owner;
    std::string machineId;
    std::string volumeId;  ///< if this server knows it; otherwise the volume names the Machine that mounts it
    std::vector<StorageEntry> entries;
  };
  std::map<std::string, User> users;                   ///< by app
  std::map<std::string, std::vector<Volume>> volumes;  ///< by app
  std::string mountedIn(const std::string& app) const;
};

std::string FlyIOProvider::OrgVolumes::mountedIn(const std::string& app) const {
  auto user = users.find(app);
  if (user == users.end()) return "";
  auto present = volumes.find(app);
  for (const Volume& volume : present == volumes.end() ? std::vector<Volume>{} : present->second) {
    if (!volume.machineId.empty() && volume.machineId == user->second.machineId) return volume.id;
  }
  return user->second.volumeId;
}

awaitable<FlyIOProvider::OrgVolumes> FlyIOProvider::readOrgVolumes(Deadline deadline) {
  OrgVolumes all;
  OrgMachines machines = co_await readOrganization({}, deadline);
  for (const Machine& machine : machines.machines) {
    if (machine.isGone() || destroyed_.contains(machine.id) || isReader(machine)) continue;
    all.users[machine.app] = {machine.metadata(kMetaInstance), machine.metadata(kMetaOwner), machine.id, "",
                              readStorage(machine.metadata(kMetaStorage))};
  }
  SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [instance, place] : places_) {
    if (now - place.learnt >= kNewerThanLists || place.isReader) continue;
    std::string volume;
    for (const ExternalResource& resource : place.details.external) {
      if (resource.kind == "volume") volume = resource.id;
    }
    all.users[place.app] = {instance, place.details.owner, place.machineId, volume, readStorage(place.storage)};
  }
  std::string cursor;
  do {
    Page<Volume> page = co_await client_.listOrgVolumes(cursor, deadline);
    for (Volume& volume : page.items) {
      if (isOurs(volume.app) && !volume.isGone() && !isReader(volume)) all.volumes[volume.app].push_back(std::move(volume));
    }
    cursor = page.nextCursor;
  } while (!cursor.empty());
  for (const auto& [app, record] : records_) all.volumes.try_emplace(app);
  co_return all;
}

awaitable<std::vector<FlyIOProvider::Stored>> FlyIOProvider::storedVolumes(Deadline deadline) {
  OrgVolumes all = co_await readOrgVolumes(deadline);
  std::vector<Stored> found;
  for (const auto& [app, volumes] : all.volumes) {
    auto user = all.users.find(app);
    bool is_used = user != all.users.end();
    StorageRecord record;
    if (is_used) {
      record.entries = user->second.entries;
    } else {
      record = co_await recordOf(app, deadline);
    }
    VolumeChoice choice = chooseVolume(volumes, all.mountedIn(app), record, {});
    std::optional<Error> trouble = is_used || volumes.empty() ? std::nullopt : ambiguityOf(choice, app);
    // Its content is unknown: it is listed under its own name.
    if (record.entries.empty() && choice.data && !is_used) choice.strays.push_back(*std::exchange(choice.data, std::nullopt));
    std::string owner = is_used ? user->second.owner : record.entries.empty() ? "" : record.entries.front().owner;
    std::string volume_id = choice.data ? choice.data->id : choice.missing;
    SystemTime made = choice.data ? choice.data->createdAt : SystemTime{};
    for (StorageEntry& entry : record.entries)
      found.push_back({std::move(entry), app, volume_id, is_used ? user->second.instanceId : "", made, false, trouble});
    for (const Volume& stray : choice.strays) {
      StorageEntry entry{stray.id, "", true, app.substr(app_prefix_.size()), owner, false};
      found.push_back({std::move(entry), app, stray.id, "", stray.createdAt, true, std::nullopt});
    }
  }
  co_return found;
}

awaitable<std::vector<VolumeInfo>> FlyIOProvider::listVolumes(Deadline deadline) {
  std::vector<Stored> all = co_await storedVolumes(deadline);
  std::vector<VolumeInfo> infos;
  for (const Stored& stored : all) {
    const StorageEntry& entry = stored.entry;
    infos.push_back({entry.name, entry.instanceId, entry.owner, entry.mountPath, !stored.usedBy.empty(), stored.createdAt, stored.isStray});
  }
  co_return infos;
}

/// `is_last`: its app has no Machine and no other volume.
awaitable<void> FlyIOProvider::deleteStray(const Stored& stray, bool is_last, Deadline deadline) {
  // The instance of the app may be creating something there.
  async::KeyedLock::Guard guard = co_await locks_.acquire(stray.entry.instanceId, deadline);
  auto volume = co_await client_.findVolume(stray.app, stray.volumeId, deadline);
  if (volume && !volume->machineId.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is mounted by the Machine {}.", volume->id, volume->machineId));
  }
  if (volume) co_await dropVolume(stray.app, volume->id, deadline);
  if (!is_last) co_return;
  std::vector<Machine> machines = co_await machinesIn(stray.app, deadline);
  if (!machines.empty()) co_return;
  co_await releaseAddresses(stray.app, deadline);
  co_await deleteApp(stray.app, deadline);
}

/// `others`: what else is in its app.
awaitable<void> FlyIOProvider::deleteStorage(const Stored& stored, std::vector<Stored> others, Deadline deadline) {
  if (!stored.usedBy.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the workspace that uses it first.", stored.entry.name));
  }
  std::vector<Machine> users = co_await machinesIn(stored.app, deadline);
  if (!users.empty()) throw Error(ErrorCode::Conflict, format("The volume {} is in use.", stored.entry.name));
  StorageRecord record = co_await recordOf(stored.app, deadline);
  std::erase_if(record.entries, [&](const StorageEntry& entry) { return entry.name == stored.entry.name; });
  if (record.entries.empty() && !stored.volumeId.empty()) co_await dropVolume(stored.app, stored.volumeId, deadline);
  if (!record.entries.empty() || !others.empty()) {  // the folder is deleted with its volume, which others still use
    if (record.entries.empty()) record = {};
    records_[stored.app] = record;
    co_return co_await writeRecordOf(stored.app, std::move(record), deadline);
  }
  co_await releaseAddresses(stored.app, deadline);
  co_await deleteApp(stored.app, deadline);
}

awaitable<void> FlyIOProvider::deleteVolume(std::string name, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire("volume " + name, deadline);
  std::vector<Stored> all = co_await storedVolumes(deadline);
  // After a move two volumes may have the name for a while: the unused one is meant.
  auto found =
      std::find_if(all.begin(), all.end(), [&](const Stored& stored) { return stored.entry.name == name && stored.usedBy.empty(); });
  if (found == all.end()) found = std::find_if(all.begin(), all.end(), [&](const Stored& stored) { return stored.entry.name == name; });
  if (found == all.end()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} on Fly.", name));
  const Stored meant = *found;
  std::vector<Stored> others;
  for (const Stored& stored : all) {
    if (stored.app == meant.app && stored.entry.name != name) others.push_back(stored);
  }
  if (meant.isStray) co_return co_await deleteStray(meant, others.empty(), deadline);
  if (meant.trouble && meant.volumeId.empty()) throw *meant.trouble;
  co_await deleteStorage(meant, std::move(others), deadline);
}

}  // namespace swarm::flyio
