// replaceInstance: another container on the same volumes. The old one stays, under another name, until the new one runs.
//
// The names tell how far it came, so that a call after a crash goes on from there:
//   NAME (old, as it was)              nothing done yet
//   NAME (old), NAME-new               prepared: made, never started, its swarm.run label says whether the old one ran
//   NAME-old (stopped), NAME-new       the old one stands aside
//   NAME-old (stopped), NAME (new)     in force; to be started if it ran, then the old one goes
//   NAME (new)                         done
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/network/network_pin.h"

namespace swarm::docker {

struct DockerProvider::Replacement {
  std::string name;
  std::optional<ContainerDetails> current;  ///< NAME
  std::optional<ContainerDetails> aside;    ///< NAME-old
  std::optional<ContainerDetails> next;     ///< NAME-new
  bool run = false;                         ///< leave it running
};

namespace {

constexpr std::chrono::seconds kGrace{10};

bool runLabel(const std::optional<ContainerDetails>& details) {
  return details && details->runLabel.is_string() && details->runLabel.as_string() == "true";
}

}  // namespace

awaitable<DockerProvider::Replacement> DockerProvider::surveyReplacement(const InstanceSpec& spec, Deadline deadline) {
  Replacement state;
  state.name = containerName(spec);
  std::vector<ContainerRef> containers = co_await containersOf(spec.instanceId, deadline);
  for (const ContainerRef& ref : containers) {
    auto details = co_await inspectContainer(ref.id, deadline);
    if (!details) continue;
    auto& place = ref.name == state.name + std::string(kAsideSuffix)  ? state.aside
                  : ref.name == state.name + std::string(kNextSuffix) ? state.next
                                                                      : state.current;
    place = std::move(*details);
  }
  if (!state.current && !state.aside) {
    throw Error(ErrorCode::NotFound, format("The Docker Engine has no container of instance {}.", spec.instanceId))
        .withInstance(spec.instanceId);
  }
  // The old one may have been stopped by a call that was cut off; the replacement's label remembers.
  bool old_runs = (state.current && state.current->runs()) || (state.aside && state.aside->runs());
  state.run = old_runs || runLabel(state.next) || (state.aside && runLabel(state.current));
  co_return state;
}

awaitable<void> DockerProvider::prepareReplacement(const InstanceSpec& spec, Replacement& state, json::object body, ImageAgent agent,
                                                   Progress& progress, Deadline deadline) {
  fitToAgent(body, spec, agent);
  body["Labels"].as_object()[kLabelRun] = state.run ? "true" : "false";
  progress.step(Step::CreateContainer);
  std::string id = co_await makeContainer(spec, state.name + std::string(kNextSuffix), std::move(body), progress, deadline);
  set_aside_.insert(id);  // should it be removed again, the instance is still there
  co_await writeAgentFile(id, spec, agent, deadline);
  faultPoint("docker.replace.prepared");
  state.next = co_await inspectContainer(id, deadline);
  if (!state.next) throw Error(ErrorCode::UpstreamFailed, "The new container went away while it was being prepared.");
}

awaitable<void> DockerProvider::rollBackReplacement(const Replacement& state, Deadline deadline) {
  co_await removeContainer(state.next->id, deadline);
  faultPoint("docker.replace.rollback.removed");
  co_await renameContainer(state.aside->id, state.name, deadline);
  set_aside_.erase(state.aside->id);
  primary_[state.aside->instance.instanceId] = state.aside->id;
  if (state.run) co_await startContainer(state.aside->id, deadline);
}

awaitable<ProviderInstance> DockerProvider::replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  co_await engine_.connect(deadline);
  checkSpec(spec, engine_);
  Replacement state = co_await surveyReplacement(spec, deadline);
  NetworkPlan network = planNetwork(spec, engine_.config(), swarm_id_);
  if (spec.newestImage) known_images_.erase(spec.config.image);
  const ImageFacts image = co_await ensureImage(spec.config.image, progress, deadline);
  std::vector<VolumePlan> volumes = planVolumes(spec, image.volumes);
  carryVolumes(spec, (state.current ? state.current : state.aside)->mounted(), volumes);
  co_await requireKnownVolumes(spec, volumes, deadline);
  json::object body = containerBody(spec, engine_.config(), swarm_id_, network, volumes);
  std::string hash(body["Labels"].as_object()[kLabelSpec].as_string());
  auto is_wanted = [&](const ContainerDetails& container) {
    return container.specHash == hash && (!spec.newestImage || container.instance.image == image.id);
  };
  bool in_force = state.current && is_wanted(*state.current);

  if (!in_force) {
    if (state.current && state.aside) {
      // An earlier replacement was put in force and not tidied up: its old one is of no use any more.
      co_await removeContainer(state.aside->id, deadline, AnonymousVolumes::Stay);
      state.aside.reset();
    }
    {
      NetworkPin pin(network_pins_, network.name);
      std::string network_id = co_await ensureNetwork(spec, network, deadline);
      pinNetwork(body, network, network_id);
      co_await progress.recorded({"network", network.name});
      co_await makeVolumes(spec, volumes, progress, deadline);
      if (state.next && !is_wanted(*state.next)) {
        co_await removeContainer(state.next->id, deadline);  // of an earlier request, never started
        state.next.reset();
      }
      co_await prepareReplacement(spec, state, std::move(body), image.agent, progress, deadline);
    }
    if (state.current) {
      progress.step(Step::StopContainer);
      co_await stopContainer(state.current->id, kGrace, deadline);
      faultPoint("docker.replace.stopped");
      set_aside_.insert(state.current->id);
      co_await renameContainer(state.current->id, state.name + std::string(kAsideSuffix), deadline);
      faultPoint("docker.replace.aside");
      state.aside = std::move(state.current);
    }
    co_await renameContainer(state.next->id, state.name, deadline);
    faultPoint("docker.replace.renamed");
    state.current = state.next;
  }
  set_aside_.erase(state.current->id);
  primary_[spec.instanceId] = state.current->id;
  if (state.aside) {
    set_aside_.insert(state.aside->id);
    std::optional<Error> failure;
    try {
      progress.step(Step::StartContainer);
      if (state.run) co_await startContainer(state.current->id, deadline);
      faultPoint("docker.replace.started");
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      state.next = state.current;
      if (failure->code() == ErrorCode::Unavailable || failure->code() == ErrorCode::DeadlineExceeded)
        throw *failure;  // a later call goes on
      log::warning("a replaced container does not start: the old one comes back", {{"instance", spec.instanceId}});
      co_await rollBackReplacement(state, deadline);
      throw *failure;
    }
    progress.step(Step::RemoveOldContainer);
    co_await removeContainer(state.aside->id, deadline, AnonymousVolumes::Stay);  // the new one has them
    faultPoint("docker.replace.removed");
    co_await removeUnusedNetworks(deadline);
  }
  auto details = co_await inspectContainer(state.current->id, deadline);
  if (!details)
    throw Error(ErrorCode::UpstreamFailed, "The new container went away while it was being started.").withInstance(spec.instanceId);
  co_return std::move(details->instance);
}

}  // namespace swarm::docker
