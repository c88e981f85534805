// deleteInstance: Machine, volume, addresses, app. A volume that is kept keeps its app: at Fly a volume can't live without one.
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {
namespace {

constexpr int kConfirmations = 2;

bool anyPersistent(const std::vector<StorageEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const StorageEntry& entry) { return entry.persistent; });
}

}  // namespace

/// One that is known to have been made is gone when Fly says so several times: right after its creation it may not be known everywhere.
awaitable<bool> FlyIOProvider::isAppGone(std::string app, bool was_made, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (int left = was_made ? kConfirmations : 1;; --left) {
    if (co_await client_.findApp(app, deadline)) co_return false;
    if (left == 0) co_return true;
    co_await client_.pause(delay, deadline, format("It could not be found out in time whether the app {} is there.", app));
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
    const std::string doing = format("give the address {} back", address.ip);
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

/// The app stays for its volume: what is on it is told by the record, and the agent's secret goes.
awaitable<void> FlyIOProvider::keepVolumes(std::string app, std::vector<StorageEntry> record, Deadline deadline) {
  if (record.empty()) co_return;
  std::erase_if(record, [](const StorageEntry& entry) { return !entry.persistent; });
  json::object values{{kStorageSecret, writeStorage(record)}, {kAgentSecret, nullptr}};
  co_await client_.setSecrets(app, std::move(values), deadline);
  records_[app] = std::move(record);
}

awaitable<void> FlyIOProvider::deleteFrom(std::string app, std::string instance_id, DeleteVolumes volumes,
                                          std::vector<ExternalResource> external, Progress& progress, Deadline deadline) {
  bool was_made = std::any_of(external.begin(), external.end(), [&](const ExternalResource& resource) { return resource.id == app; });
  if (co_await isAppGone(app, was_made, deadline)) co_return;
  std::vector<Machine> machines = co_await machinesIn(app, deadline);
  // What a list does not tell of is looked for by its id.
  for (const ExternalResource& resource : external) {
    bool listed = std::any_of(machines.begin(), machines.end(), [&](const Machine& machine) { return machine.id == resource.id; });
    if (resource.kind != "machine" || listed) continue;
    auto machine = co_await client_.findMachine(app, resource.id, deadline);
    if (machine && !machine->isGone()) machines.push_back(std::move(*machine));
  }
  std::vector<StorageEntry> record;
  bool is_anothers = false;
  std::vector<Machine> own;
  for (const Machine& machine : machines) {
    bool is_reader_of_it = isReader(machine) && machine.metadata(kMetaReads) == instance_id;
    if (is_reader_of_it || machine.metadata(kMetaInstance) == instance_id) own.push_back(machine);
    if (is_reader_of_it) continue;
    if (machine.metadata(kMetaInstance) != instance_id) {
      is_anothers = true;
      continue;
    }
    if (record.empty()) record = readStorage(machine.metadata(kMetaStorage));
  }
  if (record.empty() && !is_anothers) record = co_await recordOf(app, deadline);
  progress.step("destroy Machine");
  for (const Machine& machine : own) co_await destroyMachine(machine, deadline);
  if (is_anothers) co_return;  // it took this app's volume over
  progress.step("delete volume");
  std::vector<Volume> present = co_await volumesIn(app, deadline);
  for (const ExternalResource& resource : external) {
    bool listed = std::any_of(present.begin(), present.end(), [&](const Volume& volume) { return volume.id == resource.id; });
    if (resource.kind != "volume" || listed) continue;
    auto volume = co_await client_.findVolume(app, resource.id, deadline);
    if (volume) present.push_back(std::move(*volume));
  }
  for (const Volume& volume : present) {
    if (isReader(volume)) co_await dropVolume(app, volume.id, deadline);
  }
  std::erase_if(present, [](const Volume& volume) { return isReader(volume); });
  // What an earlier instance left on the volume is not this one's to delete.
  if (volumes == DeleteVolumes::Yes) std::erase_if(record, [](const StorageEntry& entry) { return entry.isMounted; });
  // Without a record nobody knows what is on a volume: then it stays.
  bool stays = !present.empty() && (anyPersistent(record) || (record.empty() && volumes == DeleteVolumes::No));
  if (stays) {
    co_await keepVolumes(app, std::move(record), deadline);
  } else {
    for (const Volume& volume : present) co_await dropVolume(app, volume.id, deadline);
  }
  progress.step("delete addresses");
  co_await releaseAddresses(app, deadline);
  if (stays) co_return;
  progress.step("delete app");
  co_await deleteApp(app, deadline);
}

awaitable<void> FlyIOProvider::deleteInstance(std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                              Progress& progress, Deadline deadline) {
  KeyedLock::Guard guard = co_await locks_.acquire(instance_id, deadline);
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
