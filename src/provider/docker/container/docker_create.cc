// createInstance and its parts. Every part may be run again: what is there already is found and used.
#include <boost/json/serialize.hpp>

#include "async/deadline.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/docker/container/request_policy.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_stream.h"
#include "provider/docker/network/network_pin.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::seconds kImageMemory{30};
constexpr std::chrono::seconds kUnseenPatience{30};  ///< for a container whose name is taken and that can't be seen
constexpr std::chrono::milliseconds kUnseenPause{50};

bool saysNoImage(const EngineReply& reply) { return reply.status == 404 && reply.body.find("No such image") != std::string::npos; }

std::vector<std::string> declaredVolumes(const json::value& image) {
  std::vector<std::string> paths;
  const json::value* declared = member(image, "Config.Volumes");
  if (declared && declared->is_object())
    for (const auto& entry : declared->as_object()) paths.emplace_back(entry.key());
  std::ranges::sort(paths);
  return paths;
}

/// "registry:5000/team/image:tag" → name and tag; a digest stays in the name.
std::string pullTarget(const std::string& image) {
  std::string name = image;
  std::string tag;
  auto slash = image.rfind('/');
  auto colon = image.find(':', slash == std::string::npos ? 0 : slash);
  if (image.find('@') == std::string::npos) {
    tag = colon == std::string::npos ? "latest" : image.substr(colon + 1);
    name = image.substr(0, colon);
  }
  std::string target = "/images/create?fromImage=" + net::percentEncode(name);
  if (!tag.empty()) target += "&tag=" + net::percentEncode(tag);
  return target;
}

}  // namespace

