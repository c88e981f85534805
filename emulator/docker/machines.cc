// Machines: boot, stop, suspend, destroy, queries, commands inside them and their logs.
#include "async/attempt.h"
#include "async/deadline.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "engine/network_doubles.h"
#include "engine/network_pin.h"
#include "net/connect.h"

namespace swarm::emulator {
namespace {

constexpr std::chrono::seconds kMachineConnectTime{5};
constexpr std::chrono::seconds kCleanUpTime{20};
constexpr std::chrono::seconds kUnseenPatience{30};  ///< for a container whose name is taken and that is not visible yet
constexpr std::chrono::milliseconds kUnseenPause{50};
/// Limit for each of stdout and stderr; the rest is read and discarded.
constexpr std::size_t kMaxOutput = 5 * 1024 * 1024;

}  // namespace

awaitable<std::optional<ImageDetails>> DockerBackend::inspectImage(std::string image, Deadline deadline) {
  for (const std::string& candidate : imageCandidates(image)) {
    auto found = co_await engine_.inspectImage(candidate, deadline);
    if (found) co_return readImage(candidate, *found);
    bool is_invalid_name = found.error().error.upstream().status == 400;
    if (!found.error().isNotFound() && !is_invalid_name) throw found.error().error;
  }
  co_return std::nullopt;
}

awaitable<std::optional<ImageFacts>> DockerBackend::findImage(std::string image, Deadline deadline) {
  auto found = co_await inspectImage(std::move(image), deadline);
  if (!found) co_return std::nullopt;
  co_return std::move(found->facts);
}

awaitable<std::optional<DockerBackend::ContainerState>> DockerBackend::inspect(std::string machine_id, Deadline deadline) {
  auto found = co_await engine_.inspectContainer(containerName(id(), machine_id), deadline);
  if (!found) co_return std::nullopt;
  ContainerState state{.id = engine::stringAt(*found, "Id"),
                       .running = engine::boolAt(*found, "State.Running"),
                       .paused = engine::boolAt(*found, "State.Paused")};
  if (const json::object* networks = engine::objectAt(*found, "NetworkSettings.Networks")) {
    for (const auto& [name, network] : *networks) state.address = engine::stringAt(network, "IPAddress");
  }
  co_return state;
}

awaitable<DockerBackend::ContainerState> DockerBackend::requireRunning(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state) throw Error(ErrorCode::NotFound, format("The Machine {} has no container.", machine_id));
  if (!state->running) throw Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id));
  co_return std::move(*state);
}

awaitable<bool> DockerBackend::isRunning(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(std::move(machine_id), deadline);
  co_return state && state->running;
}

awaitable<void> DockerBackend::awaitEnd(std::string container, Deadline deadline) {
  auto exit_code = co_await engine_.awaitExit(container, deadline);
  noteEnd(container, exit_code.value_or(137), RealClock().now());
}

awaitable<void> DockerBackend::removeMachine(std::string machine_id, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state) co_return;
  runs_.erase(state->id);  // ends caused by a replacement are not reported
  addresses_.erase(machine_id);
  co_await engine_.removeContainer(state->id, engine::AnonymousVolumes::Remove, deadline);
}

awaitable<std::string> DockerBackend::makeContainer(const MachinePlan& plan, const ImageDetails& image, Deadline deadline) {
  json::object body = machineBody(plan, image, id(), engine_.facts());
  std::string archive = guestArchive(plan, guest_tool_);
  const std::string name = containerName(id(), plan.machineId);
  auto made = co_await engine_.createContainer(name, body, {}, deadline);
  // The Engine still completes requests of a killed emulator: the name is taken before there is a container to remove.
  for (Deadline patience = Deadline::after(kUnseenPatience);
       !made && made.error().reason == engine::Refusal::NameTaken && !patience.hasPassed();) {
    co_await async::sleepFor(kUnseenPause);
    co_await removeMachine(plan.machineId, deadline);
    made = co_await engine_.createContainer(name, body, {}, deadline);
  }
  std::string container = engine::orThrow(std::move(made));
  auto unpacked = co_await async::attempt(engine_.unpackInContainer(container, std::move(archive), deadline));
  if (!unpacked) co_await giveUp(container, unpacked.error(), deadline);
  co_return container;
}

/// Removes a container that cannot be used, unless the Engine is unavailable; throws the reason.
awaitable<void> DockerBackend::giveUp(std::string container, Error reason, Deadline deadline) {
  bool is_available = reason.code() != ErrorCode::Unavailable;
  if (is_available) co_await engine_.removeContainer(std::move(container), engine::AnonymousVolumes::Remove, deadline);
  throw std::move(reason);
}

awaitable<void> DockerBackend::startContainer(std::string container, const MachinePlan& plan, Deadline deadline) {
  runs_[container] = Run{.machineId = plan.machineId};
  auto start = [&]() -> awaitable<void> {
    auto started = co_await engine_.startContainer(container, deadline);
    if (!started && started.error().reason == engine::Refusal::AmbiguousNetwork) {
      co_await engine::removeDoubleNetworks(engine_, networkName(id(), plan.network), ownFilter(), deadline);
      started = co_await engine_.startContainer(container, deadline);
    }
    engine::orThrow(std::move(started));
  };
  auto started = co_await async::attempt(start());
  if (started) co_return;
  runs_.erase(container);
  co_await giveUp(container, started.error(), deadline);
}

