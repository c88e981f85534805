// Finds an instance's Machine and volumes, and remembers them.
#include "base/text/format.h"
#include "provider/flyio/flyio_provider.h"
#include "provider/flyio/volume/app_volumes.h"

namespace swarm::flyio {
namespace {

/// How long the absence of an instance is remembered: long enough for a series of queries about it.
constexpr std::chrono::seconds kAbsence{2};

Error contradiction(std::string_view what, const std::string& app) {
  return Error(ErrorCode::Unavailable,
               format("Fly's responses about the app {} contradict each other: it has {}, but lists none. Nothing was changed. Try again.",
                      app, what));
}

}  // namespace

bool FlyIOProvider::isOurs(const Machine& machine) const { return isOurs(machine.app) && machine.metadata(kMetaSwarm) == swarm_id_; }

awaitable<std::vector<Machine>> FlyIOProvider::machinesIn(std::string app, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  for (;;) {
    std::vector<Machine> found = co_await client_.listMachines(app, false, deadline);
    std::erase_if(found, [](const Machine& machine) { return machine.isGone(); });
    if (!found.empty()) co_return found;
    // Lists may be wrongly empty (§12, pitfall 3): nothing is created or deleted because of an empty list.
    auto known = co_await client_.findApp(app, deadline);
    if (!known || known->machineCount == 0) co_return found;
    // The count may include destroyed Machines.
    std::vector<Machine> all = co_await client_.listMachines(app, true, deadline);
    bool all_gone = !all.empty() && std::all_of(all.begin(), all.end(), [](const Machine& machine) { return machine.isGone(); });
    if (all_gone) co_return found;
    if (std::chrono::steady_clock::now() >= patient_until) throw contradiction(format("{} Machines", known->machineCount), app);
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out waiting for Fly's lists to agree.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<std::vector<Volume>> FlyIOProvider::volumesIn(std::string app, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  SteadyTime patient_until = std::chrono::steady_clock::now() + client_.tuning().lookFor;
  for (;;) {
    std::vector<Volume> found = co_await client_.listVolumes(app, deadline);
    if (!found.empty()) co_return found;
    auto known = co_await client_.findApp(app, deadline);
    if (!known || known->volumeCount == 0) co_return found;
    if (std::chrono::steady_clock::now() >= patient_until) throw contradiction(format("{} volumes", known->volumeCount), app);
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out waiting for Fly's lists to agree.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<FlyIOProvider::AppVolumes> FlyIOProvider::appVolumes(std::string app, std::string mounted, std::vector<ExternalResource> known,
                                                               Deadline deadline) {
  AppVolumes found;
  found.all = co_await volumesIn(app, deadline);
  found.record = co_await recordOf(app, deadline);
  known.push_back({"volume", mounted});
  known.push_back({"volume", found.record.volumeId});
  for (const ExternalResource& resource : known) {
    bool is_listed = std::ranges::find(found.all, resource.id, &Volume::id) != found.all.end();
    if (resource.kind != "volume" || resource.id.empty() || is_listed) continue;
    auto volume = co_await client_.findVolume(app, resource.id, deadline);
    if (volume) found.all.push_back(std::move(*volume));
  }
  found.choice = chooseVolume(found.all, mounted, found.record, known);
  co_return found;
}

awaitable<std::optional<Machine>> FlyIOProvider::machineIn(std::string app, std::string instance_id, Deadline deadline) {
  std::vector<Machine> all = co_await machinesIn(app, deadline);
  const Machine* best = nullptr;
  for (const Machine& machine : all) {
    if (machine.metadata(kMetaInstance) != instance_id || machine.metadata(kMetaSwarm) != swarm_id_) continue;
    // During a move to another host there are two; the newer one is created after the older one has stopped for good.
    if (!best || generationOf(machine) > generationOf(*best)) best = &machine;
  }
  if (!best) co_return std::nullopt;
  remember(*best);
  co_return *best;
}

awaitable<std::optional<Machine>> FlyIOProvider::findMachine(std::string instance_id, Deadline deadline) {
  if (auto known = places_.find(instance_id); known != places_.end()) {
    Machine place;
    place.app = known->second.app;
    place.id = known->second.machineId;
    Machine machine = co_await readAgain(std::move(place), deadline);
    if (!machine.isGone()) co_return machine;
    forget(instance_id);
  }
  SteadyTime now = std::chrono::steady_clock::now();
  std::erase_if(absent_, [now](const auto& entry) { return now - entry.second > kAbsence; });
  if (absent_.contains(instance_id)) co_return std::nullopt;
  auto machine = co_await machineIn(appName(config_, swarm_id_, instance_id), instance_id, deadline);
  if (machine) co_return machine;
  // An instance that uses a kept volume is in that volume's app.
  OrgMachines all = co_await readOrganization({}, deadline);
  for (const Machine& listed : all.machines) {
    if (listed.metadata(kMetaInstance) != instance_id || destroyed_.contains(listed.id)) continue;
    machine = co_await client_.findMachine(listed.app, listed.id, deadline);
    if (!machine || machine->isGone()) continue;
    remember(*machine);
    co_return machine;
  }
  if (!all.complete) throw Error(ErrorCode::Unavailable, "Fly could not list the Machines of all regions.").withInstance(instance_id);
  absent_[instance_id] = now;
  co_return std::nullopt;
}

awaitable<Machine> FlyIOProvider::requireMachine(std::string instance_id, Deadline deadline) {
  auto machine = co_await findMachine(instance_id, deadline);
  if (!machine) throw Error(ErrorCode::NotFound, format("Fly has no Machine of the instance {}.", instance_id)).withInstance(instance_id);
  co_return std::move(*machine);
}

awaitable<Machine> FlyIOProvider::readAgain(Machine machine, Deadline deadline) {
  // A new Machine may not be known everywhere yet (§12, pitfall 4).
  auto made = made_.find(machine.id);
  bool is_new = made != made_.end() && std::chrono::steady_clock::now() - made->second < client_.tuning().lookFor;
  auto now = co_await client_.findMachine(machine.app, machine.id, deadline, is_new);
  if (!now && !destroyed_.contains(machine.id)) {
    // It counts as absent only when the app's list lacks it, too.
    std::vector<Machine> all = co_await client_.listMachines(machine.app, false, deadline);
    for (Machine& listed : all) {
      if (listed.id == machine.id) now = std::move(listed);
    }
  }
  made_.erase(machine.id);
  if (!now || now->isGone()) {
    machine.state = "destroyed";
    co_return machine;
  }
  remember(*now);
  co_return std::move(*now);
}

void FlyIOProvider::remember(const Machine& machine) {
  std::string instance = machine.metadata(kMetaInstance);
  if (instance.empty() || machine.isGone()) return;
  absent_.erase(instance);
  if (places_.empty() && resting_) resting_->cancel();  // there is something to observe now
  places_[instance] = {machine.app,
                       machine.id,
                       machine.state,
                       machine.metadata(kMetaStorage),
                       machine.updatedAt,
                       std::chrono::steady_clock::now(),
                       toInstance(machine, config_),
                       isReader(machine)};
}

}  // namespace swarm::flyio
