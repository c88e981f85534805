// Shows an operation while it runs: one live line per step on a terminal, one line per finished step elsewhere. On stderr.
#pragma once

#include <string>

#include "cli/context.h"

namespace swarm::cli {

class OperationView {
 public:
  explicit OperationView(const Context& context) : terminal_(context.stderrIsTerminal()) {}
  /// Call with each state of the operation.
  void update(const Operation& operation);
  /// Ends the live line.
  void finish();

 private:
  bool terminal_;
  bool live_line_ = false;
  std::size_t shown_ = 0;  ///< steps that were printed for good
  std::string said_;       ///< the last detail of the step in progress, where there is no terminal
};

/// A step that has ended, as a line without its end.
std::string endedStepLine(const OperationStep& step);
/// The step in progress as one line: with a bar, bytes, files, rate and time left where they are known. What does not fit into `columns`
/// (0: any width) is left out, the least important first, so that the line can be drawn again in place.
std::string liveStepLine(const OperationStep& step, SystemTime now, int columns);

/// Waits for the operation with progress. Throws its error when it failed, Error(DeadlineExceeded) when it goes on in the background after
/// `timeout`. Ctrl-C ends the command and says how to go on watching or to cancel.
Operation waitWithProgress(Context& context, const std::string& operation_id, std::chrono::seconds timeout);

}  // namespace swarm::cli