awaitable<void> DockerBackend::bootFresh(const MachinePlan& plan, const ImageDetails& image, Deadline deadline) {
  engine::NetworkPin pin(network_pins_, networkName(id(), plan.network));
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
  auto booted = co_await async::attempt(bootFresh(plan, *image, deadline));
  if (booted) co_return;
  if (booted.error().code() != ErrorCode::Unavailable) co_await removeUnusedNetworks(Deadline::after(kCleanUpTime));
  throw booted.error();
}

awaitable<void> DockerBackend::stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) {
  auto state = co_await inspect(machine_id, deadline);
  if (!state || !state->running) co_return;
  // A suspended process receives no signals; Fly discards its memory (§10).
  if (!state->paused) {
    co_await engine_.killContainer(state->id, signal, deadline);
    auto ended = co_await async::attempt(awaitEnd(state->id, deadline.orAfter(timeout)));
    if (ended) co_return;
    if (ended.error().code() != ErrorCode::DeadlineExceeded) throw ended.error();
  }
  if (auto run = runs_.find(state->id); run != runs_.end()) run->second.killedByUs = true;
  co_await engine_.killContainer(state->id, "SIGKILL", deadline);
  co_await awaitEnd(state->id, deadline);
}

awaitable<void> DockerBackend::suspend(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await requireRunning(machine_id, deadline);
  if (state.paused) co_return;
  co_await engine_.pauseContainer(state.id, deadline);
}

awaitable<void> DockerBackend::resume(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await requireRunning(machine_id, deadline);
  if (!state.paused) co_return;
  co_await engine_.unpauseContainer(state.id, deadline);
}

awaitable<void> DockerBackend::signal(std::string machine_id, std::string signal, Deadline deadline) {
  ContainerState state = co_await requireRunning(machine_id, deadline);
  co_await engine_.killContainer(state.id, std::move(signal), deadline);
}

awaitable<void> DockerBackend::destroy(std::string machine_id, Deadline deadline) {
  {
    async::KeyedLock::Guard guard = co_await locks_.acquire("machine " + machine_id, deadline);
    co_await removeMachine(machine_id, deadline);
  }
  co_await removeUnusedNetworks(deadline);
}

awaitable<std::vector<GuestProcess>> DockerBackend::processes(std::string machine_id, Deadline deadline) {
  ContainerState state = co_await requireRunning(machine_id, deadline);
  json::value response = co_await engine_.listProcesses(state.id, "-eo pid,rss,args", deadline);
  std::vector<GuestProcess> found;
  const json::value* rows = engine::member(response, "Processes");
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

/// As Fly's init runs it: as root, in "/", output buffered (§8).
awaitable<GuestExecResult> DockerBackend::exec(std::string machine_id, GuestExec request, Deadline deadline) {
  Deadline end = deadline.orAfter(request.timeout);
  const engine::ExecRequest command{
      .command = std::move(request.command), .input = std::move(request.stdinText), .user = "0:0", .workingDirectory = "/"};
  auto exec = co_await engine_.createExec(containerName(id(), machine_id), command, deadline);
  if (!exec && exec.error().isNotFound()) throw Error(ErrorCode::NotFound, format("The Machine {} has no container.", machine_id));
  if (!exec && exec.error().isConflict()) throw Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id));
  auto ended = co_await async::attempt(engine_.runExec(engine::orThrow(std::move(exec)), command.input, kMaxOutput, end));
  if (!ended) {
    if (ended.error().code() == ErrorCode::DeadlineExceeded && end.hasPassed()) co_return GuestExecResult{};
    throw ended.error();
  }
  GuestExecResult result;
  result.exitCode = static_cast<int>(ended->exitCode);
  result.stdoutText = std::move(ended->stdoutText);
  result.stderrText = std::move(ended->stderrText);
  // The Engine encodes a signal as a shell does.
  if (*result.exitCode > kFirstSignalCode && *result.exitCode <= kLastSignalCode) result.exitSignal = *result.exitCode - kFirstSignalCode;
  co_return result;
}

awaitable<std::vector<GuestLine>> DockerBackend::log(std::string machine_id, int most, Deadline deadline) {
  const engine::LogOptions options{.timestamps = engine::LogOptions::Timestamps::Yes, .tail = most};
  auto frames = engine::orNothing(co_await engine_.readLogs(containerName(id(), machine_id), options, deadline));
  std::vector<GuestLine> lines;
  if (!frames) co_return lines;
  for (const engine::FrameReader::Frame& frame : *frames) {
    std::string_view text = frame.data;  // "2026-12-01T12:00:00.123456789Z what was written\n"
    while (text.ends_with('\n')) text.remove_suffix(1);
    const std::size_t blank = std::min(text.find(' '), text.size());
    lines.push_back({std::string(text.substr(0, blank)), std::string(text.substr(std::min(blank + 1, text.size())))});
  }
  // The streams of a process are read each in its own order.
  std::ranges::sort(lines, {}, &GuestLine::time);
  co_return lines;
}

}  // namespace swarm::emulator
