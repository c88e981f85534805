// One network per owner: made when first needed, removed with its last container, made again when it was pruned. Containers join it by
// the id of a network whose labels were checked: the Engine allows several networks of one name.
#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/network/network_doubles.h"

namespace swarm::docker {
namespace {

Error foreignNetwork(const NetworkPlan& plan, const std::string& owner) {
  return Error(ErrorCode::Unprocessable,
               format("The network {} is there already and does not belong to {} in this swarm. Choose another networkName.", plan.name,
                      owner))
      .withField("/network/docker/networkName", "the network does not belong to the owner");
}

/// The one to join of `found`, which has one name: the owner's, or the configured one of all; never another's, nor one that is less
/// isolated than asked. Of the configured name, ours goes before one that an administrator made.
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
    throw Error(ErrorCode::Unprocessable, format("The network {} is there already and is {}internal. Choose another networkName.",
                                                 plan.name, plan.internal ? "not " : ""))
        .withField("/network/internalNetwork", "differs from the network's");
  }
  return *chosen;
}

/// A lock that outlives the provider with whoever holds it.
struct HeldLock {
  std::shared_ptr<async::KeyedLock> lock;
  async::KeyedLock::Guard guard;
};

}  // namespace

std::string DockerProvider::knownNetwork(const InstanceSpec& spec, const NetworkPlan& plan) const {
  // A name that people choose is checked for its owner each time; the names that we make belong to one owner.
  if (spec.config.network.docker && !spec.config.network.docker->networkName.empty()) return {};
  auto known = known_networks_.find(plan.name);
  bool is_known = known != known_networks_.end() && (plan.shared || known->second.owner == spec.owner);
  return is_known ? known->second.id : std::string();
}

awaitable<std::string> DockerProvider::ensureNetwork(const InstanceSpec& spec, const NetworkPlan& plan, Deadline deadline) {
  if (std::string id = knownNetwork(spec, plan); !id.empty()) co_return id;
  // Held until the Engine has answered, whatever becomes of the caller: until then no other call may look and make a second network.
  auto guard = std::make_shared<HeldLock>(HeldLock{locks_, co_await locks_->acquire(plan.name, deadline)});
  if (std::string id = knownNetwork(spec, plan); !id.empty()) co_return id;
  const std::string doing = format("create the network {}", plan.name);
  std::string id;
  for (int attempt = 0;; ++attempt) {
    std::vector<NamedNetwork> found = co_await networksNamed(engine_, plan.name, {}, deadline);
    if (found.size() > 1 && attempt == 0) {
      co_await removeDoubleNetworks(engine_, plan.name, ownFilter(plan.shared ? "" : format("{}={}", kLabelOwner, spec.owner)), deadline);
      continue;
    }
    if (!found.empty()) {
      id = networkToJoin(found, plan, spec.owner, swarm_id_).id;
      break;
    }
    faultPoint("docker.create.network.before");
    EngineCall call{
        .method = "POST", .target = "/networks/create", .doing = doing, .body = networkBody(spec, plan, engine_.config(), swarm_id_)};
    EngineReply made = co_await engine_.sendToTheEnd(std::move(call), spec.instanceId, deadline, guard);
    faultPoint("docker.create.network.after");
    if (made.ok()) {
      id = stringAt(made.json(doing), "Id");
      break;
    }
    if (made.status == 409 && attempt <= 1) continue;  // another request was faster: look at what it made
    throw engineError(made.status, made.body, doing);
  }
  known_networks_[plan.name] = {spec.owner, id};
  co_return id;
}

awaitable<void> DockerProvider::previewNetwork(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline) {
  NetworkPlan plan = planNetwork(spec, engine_.config(), swarm_id_);
  std::vector<NamedNetwork> found = co_await networksNamed(engine_, plan.name, {}, deadline);
  if (found.empty()) co_return;
  try {
    networkToJoin(found, plan, spec.owner, swarm_id_);
  } catch (const Error& error) {
    preview.problems.push_back(error.message());
  }
}

awaitable<void> DockerProvider::repairNetwork(std::string container, Deadline deadline) {
  auto details = co_await inspectContainer(container, deadline);
  if (!details || details->network.empty()) co_return;
  log::warning("the network of an instance is gone, or there are two: mending it",
               {{"instance", details->instance.instanceId}, {"network", details->network}});
  known_networks_.erase(details->network);
  InstanceSpec spec{details->instance.instanceId, details->instance.name, details->instance.owner, {}, {}, {}};
  NetworkPlan plan{.name = details->network, .internal = details->internal, .shared = details->network == engine_.config().networkName};
  std::string id = co_await ensureNetwork(spec, plan, deadline);
  // The container remembers the id of the lost network: let go of it, then join the new one.
  co_await engine_.send({.method = "POST",
                         .target = format("/networks/{}/disconnect", plan.name),
                         .doing = "leave the network",
                         .body = json::object{{"Container", container}, {"Force", true}}},
                        deadline);
  // The endpoint's NetworkID, too: a container that does not run would join at its next start by the name.
  EngineCall join{.method = "POST",
                  .target = format("/networks/{}/connect", id),
                  .doing = "join the network",
                  .body = json::object{{"Container", container}, {"EndpointConfig", json::object{{"NetworkID", id}}}}};
  EngineReply joined = co_await engine_.send(join, deadline);
  if (!joined.ok()) throw engineError(joined.status, joined.body, join.doing);
}

awaitable<void> DockerProvider::removeUnusedNetworks(Deadline deadline) {
  std::string filter = filterQuery(ownFilter());
  json::value networks = co_await engine_.call({.target = "/networks?" + filter, .doing = "list networks", .body = {}}, deadline);
  const json::array* list = networks.if_array();
  if (!list) co_return;
  for (const json::value& network : *list) {
    std::string name = stringAt(network, "Name");
    if (labelOf(network, kLabelOwner).empty()) continue;  // the configured one stays
    async::KeyedLock::Guard guard = co_await locks_->acquire(name, deadline);
    if (network_pins_.contains(name)) continue;
    std::string of_network = filterQuery(ownFilter(format("{}={}", kLabelNetwork, name)));
    json::value users =
        co_await engine_.call({.target = "/containers/json?all=true&" + of_network, .doing = "list containers", .body = {}}, deadline);
    if (!users.is_array() || !users.as_array().empty() || network_pins_.contains(name)) continue;
    known_networks_.erase(name);
    faultPoint("docker.delete.network.before");
    EngineReply reply = co_await engine_.send(
        {.method = "DELETE", .target = "/networks/" + stringAt(network, "Id"), .doing = "remove the network", .body = {}}, deadline);
    faultPoint("docker.delete.network.after");
    // In use after all (a container that is not ours): it stays for them.
    if (!reply.ok() && reply.status != 404 && reply.status != 403 && reply.status != 409) {
      throw engineError(reply.status, reply.body, format("remove the network {}", name));
    }
  }
}

}  // namespace swarm::docker
