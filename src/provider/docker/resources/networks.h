// Networks: one per owner, created when first needed, removed with its last container, created again when it was pruned. Containers join
// by the id of a network whose labels were checked: the Engine allows several networks of one name.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/lock/keyed_lock.h"
#include "engine/network_pin.h"
#include "provider/docker/docker_context.h"
#include "provider/docker/spec/container_spec.h"
#include "provider/docker/spec/container_state.h"

namespace swarm::docker {

class Networks {
 public:
  explicit Networks(DockerContext& context) : context_(context) {}

  /// While it exists, removeUnused() keeps the network: a create in progress needs it until a container is on it.
  engine::NetworkPin pin(const std::string& name) { return {pins_, name}; }
  /// The id of a network that `spec` may join.
  awaitable<std::string> ensure(const InstanceSpec& spec, const NetworkPlan& plan, Deadline deadline);
  /// What ensure() would refuse.
  awaitable<void> preview(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline);
  /// Connects a container to its network again, which is gone, ambiguous, or was left by hand.
  awaitable<void> repair(const ContainerDetails& container, Deadline deadline);
  awaitable<void> removeUnused(Deadline deadline);
  void forgetAll() { known_.clear(); }

 private:
  struct Known {
    std::string owner;
    std::string id;
  };
  std::string knownId(const InstanceSpec& spec, const NetworkPlan& plan) const;  ///< empty: to be looked up
  awaitable<std::string> findOrCreate(const InstanceSpec& spec, const NetworkPlan& plan, std::shared_ptr<void> held, Deadline deadline);

  DockerContext& context_;
  std::map<std::string, Known> known_;  ///< by name
  std::map<std::string, int> pins_;
  std::shared_ptr<async::KeyedLock> locks_ = std::make_shared<async::KeyedLock>();
};

}  // namespace swarm::docker
