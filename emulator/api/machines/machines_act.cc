// Changing a Machine's state (§3, §4): the preconditions, with Fly's error texts.
#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"
#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/rules/lifecycle.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {

using State = MachineState;

namespace {

Response done() { return jsonResponse(200, json::object{{"ok", true}}); }

bool isSignal(std::string_view name) {
  return std::ranges::any_of(kSignals, [&](const auto& signal) { return signal.first == name; });
}

/// {"signal":"SIGKILL"}; fly-go sends the number.
std::string readSignal(const Call& call) {
  const json::value* signal = call.document.if_contains("signal");
  if (signal && signal->is_int64()) {
    for (const auto& [name, number] : kSignals) {
      if (number == signal->get_int64()) return std::string(name);
    }
    refuse(400, format("invalid signal {}", signal->get_int64()));  // I: the wording
  }
  std::string name = call.fields().text("signal");
  if (!isSignal(name)) refuse(400, format("invalid signal '{}'", name));  // I: the wording
  return name;
}

[[noreturn]] void refuseState(std::string_view verb, const Machine& machine) {
  refuse(412, format("failed_precondition: unable to {} machine from current state: '{}'", verb, toString(machine.state)));
}

/// Machines on a host that Fly cannot reach cannot change. I: status and wording.
void requireHost(const Machine& machine) {
  if (!isReachable(machine)) refuse(412, "failed_precondition: machine's host is unreachable");
}

void requireRoom(const Core& core, const Machine& machine) {
  if (machine.reserved || !machine.host || core.capacity.fits(*machine.host, machine.guest)) return;
  refuseBy(core.capacity.memoryFits(*machine.host, machine.guest) ? "E19.cpus" : "E19");
}

/// The request's signal and timeout, with the configuration's as defaults.
StopOrder readOrder(const Call& call, const std::string& signal, const std::string& timeout) {
  StopOrder order = stopOrderOf(call.machine->config);
  if (!signal.empty()) {
    if (!isSignal(signal)) refuse(400, format("invalid signal '{}'", signal));  // I: the wording
    order.signal = signal;
  }
  if (timeout.empty()) return order;
  auto duration = parseGoDuration(timeout);
  if (!duration) refuse(400, format("time: invalid duration \"{}\"", timeout));
  if (duration->count() > 0) order.timeout = *duration;  // fly-go's "0s" means "not given"
  return order;
}

/// stop's timeout is a duration text; older versions of fly-go send nanoseconds.
std::string readTimeout(const Call& call) {
  const json::value* timeout = call.document.if_contains("timeout");
  if (timeout && timeout->is_int64()) return format("{}ms", timeout->get_int64() / 1'000'000);
  return call.fields().text("timeout");
}

awaitable<Response> startMachine(Core& core, Call& call) {
  const MachinePtr& machine = call.machine;
  std::string before(toString(machine->state));
  requireHost(*machine);
  switch (machine->state) {
    case State::started:
      break;  // I: §4 documents both responses
    case State::starting:
    case State::restarting:
      refuseBy("E13");
    case State::replacing:
      refuseBy("E11");
    case State::created:
      if (machine->launchPending) refuseBy("E10", {{"state", before}});
      [[fallthrough]];
    case State::stopped:
    case State::suspended:
    case State::failed:
      if (core.now() < machine->startableAt) refuseBy("E12");
      requireRoom(core, *machine);
      core.applyFault(call.fault, machine->id);
      beginStart(core, machine);
      break;
    default:
      refuseBy("E10", {{"state", before}});
  }
  co_return jsonResponse(200, json::object{{"previous_state", before}, {"migrated", false}, {"new_host", ""}});
}

awaitable<Response> stopMachine(Core& core, Call& call) {
  const MachinePtr& machine = call.machine;
  StopOrder order = readOrder(call, call.fields().text("signal"), readTimeout(call));
  requireHost(*machine);
  switch (machine->state) {
    case State::stopped:
    case State::stopping:
      co_return done();  // I: a second stop
    case State::starting:
    case State::restarting:
      refuseBy("E13");
    case State::created:
    case State::started:
    case State::suspended:
    case State::failed:
      break;
    default:
      refuseState("stop", *machine);
  }
  core.applyFault(call.fault, machine->id);
  beginStop(core, machine, std::move(order));
  co_return done();
}

awaitable<Response> suspendMachine(Core& core, Call& call) {
  const MachinePtr& machine = call.machine;
  requireHost(*machine);
  if (machine->state == State::suspended || machine->state == State::suspending) co_return done();  // I: a second suspend
  if (machine->state == State::starting) refuseBy("E13");
  if (machine->state != State::started) refuseState("suspend", *machine);  // I: the wording
  // §10: neither swap nor schedule. I: status and wording.
  const json::object* init = objectOf(machine->config, "init");
  bool swaps = init && integerOf(*init, "swap_size_mb").value_or(0) > 0;
  if (swaps || !textOf(machine->config, "schedule").empty())
    refuse(412, "failed_precondition: machines with swap or a schedule cannot be suspended");
  core.applyFault(call.fault, machine->id);
  beginSuspend(core, machine);
  co_return done();
}

awaitable<Response> restartMachine(Core& core, Call& call) {
  const MachinePtr& machine = call.machine;
  StopOrder order = readOrder(call, call.parameter("signal").value_or(""), call.parameter("timeout").value_or(""));
  if (call.flag("force_stop")) order.signal = "SIGKILL";
  requireHost(*machine);
  if (machine->state == State::starting || machine->state == State::restarting) refuseBy("E13");
  if (machine->state != State::started) refuseState("restart", *machine);  // I: the wording
  core.applyFault(call.fault, machine->id);
  beginRestart(core, machine, std::move(order));
  co_return done();
}

awaitable<Response> signalMachine(Core& core, Call& call) {
  std::string signal = readSignal(call);
  requireHost(*call.machine);
  if (call.machine->state != State::started) refuseBy("E29");
  try {
    co_await core.backend->signal(call.machine->id, signal, Deadline::after(std::chrono::seconds(30)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Conflict && error.code() != ErrorCode::NotFound) throw;
    refuseBy("E29");  // the process has ended, and the state has not followed yet
  }
  co_return done();
}

awaitable<Response> deleteMachine(Core& core, Call& call) {
  const MachinePtr& machine = call.machine;
  bool force = call.flag("force") || call.flag("kill");  // also accepted while the host is unreachable: performed once it is back
  if (machine->state == State::destroyed && core.now() >= machine->destroyedAt + core.options.times.destroyedVisible) refuseBy("E7");
  if (machine->state == State::destroyed || machine->state == State::destroying) co_return done();  // I: a second destroy
  bool at_rest = machine->state == State::stopped || machine->state == State::suspended || machine->state == State::failed ||
                 machine->state == State::created;
  if (!force && !at_rest) refuseBy("E14");
  core.applyFault(call.fault, machine->id);
  beginDestroy(core, machine);
  co_return done();
}

awaitable<Response> cordonMachine(Core& core, Call& call) {
  call.machine->cordoned = true;
  core.touch(call.machine);
  co_return done();
}

awaitable<Response> uncordonMachine(Core& core, Call& call) {
  call.machine->cordoned = false;
  core.touch(call.machine);
  co_return done();
}

}  // namespace

std::vector<Route> machineActRoutes() {
  return {
      {"DELETE", "", "machine_delete", deleteMachine, Scope::Machine, {}, LeaseGate::Gated},
      {"POST", "/start", "machine_start", startMachine, Scope::Machine, {}, LeaseGate::Gated},
      {"POST", "/stop", "machine_stop", stopMachine, Scope::Machine, optional("main.stopRequest"), LeaseGate::Gated},
      {"POST", "/suspend", "machine_suspend", suspendMachine, Scope::Machine, {}, LeaseGate::Gated},
      {"POST", "/restart", "machine_restart", restartMachine, Scope::Machine, {}, LeaseGate::Gated},
      {"POST", "/signal", "machine_signal", signalMachine, Scope::Machine, required("main.signalRequest")},
      {"POST", "/cordon", "machine_cordon", cordonMachine, Scope::Machine, {}, LeaseGate::Gated},
      {"POST", "/uncordon", "machine_uncordon", uncordonMachine, Scope::Machine, {}, LeaseGate::Gated},
  };
}

}  // namespace swarm::emulator
