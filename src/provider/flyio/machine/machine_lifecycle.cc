#include "provider/flyio/machine/machine_lifecycle.h"

#include <algorithm>
#include <array>

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/flyio/spec/fly_names.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

/// The first rounds are short: a process that ends at once is never observed as started, only by reading the Machine again.
constexpr std::array<std::chrono::seconds, 4> kRounds{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                                                      std::chrono::seconds(60)};
constexpr std::chrono::seconds kMaxGrace{300};

constexpr MachineState kStarted[]{MachineState::started, MachineState::failed};
constexpr MachineState kEnded[]{MachineState::stopped, MachineState::failed};
constexpr MachineState kStartable[]{MachineState::stopped, MachineState::suspended, MachineState::started, MachineState::failed};
constexpr MachineState kDestroyed[]{MachineState::destroyed};

bool isIn(MachineStates states, const OpenEnum<MachineState>& state) {
  return std::ranges::any_of(states, [&](MachineState one) { return one == MachineState::settled ? !isTransient(state) : state == one; });
}

void requireHost(const Machine& machine) {
  if (machine.isHostUnreachable()) throw hostUnreachable(machine);
}

void requirePresent(const Machine& machine) {
  if (!machine.isGone()) return;
  throw Error(ErrorCode::UpstreamFailed, format("The Machine {} was destroyed concurrently.", machine.id))
      .withInstance(machine.metadata(kMetaInstance));
}

std::string timedOut(const Machine& machine, std::string_view wanted) {
  return format("Timed out waiting for the Machine to be {}; Fly reports it as {}.", wanted, machine.state.name());
}

bool hasEnded(const Machine& machine) { return isIn(kEnded, machine.state) || machine.isGone(); }

}  // namespace

awaitable<Machine> MachineLifecycle::waitFor(Machine machine, MachineStates states, Deadline deadline, std::int64_t ended_before) {
  for (std::size_t round = 0;; ++round) {
    if (isIn(states, machine.state) || machine.isGone() || machine.isHostUnreachable()) co_return machine;
    bool has_ended = machine.state == MachineState::stopped && newestEvent(machine, "exit") > ended_before;
    if (has_ended) co_return machine;
    // A round has passed and nothing is in progress: the request had no effect.
    if (round > 0 && !isTransient(machine.state) && machine.state != MachineState::created) co_return machine;
    std::chrono::seconds left = std::chrono::ceil<std::chrono::seconds>(deadline.left());
    if (left.count() <= 0 || deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, timedOut(machine, toString(states)));
    std::chrono::seconds length = std::min(kRounds[std::min(round, kRounds.size() - 1)], left);
    MachinesClient::Waited waited = co_await client_.wait(machine, states, length, deadline);
    // It may have failed, or have another version by now: the Machine itself is more accurate than the end of a round.
    machine = co_await machines_.readAgain(std::move(machine), deadline);
    if (waited.reached && isIn(states, waited.state) && isTransient(machine.state)) {
      machine.state = waited.state;
      cache_.remember(machine);
    }
  }
}

awaitable<Machine> MachineLifecycle::waitForStart(Machine machine, std::int64_t ended_before, Deadline deadline) {
  bool ends = machine.state == MachineState::stopping || machine.state == MachineState::suspending;
  machine = co_await waitFor(std::move(machine), ends ? MachineStates(kStartable) : kLaunched, deadline, ended_before);
  requirePresent(machine);
  co_return machine;
}

awaitable<FlyResult<void>> MachineLifecycle::requestStart(const Machine& machine, Deadline deadline) {
  auto call = [&](std::string lease) { return client_.startMachine(machine, std::move(lease), deadline); };
  faultPoint("flyio.start.before");
  FlyResult<void> started = co_await leases_.perform(machine, call, deadline);
  faultPoint("flyio.start.after");
  co_return started;
}

