// start, stop and live allocation, and the container calls behind them.
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/network/network_doubles.h"

namespace swarm::docker {
namespace {

constexpr int kMostRepairs = 2;

bool saysNoNetwork(const EngineReply& reply) { return reply.status == 404 && reply.body.find("network ") != std::string::npos; }

bool sameStorage(const StorageResource& a, const StorageResource& b) { return a.size == b.size && a.persistent == b.persistent; }

}  // namespace

awaitable<void> DockerProvider::startContainer(std::string container, Deadline deadline) {
  const std::string doing = "start the container";
  for (int attempt = 0;; ++attempt) {
    EngineReply reply =
        co_await engine_.send({.method = "POST", .target = "/containers/" + container + "/start", .doing = doing, .body = {}}, deadline);
    if (reply.ok()) co_return;  // 304: it runs already
    bool is_repairable = saysNoNetwork(reply) || saysNetworkIsDouble(reply);
    if (!is_repairable || attempt == kMostRepairs) throw engineError(reply.status, reply.body, doing);
    co_await repairNetwork(container, deadline);
  }
}

awaitable<void> DockerProvider::stopContainer(std::string container, std::chrono::seconds grace, Deadline deadline) {
  const std::string doing = "stop the container";
  std::string target = format("/containers/{}/stop?t={}", container, grace.count());
  EngineReply reply = co_await engine_.send({.method = "POST", .target = target, .doing = doing, .body = {}}, deadline);
  if (!reply.ok() && reply.status != 404) throw engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerProvider::renameContainer(std::string container, std::string name, Deadline deadline) {
  EngineCall call{
      .method = "POST", .target = "/containers/" + container + "/rename?name=" + name, .doing = "rename the container", .body = {}};
  co_await engine_.call(std::move(call), deadline);
}

awaitable<void> DockerProvider::removeContainer(std::string container, Deadline deadline, AnonymousVolumes volumes) {
  const std::string doing = "remove the container";
  std::string target = "/containers/" + container;
  std::string how = volumes == AnonymousVolumes::Go ? "?force=true&v=true" : "?force=true";
  EngineReply reply = co_await engine_.send({.method = "DELETE", .target = target + how, .doing = doing, .body = {}}, deadline);
  inspected_.erase(container);
  stopped_.erase(container);
  cpu_samples_.erase(container);
  if (reply.ok() || reply.status == 404) co_return;
  if (reply.status == 409 && reply.body.find("already in progress") != std::string::npos) {
    EngineReply gone =
        co_await engine_.send({.method = "POST", .target = target + "/wait?condition=removed", .doing = doing, .body = {}}, deadline);
    if (gone.ok() || gone.status == 404) co_return;
    throw engineError(gone.status, gone.body, doing);
  }
  throw engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerProvider::startInstance(std::string instance_id, Progress& progress, Deadline deadline) {
  progress.step(Step::StartContainer);
  faultPoint("docker.start.before");
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  // Someone disconnected it at the Engine: it would run, and nothing could reach it.
  if (!details.connected) co_await repairNetwork(details.id, deadline);
  if (details.state == "paused") {
    EngineCall call{.method = "POST", .target = format("/containers/{}/unpause", details.id), .doing = "unpause the container", .body = {}};
    co_await engine_.call(std::move(call), deadline);
  } else {
    co_await startContainer(details.id, deadline);
  }
  faultPoint("docker.start.after");
}

awaitable<void> DockerProvider::stopInstance(std::string instance_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  progress.step(Step::StopContainer);
  faultPoint("docker.stop.before");
  // A stop right behind a start may meet runc before it has become the program: it ends with a code of its own.
  if (auto container = co_await findContainer(instance_id, deadline)) stopped_[*container].clear();
  EngineCall call{.method = "POST", .target = format("/stop?t={}", grace.count()), .doing = "stop the container", .body = {}};
  EngineReply reply = co_await sendToInstance(instance_id, std::move(call), deadline);
  if (!reply.ok()) {
    if (auto known = primary_.find(instance_id); known != primary_.end()) stopped_.erase(known->second);
    throw engineError(reply.status, reply.body, "stop the container");
  }
  faultPoint("docker.stop.after");
}

void DockerProvider::forgetInstance(const std::string& instance_id) {
  if (auto known = primary_.find(instance_id); known != primary_.end()) {
    inspected_.erase(known->second);
    cpu_samples_.erase(known->second);
    primary_.erase(known);
  }
  storage_samples_.erase(instance_id);
}

awaitable<AllocationEffect> DockerProvider::allocateResources(std::string instance_id, ResourceConfig resources, Deadline deadline) {
  co_await engine_.connect(deadline);
  checkResources(resources, engine_.facts());
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  // Labels tell the storage's size, and the Engine takes 0 for "as it was": both need a new container.
  bool live = sameStorage(resources.storage, details.instance.resources.storage);
  if (resources.memory.min == 0 && details.instance.resources.memory.min != 0) live = false;
  faultPoint("docker.allocate.before");
  EngineCall call{.method = "POST", .target = "/update", .doing = "change the container's resources", .body = resourceLimits(resources)};
  EngineReply reply = co_await sendToInstance(instance_id, std::move(call), deadline);
  if (saysNoSuchCall(reply.status, reply.body)) co_return AllocationEffect::NeedsRestart;
  if (!reply.ok()) {
    std::string message = engineMessage(reply.body);
    if (message.find("busy") != std::string::npos || message.find("current usage") != std::string::npos) {
      throw Error(
          ErrorCode::Unprocessable,
          format("The instance uses more memory than the {} MiB that it would be limited to. Stop something in it first, or restart it.",
                 resources.memory.max))
          .withCause(message)
          .withUpstream({.status = reply.status, .requestId = {}});
    }
    throw engineError(reply.status, reply.body, "change the container's resources");
  }
  faultPoint("docker.allocate.after");
  inspected_.erase(details.id);
  co_return live ? AllocationEffect::Live : AllocationEffect::NeedsRestart;
}

awaitable<AllocationEffect> DockerProvider::configureNetwork(std::string instance_id, NetworkConfig network, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  InstanceSpec spec{instance_id, details.instance.name, details.instance.owner, {}, {}, {}};
  spec.config.network = std::move(network);
  checkNetwork(spec, engine_);
  NetworkPlan plan = planNetwork(spec, engine_.config(), swarm_id_);
  std::set<std::int64_t> wanted(spec.config.network.exposedPorts.begin(), spec.config.network.exposedPorts.end());
  bool same = wanted == details.exposedPorts && plan.name == details.network && plan.internal == details.internal;
  co_return same ? AllocationEffect::Live : AllocationEffect::NeedsRestart;
}

}  // namespace swarm::docker
