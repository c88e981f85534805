// Starts and stops Machines with the API's own wait, from whatever state they are in.
#include <algorithm>
#include <array>

#include "async/lock/keyed_lock.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {
namespace {

/// The first rounds are short: a process that ends at once is never observed as started, only by reading the Machine again.
constexpr std::array<std::chrono::seconds, 4> kRounds{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                                                      std::chrono::seconds(60)};
constexpr std::chrono::seconds kLongestGrace{300};

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
  if (!machine.isHostUnreachable()) return;
  throw hostUnreachable(machine);
}

/// Fly's own confirmation; a proxy's page with status 200 is not one.
bool isDone(const FlyReply& reply) { return reply.ok() && reply.json().is_object(); }

Error vanished(const Machine& machine) {
  return Error(ErrorCode::UpstreamFailed, format("The Machine {} was destroyed concurrently.", machine.id))
      .withInstance(machine.metadata(kMetaInstance));
}

std::string late(const Machine& machine, std::string_view wanted) {
  return format("Timed out waiting for the Machine to be {}; Fly reports it as {}.", wanted, machine.state);
}

}  // namespace

awaitable<Machine> FlyIOProvider::waitFor(Machine machine, std::string states, std::int64_t ended_before, Deadline deadline) {
  for (std::size_t round = 0;; ++round) {
    if (isListed(states, machine.state) || machine.isGone() || machine.isHostUnreachable()) co_return machine;
    bool has_ended = machine.state == "stopped" && newestEvent(machine, "exit") > ended_before;
    if (has_ended) co_return machine;
    // A round has passed and nothing is in progress: the request had no effect.
    if (round > 0 && !isTransient(machine.state) && machine.state != "created") co_return machine;
    std::chrono::seconds left = std::chrono::ceil<std::chrono::seconds>(deadline.left());
    if (left.count() <= 0 || deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, late(machine, states));
    std::chrono::seconds length = std::min(kRounds[std::min(round, kRounds.size() - 1)], left);
    MachinesClient::Waited waited = co_await client_.wait(machine, states, length, deadline);
    // It may have failed, or have another version by now: the Machine itself is more accurate than the end of a round.
    std::string seen = waited.state;
    machine = co_await readAgain(std::move(machine), deadline);
    if (waited.reached && isListed(states, seen) && isTransient(machine.state)) {
      machine.state = seen;
      remember(machine);
    }
  }
}

awaitable<std::string> FlyIOProvider::ownLease(const Machine& machine, Deadline deadline) {
  FlyCall call{.action = Action::GetLease,
               .id = machine.id,
               .target = format("/v1/apps/{}/machines/{}/lease", machine.app, machine.id),
               .doing = "read the Machine's lease"};
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  if (!reply.ok()) co_return "";
  json::value answer = reply.json();
  const json::value* lease = member(answer, "data");
  if (!lease) lease = &answer;
  // Only this server acquires leases with this text, and holds none beyond a call: a crash left it behind.
  co_return stringAt(*lease, "description") == "swarm " + swarm_id_ ? stringAt(*lease, "nonce") : "";
}

