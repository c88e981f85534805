// Registry: look-ups, names, places.
#include "controller/state/registry.h"

#include "base/not_found.h"
#include "controller/limits/holdings.h"

namespace swarm::control {

EntryPtr Registry::find(const InstanceId& id) const {
  auto found = instances_.find(id);
  return found == instances_.end() ? nullptr : found->second;
}

EntryPtr Registry::find(std::string_view ref) const {
  if (EntryPtr entry = find(InstanceId(std::string(ref)))) return entry;
  auto by_name = names_.find(ref);
  return by_name == names_.end() ? nullptr : find(by_name->second);
}

EntryPtr Registry::require(const std::string& ref) const {
  EntryPtr entry = find(ref);
  if (!entry) throw noSuchWorkspace(ref).withInstance(ref);
  return entry;
}

EntryPtr Registry::findByPlace(const PlaceId& place) const {
  auto found = place_owners_.find(place);
  return found == place_owners_.end() ? nullptr : find(found->second);
}

void Registry::add(const EntryPtr& entry) {
  names_[entry->record.instance.config.name] = entry->id();
  instances_[entry->id()] = entry;
  place_owners_[entry->placeId()] = entry->id();
  recount(*entry);
}

void Registry::remove(const EntryPtr& entry) {
  unreserve(entry->record.instance.config.name, entry->id());
  instances_.erase(entry->id());
  place_owners_.erase(entry->placeId());
  ledger_->removeFact(entry->placeId());
}

void Registry::recount(const Entry& entry) {
  if (instances_.contains(entry.id())) ledger_->setFact(entry.placeId(), claimOf(entry));
}

void Registry::unreserve(const std::string& name, const InstanceId& id) {
  auto found = names_.find(name);
  if (found != names_.end() && found->second == id) names_.erase(found);
}

const NameHold* Registry::holdOf(std::string_view name) const {
  const auto found = holds_.find(name);
  return found == holds_.end() || found->second.until <= clock_.now() ? nullptr : &found->second;
}

PlaceRecord* Registry::findPlace(const PlaceId& id) {
  auto found = places_.find(id);
  return found == places_.end() ? nullptr : &found->second;
}

void Registry::putPlace(PlaceRecord place) {
  ledger_->setFact(place.id, claimOf(place));
  places_.insert_or_assign(place.id, std::move(place));
}

void Registry::removePlace(const PlaceId& id) {
  places_.erase(id);
  ledger_->removeFact(id);
}

void Registry::placeChanged(const Entry& entry, const PlaceId& former) {
  place_owners_.erase(former);
  place_owners_[entry.placeId()] = entry.id();
  recount(entry);
}

void Registry::handOver(Entry& entry, const std::string& owner) {
  entry.instance().owner = owner;
  entry.ports = nullptr;
  recount(entry);
  for (auto& [id, place] : places_) {
    if (place.instanceId != entry.id()) continue;
    place.owner = owner;
    ledger_->setFact(id, claimOf(place));
  }
}

/// The first place of a deleted instance has its id.
InstanceId Registry::instanceOfPlace(const PlaceId& id) const {
  if (EntryPtr entry = findByPlace(id)) return entry->id();
  const PlaceRecord* place = findPlace(id);
  return place ? place->instanceId : InstanceId(id.str());
}

std::string Registry::ownerOfPlace(const PlaceId& id) const {
  if (EntryPtr entry = findByPlace(id)) return entry->record.instance.owner;
  if (const PlaceRecord* place = findPlace(id)) return place->owner;
  auto gone = departures_.find(id);
  return gone == departures_.end() ? std::string() : gone->second.owner;
}

std::string Registry::ownerOf(const VolumeInfo& volume) const {
  if (auto own = volume_owners_.find({volume.placeId, volume.name}); own != volume_owners_.end()) return presentOwner(own->second);
  if (std::string owner = ownerOfPlace(volume.placeId); !owner.empty()) return presentOwner(owner);
  const auto of_place = volume_owners_.find({volume.placeId, std::string()});
  return presentOwner(of_place == volume_owners_.end() ? volume.owner : of_place->second);
}

void Registry::forgetDepartures(SystemTime before) {
  std::erase_if(departures_, [&](const auto& one) { return one.second.since < before; });
}

std::vector<EntryPtr> Registry::handOver(const std::string& from, const std::string& to) {
  successors_[from] = to;
  for (auto& [name, successor] : successors_)
    if (successor == from) successor = to;
  git_identities_.erase(from);
  std::vector<EntryPtr> changed;
  if (to.empty()) {
    std::erase_if(holds_, [&](const auto& one) { return one.second.owner == from; });
    return changed;
  }
  for (auto& [id, entry] : instances_) {
    if (entry->instance().owner != from) continue;
    entry->instance().owner = to;
    entry->ports = nullptr;
    recount(*entry);
    changed.push_back(entry);
  }
  for (auto& [id, place] : places_) {
    if (place.owner != from) continue;
    place.owner = to;
    ledger_->setFact(id, claimOf(place));
  }
  for (auto& [name, hold] : holds_)
    if (hold.owner == from) hold.owner = to;
  for (auto& [id, departure] : departures_)
    if (departure.owner == from) departure.owner = to;
  return changed;
}

std::string Registry::presentOwner(const std::string& owner) const {
  const auto found = successors_.find(owner);
  return found == successors_.end() || found->second.empty() ? owner : found->second;
}

GitIdentity Registry::gitIdentityOf(const std::string& user) const {
  auto found = git_identities_.find(user);
  return found == git_identities_.end() ? GitIdentity{} : found->second;
}

}  // namespace swarm::control
