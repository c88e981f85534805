// Machines: boot, stop, suspend, destroy, and queries.
#include "async/deadline.h"
#include "async/lock/keyed_lock.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "net/connect.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/network/network_doubles.h"
#include "provider/docker/network/network_pin.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;
using docker::engineError;
using docker::EngineReply;

constexpr std::chrono::seconds kMachineConnectTime{5};
constexpr std::chrono::seconds kCleanUpTime{20};
constexpr std::chrono::seconds kUnseenPatience{30};  ///< for a container whose name is taken and that is not visible yet
constexpr std::chrono::milliseconds kUnseenPause{50};

Error notRunning(const std::string& machine_id) { return Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id)); }

}  // namespace

awaitable<std::optional<ImageDetails>> DockerBackend::inspectImage(std::string image, Deadline deadline) {
  const std::string doing = format("find the image {}", image);
  for (const std::string& candidate : imageCandidates(image)) {
    std::string target = format("/images/{}/json", net::percentEncode(candidate));
    EngineReply reply = co_await engine_.send({.target = std::move(target), .doing = doing, .body = {}}, deadline);
    if (reply.ok()) co_return readImage(candidate, reply.json(doing));
    bool no_such_name = reply.status == 400;
    if (reply.status != 404 && !no_such_name) throw engineError(reply.status, reply.body, doing);
  }
  co_return std::nullopt;
}

awaitable<std::optional<ImageFacts>> DockerBackend::findImage(std::string image, Deadline deadline) {
  auto found = co_await inspectImage(std::move(image), deadline);
  if (!found) co_return std::nullopt;
  co_return std::move(found->facts);
}

awaitable<std::optional<DockerBackend::ContainerState>> DockerBackend::inspect(std::string machine_id, Deadline deadline) {
  const std::string doing = "inspect a Machine's container";
  std::string target = format("/containers/{}/json", containerName(id(), machine_id));
  EngineReply reply = co_await engine_.send({.target = std::move(target), .doing = doing, .body = {}}, deadline);
  if (reply.status == 404) co_return std::nullopt;
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  json::value facts = reply.json(doing);
  ContainerState state{.id = docker::stringAt(facts, "Id"),
                       .running = docker::boolAt(facts, "State.Running"),
                       .paused = docker::boolAt(facts, "State.Paused")};
  const json::value* networks = docker::member(facts, "NetworkSettings.Networks");
  if (networks && networks->is_object()) {
    for (const auto& [name, network] : networks->as_object()) state.address = docker::stringAt(network, "IPAddress");
  }
  co_return state;
}

awaitable<DockerBackend::ContainerState> DockerBackend::require(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state) throw Error(ErrorCode::NotFound, format("The Machine {} has no container.", machine_id));
  co_return std::move(*state);
}

awaitable<bool> DockerBackend::isRunning(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(std::move(machine_id), deadline);
  co_return state && state->running;
}

