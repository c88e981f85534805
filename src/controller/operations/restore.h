// Restoring: a snapshot's files go to a new place, and one write makes it the place in force; the former one's files stay, as a snapshot.
#pragma once

#include "controller/copy_run.h"
#include "controller/snapshots.h"

namespace swarm::control {

/// The source is a place of ours that is kept, or a reader of what the provider took by itself. The instance's own agent is not asked.
class Snapshots::Restoring final : public CopyRun {
 public:
  Restoring(Snapshots& owner, ActivePtr operation);

  awaitable<void> run();
  awaitable<void> goBack(Error error);

 private:
  End source() const override;
  End target() const override { return {source().provider, place_id_}; }

  RestoreParameters& parameters() const { return operation_->parameters<RestoreParameters>(); }
  awaitable<void> bring();
  awaitable<void> openReader();
  awaitable<bool> formerRuns();
  awaitable<void> switchOver();

  std::string snapshot_id_;
  std::string place_id_;
  std::string reader_id_;  ///< empty: the snapshot is one of ours
};

}  // namespace swarm::control
