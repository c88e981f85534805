// listInstances from the organization's list: one request for a thousand Machines. This server's own recent calls take precedence over a
// list that may not include them yet.
#include <set>

#include "provider/flyio/fly_parts.h"
#include "provider/flyio/spec/fly_names.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

/// The organization's list is eventually consistent; after this time it is up to date.
constexpr std::chrono::seconds kListLag{60};
/// A list does not say how a stopped Machine ended: this many of them are read for one list, the others for the next.
constexpr int kMaxReads = 32;

/// What the cache has, if it is newer than the list.
const ProviderInstance* findNewer(const MachineCache& cache, const Machine& listed) {
  const MachineCache::Entry* known = cache.find(placeOf(listed));
  if (!known || known->machineId != listed.id) return nullptr;
  bool is_same = known->updatedAt >= listed.updatedAt && known->state == listed.state;
  bool is_recent = known->updatedAt == listed.updatedAt && std::chrono::steady_clock::now() - known->learnt < kListLag;
  return is_same || is_recent || known->updatedAt > listed.updatedAt ? &known->details : nullptr;
}

/// One entry of the list as an instance; a stopped Machine is read, unless that was done since it changed.
awaitable<ProviderInstance> describe(FlyParts& parts, const Machine& listed, int& reads_left, Deadline deadline) {
  bool is_host_dead = parts.watch.isHostDead(listed.id) && reads_left > 0;  // the list does not report it
  if (!is_host_dead) {
    if (const ProviderInstance* newer = findNewer(parts.cache, listed)) co_return *newer;
    if (listed.state != MachineState::stopped || reads_left <= 0) co_return toInstance(listed, parts.swarm.config);
  }
  --reads_left;
  co_return toInstance(co_await parts.machines.readAgain(listed, deadline), parts.swarm.config);
}

}  // namespace

awaitable<InstanceList> listInstances(FlyParts& parts, InstanceFilter filter, Deadline deadline) {
  std::shared_ptr<const OrganizationMachines> all = co_await parts.organization.readAllMachines(deadline);
  InstanceList list;
  list.complete = all->complete;
  SteadyTime now = std::chrono::steady_clock::now();
  parts.cache.forgetDestroyedBefore(now - kListLag * 10);
  std::set<PlaceId> listed;
  int reads_left = kMaxReads;
  for (const Machine& machine : all->machines) {
    if (machine.isGone() || parts.cache.wasDestroyed(machine.id)) continue;
    ProviderInstance instance = co_await describe(parts, machine, reads_left, deadline);
    if (!listed.insert(instance.placeId).second || instance.status == InstanceStatus::deleting) continue;
    if (filter.admits(instance)) list.instances.push_back(std::move(instance));
  }
  for (const auto& [id, place] : parts.cache.places()) {
    bool unknown_yet = !listed.contains(id) && now - place.learnt < kListLag;
    bool exists = place.details.status != InstanceStatus::deleting;
    if (unknown_yet && exists && filter.admits(place.details)) list.instances.push_back(place.details);
  }
  co_return list;
}

}  // namespace swarm::flyio
