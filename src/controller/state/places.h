// Places: where instances stand besides their place in force: targets of moves, sources that are kept for a time, and what is to be
// removed.
#pragma once

#include "controller/state/active_operation.h"

namespace swarm::control {

/// How a provider tells of its work on a place: ids become durable with the place, steps are details of the operation's own step.
class PlaceProgress final : public Progress {
 public:
  /// `operation` may be null: then only the ids count.
  PlaceProgress(Core& core, std::string place_id, ActivePtr operation)
      : core_(core), place_id_(std::move(place_id)), operation_(std::move(operation)) {}
  awaitable<void> recorded(ExternalResource resource) override;
  void step(Step step) override;
  void detail(std::string text, std::int64_t bytes_done = 0, std::int64_t bytes_total = 0) override;

 private:
  Core& core_;
  std::string place_id_;
  ActivePtr operation_;
};

class Places {
 public:
  explicit Places(Core& core) : core_(core) {}

  awaitable<void> load();  ///< from the store; before operations are resumed
  void begin();            ///< from here on, what is discarded or has expired is removed in the background

  /// Durable when it returns.
  awaitable<void> put(PlaceRecord place);
  /// The place that an instance was moved from and that is kept for it; null when there is none.
  const PlaceRecord* keptFor(const std::string& instance_id) const;
  /// The one write that makes `place_id` the entry's place in force; the former one gets `role` until then. In memory, too, when it
  /// returns.
  awaitable<void> switchTo(EntryPtr entry, std::string place_id, PlaceRole role, SystemTime until, OperationRecord operation,
                           std::string name = {});
  /// From now on nobody needs it: removed with its volumes now or, with its provider away, later.
  awaitable<void> discard(std::string place_id);
  enum class Snapshots { Stay, Go };
  awaitable<void> discardAllOf(std::string instance_id, Snapshots snapshots);
  /// What runs at a snapshot goes in the background, its volumes stay.
  void closeSoon(std::string place_id);
  /// An operation in progress needs it.
  bool isInUse(const std::string& place_id) const;
  /// Removes it now. Throws when its provider can't.
  awaitable<void> removeNow(std::string place_id, ActivePtr operation);
  /// The instance's keptSource is what is true.
  void describe(Entry& entry) const;

 private:
  awaitable<void> run();
  awaitable<void> sweep();
  enum class Tidying { Remove, Close };
  awaitable<void> tidy(std::string id, Tidying what);
  awaitable<void> close(std::string place_id);
  awaitable<void> remove(PlaceRecord place, ActivePtr operation, Deadline deadline);
  bool isDue(const PlaceRecord& place) const;

  Core& core_;
  Notifier changed_;
  std::set<std::string> removing_;
  Notifier removed_;
  std::set<std::string> to_close_;  ///< snapshots at which something may run
};

}  // namespace swarm::control
