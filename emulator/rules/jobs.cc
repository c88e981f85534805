// Booting, ending and the restart policy.
#include "emulator/rules/lifecycle.h"

#include <algorithm>

#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

constexpr std::chrono::minutes kRetryWindow{5};  // §3: max_retries within a 5-minute window
constexpr unsigned kMaxDoublings = 6;

/// A fork may still be copying when its Machine boots; the copy completes before the volume can be mounted, so only its entry matters here.
awaitable<void> bootOnce(Core& core, MachinePtr machine) {
  co_await core.pause(machine, core.timeOf(*machine, "start"));
  if (machine->state != State::starting) co_return;
  machine->lastExit.reset();
  co_await core.backend->boot(planOf(*machine), Deadline::after(std::chrono::minutes(10)));
}

enum class Ending { Done, NothingThere, Failed };

awaitable<Ending> endOnce(Core& core, const Machine& machine, StopOrder order, MachineState before) {
  Ending ending = Ending::Done;
  try {
    if (before == State::suspended) {
      // §4: a stop discards the snapshot.
      co_await core.backend->destroy(machine.id, Deadline::after(std::chrono::minutes(2)));
    } else {
      co_await core.backend->stop(machine.id, order.signal, order.timeout, Deadline::after(order.timeout + std::chrono::minutes(2)));
    }
  } catch (const Error& error) {
    bool nothing_there = error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Conflict;
    ending = nothing_there ? Ending::NothingThere : Ending::Failed;
    if (!nothing_there) log::warning("emulator: a stop failed and will be retried", {{"machine", machine.id}, {"error", error.message()}});
  }
  co_return ending;
}

/// Whether the policy restarts this Machine after this exit.
bool restartsAfter(Core& core, Machine& machine, const GuestExit& exit) {
  RestartPolicy policy = restartPolicyOf(machine.config);
  if (policy.when == RestartPolicy::When::Never) return false;
  if (policy.when == RestartPolicy::When::Always) return true;
  if (exit.exitCode == 0 && exit.signal == 0 && !exit.outOfMemory) return false;
  SystemTime oldest = core.now() - kRetryWindow;
  while (!machine.recentRestarts.empty() && machine.recentRestarts.front() < oldest) machine.recentRestarts.pop_front();
  return static_cast<std::int64_t>(machine.recentRestarts.size()) < policy.maxRetries;
}

}  // namespace

EventNote exitNote(const Machine& machine, const GuestExit& exit, ExitCause cause, Restarting restarting) {
  int code = exit.signal != 0 && exit.exitCode == 0 ? 128 + exit.signal : exit.exitCode;
  json::object exit_event{{"exit_code", code},
                          {"guest_exit_code", exit.exitCode},
                          {"guest_signal", exit.signal == 0 ? -1 : exit.signal},
                          {"oom_killed", exit.outOfMemory},
                          {"requested_stop", cause == ExitCause::Requested},
                          {"restarting", restarting == Restarting::Yes},
                          {"signal", exit.signal == 0 ? -1 : exit.signal},
                          {"exited_at", formatTime(exit.at)}};
  return {"exit", "stopped", "flyd", {{"exit_event", std::move(exit_event)}, {"restart_count", machine.restartCount}}};
}

awaitable<void> bootMachine(Core& core, MachinePtr machine) {
  std::string failure;
  try {
    co_await bootOnce(core, machine);
  } catch (const Error& error) {
    failure = error.message();
    log::warning("emulator: a Machine could not be booted", {{"machine", machine->id}, {"error", failure}, {"cause", error.cause()}});
  }
  if (machine->state == State::starting && !failure.empty()) {
    // I: the effects of a failed launch; §4 has the state.
    core.changeState(machine, State::failed, {"launch", "failed", "flyd", {{"error", failure}}});
    co_await core.journal.flush();
  }
  if (machine->state != State::starting) co_return;
  core.changeState(machine, State::started, {"start", "started", "flyd"});
  co_await core.journal.flush();
  // It may have ended before its start was reported.
  if (machine->lastExit && machine->state == State::started) core.spawn(runExit(core, machine, *machine->lastExit));
}

awaitable<GuestExit> endProcess(Core& core, MachinePtr machine, StopOrder order, MachineState before) {
  GuestExit unknown{.machineId = machine->id, .at = core.now()};
  bool ran = before == State::started || before == State::stopping;
  if (!ran && before != State::suspended) co_return unknown;
  // An unreachable backend is retried: a Machine that is reported as stopped must not continue to run.
  State on_the_way = machine->state;
  while (!machine->lastExit && machine->state == on_the_way) {
    Ending ending = co_await endOnce(core, *machine, order, before);
    if (ending == Ending::NothingThere) co_return unknown;
    if (ending == Ending::Done) break;
    co_await core.pause(machine, core.options.times.backendRetry);
  }
  if (!ran) co_return unknown;
  // The backend's two reports of it may come in any order.
  Deadline report_deadline = Deadline::after(std::chrono::seconds(5));
  while (!machine->lastExit && !report_deadline.hasPassed() && machine->state == on_the_way) {
    if (!co_await waitFor(machine->changed, report_deadline)) break;
  }
  co_return machine->lastExit.value_or(unknown);
}

awaitable<void> runExit(Core& core, MachinePtr machine, GuestExit exit) {
  MachineLock lock(machine);
  co_await lock.take();
  if (machine->state != State::started) co_return;
  if (!restartsAfter(core, *machine, exit)) {
    core.changeState(machine, State::stopped, exitNote(*machine, exit, ExitCause::Unrequested, Restarting::No));
    co_await core.journal.flush();
    if (flagOf(machine->config, "auto_destroy")) beginDestroy(core, machine);
    co_return;
  }
  core.note(machine, exitNote(*machine, exit, ExitCause::Unrequested, Restarting::Yes));
  ++machine->restartCount;
  machine->recentRestarts.push_back(core.now());
  core.changeState(machine, State::starting, {"restart", "starting", "flyd"});
  unsigned doublings = std::min<unsigned>(kMaxDoublings, static_cast<unsigned>(machine->recentRestarts.size()) - 1);
  co_await core.pause(machine, core.options.times.restartDelay * (1U << doublings));
  if (machine->state == State::starting) co_await bootMachine(core, machine);
}

void onGuestExit(Core& core, const GuestExit& exit) {
  auto found = core.world.machines.find(exit.machineId);
  if (found == core.world.machines.end()) return;
  const MachinePtr& machine = found->second;
  machine->lastExit = exit;
  machine->changed.notifyAll();
  if (machine->state == State::started && !machine->busy) core.spawn(runExit(core, machine, exit));
}

}  // namespace swarm::emulator
