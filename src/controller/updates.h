// Updates: changes of an instance's configuration.
#pragma once

#include "controller/operations/runner.h"

namespace swarm::control {

class Updates {
 public:
  Updates(const Context& context, OperationRunner& runner) : context_(context), runner_(runner) {}

  /// Throws Conflict while the instance is busy.
  awaitable<UpdateResult> update(EntryPtr entry, UpdateRequest request, Actor actor);
  /// Throws Conflict while the instance is busy, and when it would exceed a limit of its new owner.
  awaitable<Instance> handOver(EntryPtr entry, std::string from, std::string owner, Actor actor);
  /// What it would do, without effect.
  awaitable<UpdatePlan> plan(EntryPtr entry, UpdateRequest request);

 private:
  /// As requested, and checked.
  InstanceConfig changed(const Entry& entry, const UpdateRequest& request) const;
  /// What belongs to `owner` after a hand-over to them.
  awaitable<std::vector<VolumeOwner>> volumesFor(EntryPtr entry, std::string owner);
  /// Of all places of the instance, for one more owner.
  Reservation reserveFor(const Entry& entry, const std::string& owner, const Actor& actor) const;
  awaitable<bool> applyLive(EntryPtr entry, const InstanceConfig& config);

  const Context& context_;
  OperationRunner& runner_;
};

}  // namespace swarm::control
