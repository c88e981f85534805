// Snapshots: the files of a moment, kept at the provider, and brought back. Uses the machinery of moves.
#pragma once

#include "controller/core.h"
#include "controller/places.h"

namespace swarm::control {

class Lifecycle;

/// "20261126-033107": what a snapshot without a name is called, and what a restore calls the files that it replaces.
std::string timeName(SystemTime now);

class Snapshots {
 public:
  Snapshots(Core& core, Lifecycle& lifecycle, Places& places) : core_(core), lifecycle_(lifecycle), places_(places) {}

  /// What the operations need to run, and to run again after a crash. Throw Error(AlreadyExists|NotFound|Conflict|InvalidArgument).
  SnapshotParameters parametersForTaking(const Entry& entry, std::string name) const;
  /// Asks the provider when `snapshot` is one of its own; Unavailable when it can't be asked.
  awaitable<RestoreParameters> parametersForRestoring(EntryPtr entry, std::string snapshot) const;

  std::vector<Snapshot> list() const;
  awaitable<SnapshotList> listOf(EntryPtr entry) const;
  /// Removed in the background. Throws Error(NotFound), Error(Conflict) while it is being restored, Error(Unprocessable) for a
  /// provider's own.
  awaitable<void> remove(std::string id);

  awaitable<void> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);

 private:
  class Taking;
  class Restoring;
  const PlaceRecord* find(const Entry& entry, const std::string& snapshot) const;
  VolumeSnapshots* providersOwn(const Entry& entry) const;

  Core& core_;
  Lifecycle& lifecycle_;
  Places& places_;
};

}  // namespace swarm::control
