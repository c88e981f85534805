// Migration: where a workspace may move, and what the move would do. moves/migrate.cc performs the move.
#pragma once

#include "controller/state/context.h"
#include "controller/state/places.h"

namespace swarm::control {

/// The destination of a move.
struct MoveTarget {
  ProviderType provider = ProviderType::docker;
  std::string region;
  InstanceConfig config;              ///< the configuration at the target
  const PlaceRecord* kept = nullptr;  ///< an earlier place that is reused: only differences are sent
};

class Migration {
 public:
  Migration(const Context& context, Places& places) : context_(context), places_(places) {}

  /// Throws Error(InvalidArgument|Conflict|Unavailable).
  MoveTarget resolve(const Entry& entry, const MigrateRequest& request) const;
  MigrateParameters parametersFor(const Entry& entry, const MigrateRequest& request) const;
  awaitable<MigrationPlan> plan(EntryPtr entry, MigrateRequest request);
  /// For a resolved target. Files are counted only while `entry` runs.
  awaitable<MigrationPlan> planFor(EntryPtr entry, MoveTarget target, std::int64_t bandwidth_limit, ImageChoice choice = ImageChoice::Any);

 private:
  awaitable<void> addSourceFacts(const Entry& entry, MigrationPlan& plan);

  const Context& context_;
  Places& places_;
};

}  // namespace swarm::control
