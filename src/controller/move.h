// Move: one run of a migrate operation, from the first question to the retired source. May be run again after any crash.
#pragma once

#include "controller/migration.h"
#include "controller/move_link.h"

namespace swarm::control {

/// Progress that people follow, at one place: the operation's step, and the route for the page and the tab.
class MoveTeller {
 public:
  MoveTeller(Core& core, ActivePtr operation, std::string to);
  void step(std::string name, bool paused);
  void totals(std::int64_t files, std::int64_t bytes);
  void progress(const transfer::TransferProgress& now);  ///< of the step
  SteadyTime lastProgress() const { return last_progress_; }
  double bytesPerSecond() const { return rate_; }

 private:
  void publish(int percent, std::int64_t seconds_left);

  Core& core_;
  ActivePtr operation_;
  MoveProgress shown_;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  double rate_ = 0;  ///< content per second, smoothed
  transfer::TransferProgress before_;
  SteadyTime measured_{};
  SteadyTime last_progress_;
  SteadyTime published_{};
};

class Migration::Move : public std::enable_shared_from_this<Migration::Move> {
 public:
  Move(Migration& migration, ActivePtr operation);
  awaitable<void> run();
  awaitable<void> goBack(Error error);  ///< before the switch: the source runs as it did, and the target goes

 private:
  awaitable<void> validate();
  awaitable<void> checkPlan();
  awaitable<void> makeTarget();
  awaitable<void> waitForTarget();
  awaitable<void> copy();
  awaitable<void> finalPass();
  awaitable<bool> passOnce(bool last);
  awaitable<void> switchOver();
  awaitable<void> finish();
  awaitable<void> retire(std::string former);
  awaitable<void> sourceBack(const std::string& why);
  awaitable<void> dropTarget();

  template <typename T>
  awaitable<T> linked(std::function<awaitable<T>(std::shared_ptr<MoveLink>)> call);
  awaitable<std::shared_ptr<MoveLink>> connect();
  awaitable<void> throwIfAnEndIsGone();
  awaitable<transfer::RoundReport> round(transfer::RoundKind kind);
  awaitable<agent::AgentTarget> sourceAgent();
  awaitable<agent::AgentTarget> targetAgent();
  awaitable<void> hold();
  transfer::ProgressSink sink();
  transfer::Scope scope() const;
  Provider& targetProvider() const;
  boost::json::object& parameters() { return operation_->operation.parameters; }
  bool flag(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;

  Migration& migration_;
  Core& core_;
  ActivePtr operation_;
  EntryPtr entry_;
  std::string place_id_;
  MoveTeller teller_;
  std::shared_ptr<MoveLink> link_;
  std::string boot_;  ///< of the held source's agent: another one means that it was not held all the time
};

}  // namespace swarm::control
