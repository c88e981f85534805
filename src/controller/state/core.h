// Core: the controller's state and the tools that its parts share. For the control loop only.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <set>

#include "async/awaitable.h"
#include "async/notifier.h"
#include "controller/controller.h"

namespace swarm::control {

using async::Notifier;

/// What an agent reports about the setup script.
struct SetupReport {
  std::string state = "none";  ///< none, running, succeeded or failed
  std::int64_t exitCode = 0;
};

/// One instance: its durable record, the snapshot for readers, and its state in memory.
struct Entry {
  InstanceRecord record;
  std::shared_ptr<const Instance> snapshot;
  bool removed = false;       ///< its row was deleted; holders of the entry must not use it any more
  std::uint64_t touches = 0;  ///< grows with each change by an operation: observations that began before are invalid
  Notifier observed;          ///< the provider reported an event

  // The route.
  bool ready = false;
  std::string generation;
  std::uint64_t epoch = 0;
  std::string step;
  SystemTime stepStartedAt{};
  std::shared_ptr<const MoveProgress> moving;  ///< null: no move in progress
  AgentEndpoint endpoint;

  // Observation.
  bool watching = false;          ///< a watch of the agent is in progress
  bool watchAgain = false;        ///< a doubt was reported during the watch
  bool queryingActivity = false;  ///< a query for the last activity is in progress
  SetupReport setup;
  bool followingSetup = false;
  bool inspecting = false;  ///< an inspection is in progress
  bool inspectAgain = false;
  std::string incarnation;      ///< container id and start time: another one means that existing connections are dead
  bool startScheduled = false;  ///< it ended with its provider; a start will be submitted
  int autoStarts = 0;
  SteadyTime lastAutoStart{};
  std::optional<SteadyTime> endedAt;  ///< when it was observed to have exited
  bool endedWithProvider = false;     ///< …and its provider disconnected right after
  std::string notice;                 ///< the last notice to its owner since its start
  std::optional<SteadyTime> noticedAt;
  bool updating = false;  ///< an update in place is in progress

  Instance& instance() { return record.instance; }
  const std::string& id() const { return record.instance.id; }
  /// Its id at the provider.
  const std::string& placeId() const { return record.placeId.empty() ? id() : record.placeId; }
};
using EntryPtr = std::shared_ptr<Entry>;

class ActiveOperation;
using ActivePtr = std::shared_ptr<ActiveOperation>;

/// Runs `work` and keeps `owner` alive until each of its frames is destroyed, also when the loop is destroyed first.
template <typename T, typename Owner>
awaitable<T> holding(std::shared_ptr<Owner> /*owner*/, awaitable<T> work) {
  co_return co_await std::move(work);
}

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(async::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time, ControllerOptions chosen);

  async::Executor executor;
  Store& store;
  std::map<ProviderType, ProviderPtr> providers;
  const Clock& clock;
  ControllerOptions options;
  RouteSource routes;
  EventBus bus;
  std::map<std::string, EntryPtr> instances;               ///< by id
  std::map<std::string, std::string, std::less<>> names;   ///< name → id; reserved before the row is written
  std::map<std::string, NameHold, std::less<>> heldNames;  ///< names of deleted instances
  std::map<std::string, PlaceRecord> places;               ///< other than the current ones, by id
  std::map<std::string, Departure> departed;               ///< deleted places, by their id at the provider
  std::map<std::string, GitIdentity> gitIdentities;        ///< by user, for new workspaces
  std::map<std::string, ActivePtr> active;                 ///< operations in progress, by id
  const std::shared_ptr<MoveAgents>& moveAgents() const { return options.moveAgents; }
  async::Executor moveExecutor() const { return options.moveExecutor ? options.moveExecutor : executor; }
  Notifier operationEnded;                                                             ///< an operation has ended
  std::map<std::pair<OperationKind, OperationStatus>, std::uint64_t> endedOperations;  ///< since the server's start
  bool closing = false;

  EntryPtr find(std::string_view ref) const;                           ///< by id or name; null when there is none
  const NameHold* holdOf(std::string_view name) const;                 ///< the current hold on a name, or null
  awaitable<void> forgetRow(const Entry& entry, Departure departure);  ///< of a deleted instance; reserves its name for its owner
  EntryPtr require(const std::string& ref) const;                      ///< throws NotFound
  EntryPtr findByPlace(const std::string& place_id) const;             ///< by its current place; null when there is none
  bool knowsPlace(const std::string& place_id) const { return place_owners_.contains(place_id) || places.contains(place_id); }
  /// Deleted, and not created again since (a move that is resumed after a crash creates its target again).
  bool isDeparted(const std::string& place_id) const { return departed.contains(place_id) && !knowsPlace(place_id); }
  std::string ownerOfPlace(const std::string& place_id) const;  ///< also of a deleted one; empty: unknown to this swarm
  void placeChanged(Entry& entry, const std::string& former);   ///< after a switch of its current place
  ActivePtr activeOf(const Entry& entry) const;                 ///< the newest operation of an instance in progress, or null
  Provider& providerOf(const Entry& entry) const;               ///< throws Unavailable when it is not configured

  /// Runs `work` in the background until it ends or the controller closes. Exceptions are logged.
  void spawn(std::string what, awaitable<void> work);
  awaitable<void> stopTasks();  ///< cancels background work and waits for its end

  void setStatus(Entry& entry, InstanceStatus status, std::string reason);  ///< in memory; publishes
  void changed(Entry& entry);                                               ///< updates the snapshot, publishes an event and the route
  void routeChanged(const Entry& entry);                                    ///< publishes soon, together with other changes
  void publishRoutes();                                                     ///< publishes pending changes now
  void breakConnections(Entry& entry);                                      ///< ends connections: new epoch, no endpoint
  void operationChanged(const Operation& operation);
  void add(EntryPtr entry);
  void remove(const EntryPtr& entry);

  agent::AgentTarget targetOf(const Entry& entry) const { return targetOf(entry, entry.endpoint); }
  agent::AgentTarget targetOf(const Entry& entry, AgentEndpoint endpoint) const;  ///< at one of its places
  InstanceSpec specOf(const Entry& entry) const;
  /// Adds the settings of a place's agent; `hold`: the transfer for which it starts held, or empty.
  void addAgentSettings(InstanceSpec& spec, const Entry& entry, const std::string& hold) const;
  awaitable<agent::AgentHealth> probe(agent::AgentTarget target, Deadline deadline, std::chrono::milliseconds wait = {}) const;
  awaitable<agent::AgentActivity> activity(agent::AgentTarget target, Deadline deadline) const;
  void noteActive(Entry& entry, SystemTime at);  ///< time of user activity
  std::string urlOf(const std::string& name) const;

 private:
  struct Task {
    boost::asio::cancellation_signal signal;
  };
  awaitable<void> publishLater();
  Route routeOf(const Entry& entry) const;

  std::list<std::shared_ptr<Task>> tasks_;
  Notifier task_ended_;
  std::map<std::string, std::string> dirty_routes_;  ///< name → instance id
  bool publishing_ = false;
  std::chrono::steady_clock::time_point published_{};
  std::uint64_t next_epoch_ = 1;
  std::map<std::string, std::string> place_owners_;  ///< current place → instance id
};

}  // namespace swarm::control
