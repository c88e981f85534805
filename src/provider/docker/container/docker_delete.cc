// deleteInstance, and what makes its answer true: nothing of the instance can come into being any more, or it is swept when it does.
#include <boost/json/object.hpp>
#include <utility>

#include "async/deadline.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::milliseconds kHeldPause{50};
constexpr std::chrono::milliseconds kHeldPauseMost{1000};
constexpr std::chrono::hours kLateNetworks{1};  ///< so long a network is looked for that an instance's create may have left

}  // namespace

awaitable<void> DockerProvider::removeContainersOf(std::string instance_id, std::set<std::string>& mounted, Deadline deadline) {
  std::vector<ContainerRef> containers = co_await containersOf(instance_id, deadline);
  for (const ContainerRef& ref : containers) {
    auto details = co_await inspectContainer(ref.id, deadline);
    if (details) mounted.insert(details->volumes.begin(), details->volumes.end());
    faultPoint("docker.delete.container.before");
    co_await removeContainer(ref.id, deadline);
    faultPoint("docker.delete.container.after");
  }
}

awaitable<void> DockerProvider::deleteInstance(std::string instance_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                               Progress& progress, Deadline deadline) {
  progress.step(Step::RemoveContainer);
  // A create or update that was cancelled goes on at the Engine: what it makes is removed, too, and not before it is there.
  co_await engine_.settled(instance_id, deadline);
  // Volumes of the container count, too: one that was made for another instance may be this one's by now.
  std::set<std::string> mounted;
  for (const ExternalResource& resource : external) {
    if (resource.kind == "volume") mounted.insert(resource.id);
  }
  co_await removeContainersOf(instance_id, mounted, deadline);
  forgetInstance(instance_id);
  std::chrono::milliseconds pause = kHeldPause;
  bool is_step_named = false;
  for (;;) {
    std::set<std::string> going = co_await volumesToRemove(instance_id, volumes, mounted, deadline);
    if (!going.empty() && !std::exchange(is_step_named, true)) progress.step(Step::RemoveVolumes);
    if (co_await removeVolumes(going, instance_id, deadline)) break;
    progress.detail("wait for the Docker Engine to release a volume", 0, 0);
    if (deadline.hasPassed())
      throw Error(ErrorCode::Unavailable, "The Docker Engine still holds a volume of the instance for a container that it does not list.")
          .withInstance(instance_id);
    co_await async::sleepUntil(deadline.orAfter(pause));
    pause = std::min(pause * 2, kHeldPauseMost);
    co_await removeContainersOf(instance_id, mounted, deadline);
  }
  progress.step(Step::RemoveNetwork);
  co_await removeUnusedNetworks(deadline);
}

/// A create that another process began (this server, before it was killed) can't be waited for, but it has reserved the container's name.
/// Whoever holds the name decides: a container that is listed, or one of ours in its place, which goes again.
awaitable<void> DockerProvider::claimName(std::string instance_id, std::string name, Deadline deadline) {
  const std::string doing = "look for a container that is being created";
  json::value images = co_await engine_.call({.target = "/images/json", .doing = doing, .body = {}}, deadline);
  if (!images.is_array() || images.as_array().empty()) co_return;  // nor could any other container be made
  json::object labels{{kLabelSwarm, swarm_id_}, {kLabelInstance, instance_id}};
  json::object body{{"Image", stringAt(images.as_array().front(), "Id")},
                    {"Cmd", json::array{"true"}},
                    {"Labels", std::move(labels)},
                    {"NetworkDisabled", true}};
  while (!co_await inspectContainer(name, deadline)) {
    EngineCall call{.method = "POST", .target = "/containers/create?name=" + name, .doing = doing, .body = body};
    EngineReply reply = co_await engine_.sendToTheEnd(std::move(call), instance_id, deadline);
    if (reply.ok()) co_return co_await removeContainer(stringAt(reply.json(doing), "Id"), deadline);
    if (!saysNameIsTaken(reply.status, reply.body)) throw engineError(reply.status, reply.body, doing);
    co_await async::sleepFor(kHeldPause);
  }
}

awaitable<void> DockerProvider::settle(InstanceSpec spec, Deadline deadline) {
  co_await engine_.settled(spec.instanceId, deadline);
  std::string name = containerName(spec);
  co_await claimName(spec.instanceId, name + std::string(kNextSuffix), deadline);
  co_await claimName(spec.instanceId, name, deadline);
}

awaitable<std::vector<std::string>> DockerProvider::sweep(std::vector<Departure> gone, Deadline deadline) {
  std::map<std::string, const Departure*> departed;
  bool is_recent = false;
  for (const Departure& one : gone) {
    departed[one.instanceId] = &one;
    is_recent = is_recent || std::chrono::system_clock::now() - one.since < kLateNetworks;
  }
  std::vector<std::string> removed;
  std::vector<ContainerRef> containers = co_await containersOf("", deadline);
  for (const ContainerRef& ref : containers) {
    if (!departed.contains(ref.instanceId)) continue;
    faultPoint("docker.sweep.container");
    co_await removeContainer(ref.id, deadline);
    removed.push_back("container " + ref.name);
  }
  std::vector<Volume> volumes = co_await ownVolumes("", deadline);
  std::vector<Volume> unlabelled = co_await unlabelledVolumes("", deadline);
  volumes.insert(volumes.end(), unlabelled.begin(), unlabelled.end());
  for (const Volume& volume : volumes) {
    auto of = departed.find(volume.info.instanceId);
    if (of == departed.end()) continue;
    bool goes = of->second->volumes == DeleteVolumes::Yes || !volume.persistent;
    // The Engine tells whole seconds. What is older was there when the instance was deleted: it stayed, or another instance had it.
    bool came_late = volume.info.createdAt >= std::chrono::floor<std::chrono::seconds>(of->second->since);
    if (goes && came_late && co_await removeVolume(volume.info.name, deadline)) removed.push_back("volume " + volume.info.name);
  }
  if (is_recent || !removed.empty()) co_await removeUnusedNetworks(deadline);
  co_return removed;
}

}  // namespace swarm::docker
