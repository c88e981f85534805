// Machines as entries in maps, main processes as coroutines.
#include "emulator/memory/memory_backend.h"

#include <sstream>
#include <unordered_map>

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/memory/guest.h"
#include "protocol/agent.h"

namespace swarm::emulator {

std::pair<FileMap*, std::string> SimulatedGuest::locate(const std::string& path) {
  const std::string& mount = plan.mountPath;
  if (volume && (path == mount || path.starts_with(mount + "/"))) return {volume.get(), path.substr(mount.size())};
  return {&root, path};
}

int signalNumber(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const auto& [text, number] : kSignals) {
    if (text.substr(3) == name) return number;
  }
  return 0;
}

namespace {

class MemoryBackend final : public Backend {
 public:
  MemoryBackend(async::Executor executor, const Clock& clock, MemoryOptions options)
      : executor_(executor), clock_(clock), options_(std::move(options)), tasks_(executor), alive_(std::make_shared<bool>(true)) {}

  awaitable<void> open(GuestExitSink sink) override {
    sink_ = std::move(sink);
    co_return;
  }
  awaitable<void> close() override { co_await tasks_.stop(); }

  awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline) override {
    if (options_.missingImages.contains(image)) co_return std::nullopt;
    co_return ImageFacts{"sha256:" + toHex(sha256(image)), {}};
  }

  awaitable<void> boot(MachinePlan plan, Deadline) override {
    GuestPtr& guest = guests_[plan.machineId];
    if (!guest) guest = std::make_shared<SimulatedGuest>();
    ++guest->generation;
    guest->root.clear();
    guest->traps.clear();
    guest->volume = nullptr;
    if (!plan.volumeId.empty()) {
      auto volume = volumes_.find(plan.volumeId);
      if (volume == volumes_.end()) throw Error(ErrorCode::NotFound, format("The volume {} does not exist.", plan.volumeId));
      guest->volume = volume->second;
    }
    guest->plan = std::move(plan);
    for (const GuestFile& file : guest->plan.files) {
      auto [files, name] = guest->locate(file.path);
      (*files)[name] = file.content;
    }
    guest->running = true;
    guest->suspended = false;
    guest->changed.notifyAll();
    std::vector<std::string> main = mainCommand(guest->plan);
    // Most simulated Machines run no program: they need no coroutine.
    if (!main.empty()) tasks_.spawn(runMain(guest, guest->generation, std::move(main)), nullptr);
    co_return;
  }

  awaitable<void> stop(std::string machine_id, std::string signal, std::chrono::milliseconds timeout, Deadline) override {
    GuestPtr guest = requireRunning(machine_id);
    std::uint64_t generation = guest->generation;
    co_await deliver(guest, signalNumber(signal));
    Deadline patience = Deadline::after(timeout);
    while (guest->running && guest->generation == generation && !patience.hasPassed()) co_await waitFor(guest->changed, patience);
    if (guest->running && guest->generation == generation)
      finish(*guest, {.machineId = machine_id, .exitCode = 137, .signal = 9, .at = clock_.now()});
  }

  awaitable<void> suspend(std::string machine_id, Deadline) override {
    GuestPtr guest = requireRunning(machine_id);
    guest->suspended = true;
    guest->changed.notifyAll();
    co_return;
  }

  awaitable<void> resume(std::string machine_id, Deadline) override {
    GuestPtr guest = requireRunning(machine_id);
    guest->suspended = false;
    guest->changed.notifyAll();
    co_return;
  }

  awaitable<void> signal(std::string machine_id, std::string signal, Deadline) override {
    co_await deliver(requireRunning(machine_id), signalNumber(signal));
  }

  awaitable<void> destroy(std::string machine_id, Deadline) override {
    auto found = guests_.find(machine_id);
    if (found == guests_.end()) co_return;
    GuestPtr guest = found->second;
    guests_.erase(found);
    if (guest->running) finish(*guest, {.machineId = machine_id, .exitCode = 137, .signal = 9, .at = clock_.now()});
  }

  awaitable<bool> isRunning(std::string machine_id, Deadline) override {
    auto found = guests_.find(machine_id);
    co_return found != guests_.end() && found->second->running && !found->second->suspended;
  }

