// Replacement: another container on the same volumes. The old one stays, under another name, until the new one runs.
//
// The names show how far it came, so that a call after a crash continues from there:
//   NAME (old, as it was)              nothing done yet
//   NAME (old), NAME-new               prepared: created, never started, its swarm.run label records whether the old one ran
//   NAME-old (stopped), NAME-new       the old one is set aside
//   NAME-old (stopped), NAME (new)     the new one is current; to be started if the old one ran, then the old one is removed
//   NAME (new)                         done
#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "provider/docker/docker_parts.h"
#include "provider/docker/spec/image_agent.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::seconds kStopGrace{10};

/// One replacement; its progress outlives it.
class Replacement {
 public:
  Replacement(DockerParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline)
      : parts_(parts), spec_(std::move(spec)), progress_(progress), deadline_(deadline), name_(containerName(spec_)) {}

  awaitable<ProviderInstance> run();

 private:
  struct Target {
    NetworkPlan network;
    ImageFacts image;
    std::vector<VolumePlan> volumes;
    json::object body;
    std::string hash;
  };
  awaitable<void> survey();
  awaitable<Target> plan();
  bool isWanted(const ContainerDetails& container, const Target& target) const;
  awaitable<void> prepare(Target& target);
  awaitable<void> exchange();
  awaitable<void> startCurrent();
  awaitable<void> startAndRemoveOld();
  awaitable<void> rollBack();

  DockerParts& parts_;
  const InstanceSpec spec_;
  Progress& progress_;
  const Deadline deadline_;
  const std::string name_;
  std::optional<ContainerDetails> current_;  ///< NAME
  std::optional<ContainerDetails> aside_;    ///< NAME-old
  std::optional<ContainerDetails> next_;     ///< NAME-new
  bool runs_ = false;                        ///< the instance, before and afterwards
};

awaitable<void> Replacement::survey() {
  std::vector<ContainerRef> containers = co_await parts_.index.list(spec_.placeId, deadline_);
  for (const ContainerRef& ref : containers) {
    auto details = co_await parts_.index.inspect(ref.id, deadline_);
    if (!details) continue;
    auto& place = ref.name == name_ + std::string(kAsideSuffix) ? aside_ : ref.name == name_ + std::string(kNextSuffix) ? next_ : current_;
    place = std::move(*details);
  }
  if (!current_ && !aside_) throw noContainerOf(spec_.placeId);
  // The old one may have been stopped by a call that was interrupted; the replacement's label remembers.
  bool old_runs = (current_ && current_->runs()) || (aside_ && aside_->runs());
  runs_ = old_runs || (next_ && next_->replacesRunning) || (aside_ && current_ && current_->replacesRunning);
}

awaitable<Replacement::Target> Replacement::plan() {
  DockerContext& context = parts_.context;
  Target target;
  target.network = planNetwork(spec_, context.config, context.swarmId);
  if (spec_.newestImage) parts_.images.forget(spec_.config.image);
  target.image = co_await parts_.images.ensure(spec_.config.image, progress_, deadline_);
  requireAgentFor(spec_, target.image.agent, context.config);
  target.volumes = planVolumes(spec_, target.image.volumes);
  carryVolumes(spec_, (current_ ? current_ : aside_)->mounted(), target.volumes);
  co_await parts_.volumes.requireKnown(spec_, target.volumes, deadline_);
  target.body = containerBody(spec_, context.config, context.swarmId, target.network, target.volumes);
  target.hash = std::string(target.body["Labels"].as_object()[kLabelSpec].as_string());
  co_return target;
}

bool Replacement::isWanted(const ContainerDetails& container, const Target& target) const {
  const bool gets_tls = getsTls(spec_, target.image.agent, parts_.context.config);
  return container.specHash == target.hash && container.hasTls == gets_tls &&
         (!spec_.newestImage || container.instance.image == target.image.id);
}

