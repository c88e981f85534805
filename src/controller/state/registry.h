// Registry: instances, names and places in memory. The store has the durable rows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/notifier.h"
#include "controller/limits/ledger.h"
#include "controller/state/routes.h"
#include "provider/provider.h"
#include "store/store.h"

namespace swarm::control {

using async::Notifier;

/// What an agent reports about the setup script, and its warning.
struct SetupReport {
  agent::SetupState state = agent::SetupState::None;
  std::int64_t exitCode = 0;
  std::string warning{};  ///< a sentence
};

/// One instance: its durable record and its state in memory.
struct Entry {
  InstanceRecord record;
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
  std::shared_ptr<const PortRules> ports;  ///< null: none; see control::Ports

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
  bool occupies = false;  ///< CPU and memory: it runs, or is about to; while that is not known, as before

  Instance& instance() { return record.instance; }
  const InstanceId& id() const { return record.instance.id; }
  /// Its current place.
  PlaceId placeId() const { return record.placeId.empty() ? firstPlaceOf(id()) : record.placeId; }
  /// In memory only: the agent records it, too, and the next write of the row includes it.
  void noteActive(SystemTime at) { instance().lastActive = std::max(instance().lastActive, at); }
};
using EntryPtr = std::shared_ptr<Entry>;

/// For the control loop only.
class Registry {
 public:
  explicit Registry(const Clock& clock) : clock_(clock) {}

  const std::map<InstanceId, EntryPtr>& instances() const { return instances_; }  ///< by id
  EntryPtr find(const InstanceId& id) const;                                      ///< null when there is none
  EntryPtr find(std::string_view ref) const;                                      ///< by id or name; null when there is none
  EntryPtr require(const std::string& ref) const;                                 ///< throws NotFound
  EntryPtr findByPlace(const PlaceId& place) const;                               ///< by its current place; null when there is none
  void add(const EntryPtr& entry);
  void remove(const EntryPtr& entry);

  bool isTaken(std::string_view name) const { return names_.contains(name); }
  bool reserve(const std::string& name, const InstanceId& id) { return names_.try_emplace(name, id).second; }  ///< false: taken
  void unreserve(const std::string& name, const InstanceId& id);  ///< unless it belongs to another instance

  const std::map<std::string, NameHold, std::less<>>& holds() const { return holds_; }  ///< including expired ones
  const NameHold* holdOf(std::string_view name) const;                                  ///< the current hold on a name, or null
  void hold(NameHold hold) { holds_[hold.name] = std::move(hold); }
  void dropHold(const std::string& name) { holds_.erase(name); }

  const std::map<PlaceId, PlaceRecord>& places() const { return places_; }  ///< other than the current ones, by id
  PlaceRecord* findPlace(const PlaceId& id);                                ///< null when there is none
  const PlaceRecord* findPlace(const PlaceId& id) const { return const_cast<Registry*>(this)->findPlace(id); }  // NOLINT
  void putPlace(PlaceRecord place);
  void removePlace(const PlaceId& id);
  /// The instance and its places belong to another user.
  void handOver(Entry& entry, const std::string& owner);
  /// After a switch: the entry has another current place than `former`.
  void placeChanged(const Entry& entry, const PlaceId& former);
  bool knowsPlace(const PlaceId& id) const { return place_owners_.contains(id) || places_.contains(id); }
  std::string ownerOfPlace(const PlaceId& id) const;  ///< also of a deleted one; empty: unknown to this swarm
  /// The present owner of a volume, whose label (`volume.owner`) keeps the one at the time of its creation.
  std::string ownerOf(const VolumeInfo& volume) const;
  void setVolumeOwner(const VolumeOwner& one) { volume_owners_[{one.placeId, one.volume}] = one.owner; }
  InstanceId instanceOfPlace(const PlaceId& id) const;

  const std::map<PlaceId, Departure>& departures() const { return departures_; }  ///< of deleted places, by id
  void depart(Departure departure) { departures_.insert_or_assign(departure.placeId, std::move(departure)); }
  void forgetDepartures(SystemTime before);
  /// Deleted, and not created again since (a move that is resumed after a crash creates its target again).
  bool isDeparted(const PlaceId& id) const { return departures_.contains(id) && !knowsPlace(id); }

  /// What belonged to the deleted user `from` belongs to `to`; empty: to no user. Returns the instances that changed their owner.
  std::vector<EntryPtr> handOver(const std::string& from, const std::string& to);
  /// The user who has what belongs to `owner`, who may have been deleted.
  std::string presentOwner(const std::string& owner) const;

  /// What all places hold.
  const std::shared_ptr<Ledger>& ledger() const { return ledger_; }
  /// After a change of what the entry holds: of its configuration, status or owner.
  void recount(const Entry& entry);

  GitIdentity gitIdentityOf(const std::string& user) const;  ///< empty: not known
  void setGitIdentity(const std::string& user, GitIdentity identity) { git_identities_[user] = std::move(identity); }

 private:
  const Clock& clock_;
  std::map<InstanceId, EntryPtr> instances_;
  std::map<std::string, InstanceId, std::less<>> names_;  ///< reserved before the row is written
  std::map<std::string, NameHold, std::less<>> holds_;
  std::map<PlaceId, PlaceRecord> places_;
  std::map<PlaceId, InstanceId> place_owners_;  ///< by current place
  std::map<PlaceId, Departure> departures_;
  std::map<std::pair<PlaceId, std::string>, std::string> volume_owners_;  ///< after hand-overs
  std::map<std::string, std::string> successors_;                         ///< of deleted users
  std::map<std::string, GitIdentity> git_identities_;
  std::shared_ptr<Ledger> ledger_ = std::make_shared<Ledger>();
};

}  // namespace swarm::control
