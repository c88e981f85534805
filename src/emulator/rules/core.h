// Core: the emulator's parts together, and the few things that every rule does with them. Internal to src/emulator/.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/emulator.h"
#include "emulator/rules/capacity.h"
#include "emulator/rules/faults.h"
#include "emulator/rules/rate_limiter.h"
#include "emulator/state/change_signal.h"
#include "emulator/state/journal.h"
#include "emulator/state/world.h"

namespace swarm::emulator {

/// What a Machine's history gets to know of a change (§3 "Events").
struct EventNote {
  std::string_view type;
  std::string_view status;
  std::string_view source;  ///< "user" or "flyd"
  json::object request = {};
};

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(net::Executor executor, const Clock& clock, EmulatorOptions emulator_options, BackendPtr machine_backend);

  void spawn(awaitable<void> task) { background.spawn(std::move(task), shared_from_this()); }
  SystemTime now() const { return clock.now(); }

  /// The change with its event: counts capacity, wakes those who wait, marks it for the journal. A change that the table of §4 does not
  /// have ends the process.
  void changeState(const MachinePtr& machine, MachineState state, EventNote note);
  /// An event without a change of state.
  void note(const MachinePtr& machine, EventNote note);
  void touch(const MachinePtr& machine);
  void touch(const VolumePtr& volume);
  /// Waits `duration`, or until the Machine's state is another.
  awaitable<void> pause(MachinePtr machine, std::chrono::milliseconds duration);
  /// How long this transition ("launch", "start", "stop", "suspend", "update", "destroy", "settle") lasts for this Machine: times, or what
  /// a fault said.
  std::chrono::milliseconds timeOf(const Machine& machine, std::string_view transition) const;

  /// The volume's Machine, when it still holds it now; empty: it is free.
  std::string boundTo(const Volume& volume) const;
  void servicesChanged();                                                             ///< tells the edge, a few milliseconds later
  void destroyedBefore(const MachinePtr& machine) { destroyed_.push_back(machine); }  ///< found so in the journal
  /// Free of its Machine, and on its way out (§7); the content is the caller's business.
  void softDelete(const VolumePtr& volume);
  void softDeletedBefore(const VolumePtr& volume) { soft_deleted_.push_back(volume); }  ///< found so in the journal
  void dropExpiredSnapshots(const VolumePtr& volume);
  void forgetOld();  ///< destroyed Machines and volumes that nobody can see any more

  net::Executor executor;
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
  awaitable<void> tellServices();
  bool services_change_pending_ = false;
  std::deque<MachinePtr> destroyed_;
  std::deque<VolumePtr> soft_deleted_;
};

/// Whether what the waiter wants is so now; the answer of GET …/wait then (§5).
std::optional<json::object> waitAnswer(const Machine& machine, const StateWaiter& waiter);

}  // namespace swarm::emulator