awaitable<void> DockerBackend::kill(std::string container, std::string signal, Deadline deadline) {
  const std::string doing = format("send {} to a Machine", signal);
  std::string target = format("/containers/{}/kill?signal={}", container, net::percentEncode(signal));
  EngineReply reply = co_await engine_.send({.method = "POST", .target = std::move(target), .doing = doing, .body = {}}, deadline);
  bool ended = reply.status == 404 || reply.status == 409;
  if (!reply.ok() && !ended) throw engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerBackend::awaitEnd(std::string container, Deadline deadline) {
  const std::string doing = "wait for the end of a Machine's process";
  std::string target = format("/containers/{}/wait?condition=not-running", container);
  EngineReply reply = co_await engine_.send({.method = "POST", .target = std::move(target), .doing = doing, .body = {}}, deadline);
  if (reply.status == 404) co_return noteEnd(container, 137, RealClock().now());
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  noteEnd(container, docker::integerAt(reply.json(doing), "StatusCode"), RealClock().now());
}

awaitable<void> DockerBackend::removeContainer(std::string container, Deadline deadline) {
  const std::string doing = "remove a container";
  std::string target = "/containers/" + container;
  EngineReply reply =
      co_await engine_.send({.method = "DELETE", .target = target + "?force=true&v=true", .doing = doing, .body = {}}, deadline);
  if (reply.ok() || reply.status == 404) co_return;
  if (reply.status == 409 && reply.body.find("already in progress") != std::string::npos) {
    reply = co_await engine_.send({.method = "POST", .target = target + "/wait?condition=removed", .doing = doing, .body = {}}, deadline);
    if (reply.ok() || reply.status == 404) co_return;
  }
  throw engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerBackend::removeMachine(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state) co_return;
  runs_.erase(state->id);  // ends caused by a replacement are not reported
  addresses_.erase(machine_id);
  co_await removeContainer(state->id, deadline);
}

awaitable<std::string> DockerBackend::makeContainer(const MachinePlan& plan, const ImageDetails& image, Deadline deadline) {
  json::object body = machineBody(plan, image, id(), engine_.facts());
  std::string archive = guestArchive(plan, guest_tool_);
  docker::EngineCall create{.method = "POST",
                            .target = "/containers/create?name=" + containerName(id(), plan.machineId),
                            .doing = "create a Machine's container",
                            .body = std::move(body)};
  EngineReply made = co_await engine_.send(create, deadline);
  // The Engine still completes requests of a killed emulator: the name is taken before there is a container to remove.
  for (Deadline patience = Deadline::after(kUnseenPatience); made.status == 409 && !patience.hasPassed();) {
    co_await async::sleepFor(kUnseenPause);
    co_await removeMachine(plan.machineId, deadline);
    made = co_await engine_.send(create, deadline);
  }
  if (!made.ok()) throw engineError(made.status, made.body, create.doing);
  std::string container = docker::stringAt(made.json(create.doing), "Id");
  docker::EngineCall upload{.method = "PUT",
                            .target = format("/containers/{}/archive?path=/", container),
                            .doing = "put files into a Machine",
                            .body = {},
                            .rawBody = std::move(archive),
                            .contentType = "application/x-tar"};
  std::optional<Error> failure;
  try {
    co_await engine_.call(std::move(upload), deadline);
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return container;
  if (failure->code() != ErrorCode::Unavailable) co_await removeContainer(container, deadline);
  throw *failure;
}

awaitable<void> DockerBackend::startContainer(std::string container, const MachinePlan& plan, Deadline deadline) {
  runs_[container] = Run{.machineId = plan.machineId};
  std::optional<Error> failure;
  docker::EngineCall start{.method = "POST", .target = format("/containers/{}/start", container), .doing = "start a Machine", .body = {}};
  try {
    EngineReply reply = co_await engine_.send(start, deadline);
    if (docker::saysNetworkIsDouble(reply)) {
      co_await docker::removeDoubleNetworks(engine_, networkName(id(), plan.network), ownFilter(), deadline);
      reply = co_await engine_.send(start, deadline);
    }
    if (!reply.ok()) failure = engineError(reply.status, reply.body, start.doing);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    runs_.erase(container);
    if (failure->code() != ErrorCode::Unavailable) co_await removeContainer(container, deadline);
    throw *failure;
  }
}

awaitable<void> DockerBackend::bootFresh(const MachinePlan& plan, const ImageDetails& image, Deadline deadline) {
  docker::NetworkPin pin(network_pins_, networkName(id(), plan.network));
  co_await ensureNetwork(plan.network, deadline);
  std::string container = co_await makeContainer(plan, image, deadline);
  co_await startContainer(container, plan, deadline);
}

awaitable<void> DockerBackend::boot(MachinePlan plan, Deadline deadline) {
  std::string machine = plan.machineId;
  // The end of a short-lived process is reported after the caller has received the result of its start.
  co_await finish(bootNow(std::move(plan), deadline), [this, machine] { announceEnd(machine); });
}

awaitable<void> DockerBackend::bootNow(MachinePlan plan, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire("machine " + plan.machineId, deadline);
  co_await engine_.connect(deadline);
  auto image = co_await inspectImage(plan.image, deadline);
  if (!image) throw Error(ErrorCode::NotFound, format("The image {} does not exist on the Docker Engine.", plan.image));
  if (!plan.volumeId.empty()) co_await requireVolume(plan.volumeId, deadline);
  co_await removeMachine(plan.machineId, deadline);
  std::optional<Error> failure;
  try {
    co_await bootFresh(plan, *image, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return;
  if (failure->code() != ErrorCode::Unavailable) co_await removeUnusedNetworks(Deadline::after(kCleanUpTime));
  throw *failure;
}

awaitable<void> DockerBackend::stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state || !state->running) co_return;
  bool ended = false;
  // A suspended process receives no signals; Fly discards its memory (§10).
  if (!state->paused) {
    co_await kill(state->id, signal, deadline);
    try {
      co_await awaitEnd(state->id, deadline.orAfter(timeout));
      ended = true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::DeadlineExceeded) throw;
    }
  }
  if (ended) co_return;
  if (auto run = runs_.find(state->id); run != runs_.end()) run->second.killedByUs = true;
  co_await kill(state->id, "SIGKILL", deadline);
  co_await awaitEnd(state->id, deadline);
}

awaitable<void> DockerBackend::suspend(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await require(machine_id, deadline);
  if (!state.running) throw notRunning(machine_id);
  if (state.paused) co_return;
  co_await engine_.call({.method = "POST", .target = format("/containers/{}/pause", state.id), .doing = "suspend a Machine", .body = {}},
                        deadline);
}

awaitable<void> DockerBackend::resume(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await require(machine_id, deadline);
  if (!state.running) throw notRunning(machine_id);
  if (!state.paused) co_return;
  co_await engine_.call({.method = "POST", .target = format("/containers/{}/unpause", state.id), .doing = "resume a Machine", .body = {}},
                        deadline);
}

awaitable<void> DockerBackend::signal(std::string machine_id, std::string signal, Deadline deadline) {
  ContainerState state = co_await require(machine_id, deadline);
  if (!state.running) throw notRunning(machine_id);
  co_await kill(state.id, std::move(signal), deadline);
}

awaitable<void> DockerBackend::destroy(std::string machine_id, Deadline deadline) {
  {
    async::KeyedLock::Guard guard = co_await locks_.acquire("machine " + machine_id, deadline);
    co_await removeMachine(machine_id, deadline);
  }
  co_await removeUnusedNetworks(deadline);
}

awaitable<std::vector<GuestProcess>> DockerBackend::processes(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await require(machine_id, deadline);
  if (!state.running) throw notRunning(machine_id);
  std::string target = format("/containers/{}/top?ps_args={}", state.id, net::percentEncode("-eo pid,rss,args"));
  json::value answer = co_await engine_.call({.target = std::move(target), .doing = "list a Machine's processes", .body = {}}, deadline);
  std::vector<GuestProcess> found;
  const json::value* rows = docker::member(answer, "Processes");
  if (!rows || !rows->is_array()) co_return found;
  for (const json::value& row : rows->as_array()) {
    if (!row.is_array() || row.as_array().size() < 3) continue;
    auto text = [&](std::size_t column) { return std::string(row.as_array()[column].as_string()); };
    found.push_back({.pid = std::strtol(text(0).c_str(), nullptr, 10),
                     .command = text(2),
                     .rssBytes = std::strtol(text(1).c_str(), nullptr, 10) * 1024});
  }
  co_return found;
}

awaitable<net::StreamPtr> DockerBackend::connect(std::string machine_id, std::uint16_t port, Deadline deadline) {
  auto known = addresses_.find(machine_id);
  std::string address = known == addresses_.end() ? "" : known->second;
  if (address.empty()) {
    auto state = co_await inspect(machine_id, deadline);
    if (!state || !state->running || state->address.empty()) {
      throw Error(ErrorCode::Unavailable, format("The Machine {} is not running.", machine_id));
    }
    address = state->address;
    addresses_[machine_id] = address;
  }
  co_return co_await net::connectTcp({address, port}, deadline.orAfter(kMachineConnectTime));
}

}  // namespace swarm::emulator
