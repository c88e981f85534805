// Shows a running operation on stderr: on a terminal one live line per step, elsewhere one line per finished step.
#pragma once

#include <signal.h>

#include <string>

#include "cli/context.h"

namespace swarm::cli {

class OperationView {
 public:
  explicit OperationView(const Context& context) : terminal_(context.stderrIsTerminal()) {}
  /// To be called with each state of the operation.
  void update(const Operation& operation);
  /// Removes the live line.
  void finish();

 private:
  bool terminal_;
  bool live_line_ = false;
  std::size_t shown_ = 0;        ///< finished steps that were printed
  std::string reported_detail_;  ///< the last detail of the running step, without a terminal
};

/// A finished step as a line, without its line break.
std::string endedStepLine(const OperationStep& step);
/// The running step as one line: with a bar, bytes, files, rate and remaining time where they are known. Parts that do not fit into
/// `columns` (0: any width) are left out, the least important first, so that the line can be redrawn in place.
std::string liveStepLine(const OperationStep& step, SystemTime now, int columns);

/// For users who press Ctrl-C while a verb waits for an operation that continues at the server: during its lifetime, SIGINT prints `text`
/// on stderr and then ends the process, as the signal does by default. At most one exists.
class InterruptNotice {
 public:
  explicit InterruptNotice(std::string text);
  ~InterruptNotice();
  InterruptNotice(const InterruptNotice&) = delete;
  InterruptNotice& operator=(const InterruptNotice&) = delete;

 private:
  std::string text_;
  struct sigaction before_{};
};

/// Waits for the operation and shows its progress. Throws its error when it failed, Error(DeadlineExceeded) when it continues in the
/// background after `timeout`. Ctrl-C ends the command and prints how to follow or cancel the operation.
Operation waitWithProgress(Context& context, const std::string& operation_id, std::chrono::seconds timeout);

}  // namespace swarm::cli
