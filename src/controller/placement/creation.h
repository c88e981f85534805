// Creation: prepares and submits the create of an instance: placement, defaults, names, Idempotency-Keys.
#pragma once

#include <set>

#include "controller/operations/runner.h"
#include "controller/placement/placement.h"

namespace swarm::control {

class Creation {
 public:
  Creation(const Context& context, OperationRunner& runner);

  awaitable<InstanceAndOperation> create(CreateRequest request);
  std::vector<PlacementCandidate> candidates() const;
  const Placement& placement() const { return *placement_; }

 private:
  awaitable<InstanceAndOperation> createNew(CreateRequest request, InstanceId id, std::string operation_id);
  /// What the first request with the same key created; nothing when it never became durable.
  awaitable<std::optional<InstanceAndOperation>> replay(const Store::IdempotencyEntry& first, const std::string& fingerprint,
                                                        const std::string& owner);
  InstanceConfig complete(const CreateRequest& request, const Provider& provider) const;
  /// Throws Error(Conflict) when the owner has as many instances as the request permits.
  awaitable<void> checkVolumes(Provider& provider, const CreateRequest& request) const;
  void checkCount(const CreateRequest& request) const;
  awaitable<void> checkAvailable(ProviderType type, const InstanceId& id) const;

  const Context& context_;
  OperationRunner& runner_;
  std::unique_ptr<Placement> placement_;
  std::multiset<std::pair<std::string, std::string>> pending_;  ///< owners and names of instances that are not in the registry yet
  std::set<std::string> keys_in_use_;                           ///< Idempotency-Keys whose first request is in progress
};

/// The address of an instance, from the pattern in the options.
std::string urlOf(const ControllerOptions& options, const std::string& name);

}  // namespace swarm::control
