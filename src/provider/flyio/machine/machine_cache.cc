#include "provider/flyio/machine/machine_cache.h"

#include <algorithm>

#include "provider/flyio/spec/fly_names.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

/// How long the absence of an instance is remembered: long enough for a series of queries about it.
constexpr std::chrono::seconds kAbsence{2};

}  // namespace

void MachineCache::remember(const Machine& machine) {
  PlaceId place = placeOf(machine);
  if (place.empty() || machine.isGone()) return;
  absent_.erase(place);
  if (places_.empty() && on_first_) on_first_();
  places_[place] = {machine.app,
                    machine.id,
                    machine.state,
                    machine.metadata(kMetaStorage),
                    machine.updatedAt,
                    std::chrono::steady_clock::now(),
                    toInstance(machine, config_),
                    isReader(machine)};
}

const MachineCache::Entry* MachineCache::find(const PlaceId& place_id) const {
  auto found = places_.find(place_id);
  return found == places_.end() ? nullptr : &found->second;
}

const MachineCache::Entry* MachineCache::findByMachine(const std::string& machine_id) const {
  auto found = std::ranges::find_if(places_, [&](const auto& place) { return place.second.machineId == machine_id; });
  return found == places_.end() ? nullptr : &found->second;
}

bool MachineCache::isAbsent(const PlaceId& place_id) {
  SteadyTime now = std::chrono::steady_clock::now();
  std::erase_if(absent_, [now](const auto& entry) { return now - entry.second > kAbsence; });
  return absent_.contains(place_id);
}

bool MachineCache::wasJustCreated(const std::string& machine_id, std::chrono::milliseconds within) const {
  auto created = created_.find(machine_id);
  return created != created_.end() && std::chrono::steady_clock::now() - created->second < within;
}

void MachineCache::forgetDestroyedBefore(SteadyTime time) {
  std::erase_if(destroyed_, [time](const auto& entry) { return entry.second < time; });
}

}  // namespace swarm::flyio
