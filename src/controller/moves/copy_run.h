// CopyRun: one run of an operation that brings the files of one place to another: what moves, snapshots and restores have in common.
#pragma once

#include "controller/moves/move_link.h"
#include "controller/moves/move_teller.h"
#include "controller/operations/handler.h"
#include "controller/operations/lifecycle.h"
#include "controller/state/places.h"

namespace swarm::control {

/// Each part may be run again after a crash. Made as a shared_ptr; lives as long as anything that it waits for.
class CopyRun : public std::enable_shared_from_this<CopyRun> {
 public:
  struct Options {
    std::string to = {};  ///< "Fly.io (ams)", for people; empty: the instance stays where it is
    bool wasRunning = false;
    std::int64_t bytesPerSecond = 0;  ///< at most; 0: any number
  };

  virtual ~CopyRun() = default;
  CopyRun(const CopyRun&) = delete;
  CopyRun& operator=(const CopyRun&) = delete;

 protected:
  struct End {
    Provider& provider;
    std::string place;
  };
  enum class Volumes { New, Existing };

  CopyRun(const OperationTools& tools, ActivePtr operation, Options options);
  virtual End source() const = 0;
  virtual End target() const = 0;

  /// The instance's agent answers: one that was stopped is started for the time of the operation, one that a crash of ours left held is
  /// released.
  awaitable<void> makeInstanceRun();
  /// A place of this operation, like the one in force; what a crash of ours has left known of it stays known.
  PlaceRecord placeOfOurs(const std::string& id) const;
  /// Makes (again) what runs at a place, held. `place` is durable before the first external call.
  awaitable<void> makeHeld(PlaceRecord place, Volumes volumes);
  /// The same with another call than a create; called again while the provider can't be reached.
  using Make = std::function<awaitable<ProviderInstance>(InstanceSpec spec, Progress& progress, Deadline deadline)>;
  awaitable<void> makeHeldBy(PlaceRecord place, Make make);
  awaitable<void> waitForAgent(End end);
  /// ONE durable write: before it the former place is the instance's, after it `place`. The former one gets `role` until `until`, and the
  /// operation `after` as its parameters.
  awaitable<void> switchTo(std::string place, OperationParameters after, PlaceRole role, SystemTime until, std::string name = {});
  /// The place goes, now or, when its provider can't, later.
  awaitable<void> drop(std::string place);

  /// Calls with the link between the ends; made anew and called again when it was cut, as long as both ends are there and something moves.
  template <typename T>
  awaitable<T> linked(std::function<awaitable<T>(std::shared_ptr<MoveLink>)> call);
  awaitable<transfer::RoundReport> round(transfer::RoundKind kind);
  awaitable<transfer::ScanReport> scan(transfer::Side side);
  awaitable<void> readBack();  ///< the target's files are read, hashed and on disk
  awaitable<void> sync(transfer::Side side);
  awaitable<bool> areEqual();  ///< by both digests
  /// The first differences, as a phrase.
  awaitable<std::string> differences();
  awaitable<void> closeLink();
  awaitable<agent::AgentTarget> agentAt(End end);
  transfer::Scope scope() const;

  Core& core_;
  Lifecycle& lifecycle_;
  Places& places_;
  ActivePtr operation_;
  EntryPtr entry_;
  MoveTeller teller_;

 private:
  transfer::ProgressSink sink();
  awaitable<std::shared_ptr<MoveLink>> connect();
  awaitable<void> throwIfGone(std::string_view title, End end);

  Options options_;
  std::shared_ptr<MoveLink> link_;
};

}  // namespace swarm::control
