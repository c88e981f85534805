// Snapshots: the files of a moment, kept at the provider. operations/snapshot.cc takes them, operations/restore.cc brings them back.
#pragma once

#include "controller/state/core.h"
#include "controller/state/places.h"

namespace swarm::control {

/// "20261126-033107": what a snapshot without a name is called, and what a restore calls the files that it replaces.
std::string timeName(SystemTime now);

class Snapshots {
 public:
  Snapshots(Core& core, Places& places) : core_(core), places_(places) {}

  /// Throw Error(AlreadyExists|NotFound|Conflict|InvalidArgument).
  SnapshotParameters parametersForTaking(const Entry& entry, std::string name) const;
  /// Asks the provider when `snapshot` is one of its own; Unavailable when it can't be asked.
  awaitable<RestoreParameters> parametersForRestoring(EntryPtr entry, std::string snapshot) const;

  std::vector<Snapshot> list() const;
  awaitable<SnapshotList> listOf(EntryPtr entry) const;
  /// Removed in the background. Throws Error(NotFound), Error(Conflict) while it is being restored, Error(Unprocessable) for a
  /// provider's own.
  awaitable<void> remove(std::string id);

 private:
  const PlaceRecord* find(const Entry& entry, const std::string& snapshot) const;
  VolumeSnapshots* providersOwn(const Entry& entry) const;

  Core& core_;
  Places& places_;
};

}  // namespace swarm::control
