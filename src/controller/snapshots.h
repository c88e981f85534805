// Snapshots: the files of a moment, kept at the provider, and brought back. Uses the machinery of moves.
#pragma once

#include "controller/core.h"
#include "controller/places.h"

namespace swarm::control {

class Lifecycle;

class Snapshots {
 public:
  Snapshots(Core& core, Lifecycle& lifecycle, Places& places) : core_(core), lifecycle_(lifecycle), places_(places) {}

  /// What the operations need to run, and to run again after a crash. Throw Error(AlreadyExists|NotFound|Conflict|InvalidArgument).
  boost::json::object parametersForTaking(const Entry& entry, std::string name) const;
  boost::json::object parametersForRestoring(const Entry& entry, const std::string& snapshot) const;

  std::vector<Snapshot> list() const;
  /// Removed in the background. Throws Error(NotFound), Error(Conflict) while it is being restored.
  awaitable<void> remove(std::string id);

  awaitable<void> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);

 private:
  class Taking;
  class Restoring;
  const PlaceRecord* find(const Entry& entry, const std::string& snapshot) const;

  Core& core_;
  Lifecycle& lifecycle_;
  Places& places_;
};

}  // namespace swarm::control
