// Migration: the operation that moves a running workspace to another place with every file. README.md tells it as a whole.
#pragma once

#include "controller/core.h"
#include "controller/places.h"
#include "model/titles.h"

namespace swarm::control {

class AgentWatch;
class Lifecycle;
class MoveLink;
class Reconciler;

/// Where a move leads.
struct MoveTarget {
  ProviderType provider = ProviderType::docker;
  std::string region;
  InstanceConfig config;              ///< as it will be there
  const PlaceRecord* kept = nullptr;  ///< an earlier place that is used again: only differences travel
};

class Migration {
 public:
  Migration(Core& core, Lifecycle& lifecycle, AgentWatch& agents, Places& places)
      : core_(core), lifecycle_(lifecycle), agents_(agents), places_(places) {}
  void setReconciler(Reconciler& reconciler) { reconciler_ = &reconciler; }

  /// Says at once what can't be: throws Error(InvalidArgument|Conflict|Unavailable).
  MoveTarget resolve(const Entry& entry, const MigrateRequest& request) const;
  /// What the operation needs to run, and to run again after a crash.
  MigrateParameters parametersFor(const Entry& entry, const MigrateRequest& request) const;
  awaitable<MigrationPlan> plan(EntryPtr entry, MigrateRequest request);

  awaitable<void> perform(ActivePtr operation);
  awaitable<void> undo(ActivePtr operation, Error error);

 private:
  class Move;  ///< one run of the operation

  awaitable<MigrationPlan> planFor(EntryPtr entry, MoveTarget target, std::int64_t bandwidth_limit);
  awaitable<void> addSourceFacts(const Entry& entry, MigrationPlan& plan);

  Core& core_;
  Lifecycle& lifecycle_;
  AgentWatch& agents_;
  Places& places_;
  Reconciler* reconciler_ = nullptr;
};

}  // namespace swarm::control
