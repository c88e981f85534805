// Finds capacity for a volume and a Machine: region by region, host by host. A volume with files is never deleted before another has
// them; a volume that this call created and could not use is deleted at once, and no other volume is.
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/machine/berth.h"
#include "provider/flyio/volume/app_volumes.h"

namespace swarm::flyio {
namespace {

/// A volume that is created again in a region is placed on another host.
constexpr int kAttemptsPerRegion = 3;

bool belongsTo(const Machine& machine, const std::string& instance_id) { return machine.metadata(kMetaInstance) == instance_id; }

}  // namespace

/// On the volume with the files, if one exists; on a copy of it when its host has no capacity.
awaitable<Machine> FlyIOProvider::placeMachine(const InstancePlan& plan, AppVolumes present, std::int64_t secrets, Progress& progress,
                                               Deadline deadline) {
  Berth berth;
  berth.app = plan.app;
  berth.instanceId = plan.instanceId;
  berth.config = plan.config;
  berth.guest = plan.guest;
  berth.volumeGb = plan.volumeGb;
  berth.secretsVersion = secrets;
  berth.regions = plan.regions;
  if (present.choice.data) {
    const Volume source = *present.choice.data;
    if (source.isHostUnreachable()) {
      throw Error(ErrorCode::Unavailable, format("The volume {} is on an unreachable host of Fly: it can be mounted, copied and extended "
                                                 "again when the host is back.",
                                                 source.id))
          .withRetryable(false)
          .withInstance(plan.instanceId);
    }
    co_await progress.recorded({"volume", source.id});
    co_await growVolume(source, plan.volumeGb, deadline);
    berth.volumeGb = std::max(berth.volumeGb, source.sizeGb);
    progress.step(Step::CreateMachine);
    Attempt<Machine> attempt = co_await makeMachine(berth, source.region, source.id, deadline);
    if (attempt.made) {
      co_await progress.recorded({"machine", attempt.made->id});
      co_return std::move(*attempt.made);
    }
    log::warning("copied a volume to another host, because its own had no capacity for its Machine",
                 {{"instance", plan.instanceId}, {"volume", source.id}});
    std::erase(berth.regions, source.region);
    if (attempt.shortage != Shortage::Region) berth.regions.insert(berth.regions.begin(), source.region);
    if (berth.regions.empty()) throw *attempt.error;
    berth.source = source;
    present.record.entries = plan.storage;
    co_return co_await placeOnCopy(std::move(berth), std::move(present), progress, deadline);
  }
  for (const Volume& volume : present.all) berth.knownVolumes.insert(volume.id);
  co_return co_await placeAnywhere(berth, progress, deadline);
}

awaitable<Machine> FlyIOProvider::placeAnywhere(const Berth& berth, Progress& progress, Deadline deadline) {
  std::optional<Error> last;
  for (const std::string& region : berth.regions) {
    for (int tries = 0; tries < kAttemptsPerRegion; ++tries) {
      std::string volume_id;
      if (berth.volumeGb > 0) {
        progress.step(Step::CreateVolume);
        Attempt<Volume> volume = co_await makeVolume(berth, region, deadline);
        if (!volume.made) {
          last = volume.error;
          break;
        }
        volume_id = volume.made->id;
        co_await progress.recorded({"volume", volume_id});
        if (!berth.snapshotId.empty()) co_await waitUntilWhole(berth.app, volume_id, deadline);
      }
      progress.step(Step::CreateMachine);
      Attempt<Machine> machine = co_await makeMachine(berth, region, volume_id, deadline);
      if (machine.made) {
        co_await progress.recorded({"machine", machine.made->id});
        co_return std::move(*machine.made);
      }
      last = machine.error;
      if (!volume_id.empty()) co_await dropVolume(berth.app, volume_id, deadline);
      log::info("found no capacity for a Machine", {{"instance", berth.instanceId}, {"region", region}, {"reason", last->message()}});
      if (machine.shortage == Shortage::Region || volume_id.empty()) break;
    }
  }
  if (!last) throw Error(ErrorCode::Internal, "No region was given for the Machine.");
  if (berth.regions.size() < 2) throw *last;
  std::string tried;
  for (const std::string& region : berth.regions) tried += (tried.empty() ? "" : ", ") + region;
  throw Error(ErrorCode::OutOfResources,
              format("No region had capacity for the Machine (tried {}). The last error: {}", tried, last->message()))
      .withUpstream(UpstreamFacts(last->upstream()))
      .withCause(last->cause());
}

awaitable<FlyIOProvider::Attempt<Volume>> FlyIOProvider::makeVolume(const Berth& berth, std::string region, Deadline deadline) {
  bool is_copy = !berth.snapshotId.empty();
  const std::string name = is_copy ? readerVolume(berth.instanceId) : volumeName(berth.volumeGeneration);
  const std::string doing = format("create a volume in {}", region);
  json::object body{{"name", name},
                    {"region", region},
                    {"size_gb", berth.volumeGb},
                    {"encrypted", true},
                    {"require_unique_zone", false},  // true would refuse a second volume of the name on one host
                    {"auto_backup_enabled", !is_copy},
                    {"snapshot_retention", is_copy ? 1 : config_.volumeSnapshotRetentionDays},
                    {"compute", toJson(berth.guest)}};  // a host that has capacity for the Machine, too
  if (berth.source) body["source_volume_id"] = berth.source->id;
  if (is_copy) body["snapshot_id"] = berth.snapshotId;
  FlyCall call{.action = Action::CreateVolume,
               .id = berth.app,
               .method = "POST",
               .target = format("/v1/apps/{}/volumes", berth.app),
               .doing = doing,
               .body = std::move(body),
               .repeat = Repeat::Never};
  if (!is_copy) call.patienceForNew = client_.tuning().lookFor;  // an app with a snapshot is not new
  faultPoint("flyio.create.volume.before");
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  faultPoint("flyio.create.volume.after");
  if (reply.ok()) {
    Volume volume = readVolume(reply.json(), berth.app);
    if (!volume.id.empty()) co_return Attempt<Volume>{std::move(volume), Shortage::None, {}};
  }
  Shortage shortage = shortageOf(reply.fault());
  if (shortage != Shortage::None) co_return Attempt<Volume>{{}, shortage, client_.failure(reply, doing)};
  if (is_copy && reply.isAbsent()) throw noSnapshot(berth.snapshotId);
  if (!reply.isFateOpen()) throw client_.failure(reply, doing);
  // Volume names are not unique: a second request could create a second volume. It appears in the list, or was never created.
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    std::vector<Volume> volumes = co_await client_.listVolumes(berth.app, deadline);
    for (const Volume& volume : volumes) {
      if (volume.name == name && !berth.knownVolumes.contains(volume.id)) co_return Attempt<Volume>{volume, Shortage::None, {}};
    }
    if (std::chrono::steady_clock::now() >= patient_until) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out determining whether the volume was created.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<std::optional<Machine>> FlyIOProvider::lookForMachine(std::string app, std::string name, Deadline deadline) {
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    std::vector<Machine> machines = co_await client_.listMachines(app, false, deadline);
    for (Machine& machine : machines) {
      if (machine.name == name && !machine.isGone()) co_return std::move(machine);
    }
    if (std::chrono::steady_clock::now() >= patient_until) co_return std::nullopt;
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out determining whether the Machine was created.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

/// The Machine of that id, if it belongs to this instance and is not being destroyed.
awaitable<std::optional<Machine>> FlyIOProvider::adoptMachine(const Berth& berth, std::string machine_id, Deadline deadline) {
  if (machine_id.empty()) co_return std::nullopt;
  auto found = co_await client_.findMachine(berth.app, machine_id, deadline);
  bool usable = found && !found->isGone() && found->state != "destroying" && belongsTo(*found, berth.instanceId);
  if (!usable || destroyed_.contains(machine_id)) co_return std::nullopt;
  co_return found;
}

awaitable<FlyIOProvider::Attempt<Machine>> FlyIOProvider::makeMachine(const Berth& berth, std::string region, std::string volume_id,
                                                                      Deadline deadline) {
  const std::string name = machineName(berth.instanceId, berth.machineGeneration);
  const std::string doing = format("create the Machine in {}", region);
  json::object config = withMount(berth.config, volume_id);
  if (berth.source) config = replacing(std::move(config), berth.source->id);
  json::object body{{"name", name}, {"region", region}, {"config", std::move(config)}};
  if (berth.secretsVersion > 0) body["min_secrets_version"] = berth.secretsVersion;
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().boundPatience;
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  int repeats = 0;
  for (;;) {
    FlyCall call{.action = Action::CreateMachine,
                 .id = berth.app,
                 .method = "POST",
                 .target = format("/v1/apps/{}/machines", berth.app),
                 .doing = doing,
                 .body = body,
                 .repeat = Repeat::Never,
                 .timeout = std::chrono::seconds(60)};
    call.patienceForNew = client_.tuning().lookFor;
    faultPoint("flyio.create.machine.before");
    FlyReply reply = co_await client_.send(std::move(call), deadline);
    faultPoint("flyio.create.machine.after");
    if (reply.ok()) {
      Machine machine = readMachine(reply.json(), berth.app);
      if (!machine.id.empty()) {
        made_[machine.id] = std::chrono::steady_clock::now();
        remember(machine);
        co_return Attempt<Machine>{std::move(machine), Shortage::None, {}};
      }
    }
    FlyFault fault = reply.fault();
    Shortage shortage = shortageOf(fault);
    if (shortage != Shortage::None) co_return Attempt<Machine>{{}, shortage, client_.failure(reply, doing)};
    if (reply.isFateOpen()) {
      auto found = co_await lookForMachine(berth.app, name, deadline);
      if (found) co_return Attempt<Machine>{std::move(found), Shortage::None, {}};
      // Its name is unique: if the first one appears after all, a repeat gets a 409 and creates no second.
      if (++repeats == client_.tuning().attempts) throw client_.failure(reply, doing).withCause("no Machine of that name was found");
      continue;
    }
    // The name, or the volume, is taken: by the Machine of an earlier call that no list showed, or by one that is being destroyed.
    bool taken = fault.status == 409 && fault.text.find("unique machine name violation") != std::string::npos;
    if (!taken && !isPassing(fault)) {
      Error error = client_.failure(reply, format("{} from {}", doing, stringAt(json::value(berth.config), "image")));
      throw error;
    }
    auto found = co_await adoptMachine(berth, machineIdIn(fault.text), deadline);
    if (found) co_return Attempt<Machine>{std::move(found), Shortage::None, {}};
    if (std::chrono::steady_clock::now() >= patient_until) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline, format("Timed out creating the Machine: {}.", fault.text));
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::growVolume(Volume volume, std::int64_t size_gb, Deadline deadline) {
  if (size_gb <= volume.sizeGb) co_return;
  FlyCall call{.action = Action::ExtendVolume,
               .id = volume.app,
               .method = "PUT",
               .target = format("/v1/apps/{}/volumes/{}/extend", volume.app, volume.id),
               .doing = format("extend the volume to {} GB", size_gb),
               .body = json::object{{"size_gb", size_gb}}};
  faultPoint("flyio.extend.volume.before");
  co_await client_.call(std::move(call), deadline);
  faultPoint("flyio.extend.volume.after");
}

awaitable<void> FlyIOProvider::dropVolume(std::string app, std::string volume_id, Deadline deadline) {
  const std::string doing = format("delete the volume {}", volume_id);
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().boundPatience;
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    FlyCall call{.action = Action::DeleteVolume,
                 .id = app,
                 .method = "DELETE",
                 .target = format("/v1/apps/{}/volumes/{}", app, volume_id),
                 .doing = doing};
    faultPoint("flyio.delete.volume.before");
    FlyReply reply = co_await client_.send(std::move(call), deadline);
    faultPoint("flyio.delete.volume.after");
    if (reply.ok() || reply.isAbsent()) co_return;
    // It stays attached for seconds after its Machine was destroyed (E25).
    bool waits = isPassing(reply.fault()) && std::chrono::steady_clock::now() < patient_until;
    if (!waits) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline,
                           format("Timed out deleting the volume {}, which was still attached to a Machine.", volume_id));
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

}  // namespace swarm::flyio
