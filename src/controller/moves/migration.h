// Migration: where a workspace may move to, and what the move would do. operations/migrate.cc performs it.
#pragma once

#include "controller/state/core.h"
#include "controller/state/places.h"
#include "model/titles.h"

namespace swarm::control {

/// Where a move leads.
struct MoveTarget {
  ProviderType provider = ProviderType::docker;
  std::string region;
  InstanceConfig config;              ///< as it will be there
  const PlaceRecord* kept = nullptr;  ///< an earlier place that is used again: only differences travel
};

class Migration {
 public:
  Migration(Core& core, Places& places) : core_(core), places_(places) {}

  /// Says at once what can't be: throws Error(InvalidArgument|Conflict|Unavailable).
  MoveTarget resolve(const Entry& entry, const MigrateRequest& request) const;
  MigrateParameters parametersFor(const Entry& entry, const MigrateRequest& request) const;
  awaitable<MigrationPlan> plan(EntryPtr entry, MigrateRequest request);
  /// For a target that is resolved. `entry` must run for its files to be counted.
  awaitable<MigrationPlan> planFor(EntryPtr entry, MoveTarget target, std::int64_t bandwidth_limit);

 private:
  awaitable<void> addSourceFacts(const Entry& entry, MigrationPlan& plan);

  Core& core_;
  Places& places_;
};

}  // namespace swarm::control
