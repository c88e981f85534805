// createInstance: app, secrets, addresses, volume, Machine, in this order. Every step can be repeated: it finds and uses what exists.
#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/volume/app_volumes.h"
#include "provider/flyio/volume/stored_volume.h"

namespace swarm::flyio {

awaitable<void> FlyIOProvider::chooseRegions(InstancePlan& plan, Deadline deadline) {
  RegionList known = co_await knownRegions(deadline);
  if (plan.regions.empty() && !known.nearest.empty()) plan.regions = {known.nearest};
  if (plan.regions.empty()) {
    throw Error(ErrorCode::Unprocessable, "No region is known for the Machine: set regions or defaultRegion of [flyio].")
        .withField("/network/flyio/regions", "is needed");
  }
  for (std::size_t i = 0; i < plan.regions.size() && !known.regions.empty(); ++i) {
    const std::string& code = plan.regions[i];
    auto row = std::find_if(known.regions.begin(), known.regions.end(), [&](const Region& region) { return region.code == code; });
    if (row != known.regions.end() && !row->deprecated) continue;
    throw Error(ErrorCode::Unprocessable, format("Fly has no region \"{}\" for new Machines.", code))
        .withField(format("/network/flyio/regions/{}", i), "is not a region of Fly");
  }
}

awaitable<bool> FlyIOProvider::ensureApp(std::string app, Deadline deadline) {
  const std::string doing = format("create the app {}", app);
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  for (;;) {
    // The name is unique, so a repeat cannot create a second app. Each app is its own network: instances cannot reach each other.
    FlyCall call{.action = Action::CreateApp,
                 .id = app,
                 .method = "POST",
                 .target = "/v1/apps",
                 .doing = doing,
                 .body = json::object{{"name", app}, {"org_slug", client_.organization()}, {"network", app}}};
    faultPoint("flyio.create.app.before");
    FlyReply reply = co_await client_.send(std::move(call), deadline);
    faultPoint("flyio.create.app.after");
    if (reply.ok()) co_return true;
    if (!isNameTaken(reply.fault()) && !reply.isFateOpen()) throw client_.failure(reply, doing);
    if (co_await client_.findApp(app, deadline)) co_return false;
    // Taken, but not found: it was just deleted, or is not known everywhere yet (§12, pitfalls 4 and 11).
    if (std::chrono::steady_clock::now() >= patient_until) {
      if (reply.isFateOpen()) throw client_.failure(reply, doing);
      throw Error(ErrorCode::Unavailable, format("The app name {} is still taken by an app that was deleted. Try again in a minute.", app));
    }
    co_await client_.pause(client_.jittered(delay), deadline, format("Timed out creating the app {}.", app));
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::assignAddress(std::string app, std::string type, Deadline deadline) {
  const std::string doing = format("assign a {} address", type);
  FlyCall call{.action = Action::AssignIp,
               .id = app,
               .method = "POST",
               .target = format("/v1/apps/{}/ip_assignments", app),
               .doing = doing,
               .body = json::object{{"type", type}},
               .repeat = Repeat::Never};
  call.patienceForNew = client_.tuning().lookFor;
  faultPoint("flyio.create.address.before");
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  faultPoint("flyio.create.address.after");
  if (reply.ok() && reply.json().is_object()) co_return;
  if (!reply.isFateOpen() && reply.status != 409 && reply.status != 422) throw client_.failure(reply, doing);
  // The list shows whether it was assigned.
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    std::vector<IpAddress> addresses = co_await client_.listIps(app, deadline);
    for (const IpAddress& address : addresses) {
      bool is_it = type == "shared_v4"    ? address.shared
                   : type == "private_v6" ? address.isPrivate()
                                          : address.isV6() && !address.isPrivate();
      if (is_it) co_return;
    }
    if (!reply.isFateOpen() || std::chrono::steady_clock::now() >= patient_until) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out assigning the app's addresses.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::ensureAddresses(const InstancePlan& plan, bool is_new, Deadline deadline) {
  std::vector<IpAddress> present;
  if (!is_new) present = co_await client_.listIps(plan.app, deadline);
  auto has = [&](auto&& test) { return std::any_of(present.begin(), present.end(), test); };
  if (plan.privateOnly) {
    if (!has([](const IpAddress& ip) { return ip.isPrivate(); })) co_await assignAddress(plan.app, "private_v6", deadline);
    co_return;
  }
  if (!has([](const IpAddress& ip) { return ip.shared; })) co_await assignAddress(plan.app, "shared_v4", deadline);
  if (plan.ipv6 && !has([](const IpAddress& ip) { return ip.isV6() && !ip.isPrivate(); })) co_await assignAddress(plan.app, "v6", deadline);
}

awaitable<std::int64_t> FlyIOProvider::writeSecrets(const InstancePlan& plan, Deadline deadline) {
  json::object values;
  if (!plan.agentFile.empty()) values[kAgentSecret] = toBase64(plan.agentFile.reveal());
  // Volumes have no metadata: the record says what is on one after its Machine was destroyed.
  StorageRecord record{plan.storage, plan.volumeId, plan.copyName};
  if (!plan.storage.empty()) values[kStorageSecret] = writeRecord(record);
  if (auto known = records_.find(plan.app); known != records_.end()) known->second = record;
  if (values.empty()) co_return 0;
  faultPoint("flyio.create.secrets.before");
  std::int64_t version = co_await client_.setSecrets(plan.app, std::move(values), deadline);
  faultPoint("flyio.create.secrets.after");
  co_return version;
}

/// Names are free in the instance's own app, and the place that it replaces has them. A kept volume of the name elsewhere could not be
/// distinguished from the new one later.
void FlyIOProvider::checkNamesFree(const InstancePlan& plan, const std::vector<Stored>& all) const {
  for (const Stored& stored : all) {
    bool is_requested =
        std::find(plan.requestedVolumes.begin(), plan.requestedVolumes.end(), stored.entry.name) != plan.requestedVolumes.end();
    if (!is_requested || stored.app == plan.app || !stored.usedBy.empty()) continue;
    throw Error(ErrorCode::Conflict, format("A volume {} of a deleted workspace already exists. Delete it first (swarm volumes delete "
                                            "{}).",
                                            stored.entry.name, stored.entry.name))
        .withField("/storage", "a volume of this name already exists");
  }
}

/// Existing volumes that are requested by name: the instance is created where they are.
awaitable<void> FlyIOProvider::takeOverVolumes(InstancePlan& plan, Deadline deadline) {
  if (plan.requestedVolumes.empty()) co_return;
  std::vector<Stored> all = co_await storedVolumes(deadline);
  if (plan.newVolumes) co_return checkNamesFree(plan, all);
  std::string app;
  for (const std::string& name : plan.requestedVolumes) {
    for (const Stored& stored : all) {
      if (stored.entry.name != name || stored.isStray) continue;
      if (stored.entry.owner != plan.owner) {
        throw Error(ErrorCode::Unprocessable, format("The volume {} belongs to another user. Choose another volumeName.", name))
            .withField("/storage", "a volume belongs to another user");
      }
      if (!stored.usedBy.empty() && stored.usedBy != plan.instanceId) {
        throw Error(
            ErrorCode::Conflict,
            format("The volume {} is in use, and on Fly only one Machine at a time can use it. Delete the workspace that uses it first.",
                   name));
      }
      if (!app.empty() && app != stored.app) {
        throw Error(ErrorCode::Unprocessable, "The requested volumes are on two of Fly's volumes, and a Machine can mount only one.")
            .withField("/storage", "cannot be mounted together on Fly");
      }
      if (stored.trouble) throw *stored.trouble;
      app = stored.app;
    }
  }
  if (app.empty()) co_return;
  plan.app = app;
  std::vector<StorageEntry> present;
  for (const Stored& stored : all) {
    if (stored.app == app && !stored.isStray) present.push_back(stored.entry);
  }
  addToRecord(plan, present);
}

awaitable<std::optional<std::vector<LostVolume>>> FlyIOProvider::findLostVolumes(InstanceSpec spec, Deadline deadline) {
  InstancePlan plan = planInstance(spec, config_, swarm_id_);
  std::vector<LostVolume> lost;
  std::string used = usedVolume(spec.known);
  if (used.empty() || plan.storage.empty()) co_return lost;
  std::string app = appOf(spec.instanceId, spec.known);
  VolumeChoice choice;
  if (co_await client_.findApp(app, deadline)) choice = (co_await appVolumes(app, "", spec.known, deadline)).choice;
  bool is_gone = !choice.data && (!choice.missing.empty() || choice.strays.empty());
  if (is_gone) lost.push_back({choice.missing.empty() ? used : choice.missing, plan.storage.front().mountPath});
  co_return lost;
}

/// An empty volume in place of one with files would hide their loss.
awaitable<void> FlyIOProvider::requireKnownVolumes(const InstanceSpec& spec, Deadline deadline) {
  if (spec.emptyVolumes || spec.newVolumes || usedVolume(spec.known).empty()) co_return;
  auto lost = co_await findLostVolumes(spec, deadline);
  if (!lost || lost->empty()) co_return;
  throw Error(ErrorCode::Conflict,
              format("The volume {}, which had the files of {}, no longer exists on Fly. No empty one was created in its place.",
                     lost->front().name, lost->front().mountPath))
      .withInstance(spec.instanceId);
}

awaitable<ProviderInstance> FlyIOProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  InstancePlan plan = planInstance(spec, config_, swarm_id_);
  async::KeyedLock::Guard guard = co_await locks_.acquire(plan.instanceId, deadline);
  absent_.erase(plan.instanceId);
  co_await chooseRegions(plan, deadline);
  // Concurrent requests for the same volume wait until its user is known.
  std::vector<async::KeyedLock::Guard> volume_guards;
  std::sort(plan.requestedVolumes.begin(), plan.requestedVolumes.end());
  for (const std::string& name : plan.requestedVolumes) volume_guards.push_back(co_await locks_.acquire("volume " + name, deadline));
  co_await takeOverVolumes(plan, deadline);
  co_await requireKnownVolumes(spec, deadline);
  progress.step(Step::CreateApp);
  bool is_new = co_await ensureApp(plan.app, deadline);
  co_await progress.recorded({"app", plan.app});
  std::optional<Machine> machine;
  if (!is_new) machine = co_await machineIn(plan.app, plan.instanceId, deadline);
  if (machine) {
    co_await progress.recorded({"machine", machine->id});
    if (std::string volume = machine->volumeId(); !volume.empty()) co_await progress.recorded({"volume", volume});
  } else {
    AppVolumes present;
    if (!is_new && plan.volumeGb > 0) present = co_await appVolumes(plan.app, "", spec.known, deadline);
    if (spec.emptyVolumes) present.choice.missing.clear();
    if (auto trouble = ambiguityOf(present.choice, plan.app); trouble && !spec.emptyVolumes) throw *trouble;
    if (present.choice.data) plan.volumeId = present.choice.data->id;
    plan.copyName = present.record.copyName;
    // The first call after the app's creation waits until the app is known everywhere: secrets have a rate limit to spare.
    progress.step(Step::WriteSecrets);
    std::int64_t secrets = co_await writeSecrets(plan, deadline);
    progress.step(Step::AssignAddresses);
    co_await ensureAddresses(plan, is_new, deadline);
    machine = co_await placeMachine(plan, std::move(present), secrets, progress, deadline);
    records_.erase(plan.app);
    if (is_new) tidy_.insert(plan.instanceId);
  }
  progress.step(Step::StartMachine);
  Machine started = co_await startMachine(std::move(*machine), progress, deadline);
  if (!tidy_.contains(plan.instanceId)) co_await tidyUp(started, deadline);
  co_return toInstance(started, config_);
}

}  // namespace swarm::flyio
