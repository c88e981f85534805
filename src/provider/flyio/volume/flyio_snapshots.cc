// The snapshots that Fly takes of volumes, and their readers: a volume that is created from one in the same app (a snapshot cannot leave
// it), and a held Machine on it. A reader has an id of its own, and everything of it has that id or a name derived from it; the rest is
// the instance's and is never changed here.
#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/machine/berth.h"

namespace swarm::flyio {
namespace {

constexpr std::int64_t kBytesPerGb = 1024LL * 1024 * 1024;

bool isComplete(const StoredSnapshot& snapshot) { return snapshot.status.empty() || snapshot.status == "created"; }

bool isOf(const Machine& machine, const std::string& reader_id) {
  return isReader(machine) && machine.metadata(kMetaInstance) == reader_id;
}

template <typename T>
bool holds(const std::vector<T>& all, const std::string& id) {
  return std::any_of(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
}

}  // namespace

/// An instance that uses a kept volume is in that volume's app.
std::string FlyIOProvider::appOf(const std::string& instance_id, const std::vector<ExternalResource>& external) const {
  for (const ExternalResource& resource : external) {
    if (resource.kind == "app" && isOurs(resource.id)) return resource.id;
  }
  return appName(config_, swarm_id_, instance_id);
}

Error FlyIOProvider::noSnapshot(const std::string& snapshot_id) const {
  return Error(ErrorCode::Unprocessable,
               format("Fly has no snapshot {} of this workspace, or has deleted it: each one is kept for a limited "
                      "number of days.",
                      snapshot_id))
      .withField("/snapshot", "no longer exists");
}

awaitable<std::vector<StoredSnapshot>> FlyIOProvider::snapshotsIn(std::string app, const std::vector<Volume>& volumes,
                                                                  std::vector<ExternalResource> external, Deadline deadline) {
  std::vector<std::string> ids;
  // Snapshots of a stray have none of the instance's files.
  auto mounted = std::ranges::find_if(volumes, [](const Volume& volume) { return generationOf(volume) >= 0 && !volume.machineId.empty(); });
  VolumeChoice choice = chooseVolume(volumes, mounted == volumes.end() ? "" : mounted->id, {}, external);
  if (choice.data) ids.push_back(choice.data->id);
  for (const Volume& volume : choice.strays) {
    bool was_its = std::ranges::find(external, ExternalResource{"volume", volume.id}) != external.end();
    if (!choice.data || was_its) ids.push_back(volume.id);
  }
  // Fly keeps the snapshots of a deleted volume (the instance was moved to another host) until they expire.
  for (const ExternalResource& resource : external) {
    if (resource.kind == "volume" && !holds(volumes, resource.id)) ids.push_back(resource.id);
  }
  std::vector<StoredSnapshot> found;
  for (const std::string& id : ids) {
    std::vector<StoredSnapshot> of_volume = co_await client_.listSnapshots(app, id, deadline);
    std::copy_if(of_volume.begin(), of_volume.end(), std::back_inserter(found), isComplete);
  }
  std::sort(found.begin(), found.end(), [](const StoredSnapshot& a, const StoredSnapshot& b) { return a.createdAt > b.createdAt; });
  co_return found;
}

awaitable<std::vector<VolumeSnapshot>> FlyIOProvider::listSnapshots(std::string instance_id, std::vector<ExternalResource> external,
                                                                    Deadline deadline) {
  std::string app = appOf(instance_id, external);
  std::vector<Volume> volumes = co_await client_.listVolumes(app, deadline);
  std::vector<StoredSnapshot> stored = co_await snapshotsIn(app, volumes, std::move(external), deadline);
  std::vector<VolumeSnapshot> all;
  for (const StoredSnapshot& one : stored) {
    SystemTime expires = one.retentionDays > 0 ? one.createdAt + std::chrono::days(one.retentionDays) : SystemTime{};
    all.push_back({one.id, one.createdAt, expires, one.sizeBytes});
  }
  co_return all;
}

awaitable<Machine> FlyIOProvider::makeReader(const InstancePlan& plan, const SnapshotReader& reader, Progress& progress,
                                             Deadline deadline) {
  Berth berth;
  berth.app = plan.app;
  berth.instanceId = plan.instanceId;
  berth.config = plan.config;
  berth.guest = plan.guest;
  berth.regions = plan.regions;
  berth.snapshotId = reader.snapshotId;
  std::vector<Volume> volumes = co_await volumesIn(plan.app, deadline);
  const Volume* made_before = nullptr;
  for (const Volume& volume : volumes) {
    berth.knownVolumes.insert(volume.id);
    if (volume.name == readerVolume(plan.instanceId)) made_before = &volume;
    if (isReader(volume)) continue;
    berth.volumeGb = std::max(berth.volumeGb, volume.sizeGb);
    std::erase(berth.regions, volume.region);  // the snapshot's region first
    berth.regions.insert(berth.regions.begin(), volume.region);
  }
  if (!made_before) {
    std::vector<StoredSnapshot> stored = co_await snapshotsIn(plan.app, volumes, reader.external, deadline);
    auto meant = std::find_if(stored.begin(), stored.end(), [&](const StoredSnapshot& one) { return one.id == reader.snapshotId; });
    if (meant == stored.end()) throw noSnapshot(reader.snapshotId);
    berth.volumeGb = std::max({berth.volumeGb, (meant->volumeBytes + kBytesPerGb - 1) / kBytesPerGb, std::int64_t{1}});
  }
  if (!plan.agentFile.empty()) {
    progress.step(Step::WriteSecrets);
    faultPoint("flyio.reader.secrets.before");
    json::object values{{readerSecret(plan.instanceId), toBase64(plan.agentFile.reveal())}};
    berth.secretsVersion = co_await client_.setSecrets(plan.app, std::move(values), deadline);
    faultPoint("flyio.reader.secrets.after");
  }
  co_await ensureAddresses(plan, false, deadline);
  if (!made_before) co_return co_await placeAnywhere(berth, progress, deadline);
  co_await progress.recorded({"volume", made_before->id});
  co_await waitUntilWhole(plan.app, made_before->id, deadline);
  progress.step(Step::CreateMachine);
  Attempt<Machine> attempt = co_await makeMachine(berth, made_before->region, made_before->id, deadline);
  if (!attempt.made) {  // it is a copy: the next attempt creates another one, on another host
    co_await dropVolume(plan.app, made_before->id, deadline);
    throw *attempt.error;
  }
  co_await progress.recorded({"machine", attempt.made->id});
  co_return std::move(*attempt.made);
}

awaitable<ProviderInstance> FlyIOProvider::openSnapshot(SnapshotReader reader, Progress& progress, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(reader.instanceId, deadline);
  std::string app = appOf(reader.of.instanceId, reader.external);
  // Its image is the instance's, so its agent takes the same credential.
  auto instance = co_await machineIn(app, reader.of.instanceId, deadline);
  InstancePlan plan = planReader(reader, config_, swarm_id_, instance ? credentialOf(*instance) : AgentCredential::PublicKey);
  plan.app = std::move(app);
  absent_.erase(plan.instanceId);
  // Before anything is created, so that it is found after a crash.
  co_await progress.recorded({std::string(kReaderKind), plan.app});
  auto machine = co_await machineIn(plan.app, plan.instanceId, deadline);
  if (machine) {
    co_await progress.recorded({"machine", machine->id});
    if (std::string volume = machine->volumeId(); !volume.empty()) co_await progress.recorded({"volume", volume});
  } else {
    if (plan.regions.empty()) co_await chooseRegions(plan, deadline);
    machine = co_await makeReader(plan, reader, progress, deadline);
  }
  progress.step(Step::StartMachine);
  Machine started = co_await startMachine(std::move(*machine), progress, deadline);
  co_return toInstance(started, config_);
}

awaitable<std::string> FlyIOProvider::appOfReader(std::string id, const std::vector<ExternalResource>& external, Deadline deadline) {
  for (const ExternalResource& resource : external) {
    if (resource.kind == kReaderKind && isOurs(resource.id)) co_return resource.id;
  }
  if (auto known = places_.find(id); known != places_.end()) co_return known->second.isReader ? known->second.app : "";
  if (!external.empty()) co_return "";  // the ids of an instance
  auto machine = co_await findMachine(id, deadline);
  co_return machine&& isReader(*machine) ? machine->app : "";
}

awaitable<void> FlyIOProvider::closeReader(std::string app, std::string id, std::vector<ExternalResource> external, Progress& progress,
                                           Deadline deadline) {
  if (co_await isAppGone(app, true, deadline)) co_return;
  progress.step(Step::DestroyMachine);
  std::vector<Machine> machines = co_await machinesIn(app, deadline);
  std::vector<Volume> volumes = co_await volumesIn(app, deadline);
  for (const ExternalResource& resource : external) {  // what the list lacks is looked up by its id
    if (resource.kind == "machine" && !holds(machines, resource.id)) {
      auto machine = co_await client_.findMachine(app, resource.id, deadline);
      if (machine && !machine->isGone()) machines.push_back(std::move(*machine));
    }
    if (resource.kind == "volume" && !holds(volumes, resource.id)) {
      auto volume = co_await client_.findVolume(app, resource.id, deadline);
      if (volume) volumes.push_back(std::move(*volume));
    }
  }
  for (const Machine& machine : machines) {
    if (isOf(machine, id)) co_await destroyMachine(machine, deadline);
  }
  progress.step(Step::DeleteVolume);
  for (const Volume& volume : volumes) {
    if (volume.name == readerVolume(id)) co_await dropVolume(app, volume.id, deadline);
  }
  // One 404 proves nothing, and the app stays: a listed volume exists.
  volumes = co_await client_.listVolumes(app, deadline);
  for (const Volume& volume : volumes) {
    if (volume.name == readerVolume(id))
      throw Error(ErrorCode::Unavailable, format("Fly still has the volume {} after its deletion. Try again.", volume.id));
  }
  co_await client_.setSecrets(app, {{readerSecret(id), nullptr}}, deadline);
}

}  // namespace swarm::flyio