awaitable<void> DockerProvider::pullImage(std::string image, Progress& progress, Deadline deadline) {
  if (isLocalOnly(image, engine_.config())) throw imageMissing(image, "", true);
  checkImage(image, engine_.config());
  progress.step(Step::PullImage);
  std::optional<Error> failure;
  try {
    auto exchange = co_await engine_.open({.method = "POST", .target = pullTarget(image), .doing = "pull the image", .body = {}}, deadline);
    LineReader lines;
    PullProgress layers;
    for (;;) {
      std::string piece = co_await exchange->read(deadline);
      if (piece.empty()) break;
      lines.add(piece);
      while (auto line = lines.next()) layers.read(*line, progress);
    }
    if (!layers.error().empty()) failure = Error(ErrorCode::UpstreamFailed, layers.error()).withCause(layers.error());
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return;
  bool transport = failure->code() == ErrorCode::DeadlineExceeded || failure->code() == ErrorCode::OutOfResources ||
                   (failure->code() == ErrorCode::Unavailable && failure->upstream().status == 0);
  if (transport) throw *failure;
  throw imageMissing(image, pullTrouble(failure->cause()), false)
      .withCause(failure->cause())
      .withUpstream(UpstreamFacts(failure->upstream()));
}

awaitable<ImageFacts> DockerProvider::ensureImage(std::string image, Progress& progress, Deadline deadline) {
  auto known = known_images_.find(image);
  if (known != known_images_.end() && known->second.until > std::chrono::steady_clock::now()) co_return known->second.facts;
  progress.step(Step::CheckImage);
  const std::string doing = "look for the image";
  faultPoint("docker.create.image.before");
  std::string name = net::percentEncode(image);
  EngineCall call{.target = "/images/" + name + "/json", .doing = doing, .body = {}};
  EngineReply reply = co_await engine_.send(call, deadline);
  if (reply.status == 404) {
    co_await pullImage(image, progress, deadline);
    reply = co_await engine_.send(call, deadline);
  }
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  faultPoint("docker.create.image.after");
  json::value inspection = std::move(reply).json(doing);
  ImageFacts facts{declaredVolumes(inspection), readImageAgent(inspection), stringAt(inspection, "Id")};
  known_images_[image] = {std::chrono::steady_clock::now() + kImageMemory, facts};
  co_return facts;
}

awaitable<void> DockerProvider::makeVolumes(const InstanceSpec& spec, const std::vector<VolumePlan>& volumes, Progress& progress,
                                            Deadline deadline) {
  if (!volumes.empty()) progress.step(Step::CreateVolume);
  for (const VolumePlan& volume : volumes) {
    if (volume.carried) {
      co_await progress.recorded({"volume", volume.name});
      continue;
    }
    faultPoint("docker.create.volume.before");
    EngineCall call{.method = "POST",
                    .target = "/volumes/create",
                    .doing = format("create the volume {}", volume.name),
                    .body = volumeBody(spec, volume, engine_.config(), swarm_id_)};
    EngineReply reply = co_await engine_.sendToTheEnd(call, spec.instanceId, deadline);
    if (!reply.ok()) throw engineError(reply.status, reply.body, call.doing);
    json::value made = reply.json(call.doing);
    faultPoint("docker.create.volume.after");
    if (!member(made, "Labels")) {
      // After its own restart, Engine 20.10 leaves the labels of a volume that was there already out of this answer.
      made = co_await engine_.call({.target = "/volumes/" + volume.name, .doing = "look at the volume", .body = {}}, deadline);
    }
    checkTaken(made, volume.name, spec, swarm_id_);  // the Engine answers with the volume of that name when there was one
    co_await progress.recorded({"volume", volume.name});
  }
}

awaitable<std::optional<std::string>> DockerProvider::adoptContainer(const InstanceSpec& spec, std::string name, const json::value& body,
                                                                     Deadline deadline) {
  auto details = co_await inspectContainer(name, deadline);
  if (!details) co_return std::nullopt;  // gone since
  if (details->instance.instanceId != spec.instanceId) {
    throw Error(ErrorCode::AlreadyExists,
                format("The Docker Engine has another container named {} that is not this instance's. Rename or remove it (docker rm {}).",
                       name, name));
  }
  bool started = details->runs() || details->instance.startedAt != SystemTime{};
  bool same = details->specHash == labelOf(body, kLabelSpec) && details->networkId == pinnedNetwork(body);
  if (started || same) co_return details->id;
  co_await removeContainer(details->id, deadline);  // never ran, and is not what is asked for now
  co_return std::nullopt;
}

awaitable<std::string> DockerProvider::makeContainer(const InstanceSpec& spec, std::string name, json::object body, Progress& progress,
                                                     Deadline deadline) {
  const std::string doing = "create the container";
  json::value sent(std::move(body));
  // What leads to another try: the image went away after it was seen; a half-made container had to go; or the name is taken and there is
  // nothing to see, as while the Engine still makes the container for a server that was killed.
  SteadyTime patient_until = std::chrono::steady_clock::now() + kUnseenPatience;
  for (int fetched = 0;;) {
    faultPoint("docker.create.container.before");
    EngineCall call{.method = "POST", .target = "/containers/create?name=" + name, .doing = doing, .body = sent};
    EngineReply reply = co_await engine_.sendToTheEnd(std::move(call), spec.instanceId, deadline);
    faultPoint("docker.create.container.after");
    if (reply.ok()) {
      std::string id = stringAt(reply.json(doing), "Id");
      image_ids_.erase(spec.config.image);  // what is known may be older than what the container was made from
      co_await progress.recorded({"container", id});
      co_return id;
    }
    if (fetched < 2 && saysNoImage(reply)) {
      ++fetched;
      known_images_.erase(spec.config.image);
      co_await ensureImage(spec.config.image, progress, deadline);
      continue;
    }
    if (saysNameIsTaken(reply.status, reply.body) && std::chrono::steady_clock::now() < patient_until) {
      auto adopted = co_await adoptContainer(spec, name, sent, deadline);
      if (!adopted) {
        co_await async::sleepFor(kUnseenPause);
        continue;
      }
      co_await progress.recorded({"container", *adopted});
      co_return *adopted;
    }
    throw engineError(reply.status, reply.body, doing);
  }
}

/// Only for agents that know no public keys: the Engine unpacks it in some 40 ms.
awaitable<void> DockerProvider::writeAgentFile(std::string container, const InstanceSpec& spec, ImageAgent agent, Deadline deadline) {
  if (agent.credential == AgentCredential::PublicKey || spec.agentFile.empty()) co_return;
  faultPoint("docker.create.archive.before");
  EngineCall call{.method = "PUT",
                  .target = "/containers/" + container + "/archive?path=%2F",
                  .doing = "write the agent's file into the container",
                  .body = {},
                  .rawBody = agentFileArchive(spec.agentFile),
                  .contentType = "application/x-tar"};
  co_await engine_.call(std::move(call), deadline);
  faultPoint("docker.create.archive.after");
}

awaitable<ProviderInstance> DockerProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  co_await engine_.connect(deadline);
  checkSpec(spec, engine_);
  NetworkPlan network = planNetwork(spec, engine_.config(), swarm_id_);
  const auto [declared, agent, image_id] = co_await ensureImage(spec.config.image, progress, deadline);
  std::vector<VolumePlan> volumes = planVolumes(spec, declared);
  co_await requireKnownVolumes(spec, volumes, deadline);
  std::string container;
  {
    NetworkPin pin(network_pins_, network.name);  // until a container stands for it, nobody may remove it as unused
    progress.step(Step::CreateNetwork);
    std::string network_id = co_await ensureNetwork(spec, network, deadline);
    co_await progress.recorded({"network", network.name});
    co_await makeVolumes(spec, volumes, progress, deadline);
    progress.step(Step::CreateContainer);
    json::object body = containerBody(spec, engine_.config(), swarm_id_, network, volumes);
    fitToAgent(body, spec, agent);
    pinNetwork(body, network, network_id);
    container = co_await makeContainer(spec, containerName(spec), std::move(body), progress, deadline);
  }
  primary_[spec.instanceId] = container;
  progress.step(Step::StartContainer);
  co_await writeAgentFile(container, spec, agent, deadline);
  faultPoint("docker.create.start.before");
  co_await startContainer(container, deadline);
  faultPoint("docker.create.start.after");
  auto details = co_await inspectContainer(container, deadline);
  if (!details) throw Error(ErrorCode::UpstreamFailed, "The container went away while it was being started.").withInstance(spec.instanceId);
  co_return std::move(details->instance);
}

}  // namespace swarm::docker
