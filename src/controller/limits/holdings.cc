#include "controller/limits/holdings.h"

#include <cmath>

namespace swarm::control {
namespace {

std::vector<std::string> regionsOf(const std::string& region) { return region.empty() ? std::vector<std::string>() : std::vector{region}; }

/// A failed create removed what it had made.
bool holdsVolumes(const Entry& entry) {
  const bool has_volumes = std::ranges::any_of(entry.record.external, [](const auto& one) { return one.kind == ResourceKind::volume; });
  return entry.record.instance.status != InstanceStatus::failed || has_volumes;
}

}  // namespace

Amounts amountsOf(const ResourceConfig& resources, const std::vector<StorageConfig>& storage, Runs runs) {
  Amounts amounts;
  for (const StorageConfig& one : storage) amounts.storage += one.size;
  // The disk of all storages together; one that was not given does not enlarge it.
  if (const std::int64_t disk = resources.storage.size; disk != ResourceConfig{}.storage.size)
    amounts.storage = std::max(amounts.storage, disk);
  if (runs == Runs::No) return amounts;
  amounts.milliCpu = resources.cpu.limit > 0 ? resources.cpu.limit : std::llround(resources.cpu.cores * 1000);
  amounts.memory = resources.memory.max;
  return amounts;
}

Claim claimOf(const Entry& entry) {
  const Instance& instance = entry.record.instance;
  Claim claim{.provider = instance.provider, .regions = regionsOf(instance.region), .owners = {instance.owner}};
  claim.owned = amountsOf(instance.resources, instance.config.storage, entry.occupies ? Runs::Yes : Runs::No);
  claim.owned.instances = 1;
  if (!holdsVolumes(entry)) claim.owned.storage = 0;
  return claim;
}

Claim claimOf(const PlaceRecord& place) {
  Claim claim{.provider = place.provider, .regions = regionsOf(place.region), .owners = {place.owner}};
  const Amounts amounts = amountsOf(place.config.resources, place.config.storage, place.role == PlaceRole::target ? Runs::Yes : Runs::No);
  (place.role == PlaceRole::snapshot ? claim.owned : claim.lent) = amounts;
  return claim;
}

}  // namespace swarm::control
