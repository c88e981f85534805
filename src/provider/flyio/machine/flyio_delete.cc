// deleteInstance: Machine, volume, addresses, app. A kept volume keeps its app, because a volume on Fly cannot exist without one.
#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/volume/app_volumes.h"

namespace swarm::flyio {
namespace {

constexpr int kConfirmations = 2;

}  // namespace

/// An app that is known to have been created is gone when Fly confirms it several times: a new app may not be known everywhere.
awaitable<bool> FlyIOProvider::isAppGone(std::string app, bool was_made, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (int left = was_made ? kConfirmations : 1;; --left) {
    if (co_await client_.findApp(app, deadline)) co_return false;
    if (left == 0) co_return true;
    co_await client_.pause(delay, deadline, format("Timed out determining whether the app {} exists.", app));
    delay *= 2;
  }
}

awaitable<void> FlyIOProvider::deleteApp(std::string app, Deadline deadline) {
  const std::string doing = format("delete the app {}", app);
  FlyCall call{.action = Action::DeleteApp,
               .id = client_.organization(),
               .method = "DELETE",
               .target = format("/v1/apps/{}?force=true", app),
               .doing = doing,
               .timeout = std::chrono::seconds(60)};
  faultPoint("flyio.delete.app.before");
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  faultPoint("flyio.delete.app.after");
  records_.erase(app);
  if (!reply.ok() && !reply.isAbsent()) throw client_.failure(reply, doing);
}

awaitable<void> FlyIOProvider::releaseAddresses(std::string app, Deadline deadline) {
  std::vector<IpAddress> addresses = co_await client_.listIps(app, deadline);
  for (const IpAddress& address : addresses) {
    const std::string doing = format("release the address {}", address.ip);
    FlyCall call{.action = Action::ReleaseIp,
                 .id = app,
                 .method = "DELETE",
                 .target = format("/v1/apps/{}/ip_assignments/{}", app, net::percentEncode(address.ip)),
                 .doing = doing};
    faultPoint("flyio.delete.address.before");
    FlyReply reply = co_await client_.send(std::move(call), deadline);
    faultPoint("flyio.delete.address.after");
    if (!reply.ok() && !reply.isAbsent()) throw client_.failure(reply, doing);
  }
}

awaitable<void> FlyIOProvider::writeRecordOf(std::string app, StorageRecord record, Deadline deadline) {
  bool says_something = !record.entries.empty() || !record.copyName.empty();
  if (auto known = records_.find(app); known != records_.end()) known->second = record;
  json::value text = says_something ? json::value(writeRecord(record)) : json::value(nullptr);
  co_await client_.setSecrets(app, {{kStorageSecret, std::move(text)}}, deadline);
}

struct FlyIOProvider::Remains {
  std::vector<Machine> own;  ///< and those of its readers
  bool isTakenOver = false;  ///< another instance's Machine uses the app's volume
  bool isOwnApp = false;     ///< it was created for this instance
  AppVolumes volumes;
  bool stays = false;  ///< its volume has files that are kept
  /// Its Machine is destroyed when its host is back, and uses the volume until then.
  bool isHeldByHost() const {
    return std::ranges::any_of(own, [](const Machine& machine) { return machine.isHostUnreachable(); });
  }
};

/// What the list lacks is looked up by its id.
awaitable<FlyIOProvider::Remains> FlyIOProvider::remainsOf(std::string app, std::string instance_id, std::vector<ExternalResource> external,
                                                           Deadline deadline) {
  Remains remains;
  remains.isOwnApp = app == appName(config_, swarm_id_, instance_id);
  std::vector<Machine> machines = co_await machinesIn(app, deadline);
  for (const ExternalResource& resource : external) {
    bool listed = std::any_of(machines.begin(), machines.end(), [&](const Machine& machine) { return machine.id == resource.id; });
    if (resource.kind != "machine" || listed) continue;
    auto machine = co_await client_.findMachine(app, resource.id, deadline);
    if (machine && !machine->isGone()) machines.push_back(std::move(*machine));
  }
  const Machine* current = nullptr;
  for (const Machine& machine : machines) {
    bool is_reader_of_it = isReader(machine) && machine.metadata(kMetaReads) == instance_id;
    bool is_its = machine.metadata(kMetaInstance) == instance_id;
    if (is_reader_of_it || is_its) remains.own.push_back(machine);
    if (is_reader_of_it) continue;
    if (!is_its) remains.isTakenOver = true;
    if (is_its && (!current || generationOf(machine) > generationOf(*current))) current = &machine;
  }
  remains.volumes = co_await appVolumes(app, current ? current->volumeId() : std::string(), std::move(external), deadline);
  if (current) {
    auto entries = readStorage(current->metadata(kMetaStorage));
    if (!entries.empty()) remains.volumes.record.entries = std::move(entries);
  }
  co_return remains;
}

/// Deletes the instance's volume unless it is kept, and, if volumes are deleted, what is left over in its own app. True: no volume is
/// left.
awaitable<bool> FlyIOProvider::removeVolumes(std::string app, const Remains& remains, DeleteVolumes volumes, Deadline deadline) {
  for (const Volume& volume : remains.volumes.all) {
    if (isReader(volume) && !volume.isHostUnreachable()) co_await dropVolume(app, volume.id, deadline);
  }
  if (remains.stays) co_return false;
  const VolumeChoice& choice = remains.volumes.choice;
  bool waits = remains.isHeldByHost();  // the deletion of the app includes what cannot be deleted now
  if (choice.data && !waits) co_await dropVolume(app, choice.data->id, deadline);
  bool all_gone = true;
  for (const Volume& stray : choice.strays) {
    bool goes = generationOf(stray) >= 0 && remains.isOwnApp && volumes == DeleteVolumes::Yes;
    if (goes && !waits) co_await dropVolume(app, stray.id, deadline);
    all_gone = all_gone && goes;
  }
  co_return all_gone;
}

awaitable<void> FlyIOProvider::deleteFrom(std::string app, std::string instance_id, DeleteVolumes volumes,
                                          std::vector<ExternalResource> external, Progress& progress, Deadline deadline) {
  bool was_made = std::any_of(external.begin(), external.end(), [&](const ExternalResource& resource) { return resource.id == app; });
  if (co_await isAppGone(app, was_made, deadline)) co_return;
  Remains remains = co_await remainsOf(app, instance_id, std::move(external), deadline);
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
    co_await writeRecordOf(app, record, deadline);
    records_[app] = record;
  }
  progress.step(Step::DestroyMachine);
  for (const Machine& machine : remains.own) co_await destroyMachine(machine, deadline);
  if (remains.isTakenOver) co_return;
  progress.step(Step::DeleteVolume);
  bool all_gone = co_await removeVolumes(app, remains, volumes, deadline);
  if (!all_gone) {
    json::object secrets{{kAgentSecret, nullptr}};
    if (!remains.stays) secrets[kStorageSecret] = nullptr;  // the remaining volumes hold no storage
    co_await client_.setSecrets(app, std::move(secrets), deadline);
  }
  progress.step(Step::DeleteAddresses);
  co_await releaseAddresses(app, deadline);
  if (!all_gone) co_return;
  progress.step(Step::DeleteApp);
  co_await deleteApp(app, deadline);
}

awaitable<void> FlyIOProvider::deleteInstance(std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                              Progress& progress, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(instance_id, deadline);
  if (std::string app = co_await appOfReader(instance_id, external, deadline); !app.empty()) {
    co_await closeReader(app, instance_id, std::move(external), progress, deadline);
    co_return forget(instance_id);
  }
  std::set<std::string> apps{appName(config_, swarm_id_, instance_id)};
  if (auto known = places_.find(instance_id); known != places_.end()) apps.insert(known->second.app);
  for (const ExternalResource& resource : external) {
    if (resource.kind == "app" && isOurs(resource.id)) apps.insert(resource.id);
  }
  if (external.empty() && apps.size() == 1) {
    auto machine = co_await findMachine(instance_id, deadline);
    if (machine) apps.insert(machine->app);
  }
  for (const std::string& app : apps) co_await deleteFrom(app, instance_id, volumes, external, progress, deadline);
  forget(instance_id);
  tidy_.erase(instance_id);
}

}  // namespace swarm::flyio
