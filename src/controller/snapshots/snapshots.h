// Snapshots: copies of an instance's files, kept at the provider. snapshot.cc takes them, restore.cc restores them.
#pragma once

#include "controller/state/context.h"
#include "controller/state/places.h"

namespace swarm::control {

/// "20261126-033107": the name of a snapshot without a given one, and part of the name of the snapshot that a restore leaves.
std::string timeName(SystemTime now);

class Snapshots {
 public:
  Snapshots(const Context& context, Places& places) : context_(context), places_(places) {}

  /// Throw Error(AlreadyExists|NotFound|Conflict|InvalidArgument).
  SnapshotParameters parametersForTaking(const Entry& entry, std::string name) const;
  /// Queries the provider when `snapshot` is one of its own; throws Unavailable when it is unreachable.
  awaitable<RestoreParameters> parametersForRestoring(EntryPtr entry, std::string snapshot) const;

  std::vector<Snapshot> list() const;
  awaitable<SnapshotList> listOf(EntryPtr entry) const;
  /// Removes it in the background. Throws Error(NotFound), Error(Conflict) while it is being restored, Error(Unprocessable) for a
  /// provider's own.
  awaitable<void> remove(std::string id);

 private:
  const PlaceRecord* find(const Entry& entry, const std::string& snapshot) const;
  VolumeSnapshots* providersOwn(const Entry& entry) const;

  const Context& context_;
  Places& places_;
};

}  // namespace swarm::control
