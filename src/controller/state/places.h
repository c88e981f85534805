// Places: the places of instances other than their current one: targets of moves, kept sources, snapshots, places to be removed.
#pragma once

#include "controller/state/active_operation.h"

namespace swarm::control {

/// Fills what the record of a place has of its instance: owner, provider and configuration.
void describePlace(PlaceRecord& place, const Entry& entry, PlaceId id, PlaceRole role);

/// The network of an instance at a place that it had before: what limits it is as it is now, what depends on the place as it was there.
NetworkConfig networkAt(NetworkConfig place, const NetworkConfig& present);

/// A provider's progress with a place: ids become durable with the place, steps become details of the operation's own step.
class PlaceProgress final : public Progress {
 public:
  /// `operation` may be null: only ids are recorded.
  PlaceProgress(const Context& context, PlaceId place_id, ActivePtr operation)
      : context_(context), place_id_(std::move(place_id)), operation_(std::move(operation)) {}
  awaitable<void> recorded(ExternalResource resource) override;
  void step(Step step) override;
  void detail(std::string text, std::int64_t bytes_done = 0, std::int64_t bytes_total = 0) override;

 private:
  const Context& context_;
  PlaceId place_id_;
  ActivePtr operation_;
};

class Places {
 public:
  explicit Places(const Context& context) : context_(context) {}

  awaitable<void> load();  ///< from the store; before operations are resumed
  void begin();            ///< from here on, discarded and expired places are removed in the background

  /// Durable when it returns.
  awaitable<void> put(PlaceRecord place);
  /// The kept source of the instance's last move; null when there is none.
  const PlaceRecord* keptFor(const InstanceId& instance) const;
  /// One write makes `place_id` the entry's current place; the former one gets `role` until `until`. Memory is updated when it returns.
  awaitable<void> switchTo(EntryPtr entry, PlaceId place_id, PlaceRole role, SystemTime until, OperationRecord operation,
                           std::string name = {});
  /// Marks the place for removal with its volumes; retried while its provider is unreachable.
  awaitable<void> discard(PlaceId place_id);
  enum class Snapshots { Stay, Go };
  awaitable<void> discardAllOf(InstanceId instance, Snapshots snapshots);
  /// Removes the container of a snapshot in the background; its volumes stay.
  void closeSoon(PlaceId place_id);
  /// Whether an operation in progress needs it.
  bool isInUse(const PlaceId& place_id) const;
  /// Removes it now; throws when its provider fails.
  awaitable<void> removeNow(PlaceId place_id, ActivePtr operation);
  /// Updates the instance's keptSource.
  void describe(Entry& entry) const;

 private:
  awaitable<void> run();
  awaitable<void> sweep();
  awaitable<void> tidy(PlaceId id, awaitable<void> work);
  awaitable<void> removeIfDue(PlaceId id);
  awaitable<void> close(PlaceId place_id);
  awaitable<void> remove(PlaceRecord place, ActivePtr operation, Deadline deadline);
  bool isDue(const PlaceRecord& place) const;

  const Context& context_;
  Notifier changed_;
  std::set<PlaceId> removing_;
  Notifier removed_;
  std::set<PlaceId> to_close_;  ///< snapshots that may have a container
};

}  // namespace swarm::control
