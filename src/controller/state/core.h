// Core: the controller's state and the tools that its parts share. Everything here lives on the control loop.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <set>

#include "async/notifier.h"
#include "controller/controller.h"

namespace swarm::control {

using net::Notifier;

/// What an agent says of the setup script.
struct SetupReport {
  std::string state = "none";  ///< none, running, succeeded or failed
  std::int64_t exitCode = 0;
};

/// One instance: its durable record, the snapshot that readers get, and what is known of it while the server runs.
struct Entry {
  InstanceRecord record;
  std::shared_ptr<const Instance> snapshot;
  bool removed = false;       ///< its row is gone; whoever still holds the entry must let it be
  std::uint64_t touches = 0;  ///< grows with every change by an operation: an observation that began before is void
  Notifier observed;          ///< something happened at the provider

  // The route.
  bool ready = false;
  std::string generation;
  std::uint64_t epoch = 0;
  std::string step;
  SystemTime stepStartedAt{};
  std::shared_ptr<const MoveProgress> moving;  ///< null: it is not being moved
  AgentEndpoint endpoint;

  // Observation.
  bool watching = false;    ///< a watch of the agent goes on
  bool watchAgain = false;  ///< there was doubt meanwhile
  bool asking = false;      ///< its agent is being asked for the last activity
  SetupReport setup;
  bool followingSetup = false;
  bool inspecting = false;  ///< an inspection goes on
  bool inspectAgain = false;
  std::string incarnation;      ///< container id and start time: another one means that old connections are dead
  bool startScheduled = false;  ///< it ended with its provider, and a start is about to be submitted
  int autoStarts = 0;
  SteadyTime lastAutoStart{};
  std::optional<SteadyTime> endedAt;  ///< when it was seen to have ended by itself
  bool endedWithProvider = false;     ///< …and its provider went away right after
  std::string notice;                 ///< of what happened in it since its start, for its owner
  std::optional<SteadyTime> noticedAt;
  bool updating = false;  ///< a change in place goes on

  Instance& instance() { return record.instance; }
  const std::string& id() const { return record.instance.id; }
  /// What the provider knows it by.
  const std::string& placeId() const { return record.placeId.empty() ? id() : record.placeId; }
};
using EntryPtr = std::shared_ptr<Entry>;

class ActiveOperation;
using ActivePtr = std::shared_ptr<ActiveOperation>;

/// Runs `work` with `owner` alive until every frame of it is gone, also when its loop is destroyed under it.
template <typename T, typename Owner>
awaitable<T> holding(std::shared_ptr<Owner> /*owner*/, awaitable<T> work) {
  co_return co_await std::move(work);
}

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(net::Executor control_loop, Store& durable, std::map<ProviderType, ProviderPtr> all, const Clock& time, ControllerOptions chosen);

  net::Executor executor;
  Store& store;
  std::map<ProviderType, ProviderPtr> providers;
  const Clock& clock;
  ControllerOptions options;
  RouteSource routes;
  EventBus bus;
  std::map<std::string, EntryPtr> instances;               ///< by id
  std::map<std::string, std::string, std::less<>> names;   ///< name → id; reserved before the row is written
  std::map<std::string, NameHold, std::less<>> heldNames;  ///< names of deleted instances
  std::map<std::string, PlaceRecord> places;               ///< besides those in force, by id
  std::map<std::string, Departure> departed;               ///< what was deleted, by its provider's id
  std::map<std::string, GitIdentity> gitIdentities;        ///< of users that have one, for their new workspaces
  std::map<std::string, ActivePtr> active;                 ///< operations in progress, by id
  const std::shared_ptr<MoveAgents>& moveAgents() const { return options.moveAgents; }
  net::Executor moveExecutor() const { return options.moveExecutor ? options.moveExecutor : executor; }
  Notifier operationEnded;                                                             ///< some operation has ended
  std::map<std::pair<OperationKind, OperationStatus>, std::uint64_t> endedOperations;  ///< in this life
  bool closing = false;

  EntryPtr find(std::string_view ref) const;                           ///< by id or name; null when there is none
  const NameHold* holdOf(std::string_view name) const;                 ///< the hold in force on a name, or null
  awaitable<void> forgetRow(const Entry& entry, Departure departure);  ///< of a deleted instance; its name stays its owner's for a while
  EntryPtr require(const std::string& ref) const;                      ///< throws NotFound
  EntryPtr findByPlace(const std::string& place_id) const;             ///< whose place in force it is; null when it is none's
  bool knowsPlace(const std::string& place_id) const { return place_owners_.contains(place_id) || places.contains(place_id); }
  /// Deleted, and not made again since (a move that goes on after a crash makes its target again).
  bool isDeparted(const std::string& place_id) const { return departed.contains(place_id) && !knowsPlace(place_id); }
  std::string ownerOfPlace(const std::string& place_id) const;  ///< also of a deleted one; empty: it was never this swarm's
  void placeChanged(Entry& entry, const std::string& former);   ///< its place in force is another one now
  ActivePtr activeOf(const Entry& entry) const;                 ///< the newest operation of an instance that has not ended, or null
  Provider& providerOf(const Entry& entry) const;               ///< throws Unavailable when it is not configured any more

  /// Runs `work` in the background until it ends or the controller closes. What it throws is logged.
  void spawn(std::string what, awaitable<void> work);
  awaitable<void> stopTasks();  ///< cancels what is in the background and waits for its end

  void setStatus(Entry& entry, InstanceStatus status, std::string reason);  ///< in memory; publishes
  void changed(Entry& entry);                                               ///< a new snapshot, an event, a route
  void routeChanged(const Entry& entry);  ///< publishes soon: at once after a quiet time, else together with what else changes
  void publishRoutes();                   ///< publishes now what has changed
  void breakConnections(Entry& entry);    ///< the old place is gone: new epoch, no endpoint
  void operationChanged(const Operation& operation);
  void add(EntryPtr entry);
  void remove(const EntryPtr& entry);

  agent::AgentTarget targetOf(const Entry& entry) const { return targetOf(entry, entry.endpoint); }
  agent::AgentTarget targetOf(const Entry& entry, AgentEndpoint endpoint) const;  ///< at any of its places
  InstanceSpec specOf(const Entry& entry) const;
  /// Fills in what the agent of a place is given; `hold`: the transfer that it waits for, or empty.
  void addAgentSettings(InstanceSpec& spec, const Entry& entry, const std::string& hold) const;
  awaitable<agent::AgentHealth> probe(agent::AgentTarget target, Deadline deadline, std::chrono::milliseconds wait = {}) const;
  awaitable<agent::AgentActivity> activity(agent::AgentTarget target, Deadline deadline) const;
  void noteActive(Entry& entry, SystemTime at);  ///< a person did something then
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
  std::map<std::string, std::string> place_owners_;  ///< place in force → instance id
};

}  // namespace swarm::control
