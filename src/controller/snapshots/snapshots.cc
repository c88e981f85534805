// Snapshots: lists, names, preparation of requests.
#include "controller/snapshots/snapshots.h"

#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "controller/moves/migration.h"
#include "model/codec/codec.h"
#include "model/rules/validation.h"
#include "model/titles.h"

namespace swarm::control {
namespace {

constexpr std::chrono::seconds kSnapshotListTimeout{8};  // a client waits for the response

}  // namespace

std::string timeName(SystemTime now) {
  std::string text = formatTime(now);  // 2026-11-26T03:31:07.123Z
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text.substr(0, 8) + "-" + text.substr(9, 6);
}

const PlaceRecord* Snapshots::find(const Entry& entry, const std::string& snapshot) const {
  for (const auto& [id, place] : context_.registry.places()) {
    bool is_meant = id.str() == snapshot || (place.instanceId == entry.id() && place.name == snapshot);
    if (place.role == PlaceRole::snapshot && is_meant && place.owner == entry.record.instance.owner) return &place;
  }
  return nullptr;
}

SnapshotParameters Snapshots::parametersForTaking(const Entry& entry, std::string name) const {
  if (name.empty()) name = timeName(context_.clock.now());
  if (!isResourceName(name))
    throw Error(ErrorCode::InvalidArgument, format("\"{}\" is not a valid name for a snapshot.", name))
        .withField("/name", "must be 2 to 64 letters, digits, \"_\", \".\" and \"-\"");
  if (find(entry, name))
    throw Error(ErrorCode::AlreadyExists, format("There is already a snapshot \"{}\" of {}.", name, entry.record.instance.config.name))
        .withField("/name", "is taken");
  InstanceConfig config = entry.record.instance.config;
  for (StorageConfig& storage : config.storage) storage.volumeName.clear();
  config.network.exposedPorts.clear();  // unused while nothing runs there
  SnapshotParameters parameters;
  parameters.name = std::move(name);
  parameters.place = PlaceId(newId("i"));
  parameters.config = std::move(config);
  parameters.wasRunning = entry.record.instance.status == InstanceStatus::running;
  return parameters;
}

/// The automatic snapshots of the entry's provider; null when it takes none.
VolumeSnapshots* Snapshots::providersOwn(const Entry& entry) const {
  Provider* provider = context_.providers.find(entry.record.instance.provider);
  return provider ? provider->volumeSnapshots() : nullptr;
}

awaitable<RestoreParameters> Snapshots::parametersForRestoring(EntryPtr entry, std::string snapshot) const {
  const PlaceRecord* place = find(*entry, snapshot);
  VolumeSnapshots* theirs = place ? nullptr : providersOwn(*entry);
  bool is_theirs = false;
  if (theirs && theirs->isSnapshotId(snapshot)) {
    auto all = co_await theirs->listSnapshots(entry->placeId(), entry->record.external, Deadline::after(kSnapshotListTimeout));
    is_theirs = std::ranges::any_of(all, [&](const VolumeSnapshot& one) { return one.id == snapshot; });
    if (entry->removed) throw Error(ErrorCode::NotFound, "The workspace was deleted.").withInstance(entry->id().str());
  }
  const Instance& instance = entry->record.instance;
  if (!place && !is_theirs)
    throw Error(ErrorCode::Unprocessable, format("There is no snapshot \"{}\" of {}.", snapshot, instance.config.name))
        .withField("/snapshot", "is not known");
  if (place) context_.providers.require(place->provider);
  InstanceConfig config = instance.config;
  RestoreParameters parameters;
  if (place) {
    config.storage = place->config.storage;
    if (instance.provider != place->provider) config.network = networkAt(place->config.network, instance.config.network);
  } else {
    for (StorageConfig& storage : config.storage) storage.volumeName.clear();
    parameters.reader = PlaceId(newId("i"));
  }
  parameters.snapshot = place ? place->id.str() : snapshot;
  parameters.place = PlaceId(newId("i"));
  parameters.config = std::move(config);
  parameters.wasRunning = instance.status == InstanceStatus::running;
  parameters.wasFailed = instance.status == InstanceStatus::failed;
  co_return parameters;
}

std::vector<Snapshot> Snapshots::list() const {
  std::vector<Snapshot> list;
  for (const auto& [id, place] : context_.registry.places()) {
    if (place.role != PlaceRole::snapshot) continue;
    list.push_back({id.str(), place.name, place.instanceId, place.config.name, place.owner, place.provider, place.region, place.createdAt,
                    place.files, place.bytes});
  }
  return list;
}

awaitable<SnapshotList> Snapshots::listOf(EntryPtr entry) const {
  SnapshotList response;
  for (Snapshot& one : list())
    if (one.instanceId == entry->id()) response.items.push_back(std::move(one));
  VolumeSnapshots* theirs = providersOwn(*entry);
  if (!theirs) co_return response;
  const Instance instance = entry->record.instance;
  auto all = co_await attemptUnlessCancelled(
      theirs->listSnapshots(entry->placeId(), entry->record.external, Deadline::after(kSnapshotListTimeout)));
  if (all) {
    for (const VolumeSnapshot& one : *all)
      response.items.push_back({one.id, one.id, instance.id, instance.config.name, instance.owner, instance.provider, instance.region,
                                one.createdAt, 0, one.bytes, true, one.expiresAt});
  } else {
    response.missing = format("The automatic snapshots of {} are not available: {}", placeTitle(instance.provider), all.error().message());
  }
  co_return response;
}

awaitable<void> Snapshots::remove(std::string id) {
  for (const auto& [type, provider] : context_.providers) {
    VolumeSnapshots* theirs = provider->volumeSnapshots();
    if (theirs && theirs->isSnapshotId(id))
      throw Error(ErrorCode::Unprocessable,
                  format("{} took the snapshot {} and deletes it automatically when it expires (see swarm snapshot list "
                         "INSTANCE). It cannot be deleted earlier.",
                         placeTitle(type), id));
  }
  const PlaceId place(id);
  const PlaceRecord* found = context_.registry.findPlace(place);
  if (!found || found->role != PlaceRole::snapshot) throw notFound("snapshot", id);
  if (places_.isInUse(place)) throw Error(ErrorCode::Conflict, "The snapshot is being taken or restored.").withRetryable(true);
  co_await places_.discard(place);
}

}  // namespace swarm::control
