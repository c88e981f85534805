// MoveTeller: how far a move, a snapshot or a restore has come, for people.
#pragma once

#include "controller/state/active_operation.h"
#include "transfer/wire/link.h"

namespace swarm::control {

/// Progress that people follow, at one place: the operation's step, and the route for the page and the tab.
class MoveTeller {
 public:
  MoveTeller(Core& core, ActivePtr operation, std::string to);
  void step(Step step);
  void stepInPause(Step step);  ///< people wait, from here on
  void totals(std::int64_t files, std::int64_t bytes);
  void progress(const transfer::TransferProgress& now);  ///< of the step
  SteadyTime lastProgress() const { return last_progress_; }
  double bytesPerSecond() const { return rate_; }

 private:
  void begin(Step step);
  void publish(int percent, std::int64_t seconds_left);

  Core& core_;
  ActivePtr operation_;
  MoveProgress shown_;
  std::optional<Step> step_;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  double rate_ = 0;  ///< content per second, smoothed
  transfer::TransferProgress before_;
  SteadyTime measured_{};
  SteadyTime last_progress_;
  SteadyTime published_{};
};

}  // namespace swarm::control
