// Found by label or created, under one lock for each name.
#include "provider/docker/resources/networks.h"

#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "engine/network_doubles.h"

namespace swarm::docker {
namespace {

using engine::NamedNetwork;

Error foreignNetwork(const NetworkPlan& plan, const std::string& owner) {
  return Error(
             ErrorCode::Unprocessable,
             format("The network {} exists already and does not belong to {} in this swarm. Choose another networkName.", plan.name, owner))
      .withField("/network/docker/networkName", "the network does not belong to the owner");
}

/// The one to join of `found`, which has one name: the owner's, or the configured one of all; never another's, nor one that is less
/// isolated than requested. Of the configured name, ours takes precedence over one that an administrator made.
const NamedNetwork& networkToJoin(const std::vector<NamedNetwork>& found, const NetworkPlan& plan, const std::string& owner,
                                  const std::string& swarm_id) {
  auto is_ours = [&](const NamedNetwork& network) {
    return labelOf(network.listed, kLabelSwarm) == swarm_id && (plan.shared || labelOf(network.listed, kLabelOwner) == owner);
  };
  auto chosen = std::ranges::find_if(found, is_ours);
  if (chosen == found.end() && !plan.shared) throw foreignNetwork(plan, owner);
  if (chosen == found.end() && found.size() > 1) {
    throw Error(
        ErrorCode::Unprocessable,
        format("The Docker Engine has {} networks named {}. Remove all but one of them (docker network rm ID).", found.size(), plan.name));
  }
  if (chosen == found.end()) chosen = found.begin();
  if (boolAt(chosen->listed, "Internal") != plan.internal) {
    throw Error(ErrorCode::Unprocessable, format("The network {} exists already and is {}internal. Choose another networkName.", plan.name,
                                                 plan.internal ? "not " : ""))
        .withField("/network/internalNetwork", "differs from the network's");
  }
  return *chosen;
}

/// A lock that may outlive the provider.
struct HeldLock {
  std::shared_ptr<async::KeyedLock> lock;
  async::KeyedLock::Guard guard;
};

}  // namespace

std::string Networks::knownId(const InstanceSpec& spec, const NetworkPlan& plan) const {
  // A name that users choose is checked for its owner each time; the names that we make belong to one owner.
  if (spec.config.network.docker && !spec.config.network.docker->networkName.empty()) return {};
  auto known = known_.find(plan.name);
  bool is_known = known != known_.end() && (plan.shared || known->second.owner == spec.owner);
  return is_known ? known->second.id : std::string();
}

awaitable<std::string> Networks::ensure(const InstanceSpec& spec, const NetworkPlan& plan, Deadline deadline) {
  if (std::string id = knownId(spec, plan); !id.empty()) co_return id;
  // Held until the Engine has responded, also when the caller is gone: until then no other call may look and create a second network.
  auto held = std::make_shared<HeldLock>(HeldLock{locks_, co_await locks_->acquire(plan.name, deadline)});
  if (std::string id = knownId(spec, plan); !id.empty()) co_return id;
  std::string id = co_await findOrCreate(spec, plan, held, deadline);
  known_[plan.name] = {spec.owner, id};
  co_return id;
}

awaitable<std::string> Networks::findOrCreate(const InstanceSpec& spec, const NetworkPlan& plan, std::shared_ptr<void> held,
                                              Deadline deadline) {
  for (int attempt = 0;; ++attempt) {
    std::vector<NamedNetwork> found = co_await engine::networksNamed(context_.engine, plan.name, {}, deadline);
    if (found.size() > 1 && attempt == 0) {
      json::object own = ownFilter(context_, plan.shared ? "" : format("{}={}", kLabelOwner, spec.owner));
      co_await engine::removeDoubleNetworks(context_.engine, plan.name, std::move(own), deadline);
      continue;
    }
    if (!found.empty()) co_return networkToJoin(found, plan, spec.owner, context_.swarmId).id;
    faultPoint("docker.create.network.before");
    json::object body = networkBody(spec, plan, context_.config, context_.swarmId);
    auto made = co_await context_.engine.createNetwork(std::move(body), spec.placeId.str(), held, deadline);
    faultPoint("docker.create.network.after");
    if (made) co_return std::move(*made);
    bool was_created_by_another = made.error().isConflict();
    if (!was_created_by_another || attempt > 1) throw made.error().error;
  }
}

awaitable<void> Networks::preview(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline) {
  NetworkPlan plan = planNetwork(spec, context_.config, context_.swarmId);
  std::vector<NamedNetwork> found = co_await engine::networksNamed(context_.engine, plan.name, {}, deadline);
  if (!found.empty()) collectProblem(preview, [&] { networkToJoin(found, plan, spec.owner, context_.swarmId); });
}

awaitable<void> Networks::repair(const ContainerDetails& container, Deadline deadline) {
  const ProviderInstance& instance = container.instance;
  log::warning("the network of an instance is gone or ambiguous, connecting it again",
               {{"instance", instance.placeId}, {"network", container.network}});
  known_.erase(container.network);
  InstanceSpec spec{instance.placeId, instance.name, instance.owner, {}, {}, {}};
  NetworkPlan plan{.name = container.network, .internal = container.internal, .shared = container.network == context_.config.networkName};
  std::string id = co_await ensure(spec, plan, deadline);
  // The container remembers the id of the lost network: disconnect from it, then join the new one.
  co_await context_.engine.disconnectNetwork(plan.name, container.id, deadline);
  co_await context_.engine.connectNetwork(id, container.id, deadline);
}

awaitable<void> Networks::removeUnused(Deadline deadline) {
  json::array networks = co_await context_.engine.listNetworks(ownFilter(context_), deadline);
  for (const json::value& network : networks) {
    std::string name = stringAt(network, "Name");
    if (labelOf(network, kLabelOwner).empty()) continue;  // the configured one stays
    async::KeyedLock::Guard guard = co_await locks_->acquire(name, deadline);
    if (pins_.contains(name)) continue;
    json::array users = co_await context_.engine.listContainers(ownFilter(context_, format("{}={}", kLabelNetwork, name)), deadline);
    if (!users.empty() || pins_.contains(name)) continue;
    known_.erase(name);
    faultPoint("docker.delete.network.before");
    co_await context_.engine.removeNetwork(stringAt(network, "Id"), deadline);  // stays when a container that is not ours uses it
    faultPoint("docker.delete.network.after");
  }
}

}  // namespace swarm::docker