awaitable<MachineLifecycle::Started> MachineLifecycle::start(Machine machine, Deadline deadline) {
  Backoff backoff(client_.tuning());
  bool launched_here =
      machine.state == MachineState::created || machine.state == MachineState::creating || machine.state == MachineState::starting;
  for (;;) {
    requireHost(machine);
    requirePresent(machine);
    if (machine.state == MachineState::started) co_return Started{std::move(machine)};
    std::int64_t ended_before = newestEvent(machine, "exit");
    if (launched_here || isTransient(machine.state)) {
      machine = co_await waitForStart(std::move(machine), ended_before, deadline);
      if (machine.state == MachineState::started || (launched_here && !isTransient(machine.state))) co_return Started{std::move(machine)};
      ended_before = newestEvent(machine, "exit");
    }
    FlyResult<void> started = co_await requestStart(machine, deadline);
    if (started) {
      machine = co_await waitFor(co_await machines_.readAgain(std::move(machine), deadline), kStarted, deadline, ended_before);
      bool took_effect = machine.state != MachineState::stopped || newestEvent(machine, "exit") > ended_before;
      if (took_effect && !machine.isGone()) co_return Started{std::move(machine)};
      continue;
    }
    const FlyFailure& failure = started.error();
    if (failure.shortage() != Shortage::None) co_return Started{std::move(machine), true};
    const OpenEnum<MachineState> was = machine.state;
    machine = co_await machines_.readAgain(std::move(machine), deadline);
    requirePresent(machine);
    if (machine.state == MachineState::started) co_return Started{std::move(machine)};
    // Absent, but found: not known everywhere yet.
    bool passes = failure.isTemporary() || failure.isFateOpen() || failure.isAbsent() || machine.state != was;
    if (!passes || !backoff.fits(deadline)) throw failure.error();
    co_await backoff.pause(deadline, timedOut(machine, "started"));
  }
}

awaitable<Machine> MachineLifecycle::stop(Machine machine, std::chrono::seconds grace, Deadline deadline) {
  grace = std::clamp(grace, std::chrono::seconds(0), kMaxGrace);
  Backoff backoff(client_.tuning());
  for (;;) {
    requireHost(machine);
    if (hasEnded(machine)) co_return machine;
    if (machine.state == MachineState::stopping) co_return co_await waitFor(std::move(machine), kEnded, deadline);
    auto call = [&](std::string lease) { return client_.stopMachine(machine, grace, std::move(lease), deadline); };
    faultPoint("flyio.stop.before");
    FlyResult<void> stopped = co_await leases_.perform(machine, call, deadline);
    faultPoint("flyio.stop.after");
    auto again = co_await async::attempt(machines_.readAgain(std::move(machine), deadline));
    // A refusal says more than the deadline that passed since.
    if (!again) throw stopped ? again.error() : stopped.error().error();
    machine = std::move(*again);
    if (stopped) {
      machine = co_await waitFor(std::move(machine), kEnded, deadline);
      continue;
    }
    if (hasEnded(machine)) co_return machine;
    const FlyFailure& failure = stopped.error();
    bool passes = failure.isTemporary() || failure.isFateOpen() || failure.isAbsent() || isTransient(machine.state);
    if (!passes || !backoff.fits(deadline)) throw failure.error();
    co_await backoff.pause(deadline, timedOut(machine, "stopped"));
  }
}

awaitable<void> MachineLifecycle::destroy(Machine machine, Deadline deadline) {
  Backoff backoff(client_.tuning());
  for (;;) {
    auto call = [&](std::string lease) { return client_.destroyMachine(machine, std::move(lease), deadline); };
    faultPoint("flyio.delete.machine.before");
    FlyResult<void> destroyed = co_await leases_.perform(machine, call, deadline);
    faultPoint("flyio.delete.machine.after");
    cache_.noteDestroyed(machine.id);
    if (destroyed) {
      machine.version.clear();
      machine = co_await waitFor(co_await machines_.readAgain(std::move(machine), deadline), kDestroyed, deadline);
      if (machine.isGone() || machine.isHostUnreachable()) co_return;
      continue;
    }
    const FlyFailure& failure = destroyed.error();
    if (failure.isAbsent()) co_return;
    bool passes = failure.isTemporary() || failure.isFateOpen();
    if (!passes || !backoff.fits(deadline)) throw failure.error();
    co_await backoff.pause(deadline, "Timed out destroying the Machine.");
  }
}

}  // namespace swarm::flyio
