// CopyRun: one run of an operation that copies files from one place to another: the common part of moves, snapshots and restores.
#pragma once

#include "async/notifier.h"
#include "controller/moves/move_link.h"
#include "controller/moves/move_progress.h"
#include "controller/operations/handler.h"
#include "controller/operations/lifecycle.h"
#include "controller/state/places.h"

namespace swarm::control {

/// Each part may run again after a crash. Held by a shared_ptr until everything that it awaits has ended.
class CopyRun : public std::enable_shared_from_this<CopyRun> {
 public:
  struct Options {
    std::string to = {};  ///< the target's title, "Fly.io (ams)"; empty: the instance does not move
    bool wasRunning = false;
    std::int64_t bytesPerSecond = 0;  ///< maximum; 0: no limit
  };

  virtual ~CopyRun() = default;
  virtual awaitable<void> run() = 0;
  virtual awaitable<void> undo(Error error) = 0;
  CopyRun(const CopyRun&) = delete;
  CopyRun& operator=(const CopyRun&) = delete;

 protected:
  struct End {
    Provider& provider;
    PlaceId place;
  };
  enum class Volumes { New, Existing };

  CopyRun(const OperationTools& tools, ActivePtr operation, Options options);
  virtual End source() const = 0;
  virtual End target() const = 0;

  /// Ensures that the instance's agent responds: starts a stopped instance for the time of the operation, and releases one that a crash
  /// left held.
  awaitable<void> makeInstanceRun();
  /// The record of a place of this operation, configured like the current one; external ids recorded before a crash are kept.
  PlaceRecord placeOfOurs(const PlaceId& id) const;
  /// Creates or recreates the container of a place, held. `place` is durable before the first external call.
  awaitable<void> makeHeld(PlaceRecord place, Volumes volumes);
  /// The same with `make` instead of a create; retried while the provider is unreachable.
  using Make = std::function<awaitable<ProviderInstance>(InstanceSpec spec, Progress& progress, Deadline deadline)>;
  awaitable<void> makeHeldBy(PlaceRecord place, Make make);
  awaitable<void> waitForAgent(End end);
  /// ONE durable write makes `place` the instance's current place. The former one gets `role` until `until`, the operation gets the
  /// parameters `after`.
  awaitable<void> switchTo(PlaceId place, OperationParameters after, PlaceRole role, SystemTime until, std::string name = {});
  /// Removes the place, now or, if its provider fails, later.
  awaitable<void> drop(PlaceId place);

  /// Calls with the link between the ends; reconnects and retries after a broken connection while both ends exist and bytes arrive.
  template <typename Call>
  auto linked(Call call) -> std::invoke_result_t<Call&, transfer::Link&>;
  awaitable<transfer::RoundReport> round(transfer::RoundKind kind);
  awaitable<transfer::ScanReport> scan(transfer::Side side);
  /// The step "copy": scans the source and copies all files.
  awaitable<transfer::ScanReport> copyAll(transfer::RoundKind kind);
  awaitable<void> readBack();  ///< reads, hashes and syncs the target's files
  awaitable<void> sync(transfer::Side side);
  awaitable<bool> areEqual();  ///< compares both digests
  /// Describes the first differences.
  awaitable<std::string> differences();
  awaitable<void> closeLink();
  awaitable<agent::AgentTarget> agentAt(End end);
  transfer::Scope scope() const;

  const Context& context_;
  Lifecycle& lifecycle_;
  Places& places_;
  ActivePtr operation_;
  EntryPtr entry_;
  MoveProgressReporter progress_;

 private:
  enum class Shown { Yes, No };
  /// Takes the progress of a command to the control loop.
  transfer::ProgressSink sink(Shown shown);
  /// `work`, unless the copy takes too long: Error(UpstreamFailed).
  template <typename T>
  awaitable<T> limited(awaitable<T> work);
  awaitable<void> throwWhenTooLate();
  awaitable<std::shared_ptr<MoveLink>> connect();
  awaitable<void> throwIfGone(std::string_view title, End end);

  Options options_;
  std::shared_ptr<MoveLink> link_;
  async::Notifier reported_;  ///< an agent reported progress
};

/// A kind of operation whose work is done by `Run`, a CopyRun.
template <typename Parameters, typename Run>
class CopyHandler : public HandlerOf<Parameters> {
 public:
  using HandlerOf<Parameters>::HandlerOf;

  /// Each request has a target of its own.
  bool joins(const Operation&) const override { return false; }

  awaitable<void> perform(ActivePtr operation) override {
    auto run = std::make_shared<Run>(this->tools_, std::move(operation));
    co_await run->run();
  }
  awaitable<void> undo(ActivePtr operation, Error error) override {
    auto run = std::make_shared<Run>(this->tools_, std::move(operation));
    co_await run->undo(std::move(error));
  }
};

}  // namespace swarm::control
