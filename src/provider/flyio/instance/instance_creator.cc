// The steps of a create.
#include <algorithm>

#include "base/text/format.h"
#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

/// Names are free in the instance's own app, and the place that it replaces has them. A kept volume of the name elsewhere could not be
/// distinguished from the new one later.
void requireNamesFree(const InstancePlan& plan, const std::vector<StoredVolume>& all) {
  for (const StoredVolume& stored : all) {
    bool is_requested = std::ranges::count(plan.requestedVolumes, stored.entry.name) > 0;
    if (!is_requested || stored.app == plan.app || !stored.usedBy.empty()) continue;
    throw Error(ErrorCode::Conflict, format("A volume {} of a deleted workspace already exists. Delete it first (swarm volumes delete {}).",
                                            stored.entry.name, stored.entry.name))
        .withField("/storage", "a volume of this name already exists");
  }
}

void requireUsable(const StoredVolume& stored, const InstancePlan& plan) {
  const std::string& name = stored.entry.name;
  if (plan.volumeOwner({.name = name, .placeId = stored.entry.placeId, .owner = stored.entry.owner}) != plan.owner) {
    throw Error(ErrorCode::Unprocessable, format("The volume {} belongs to another user. Choose another volumeName.", name))
        .withField("/storage", "a volume belongs to another user");
  }
  if (!stored.usedBy.empty() && stored.usedBy != plan.placeId) {
    throw Error(
        ErrorCode::Conflict,
        format("The volume {} is in use, and on Fly only one Machine at a time can use it. Delete the workspace that uses it first.",
               name));
  }
}

/// Existing volumes that are requested by name: the instance is created where they are.
awaitable<void> useExistingVolumes(FlyParts& parts, InstancePlan& plan, Deadline deadline) {
  if (plan.requestedVolumes.empty()) co_return;
  std::vector<StoredVolume> all = co_await listStoredVolumes(parts, deadline);
  if (plan.newVolumes) co_return requireNamesFree(plan, all);
  std::string app;
  for (const std::string& name : plan.requestedVolumes) {
    for (const StoredVolume& stored : all) {
      if (stored.entry.name != name || stored.isStray) continue;
      requireUsable(stored, plan);
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
  for (const StoredVolume& stored : all) {
    if (stored.app == app && !stored.isStray) present.push_back(stored.entry);
  }
  addToRecord(plan, present);
}

/// An empty volume in place of one with files would hide their loss.
awaitable<void> requireKnownVolumes(FlyParts& parts, const InstanceSpec& spec, Deadline deadline) {
  if (spec.emptyVolumes || spec.newVolumes || usedVolume(spec.known).empty()) co_return;
  std::vector<LostVolume> lost = co_await findLostVolumes(parts, spec, deadline);
  if (lost.empty()) co_return;
  throw Error(ErrorCode::Conflict,
              format("The volume {}, which had the files of {}, no longer exists on Fly. No empty one was created in its place.",
                     lost.front().name, lost.front().mountPath))
      .withInstance(spec.placeId.str());
}

awaitable<Machine> createMachine(FlyParts& parts, const InstanceSpec& spec, InstancePlan plan, AppState state, Progress& progress,
                                 Deadline deadline) {
  AppVolumes present;
  if (state == AppState::Existing && plan.volumeGb > 0) present = co_await parts.volumes.sortedIn(plan.app, "", spec.known, deadline);
  if (spec.emptyVolumes) present.choice.missing.clear();
  if (auto trouble = ambiguityOf(present.choice, plan.app); trouble && !spec.emptyVolumes) throw *trouble;
  if (present.choice.data) plan.volumeId = present.choice.data->id;
  plan.copyName = present.record.copyName;
  // The first call after the app's creation waits until the app is known everywhere: secrets have a rate limit to spare.
  progress.step(Step::WriteSecrets);
  std::int64_t secrets = co_await parts.apps.writeSecrets(plan, deadline);
  progress.step(Step::AssignAddresses);
  co_await parts.apps.ensureAddresses(plan, state, deadline);
  Machine machine = co_await parts.placer.place(plan, std::move(present), secrets, progress, deadline);
  parts.records.forget(plan.app);
  if (state == AppState::New) parts.moves.noteClean(plan.placeId);
  co_return machine;
}

}  // namespace

awaitable<void> completePlan(FlyParts& parts, InstancePlan& plan, Deadline deadline) {
  co_await parts.regions.choose(plan, deadline);
  co_await useExistingVolumes(parts, plan, deadline);
}

awaitable<std::vector<LostVolume>> findLostVolumes(FlyParts& parts, InstanceSpec spec, Deadline deadline) {
  InstancePlan plan = planInstance(spec, parts.swarm.config, parts.swarm.id);
  std::vector<LostVolume> lost;
  std::string used = usedVolume(spec.known);
  if (used.empty() || plan.storage.empty()) co_return lost;
  std::string app = parts.swarm.appOf(spec.placeId, spec.known);
  VolumeChoice choice;
  if (co_await parts.client.findApp(app, deadline)) choice = (co_await parts.volumes.sortedIn(app, "", spec.known, deadline)).choice;
  bool is_gone = !choice.data && (!choice.missing.empty() || choice.strays.empty());
  if (is_gone) lost.push_back({choice.missing.empty() ? used : choice.missing, plan.storage.front().mountPath});
  co_return lost;
}

awaitable<ProviderInstance> createInstance(FlyParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline) {
  InstancePlan plan = planInstance(spec, parts.swarm.config, parts.swarm.id);
  auto guard = co_await parts.locks.acquire(plan.placeId.str(), deadline);
  parts.cache.clearAbsent(plan.placeId);
  co_await parts.regions.choose(plan, deadline);
  // Concurrent requests for the same volume wait until its user is known.
  std::vector<async::KeyedLock::Guard> volume_guards;
  std::ranges::sort(plan.requestedVolumes);
  for (const std::string& name : plan.requestedVolumes) volume_guards.push_back(co_await parts.locks.acquire(lockOfVolume(name), deadline));
  co_await useExistingVolumes(parts, plan, deadline);
  co_await requireKnownVolumes(parts, spec, deadline);
  progress.step(Step::CreateApp);
  AppState state = co_await parts.apps.ensure(plan.app, deadline);
  co_await progress.recorded({ResourceKind::app, plan.app});
  std::optional<Machine> machine;
  if (state == AppState::Existing) machine = co_await parts.machines.findIn(plan.app, plan.placeId, deadline);
  if (machine) {
    co_await recordFound(*machine, progress);
  } else {
    machine = co_await createMachine(parts, spec, plan, state, progress, deadline);
  }
  progress.step(Step::StartMachine);
  Machine started = co_await parts.moves.start(std::move(*machine), progress, deadline);
  co_await parts.moves.cleanUp(started, deadline);
  co_return toInstance(started, parts.swarm.config);
}

}  // namespace swarm::flyio
