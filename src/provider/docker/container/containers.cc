// A create whose name is taken adopts the container of that name; a start whose network is gone repairs the network.
#include "provider/docker/container/containers.h"

#include "async/deadline.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::seconds kUnseenPatience{30};  ///< for a container whose name is taken and that is not visible
constexpr std::chrono::milliseconds kUnseenPause{50};
constexpr int kMaxFetches = 2;
constexpr int kMaxRepairs = 2;

}  // namespace

awaitable<std::optional<std::string>> Containers::adopt(const InstanceSpec& spec, std::string name, const json::value& body,
                                                        Deadline deadline) {
  auto details = co_await index_.inspect(name, deadline);
  if (!details) co_return std::nullopt;  // gone since
  if (details->instance.placeId != spec.placeId) {
    throw Error(ErrorCode::AlreadyExists,
                format("The Docker Engine has another container named {} that is not this workspace's. Rename or remove it (docker rm {}).",
                       name, name));
  }
  bool started = details->runs() || details->instance.startedAt != SystemTime{};
  bool same = details->specHash == labelOf(body, kLabelSpec) && details->networkId == pinnedNetwork(body) &&
              details->hasTls == (labelOf(body, kLabelAgentTls) == "true");
  if (started || same) co_return details->id;
  co_await remove(details->id, deadline);  // never ran, and is not what is requested now
  co_return std::nullopt;
}

awaitable<std::string> Containers::create(const InstanceSpec& spec, std::string name, json::object body, Progress& progress,
                                          Deadline deadline) {
  const json::value wanted(std::move(body));
  // Reasons for another try: the image was removed after it was found; an incomplete container had to be removed; or the name is taken by a
  // container that is not visible, as while the Engine still creates it for a server that was killed.
  SteadyTime patient_until = std::chrono::steady_clock::now() + kUnseenPatience;
  for (int fetched = 0;;) {
    faultPoint("docker.create.container.before");
    auto made = co_await context_.engine.createContainer(name, wanted, spec.placeId.str(), deadline);
    faultPoint("docker.create.container.after");
    std::optional<std::string> id;
    if (made) {
      id = std::move(*made);
      images_.forgetId(spec.config.image);  // the known id may be older than the one that the container was made from
    } else if (made.error().reason == Refusal::NoImage && fetched < kMaxFetches) {
      ++fetched;
      images_.forget(spec.config.image);
      co_await images_.ensure(spec.config.image, progress, deadline);
      continue;
    } else if (made.error().reason == Refusal::NameTaken && std::chrono::steady_clock::now() < patient_until) {
      id = co_await adopt(spec, name, wanted, deadline);
    } else {
      throw made.error().error;
    }
    if (id) {
      co_await progress.recorded({ResourceKind::container, *id});
      co_return std::move(*id);
    }
    co_await async::sleepFor(kUnseenPause);
  }
}

awaitable<void> Containers::writeAgentFile(std::string container, const InstanceSpec& spec, ImageAgent agent, Deadline deadline) {
  if (agent.credential == AgentCredential::PublicKey || spec.agentFile.empty()) co_return;
  faultPoint("docker.create.archive.before");
  co_await context_.engine.unpackInContainer(std::move(container), agentFileArchive(spec.agentFile), deadline);
  faultPoint("docker.create.archive.after");
}

awaitable<void> Containers::start(std::string container, Deadline deadline) {
  for (int attempt = 0;; ++attempt) {
    auto started = co_await context_.engine.startContainer(container, deadline);
    if (started) co_return;
    Refusal reason = started.error().reason;
    bool is_repairable = reason == Refusal::NoNetwork || reason == Refusal::AmbiguousNetwork;
    if (!is_repairable || attempt == kMaxRepairs) throw started.error().error;
    auto details = co_await index_.inspect(container, deadline);
    if (details && !details->network.empty()) co_await networks_.repair(*details, deadline);
  }
}

awaitable<void> Containers::connect(const ContainerDetails& container, Deadline deadline) {
  if (!container.connected) co_await networks_.repair(container, deadline);
}

awaitable<void> Containers::stop(std::string container, std::chrono::seconds grace, Deadline deadline) {
  auto stopped = co_await context_.engine.stopContainer(std::move(container), grace, deadline);
  if (!stopped && !stopped.error().isNotFound()) throw stopped.error().error;
}

awaitable<void> Containers::rename(std::string container, std::string name, Deadline deadline) {
  co_await context_.engine.renameContainer(std::move(container), std::move(name), deadline);
}

awaitable<void> Containers::remove(std::string container, Deadline deadline, engine::AnonymousVolumes volumes) {
  co_await context_.engine.removeContainer(container, volumes, deadline);
  index_.forgetContainer(container);
}

}  // namespace swarm::docker
