// The steps of a deletion, app by app.
#include <algorithm>
#include <set>

#include "provider/flyio/fly_parts.h"

namespace swarm::flyio {
namespace {

/// What exists of an instance in an app.
struct Remains {
  std::vector<Machine> own;  ///< and those of its readers
  bool isTakenOver = false;  ///< another instance's Machine uses the app's volume
  bool isOwnApp = false;     ///< it was created for this instance
  AppVolumes volumes;
  bool stays = false;  ///< its volume has files that are kept
  /// Its Machine is destroyed when its host is back, and uses the volume until then.
  bool isHeldByHost() const { return std::ranges::any_of(own, &Machine::isHostUnreachable); }
};

awaitable<Remains> findRemains(FlyParts& parts, std::string app, PlaceId place_id, std::vector<ExternalResource> external,
                               Deadline deadline) {
  Remains remains;
  remains.isOwnApp = app == parts.swarm.appOf(place_id);
  std::vector<Machine> machines = co_await parts.machines.listIn(app, deadline);
  co_await parts.machines.addRecorded(machines, app, external, deadline);
  const Machine* current = nullptr;
  for (const Machine& machine : machines) {
    bool is_reader_of_it = isReader(machine) && machine.metadata(kMetaReads) == place_id.str();
    bool is_its = placeOf(machine) == place_id;
    if (is_reader_of_it || is_its) remains.own.push_back(machine);
    if (is_reader_of_it) continue;
    if (!is_its) remains.isTakenOver = true;
    if (is_its && (!current || generationOf(machine) > generationOf(*current))) current = &machine;
  }
  remains.volumes = co_await parts.volumes.sortedIn(app, current ? current->volumeId() : std::string(), std::move(external), deadline);
  if (current) {
    auto entries = readStorage(current->metadata(kMetaStorage));
    if (!entries.empty()) remains.volumes.record.entries = std::move(entries);
  }
  co_return remains;
}

/// Deletes the instance's volume unless it is kept, and, if volumes are deleted, what is left over in its own app. True: no volume is
/// left.
awaitable<bool> removeVolumes(FlyParts& parts, std::string app, const Remains& remains, DeleteVolumes volumes, Deadline deadline) {
  for (const Volume& volume : remains.volumes.all) {
    if (isReader(volume) && !volume.isHostUnreachable()) co_await parts.volumes.remove(app, volume.id, deadline);
  }
  if (remains.stays) co_return false;
  const VolumeChoice& choice = remains.volumes.choice;
  bool waits = remains.isHeldByHost();  // the deletion of the app includes what cannot be deleted now
  if (choice.data && !waits) co_await parts.volumes.remove(app, choice.data->id, deadline);
  bool all_gone = true;
  for (const Volume& stray : choice.strays) {
    bool goes = generationOf(stray) >= 0 && remains.isOwnApp && volumes == DeleteVolumes::Yes;
    if (goes && !waits) co_await parts.volumes.remove(app, stray.id, deadline);
    all_gone = all_gone && goes;
  }
  co_return all_gone;
}

awaitable<void> removeFrom(FlyParts& parts, std::string app, PlaceId place_id, DeleteVolumes volumes,
                           std::vector<ExternalResource> external, Progress& progress, Deadline deadline) {
  bool was_created = std::ranges::count(external, app, &ExternalResource::id) > 0;
  if (co_await parts.apps.isGone(app, was_created ? Confirmation::Repeated : Confirmation::Once, deadline)) co_return;
  Remains remains = co_await findRemains(parts, app, place_id, std::move(external), deadline);
  StorageRecord& record = remains.volumes.record;
  const VolumeChoice& choice = remains.volumes.choice;
  // Without a record the content of a volume is unknown, and it is kept.
  bool is_unknown = record.entries.empty() && volumes == DeleteVolumes::No;
  std::erase_if(record.entries, [](const StorageEntry& entry) { return !entry.persistent; });
  // What an earlier instance left on the volume is not deleted with this one.
  if (volumes == DeleteVolumes::Yes) std::erase_if(record.entries, [](const StorageEntry& entry) { return entry.isMounted; });
  bool has_volumes = choice.data || !choice.strays.empty();
  remains.stays = has_volumes && (!record.entries.empty() || is_unknown);
  if (choice.data) record.volumeId = choice.data->id;
  record.copyName.clear();
  // Which volume has the files is durable before the Machine, which names it, is destroyed.
  if (remains.stays && !remains.isTakenOver && !is_unknown) {
    co_await parts.records.write(app, record, deadline);
    parts.records.keep(app, record);
  }
  progress.step(Step::DestroyMachine);
  for (const Machine& machine : remains.own) co_await parts.lifecycle.destroy(machine, deadline);
  if (remains.isTakenOver) co_return;
  if (!remains.stays) progress.step(Step::DeleteVolume);
  bool all_gone = co_await removeVolumes(parts, app, remains, volumes, deadline);
  if (!all_gone) {
    json::object secrets{{kAgentSecret, nullptr}};
    if (!remains.stays) secrets[kStorageSecret] = nullptr;  // the remaining volumes hold no storage
    co_await parts.client.setSecrets(app, std::move(secrets), deadline);
  }
  progress.step(Step::DeleteAddresses);
  co_await parts.apps.releaseAddresses(app, deadline);
  if (!all_gone) co_return;
  progress.step(Step::DeleteApp);
  co_await parts.apps.remove(app, deadline);
}

}  // namespace

awaitable<void> removeInstance(FlyParts& parts, PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                               Progress& progress, Deadline deadline) {
  std::set<std::string> apps{parts.swarm.appOf(place_id)};
  if (const MachineCache::Entry* known = parts.cache.find(place_id)) apps.insert(known->app);
  for (const ExternalResource& resource : external) {
    if (resource.kind == ResourceKind::app && parts.swarm.owns(resource.id)) apps.insert(resource.id);
  }
  if (external.empty() && apps.size() == 1) {
    auto machine = co_await parts.machines.find(place_id, deadline);
    if (machine) apps.insert(machine->app);
  }
  for (const std::string& app : apps) co_await removeFrom(parts, app, place_id, volumes, external, progress, deadline);
}

}  // namespace swarm::flyio
