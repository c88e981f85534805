// One network per owner: made when first needed, removed with its last container, repaired when somebody pruned it.
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine_errors.h"
#include "provider/docker/network_doubles.h"

namespace swarm::docker {
namespace {

std::string labelIn(const json::value& thing, std::string_view name) {
  const json::value* labels = member(thing, "Labels");
  const json::object* object = labels ? labels->if_object() : nullptr;
  const json::value* found = object ? object->if_contains(name) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

/// An instance may join its owner's network, or the configured one; never somebody else's, nor one that is less isolated than asked.
void checkExisting(const json::value& network, const NetworkPlan& plan, const std::string& owner, const std::string& swarm_id) {
  bool ours = labelIn(network, kLabelSwarm) == swarm_id && labelIn(network, kLabelOwner) == owner;
  if (!plan.shared && !ours) {
    throw Error(
        ErrorCode::Unprocessable,
        format("The network {} is there already and does not belong to {} in this swarm. Choose another networkName.", plan.name, owner))
        .withField("/network/docker/networkName", "the network belongs to somebody else");
  }
  if (boolAt(network, "Internal") != plan.internal) {
    throw Error(ErrorCode::Unprocessable, format("The network {} is there already and is {}internal. Choose another networkName.",
                                                 plan.name, plan.internal ? "not " : ""))
        .withField("/network/internalNetwork", "differs from the network's");
  }
}

/// A lock that outlives the provider with whoever holds it.
struct HeldLock {
  std::shared_ptr<KeyedLock> lock;
  KeyedLock::Guard guard;
};

}  // namespace

awaitable<std::string> DockerProvider::ensureNetwork(const InstanceSpec& spec, const NetworkPlan& plan, Deadline deadline) {
  // A name that people choose is checked for its owner each time; the names that we make belong to one owner.
  bool own_name = !spec.config.network.docker || spec.config.network.docker->networkName.empty();
  if (own_name && known_networks_.contains(plan.name)) co_return std::string();
  // Held until the Engine has answered, whatever becomes of the caller: nobody may look meanwhile and make the network a second time.
  auto guard = std::make_shared<HeldLock>(HeldLock{locks_, co_await locks_->acquire(plan.name, deadline)});
  if (own_name && known_networks_.contains(plan.name)) co_return std::string();
  const std::string doing = format("create the network {}", plan.name);
  std::string id;
  for (int attempt = 0;; ++attempt) {
    EngineReply found = co_await engine_.send({.target = "/networks/" + plan.name, .doing = doing, .body = {}}, deadline);
    if (found.ok()) {
      json::value network = found.json(doing);
      if (stringAt(network, "Name") == plan.name) {  // the Engine also finds by the beginning of an id
        checkExisting(network, plan, spec.owner, swarm_id_);
        id = stringAt(network, "Id");
        break;
      }
    } else if (saysNetworkIsDouble(found) && attempt == 0) {
      co_await removeDoubleNetworks(engine_, plan.name, deadline);
      continue;
    } else if (found.status != 404) {
      throw engineError(found.status, found.body, doing);
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
    if (made.status == 409 && attempt <= 1) continue;  // somebody was faster: look at what they made
    throw engineError(made.status, made.body, doing);
  }
  known_networks_.insert(plan.name);
  co_return id;
}

awaitable<void> DockerProvider::previewNetwork(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline) {
  NetworkPlan plan = planNetwork(spec, engine_.config(), swarm_id_);
  const std::string doing = format("look at the network {}", plan.name);
  EngineReply found = co_await engine_.send({.target = "/networks/" + plan.name, .doing = doing, .body = {}}, deadline);
  if (found.status == 404 || saysNetworkIsDouble(found)) co_return;
  if (!found.ok()) throw engineError(found.status, found.body, doing);
  json::value network = found.json(doing);
  if (stringAt(network, "Name") != plan.name) co_return;
  try {
    checkExisting(network, plan, spec.owner, swarm_id_);
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
  EngineCall join{.method = "POST",
                  .target = format("/networks/{}/connect", id),
                  .doing = "join the network",
                  .body = json::object{{"Container", container}}};
  EngineReply joined = co_await engine_.send(join, deadline);
  if (saysNetworkIsDouble(joined)) {
    co_await removeDoubleNetworks(engine_, plan.name, deadline);
    joined = co_await engine_.send(join, deadline);
  }
  if (!joined.ok()) throw engineError(joined.status, joined.body, join.doing);
}

awaitable<void> DockerProvider::removeUnusedNetworks(Deadline deadline) {
  std::string filter = filterQuery(ownFilter());
  json::value networks = co_await engine_.call({.target = "/networks?" + filter, .doing = "list networks", .body = {}}, deadline);
  const json::array* list = networks.if_array();
  if (!list) co_return;
  for (const json::value& network : *list) {
    std::string name = stringAt(network, "Name");
    if (labelIn(network, kLabelOwner).empty()) continue;  // the configured one stays
    KeyedLock::Guard guard = co_await locks_->acquire(name, deadline);
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
