// Move: one run of a migrate operation, from the first question to the retired source.
#pragma once

#include "controller/copy_run.h"
#include "controller/migration.h"

namespace swarm::control {

class Migration::Move final : public CopyRun {
 public:
  Move(Migration& migration, ActivePtr operation);
  awaitable<void> run();
  awaitable<void> goBack(Error error);  ///< before the switch: the source runs as it did, and the target goes

 private:
  End source() const override { return {core_.providerOf(*entry_), entry_->placeId()}; }
  End target() const override { return {targetProvider(), place_id_}; }

  awaitable<void> checkPlan();
  awaitable<void> makeTarget();
  awaitable<void> copy();
  awaitable<void> hold();
  awaitable<void> finalPass();
  awaitable<bool> passOnce(bool last);
  awaitable<void> switchOver();
  awaitable<void> finish();
  awaitable<bool> startThere(bool last);
  awaitable<void> retire(std::string former);
  awaitable<void> sourceBack(const std::string& why);
  awaitable<void> dropTarget();
  MigrateParameters& parameters() const { return operation_->parameters<MigrateParameters>(); }
  Provider& targetProvider() const;
  std::string targetTitle() const;

  Migration& migration_;
  std::string place_id_;
  std::string boot_;  ///< of the held source's agent: another one means that it was not held all the time
};

}  // namespace swarm::control
