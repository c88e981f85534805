// MoveProgressReporter: publishes the progress of a move, a snapshot or a restore.
#pragma once

#include "controller/state/active_operation.h"
#include "transfer/wire/link.h"

namespace swarm::control {

/// Updates the operation's step, and the route from which page and tab read.
class MoveProgressReporter {
 public:
  MoveProgressReporter(const Context& context, ActivePtr operation, std::string to);
  void step(Step step);
  void stepInPause(Step step);  ///< of the pause, while the workspace cannot be used
  void totals(std::int64_t files, std::int64_t bytes);
  void progress(const transfer::TransferProgress& now);  ///< of the current step
  void commandBegan();
  /// Sets lastProgress() if the command is further than before. Agents report what they like, but bytes sent were counted by the server.
  void noteProgress(const transfer::TransferProgress& now);
  SteadyTime lastProgress() const { return last_progress_; }
  double bytesPerSecond() const { return rate_; }

 private:
  void begin(Step step);
  void publish(int percent, std::int64_t seconds_left);

  const Context& context_;
  ActivePtr operation_;
  MoveProgress shown_;
  std::optional<Step> step_;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  double rate_ = 0;  ///< bytes of content per second, smoothed
  transfer::TransferProgress before_;
  transfer::TransferProgress furthest_;  ///< of the current command, also over a former link
  SteadyTime measured_{};
  SteadyTime last_progress_;
  SteadyTime published_{};
};

}  // namespace swarm::control
