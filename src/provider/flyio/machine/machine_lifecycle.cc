// Loops until the Machine is where it should be.
#include "provider/flyio/machine/machine_lifecycle.h"

#include <algorithm>
#include <array>

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/flyio/spec/machine_spec.h"
#include "provider/flyio/spec/machine_state.h"

namespace swarm::flyio {
namespace {

/// The first rounds are short: a process that ends at once is never observed as started, only by reading the Machine again.
constexpr std::array<std::chrono::seconds, 4> kRounds{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                                                      std::chrono::seconds(60)};
constexpr std::chrono::seconds kMaxGrace{300};

/// "settled" is the API's name for every state that is not transient.
bool isListed(std::string_view states, std::string_view state) {
  if (states == "settled") return !isTransient(state);
  while (!states.empty()) {
    auto comma = states.find(',');
    if (states.substr(0, comma) == state) return true;
    states = comma == std::string_view::npos ? std::string_view() : states.substr(comma + 1);
  }
  return false;
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
  return format("Timed out waiting for the Machine to be {}; Fly reports it as {}.", wanted, machine.state);
}

bool hasEnded(const Machine& machine) { return machine.state == "stopped" || machine.state == "failed" || machine.isGone(); }

}  // namespace

awaitable<Machine> MachineLifecycle::waitFor(Machine machine, std::string states, std::int64_t ended_before, Deadline deadline) {
  for (std::size_t round = 0;; ++round) {
    if (isListed(states, machine.state) || machine.isGone() || machine.isHostUnreachable()) co_return machine;
    bool has_ended = machine.state == "stopped" && newestEvent(machine, "exit") > ended_before;
    if (has_ended) co_return machine;
    // A round has passed and nothing is in progress: the request had no effect.
    if (round > 0 && !isTransient(machine.state) && machine.state != "created") co_return machine;
    std::chrono::seconds left = std::chrono::ceil<std::chrono::seconds>(deadline.left());
    if (left.count() <= 0 || deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, timedOut(machine, states));
    std::chrono::seconds length = std::min(kRounds[std::min(round, kRounds.size() - 1)], left);
    MachinesClient::Waited waited = co_await client_.wait(machine, states, length, deadline);
    // It may have failed, or have another version by now: the Machine itself is more accurate than the end of a round.
    machine = co_await machines_.readAgain(std::move(machine), deadline);
    if (waited.reached && isListed(states, waited.state) && isTransient(machine.state)) {
      machine.state = waited.state;
      cache_.remember(machine);
    }
  }
}

awaitable<Machine> MachineLifecycle::waitForStart(Machine machine, std::int64_t ended_before, Deadline deadline) {
  bool ends = machine.state == "stopping" || machine.state == "suspending";
  std::string states = ends ? "stopped,suspended,started,failed" : "started,stopped,failed";
  machine = co_await waitFor(std::move(machine), std::move(states), ended_before, deadline);
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
  bool launched_here = machine.state == "created" || machine.state == "creating" || machine.state == "starting";
  for (;;) {
    requireHost(machine);
    requirePresent(machine);
    if (machine.state == "started") co_return Started{std::move(machine)};
    std::int64_t ended_before = newestEvent(machine, "exit");
    if (launched_here || isTransient(machine.state)) {
      machine = co_await waitForStart(std::move(machine), ended_before, deadline);
      if (machine.state == "started" || (launched_here && !isTransient(machine.state))) co_return Started{std::move(machine)};
      ended_before = newestEvent(machine, "exit");
    }
    FlyResult<void> started = co_await requestStart(machine, deadline);
    if (started) {
      machine = co_await waitFor(co_await machines_.readAgain(std::move(machine), deadline), "started,failed", ended_before, deadline);
      bool took_effect = machine.state != "stopped" || newestEvent(machine, "exit") > ended_before;
      if (took_effect && !machine.isGone()) co_return Started{std::move(machine)};
      continue;
    }
    const FlyFailure& failure = started.error();
    if (failure.shortage() != Shortage::None) co_return Started{std::move(machine), true};
    std::string was = machine.state;
    machine = co_await machines_.readAgain(std::move(machine), deadline);
    requirePresent(machine);
    if (machine.state == "started") co_return Started{std::move(machine)};
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
    if (machine.state == "stopping") co_return co_await waitFor(std::move(machine), "stopped,failed", INT64_MAX, deadline);
    auto call = [&](std::string lease) { return client_.stopMachine(machine, grace, std::move(lease), deadline); };
    faultPoint("flyio.stop.before");
    FlyResult<void> stopped = co_await leases_.perform(machine, call, deadline);
    faultPoint("flyio.stop.after");
    auto again = co_await async::attempt(machines_.readAgain(std::move(machine), deadline));
    // A refusal says more than the deadline that passed since.
    if (!again) throw stopped ? again.error() : stopped.error().error();
    machine = std::move(*again);
    if (stopped) {
      machine = co_await waitFor(std::move(machine), "stopped,failed", INT64_MAX, deadline);
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
      machine = co_await waitFor(co_await machines_.readAgain(std::move(machine), deadline), "destroyed", INT64_MAX, deadline);
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