awaitable<FlyReply> FlyIOProvider::mutate(const Machine& machine, FlyCall call, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    FlyReply reply = co_await client_.send(call, deadline);
    if (reply.status != 409 || !isLeaseHeld(reply.fault())) co_return reply;
    std::string nonce = co_await ownLease(machine, deadline);
    if (!nonce.empty() && nonce != call.leaseNonce) {
      call.leaseNonce = nonce;
      continue;
    }
    if (deadline.left() <= delay) co_return reply;
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out: another client held the Machine's lease.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<Machine> FlyIOProvider::startMachine(Machine machine, Progress& progress, Deadline deadline) {
  const std::string doing = "start the Machine";
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  bool launched_here = machine.state == "created" || machine.state == "creating" || machine.state == "starting";
  for (;;) {
    requireHost(machine);
    if (machine.isGone()) throw vanished(machine);
    if (machine.state == "started") co_return machine;
    std::int64_t ended_before = newestEvent(machine, "exit");
    if (launched_here || isTransient(machine.state)) {
      bool ends = machine.state == "stopping" || machine.state == "suspending";
      machine = co_await waitFor(std::move(machine), ends ? "stopped,suspended,started,failed" : "started,stopped,failed", ended_before,
                                 deadline);
      if (machine.isGone()) throw vanished(machine);
      if (launched_here && !isTransient(machine.state)) co_return machine;
      if (machine.state == "started") co_return machine;
      ended_before = newestEvent(machine, "exit");
    }
    FlyCall call{.action = Action::StartMachine,
                 .id = machine.id,
                 .method = "POST",
                 .target = format("/v1/apps/{}/machines/{}/start", machine.app, machine.id),
                 .doing = doing};
    faultPoint("flyio.start.before");
    FlyReply reply = co_await mutate(machine, std::move(call), deadline);
    faultPoint("flyio.start.after");
    FlyFault fault = reply.fault();
    if (isDone(reply)) {
      machine = co_await waitFor(co_await readAgain(std::move(machine), deadline), "started,failed", ended_before, deadline);
      bool took = machine.state != "stopped" || newestEvent(machine, "exit") > ended_before;
      if (took && !machine.isGone()) co_return machine;
      continue;
    }
    if (shortageOf(fault) != Shortage::None) {
      log::warning("moved a Machine to another host, because its own had no capacity to start it",
                   {{"instance", machine.metadata(kMetaInstance)}, {"machine", machine.id}});
      json::object config = machine.config;
      co_return co_await moveElsewhere(std::move(machine), std::move(config), progress, deadline);
    }
    std::string was = machine.state;
    machine = co_await readAgain(std::move(machine), deadline);
    if (machine.isGone()) throw vanished(machine);
    if (machine.state == "started") co_return machine;
    bool passes =
        isPassing(fault) || reply.isFateOpen() || reply.isAbsent() || machine.state != was;  // absent, but found: not known everywhere yet
    if (!passes || deadline.left() <= delay) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline, late(machine, "started"));
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<Machine> FlyIOProvider::stopMachine(Machine machine, std::chrono::seconds grace, Deadline deadline) {
  const std::string doing = "stop the Machine";
  grace = std::clamp(grace, std::chrono::seconds(0), kLongestGrace);
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    requireHost(machine);
    const std::string& state = machine.state;
    if (state == "stopped" || state == "failed" || machine.isGone()) co_return machine;
    if (state == "stopping") co_return co_await waitFor(std::move(machine), "stopped,failed", INT64_MAX, deadline);
    FlyCall call{.action = Action::StopMachine,
                 .id = machine.id,
                 .method = "POST",
                 .target = format("/v1/apps/{}/machines/{}/stop", machine.app, machine.id),
                 .doing = doing,
                 .body = json::object{{"signal", "SIGTERM"}, {"timeout", format("{}s", grace.count())}},
                 .timeout = grace + std::chrono::seconds(30)};
    faultPoint("flyio.stop.before");
    FlyReply reply = co_await mutate(machine, std::move(call), deadline);
    faultPoint("flyio.stop.after");
    machine = co_await readAgain(std::move(machine), deadline);
    if (isDone(reply)) {
      machine = co_await waitFor(std::move(machine), "stopped,failed", INT64_MAX, deadline);
      continue;
    }
    bool passes = isPassing(reply.fault()) || reply.isFateOpen() || reply.isAbsent() || isTransient(machine.state);
    bool ended = machine.state == "stopped" || machine.state == "failed" || machine.isGone();
    if (!ended && (!passes || deadline.left() <= delay)) throw client_.failure(reply, doing);
    if (ended) co_return machine;
    co_await client_.pause(client_.jittered(delay), deadline, late(machine, "stopped"));
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::destroyMachine(Machine machine, Deadline deadline) {
  const std::string doing = "destroy the Machine";
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (;;) {
    FlyCall call{.action = Action::DeleteMachine,
                 .id = machine.id,
                 .method = "DELETE",
                 .target = format("/v1/apps/{}/machines/{}?force=true", machine.app, machine.id),
                 .doing = doing};
    faultPoint("flyio.delete.machine.before");
    FlyReply reply = co_await mutate(machine, std::move(call), deadline);
    faultPoint("flyio.delete.machine.after");
    destroyed_[machine.id] = std::chrono::steady_clock::now();
    if (reply.isAbsent()) co_return;
    if (isDone(reply)) {
      machine.version.clear();
      machine = co_await waitFor(co_await readAgain(std::move(machine), deadline), "destroyed", INT64_MAX, deadline);
      if (machine.isGone() || machine.isHostUnreachable()) co_return;
      continue;
    }
    bool passes = isPassing(reply.fault()) || reply.isFateOpen();
    if (!passes || deadline.left() <= delay) throw client_.failure(reply, doing);
    co_await client_.pause(client_.jittered(delay), deadline, "Timed out destroying the Machine.");
    delay = std::min(delay * 2, client_.tuning().longestPause);
  }
}

awaitable<void> FlyIOProvider::startInstance(std::string instance_id, Progress& progress, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(instance_id, deadline);
  progress.step(Step::StartMachine);
  Machine machine = co_await requireMachine(instance_id, deadline);
  machine = co_await startMachine(std::move(machine), progress, deadline);
  if (!tidy_.contains(instance_id)) co_await tidyUp(std::move(machine), deadline);
}

awaitable<void> FlyIOProvider::stopInstance(std::string instance_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(instance_id, deadline);
  progress.step(Step::StopMachine);
  Machine machine = co_await requireMachine(instance_id, deadline);
  co_await stopMachine(std::move(machine), grace, deadline);
}

}  // namespace swarm::flyio