/// Creates NAME-new, which is not started.
awaitable<void> Replacement::prepare(Target& target) {
  if (current_ && aside_) {
    // An earlier replacement has become current and was not completed: its old one is of no use any more.
    co_await parts_.containers.remove(aside_->id, deadline_, engine::AnonymousVolumes::Keep);
    aside_.reset();
  }
  engine::NetworkPin pin = parts_.networks.pin(target.network.name);
  std::string network_id = co_await parts_.networks.ensure(spec_, target.network, deadline_);
  pinNetwork(target.body, target.network, network_id);
  co_await progress_.recorded({ResourceKind::network, target.network.name});
  co_await parts_.volumes.create(spec_, target.volumes, progress_, deadline_);
  if (next_ && !isWanted(*next_, target)) {
    co_await parts_.containers.remove(next_->id, deadline_);  // of an earlier request, never started
    next_.reset();
  }
  fitToAgent(target.body, spec_, target.image.agent, parts_.context.config);
  target.body["Labels"].as_object()[kLabelRun] = runs_ ? "true" : "false";
  progress_.step(Step::CreateContainer);
  std::string id = co_await parts_.containers.create(spec_, name_ + std::string(kNextSuffix), std::move(target.body), progress_, deadline_);
  parts_.index.setAside(id);  // should it be removed again, the instance still exists
  co_await parts_.containers.writeAgentFile(id, spec_, target.image.agent, deadline_);
  faultPoint("docker.replace.prepared");
  next_ = co_await parts_.index.inspect(id, deadline_);
  if (!next_) throw Error(ErrorCode::UpstreamFailed, "The new container disappeared while it was being prepared.");
}

/// NAME becomes NAME-old, and NAME-new becomes NAME.
awaitable<void> Replacement::exchange() {
  if (current_) {
    progress_.step(Step::StopContainer);
    co_await parts_.containers.stop(current_->id, kStopGrace, deadline_);
    faultPoint("docker.replace.stopped");
    parts_.index.setAside(current_->id);
    co_await parts_.containers.rename(current_->id, name_ + std::string(kAsideSuffix), deadline_);
    faultPoint("docker.replace.aside");
    aside_ = std::move(current_);
  }
  co_await parts_.containers.rename(next_->id, name_, deadline_);
  faultPoint("docker.replace.renamed");
  current_ = next_;
}

awaitable<void> Replacement::rollBack() {
  log::warning("a replaced container does not start, restoring the old one", {{"instance", spec_.placeId}});
  co_await parts_.containers.remove(current_->id, deadline_);
  faultPoint("docker.replace.rollback.removed");
  co_await parts_.containers.rename(aside_->id, name_, deadline_);
  parts_.index.takeBack(aside_->id);
  parts_.index.setCurrent(spec_.placeId, aside_->id);
  if (runs_) co_await parts_.containers.start(aside_->id, deadline_);
}

awaitable<void> Replacement::startCurrent() {
  progress_.step(Step::StartContainer);
  if (runs_) co_await parts_.containers.start(current_->id, deadline_);
  faultPoint("docker.replace.started");
}

awaitable<void> Replacement::startAndRemoveOld() {
  parts_.index.setAside(aside_->id);
  auto started = co_await async::attempt(startCurrent());
  if (!started) {
    bool is_temporary = started.error().code() == ErrorCode::Unavailable || started.error().code() == ErrorCode::DeadlineExceeded;
    if (!is_temporary) co_await rollBack();
    throw started.error();  // when temporary, a later call continues
  }
  progress_.step(Step::RemoveOldContainer);
  co_await parts_.containers.remove(aside_->id, deadline_, engine::AnonymousVolumes::Keep);  // the new one has them
  faultPoint("docker.replace.removed");
  co_await parts_.networks.removeUnused(deadline_);
}

awaitable<ProviderInstance> Replacement::run() {
  co_await parts_.context.engine.connect(deadline_);
  checkSpec(spec_, parts_.context);
  co_await survey();
  Target target = co_await plan();
  if (!current_ || !isWanted(*current_, target)) {
    co_await prepare(target);
    co_await exchange();
  }
  parts_.index.takeBack(current_->id);
  parts_.index.setCurrent(spec_.placeId, current_->id);
  if (aside_) co_await startAndRemoveOld();
  auto details = co_await parts_.index.inspect(current_->id, deadline_);
  if (!details)
    throw Error(ErrorCode::UpstreamFailed, "The new container disappeared while it was being started.").withInstance(spec_.placeId.str());
  co_return std::move(details->instance);
}

}  // namespace

awaitable<ProviderInstance> replaceInstance(DockerParts& parts, InstanceSpec spec, Progress& progress, Deadline deadline) {
  Replacement replacement(parts, std::move(spec), progress, deadline);
  co_return co_await replacement.run();
}

}  // namespace swarm::docker
