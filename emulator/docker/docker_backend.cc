// The backend's life cycle, and the Engine's events, which report the ends of main processes.
#include "emulator/docker/docker_backend.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "engine/container_status.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kConnectTime{10};
/// How long close() waits for calls in progress at the Engine.
constexpr std::chrono::seconds kFinishTime{60};

std::string readTool(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!content.empty()) return content;
  throw Error(ErrorCode::InvalidArgument,
              format("Cannot read the program {}: it is process 1 of each Machine. Build it (ninja fly-guest-tool).", path.string()));
}

}  // namespace

BackendPtr makeDockerBackend(DockerBackendOptions options) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (options.emulatorId.empty() || options.emulatorId.size() > 32 || !std::ranges::all_of(options.emulatorId, plain)) {
    throw Error(ErrorCode::InvalidArgument, "The emulator's id must be 1 to 32 of a-z, 0-9 and '-'.");
  }
  std::string tool = readTool(options.guestTool);
  return std::make_unique<DockerBackend>(std::move(options), std::move(tool));
}

DockerBackend::DockerBackend(DockerBackendOptions options, std::string guest_tool)
    : options_(std::move(options)), guest_tool_(std::move(guest_tool)), engine_(options_.engine) {}

json::object DockerBackend::ownFilter(std::string_view label) const {
  json::array labels{json::string(format("{}={}", kLabelEmulator, options_.emulatorId))};
  if (!label.empty()) labels.push_back(json::string(label));
  return {{"label", std::move(labels)}};
}

awaitable<json::array> DockerBackend::listContainers(std::string_view label, Deadline deadline) {
  co_return co_await engine_.listContainers(ownFilter(label), deadline);
}

awaitable<std::vector<std::string>> DockerBackend::machineIds(Deadline deadline) {
  json::array containers = co_await listContainers(kLabelMachine, deadline);
  std::vector<std::string> ids;
  for (const json::value& container : containers) ids.push_back(engine::labelOf(container, kLabelMachine));
  co_return ids;
}

awaitable<void> DockerBackend::open(GuestExitSink sink) {
  sink_ = std::move(sink);
  Deadline deadline = Deadline::after(kConnectTime);
  co_await engine_.connect(deadline);
  json::array helpers = co_await listContainers(kLabelHelper, deadline);  // left by an emulator that was killed
  for (const json::value& helper : helpers) {
    co_await engine_.removeContainer(engine::stringAt(helper, "Id"), engine::AnonymousVolumes::Remove, deadline);
  }
  co_await catchUp(deadline);
  co_await removeUnusedNetworks(deadline);
  json::object filters = ownFilter();
  filters["type"] = json::array{"container"};
  filters["event"] = json::array{"die", "oom"};
  events_.follow(co_await asio::this_coro::executor, {.filters = std::move(filters),
                                                      .catchUp = [this](Deadline time) { return catchUp(time); },
                                                      .connected = {},
                                                      .event = [this](const json::value& event) { handleEvent(event); },
                                                      .lost = [this](const std::string&, bool) { addresses_.clear(); }});
}

awaitable<void> DockerBackend::close() {
  sink_ = nullptr;  // an end reported now would cause another boot
  co_await events_.close();
  Deadline patience = Deadline::after(kFinishTime);
  while (unfinished_ > 0)
    if (!co_await one_ended_.wait(one_ended_.version(), patience)) co_return;
}

awaitable<void> DockerBackend::finish(awaitable<void> work, std::function<void()> afterwards) {
  struct Outcome {
    explicit Outcome(const asio::any_io_executor& executor) : ended(executor, SteadyTime::max()) {}
    asio::steady_timer ended;
    bool has_ended = false;
    bool abandoned = false;
    std::exception_ptr failure;
  };
  auto executor = co_await asio::this_coro::executor;
  auto outcome = std::make_shared<Outcome>(executor);
  ++unfinished_;
  asio::co_spawn(executor, std::move(work), [this, outcome, afterwards](std::exception_ptr failure) {
    outcome->failure = std::move(failure);
    outcome->has_ended = true;
    outcome->ended.cancel();
    if (outcome->abandoned) afterwards();
    --unfinished_;
    one_ended_.notifyAll();
  });
  auto [error] = co_await outcome->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  outcome->abandoned = !outcome->has_ended;
  if (outcome->abandoned) throw boost::system::system_error(error);
  if (outcome->failure) std::rethrow_exception(outcome->failure);
  asio::post(executor, std::move(afterwards));
}

/// Compares the expected running Machines with the actual ones: covers the time without events.
awaitable<void> DockerBackend::catchUp(Deadline deadline) {
  std::map<std::string, std::string> machines;  // of running containers
  json::array containers = co_await listContainers(kLabelMachine, deadline);
  for (const json::value& container : containers) {
    if (engine::isAlive(engine::containerStatusOf(engine::stringAt(container, "State")))) {
      machines[engine::stringAt(container, "Id")] = engine::labelOf(container, kLabelMachine);
    }
  }
  std::vector<std::string> gone;
  for (const auto& [container, run] : runs_) {
    if (!run.starting && !machines.contains(container)) gone.push_back(container);
  }
  for (auto& [container, machine] : machines) runs_.try_emplace(container, Run{.machineId = machine, .starting = false});
  for (const std::string& container : gone) {
    auto facts = co_await engine_.inspectContainer(container, deadline);
    std::int64_t code = facts ? engine::integerAt(*facts, "State.ExitCode") : kFirstSignalCode + 9;
    bool out_of_memory = facts && engine::boolAt(*facts, "State.OOMKilled");
    if (auto run = runs_.find(container); run != runs_.end()) run->second.outOfMemory |= out_of_memory;
    noteEnd(container, code, RealClock().now());
  }
}

void DockerBackend::noteEnd(const std::string& container, std::int64_t exit_code, SystemTime at) {
  auto found = runs_.find(container);
  if (found == runs_.end() || found->second.end) return;
  Run& run = found->second;
  GuestExit end{.machineId = run.machineId, .exitCode = static_cast<int>(exit_code), .at = at};
  if (exit_code > kFirstSignalCode && exit_code <= kLastSignalCode) end.signal = static_cast<int>(exit_code) - kFirstSignalCode;
  end.outOfMemory = run.outOfMemory && end.signal == 9 && !run.killedByUs;
  run.end = std::move(end);
  addresses_.erase(run.machineId);
  if (!run.starting) reportEnd(container);
}

void DockerBackend::reportEnd(const std::string& container) {
  auto found = runs_.find(container);
  if (found == runs_.end() || !found->second.end) return;
  GuestExit end = std::move(*found->second.end);
  runs_.erase(found);
  if (sink_) sink_(end);
}

void DockerBackend::announceEnd(const std::string& machine_id) {
  std::vector<std::string> begun;
  for (auto& [container, run] : runs_) {
    if (run.machineId == machine_id && std::exchange(run.starting, false)) begun.push_back(container);
  }
  for (const std::string& container : begun) reportEnd(container);
}

void DockerBackend::handleEvent(const json::value& event) {
  std::string action = engine::stringAt(event, "Action");
  std::string container = engine::stringAt(event, "Actor.ID");
  auto run = runs_.find(container);
  if (run == runs_.end()) return;
  if (action == "oom") run->second.outOfMemory = true;
  if (action == "die") {
    SystemTime at{std::chrono::milliseconds(engine::integerAt(event, "timeNano") / 1'000'000)};
    noteEnd(container, std::strtol(engine::eventAttribute(event, "exitCode").c_str(), nullptr, 10), at);
  }
}

}  // namespace swarm::emulator
