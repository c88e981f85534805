// Deletes an instance: containers first, then volumes, then the network that no container uses any more. Afterwards nothing of the instance
// can appear, or it is swept when it does.
#include <set>
#include <utility>

#include "async/deadline.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/docker/docker_parts.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::milliseconds kHeldPause{50};
constexpr std::chrono::milliseconds kMaxHeldPause{1000};
constexpr std::chrono::hours kLateNetworks{1};  ///< how long a network is searched that an instance's create may have left

awaitable<void> removeContainersOf(DockerParts& parts, PlaceId place_id, std::set<std::string>& mounted, Deadline deadline) {
  std::vector<ContainerRef> containers = co_await parts.index.list(place_id, deadline);
  for (const ContainerRef& ref : containers) {
    auto details = co_await parts.index.inspect(ref.id, deadline);
    if (details) mounted.insert(details->volumes.begin(), details->volumes.end());
    faultPoint("docker.delete.container.before");
    co_await parts.containers.remove(ref.id, deadline);
    faultPoint("docker.delete.container.after");
  }
}

/// A create that another process began (this server, before it was killed) cannot be awaited, but it has reserved the container's name.
/// The holder of the name decides: a container that is listed, or one of ours in its place, which is removed again.
awaitable<void> claimName(DockerParts& parts, PlaceId place_id, std::string name, Deadline deadline) {
  engine::Client& engine = parts.context.engine;
  json::array images = co_await engine.listImages(deadline);
  if (images.empty()) co_return;  // nor could any other container be created
  json::object labels{{kLabelSwarm, parts.context.swarmId}, {kLabelInstance, place_id.str()}};
  json::object body{
      {"Image", stringAt(images.front(), "Id")}, {"Cmd", json::array{"true"}}, {"Labels", std::move(labels)}, {"NetworkDisabled", true}};
  while (!co_await parts.index.inspect(name, deadline)) {
    auto made = co_await engine.createContainer(name, body, place_id.str(), deadline);
    if (made) co_return co_await parts.containers.remove(*made, deadline);
    if (made.error().reason != Refusal::NameTaken) throw made.error().error;
    co_await async::sleepFor(kHeldPause);
  }
}

}  // namespace

awaitable<void> removeInstance(DockerParts& parts, PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                               Progress& progress, Deadline deadline) {
  progress.step(Step::RemoveContainer);
  // A create or update that was cancelled continues at the Engine: what it creates is removed, too, and not before it exists.
  co_await parts.context.engine.settled(place_id.str(), deadline);
  // Volumes of the container count, too: one that was created for another instance may be this one's by now.
  std::set<std::string> mounted;
  for (const ExternalResource& resource : external) {
    if (resource.kind == ResourceKind::volume) mounted.insert(resource.id);
  }
  co_await removeContainersOf(parts, place_id, mounted, deadline);
  parts.index.forgetInstance(place_id);
  std::chrono::milliseconds pause = kHeldPause;
  bool is_step_named = false;
  for (;;) {
    std::set<std::string> going = co_await parts.volumes.findRemovable(place_id, volumes, mounted, deadline);
    if (!going.empty() && !std::exchange(is_step_named, true)) progress.step(Step::RemoveVolumes);
    if (co_await parts.volumes.removeAll(going, place_id, deadline)) break;
    progress.detail("wait for the Docker Engine to release a volume", 0, 0);
    if (deadline.hasPassed())
      throw Error(ErrorCode::Unavailable, "The Docker Engine still holds a volume of the workspace for a container that it does not list.")
          .withInstance(place_id.str());
    co_await async::sleepUntil(deadline.orAfter(pause));
    pause = std::min(pause * 2, kMaxHeldPause);
    co_await removeContainersOf(parts, place_id, mounted, deadline);
  }
  progress.step(Step::RemoveNetwork);
  co_await parts.networks.removeUnused(deadline);
}

awaitable<void> settle(DockerParts& parts, InstanceSpec spec, Deadline deadline) {
  co_await parts.context.engine.settled(spec.placeId.str(), deadline);
  std::string name = containerName(spec);
  co_await claimName(parts, spec.placeId, name + std::string(kNextSuffix), deadline);
  co_await claimName(parts, spec.placeId, name, deadline);
}

awaitable<std::vector<std::string>> sweep(DockerParts& parts, std::vector<Departure> gone, Deadline deadline) {
  std::map<PlaceId, const Departure*> departed;
  bool is_recent = false;
  for (const Departure& one : gone) {
    departed[one.placeId] = &one;
    is_recent = is_recent || std::chrono::system_clock::now() - one.since < kLateNetworks;
  }
  std::vector<std::string> removed;
  std::vector<ContainerRef> containers = co_await parts.index.list({}, deadline);
  for (const ContainerRef& ref : containers) {
    if (!departed.contains(ref.placeId)) continue;
    faultPoint("docker.sweep.container");
    co_await parts.containers.remove(ref.id, deadline);
    removed.push_back("container " + ref.name);
  }
  std::vector<Volumes::Volume> volumes = co_await parts.volumes.all(deadline);
  for (const Volumes::Volume& volume : volumes) {
    auto of = departed.find(volume.info.placeId);
    if (of == departed.end()) continue;
    bool goes = of->second->volumes == DeleteVolumes::Yes || !volume.persistent;
    // The Engine reports whole seconds. An older volume existed when the instance was deleted: it was kept, or another instance had it.
    bool came_late = volume.info.createdAt >= std::chrono::floor<std::chrono::seconds>(of->second->since);
    if (goes && came_late && co_await parts.volumes.remove(volume.info.name, deadline)) removed.push_back("volume " + volume.info.name);
  }
  if (is_recent || !removed.empty()) co_await parts.networks.removeUnused(deadline);
  co_return removed;
}

}  // namespace swarm::docker