  awaitable<GuestExecResult> exec(std::string machine_id, GuestExec request, Deadline) override {
    GuestPtr guest = requireRunning(machine_id);
    ShellHost host{.guest = guest, .deadline = Deadline::after(request.timeout)};
    GuestExecResult result;
    try {
      ShellResult run = co_await runCommand(std::move(host), std::move(request.command), std::move(request.stdinText));
      result.exitCode = run.exitCode;
      result.stdoutText = std::move(run.out);
      result.stderrText = std::move(run.err);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::DeadlineExceeded) throw;
    }
    co_return result;
  }

  awaitable<std::vector<GuestProcess>> processes(std::string machine_id, Deadline) override {
    GuestPtr guest = requireRunning(machine_id);
    std::string command;
    for (const std::string& word : mainCommand(guest->plan)) command += (command.empty() ? "" : " ") + word;
    std::vector<GuestProcess> list{{1, "/fly/init", 1 << 20}, {2, command.empty() ? guest->plan.image : command, 16 << 20}};
    co_return list;
  }

  awaitable<std::vector<GuestLine>> log(std::string machine_id, int most, Deadline) override {
    auto found = guests_.find(machine_id);
    if (found == guests_.end()) co_return std::vector<GuestLine>{};
    const std::vector<GuestLine>& all = found->second->log;
    co_return std::vector<GuestLine>(all.end() - std::min<std::ptrdiff_t>(most, std::ssize(all)), all.end());
  }

  awaitable<net::StreamPtr> connect(std::string machine_id, std::uint16_t port, Deadline) override {
    auto found = guests_.find(machine_id);
    GuestPtr guest = found == guests_.end() ? nullptr : found->second;
    if (!guest || !guest->running || guest->suspended || port != agent::kPort)
      throw Error(ErrorCode::Unavailable, format("No process is listening on port {} of Machine {}.", port, machine_id));
    auto [outside, inside] = net::makePipe(executor_);
    tasks_.spawn(serveUntilEnd(serveSimulatedAgent(std::move(inside), guest), guest), nullptr);
    co_return std::move(outside);
  }

  awaitable<void> createVolume(std::string volume_id, std::int64_t, Deadline) override {
    volumes_.try_emplace(volume_id, std::make_shared<FileMap>());
    co_return;
  }
  awaitable<void> copyVolume(std::string from_id, std::string to_id, Deadline) override {
    auto from = volumes_.find(from_id);
    if (from == volumes_.end()) throw Error(ErrorCode::NotFound, format("The volume {} does not exist.", from_id));
    volumes_[to_id] = std::make_shared<FileMap>(*from->second);
    co_return;
  }
  awaitable<void> destroyVolume(std::string volume_id, Deadline) override {
    volumes_.erase(volume_id);
    co_return;
  }
  awaitable<std::int64_t> volumeBytesUsed(std::string volume_id, Deadline) override {
    std::int64_t bytes = 0;
    if (auto volume = volumes_.find(volume_id); volume != volumes_.end()) {
      for (const auto& [name, content] : *volume->second) bytes += static_cast<std::int64_t>(content.size());
    }
    co_return bytes;
  }

  awaitable<std::vector<std::string>> machineIds(Deadline) override {
    std::vector<std::string> ids;
    for (const auto& [id, guest] : guests_) ids.push_back(id);
    co_return ids;
  }
  awaitable<std::vector<std::string>> volumeIds(Deadline) override {
    std::vector<std::string> ids;
    for (const auto& [id, files] : volumes_) ids.push_back(id);
    co_return ids;
  }

 private:
  static std::vector<std::string> mainCommand(const MachinePlan& plan) {
    if (!plan.exec.empty()) return plan.exec;
    std::vector<std::string> command = plan.entrypoint;
    command.insert(command.end(), plan.command.begin(), plan.command.end());
    return command;
  }

  GuestPtr requireRunning(const std::string& machine_id) {
    auto found = guests_.find(machine_id);
    if (found == guests_.end()) throw Error(ErrorCode::NotFound, format("The Machine {} does not exist.", machine_id));
    if (!found->second->running) throw Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id));
    return found->second;
  }

  void finish(SimulatedGuest& guest, GuestExit exit) {
    guest.running = guest.suspended = false;
    ++guest.generation;
    guest.root.clear();
    guest.changed.notifyAll();
    if (sink_) sink_(exit);
  }

  /// Handles a signal: ignored, a trap's script, or the end.
  awaitable<void> deliver(GuestPtr guest, int number) {
    if (number == 0 || !guest->running) co_return;
    auto trap = guest->traps.find(std::to_string(number));
    if (number != 9 && trap != guest->traps.end()) {
      if (trap->second.empty()) co_return;
      std::string script = trap->second;
      std::weak_ptr<bool> alive = alive_;
      ShellResult result = co_await runCommand({.guest = guest}, {"sh", "-c", script}, "");
      if (!alive.expired() && script.find("exit") != std::string::npos && guest->running) {
        finish(*guest, {.machineId = guest->plan.machineId, .exitCode = result.exitCode, .at = clock_.now()});
      }
      co_return;
    }
    finish(*guest, {.machineId = guest->plan.machineId, .exitCode = 128 + number, .signal = number, .at = clock_.now()});
  }

  awaitable<void> runMain(GuestPtr guest, std::uint64_t generation, std::vector<std::string> command) {
    std::weak_ptr<bool> alive = alive_;
    auto result = co_await async::attempt(runCommand({.guest = guest, .isMain = true}, std::move(command), ""));
    if (!result) co_return;  // the Machine ended first
    if (!alive.expired() && guest->generation == generation && guest->running) {
      keepLog(*guest, result->out + result->err);
      finish(*guest, {.machineId = guest->plan.machineId, .exitCode = result->exitCode, .at = clock_.now()});
    }
  }

  void keepLog(SimulatedGuest& guest, const std::string& text) {
    std::string time = formatTime(clock_.now());
    time.pop_back();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) guest.log.push_back({format("{}{:06}Z", time, ++logged_ % 1'000'000), line});
  }

  static awaitable<void> untilEnd(GuestPtr guest) {
    std::uint64_t generation = guest->generation;
    while (guest->generation == generation) co_await waitFor(guest->changed, Deadline::never());
  }
  static awaitable<void> serveUntilEnd(awaitable<void> work, GuestPtr guest) {
    try {
      co_await async::race(std::move(work), untilEnd(guest));
    } catch (const Error&) {
      // A disconnected peer needs no handling.
    }
  }

  async::Executor executor_;
  const Clock& clock_;
  MemoryOptions options_;
  GuestExitSink sink_;
  std::unordered_map<std::string, GuestPtr> guests_;
  std::unordered_map<std::string, std::shared_ptr<FileMap>> volumes_;
  Background tasks_;
  std::int64_t logged_ = 0;
  std::shared_ptr<bool> alive_;  // false once the backend was destroyed; checked by coroutines
};

}  // namespace

BackendPtr makeMemoryBackend(async::Executor executor, const Clock& clock, MemoryOptions options) {
  return std::make_unique<MemoryBackend>(std::move(executor), clock, std::move(options));
}

}  // namespace swarm::emulator
