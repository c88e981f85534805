// Core: the emulator's parts together, and the functions that all rules share. Internal to emulator/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/awaitable.h"
#include "emulator/emulator.h"
#include "emulator/rules/config/capacity.h"
#include "emulator/rules/faults/faults.h"
#include "emulator/rules/faults/rate_limiter.h"
#include "emulator/state/background.h"
#include "emulator/state/journal.h"
#include "emulator/state/world.h"

namespace swarm::emulator {

/// The entry of a change in a Machine's history (§3 "Events").
struct EventNote {
  std::string_view type;
  std::string_view status;
  std::string_view source;  ///< "user" or "flyd"
  json::object request = {};
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(async::Executor executor, const Clock& clock, EmulatorOptions emulator_options, BackendPtr machine_backend);

  void spawn(awaitable<void> task) { background.spawn(std::move(task), shared_from_this()); }
  SystemTime now() const { return clock.now(); }

  /// Changes the state with its event: updates capacity, wakes waiters, marks the Machine for the journal. A transition that is not in the
  /// table of §4 ends the process.
  void changeState(const MachinePtr& machine, MachineState state, EventNote note);
  /// An event without a change of state.
  void note(const MachinePtr& machine, EventNote note);
  void touch(const MachinePtr& machine);
  void touch(const VolumePtr& volume);
  /// Waits for `duration`, or until the Machine's state changes.
  awaitable<void> pause(MachinePtr machine, std::chrono::milliseconds duration);
  /// How long this transition ("launch", "start", "stop", "suspend", "update", "destroy", "settle") lasts for this Machine: the configured
  /// time, or a fault's.
  std::chrono::milliseconds timeOf(const Machine& machine, std::string_view transition);

  /// Applies a fault of a request to the Machine's life.
  void applyFault(const FaultEffect& fault, const std::string& machine_id);

  /// The id of the Machine that currently holds the volume; empty: it is free.
  std::string boundTo(const Volume& volume) const;
  void servicesChanged();                                                             ///< notifies the edge, a few milliseconds later
  void destroyedBefore(const MachinePtr& machine) { destroyed_.push_back(machine); }  ///< loaded from the journal in this state
  /// Detaches the volume from its Machine and marks it as being deleted (§7); the caller deletes the content.
  void softDelete(const VolumePtr& volume);
  void softDeletedBefore(const VolumePtr& volume) { soft_deleted_.push_back(volume); }  ///< loaded from the journal in this state
  void dropExpiredSnapshots(const VolumePtr& volume);
  void forgetOld();  ///< destroyed Machines and volumes that are no longer visible

  async::Executor executor;
  const Clock& clock;
  EmulatorOptions options;
  BackendPtr backend;
  World world;
  Capacity capacity;
  RateLimiter limiter;
  FaultPlan faults;
  Journal journal;
  Background background;

  std::map<std::string, std::map<std::string, std::chrono::milliseconds>> transitionFaults;  ///< by Machine
  std::set<std::string> stuckMachines;
  std::function<void()> servicesListener;
  std::vector<std::function<void(json::object&)>> stateContributors;
  std::int64_t requests = 0;

 private:
  void wakeWaiters(Machine& machine);
  awaitable<void> reportServices();
  bool services_change_pending_ = false;
  std::deque<MachinePtr> destroyed_;
  std::deque<VolumePtr> soft_deleted_;
};

/// Sets a flag of a Machine for one holder (`busy` for a job); the others wait for the change notification at its end.
class [[nodiscard]] MachineLock {
 public:
  explicit MachineLock(MachinePtr machine, bool Machine::* flag = &Machine::busy) : machine_(std::move(machine)), flag_(flag) {}
  ~MachineLock() {
    if (!held_) return;
    (*machine_).*flag_ = false;
    machine_->changed.notifyAll();
  }
  MachineLock(const MachineLock&) = delete;
  MachineLock& operator=(const MachineLock&) = delete;
  /// False: the deadline has passed.
  awaitable<bool> take(Deadline deadline = Deadline::never()) {
    while ((*machine_).*flag_) {
      if (deadline.hasPassed() || !co_await waitFor(machine_->changed, deadline)) co_return false;
    }
    (*machine_).*flag_ = held_ = true;
    co_return true;
  }

 private:
  MachinePtr machine_;
  bool Machine::* flag_;
  bool held_ = false;
};

/// Whether the waiter's condition holds now; then the response of GET …/wait (§5).
std::optional<json::object> waitResponse(const Machine& machine, const StateWaiter& waiter);

}  // namespace swarm::emulator
