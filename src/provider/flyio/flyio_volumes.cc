// Volumes as the contract sees them: the folders of the one volume that a Machine mounts, each under its name.
#include "base/fault.h"
#include "base/format.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/stored_volume.h"

namespace swarm::flyio {
namespace {

constexpr std::chrono::seconds kNewerThanLists{60};

}  // namespace

/// What is on the volume of an app without a Machine, by the app's own record.
awaitable<std::vector<StorageEntry>> FlyIOProvider::recordOf(std::string app, Deadline deadline) {
  if (auto known = records_.find(app); known != records_.end()) co_return known->second;
  auto text = co_await client_.readSecret(app, std::string(kStorageSecret), deadline);
  if (!text) co_return std::vector<StorageEntry>{};
  co_return readStorage(*text);
}

awaitable<std::vector<FlyIOProvider::Stored>> FlyIOProvider::storedVolumes(Deadline deadline) {
  OrgMachines machines = co_await readOrganization({}, deadline);
  std::map<std::string, std::pair<std::string, std::vector<StorageEntry>>> users;  // app → instance, record
  for (const Machine& machine : machines.machines) {
    if (!destroyed_.contains(machine.id) && !isReader(machine))
      users[machine.app] = {machine.metadata(kMetaInstance), readStorage(machine.metadata(kMetaStorage))};
  }
  SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [instance, place] : places_) {
    if (now - place.learnt < kNewerThanLists && !place.isReader) users[place.app] = {instance, readStorage(place.storage)};
  }
  std::map<std::string, Volume> volumes;  // one for each app
  std::string cursor;
  do {
    Page<Volume> page = co_await client_.listOrgVolumes(cursor, deadline);
    for (Volume& volume : page.items) {
      if (isOurs(volume.app) && !volume.isGone() && generationOf(volume) >= 0) volumes.try_emplace(volume.app, std::move(volume));
    }
    cursor = page.nextCursor;
  } while (!cursor.empty());
  for (const auto& [app, record] : records_) volumes.try_emplace(app);
  std::vector<Stored> found;
  for (const auto& [app, volume] : volumes) {
    auto user = users.find(app);
    std::vector<StorageEntry> record = user != users.end() ? user->second.second : co_await recordOf(app, deadline);
    // Nobody knows what is on it: shown under its own name, so that it is not forgotten.
    if (record.empty() && user == users.end())
      record.push_back({volume.id, std::string(kVolumeMount), true, app.substr(app_prefix_.size()), "", false});
    for (StorageEntry& entry : record) {
      found.push_back({std::move(entry), app, volume.id, user != users.end() ? user->second.first : "", volume.createdAt});
    }
  }
  co_return found;
}

awaitable<std::vector<VolumeInfo>> FlyIOProvider::listVolumes(Deadline deadline) {
  std::vector<Stored> all = co_await storedVolumes(deadline);
  std::vector<VolumeInfo> infos;
  for (const Stored& stored : all) {
    const StorageEntry& entry = stored.entry;
    infos.push_back({entry.name, entry.instanceId, entry.owner, entry.mountPath, !stored.usedBy.empty(), stored.createdAt});
  }
  co_return infos;
}

awaitable<void> FlyIOProvider::deleteVolume(std::string name, Deadline deadline) {
  KeyedLock::Guard guard = co_await locks_.acquire("volume " + name, deadline);
  std::vector<Stored> all = co_await storedVolumes(deadline);
  // After a move two may have the name for a while: one that nobody uses is meant.
  auto found =
      std::find_if(all.begin(), all.end(), [&](const Stored& stored) { return stored.entry.name == name && stored.usedBy.empty(); });
  if (found == all.end()) found = std::find_if(all.begin(), all.end(), [&](const Stored& stored) { return stored.entry.name == name; });
  if (found == all.end()) throw Error(ErrorCode::NotFound, format("This swarm has no volume {} at Fly.", name));
  if (!found->usedBy.empty()) {
    throw Error(ErrorCode::Conflict, format("The volume {} is in use. Delete the instance that uses it first.", name));
  }
  const std::string app = found->app;
  std::vector<Machine> users = co_await machinesIn(app, deadline);
  if (!users.empty()) throw Error(ErrorCode::Conflict, format("The volume {} is in use.", name));
  std::vector<StorageEntry> others;
  for (const Stored& stored : all) {
    if (stored.app == app && stored.entry.name != name) others.push_back(stored.entry);
  }
  if (!others.empty()) co_return co_await keepVolumes(app, std::move(others), deadline);  // their volume stays; the folder goes with it
  std::vector<Volume> volumes = co_await volumesIn(app, deadline);
  for (const Volume& volume : volumes) co_await dropVolume(app, volume.id, deadline);
  co_await releaseAddresses(app, deadline);
  co_await deleteApp(app, deadline);
}

}  // namespace swarm::flyio
