// Shows an operation while it runs: one live line per step on a terminal, one line per finished step elsewhere. On stderr.
#pragma once

#include <map>
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
  void printStep(const OperationStep& step);
  bool terminal_;
  bool live_line_ = false;
  std::size_t shown_ = 0;  ///< steps that were printed for good
};

/// Waits for the operation with progress. Throws its error when it failed, Error(DeadlineExceeded) when it goes on in the background after
/// `timeout`.
Operation waitWithProgress(Context& context, const std::string& operation_id, std::chrono::seconds timeout);

}  // namespace swarm::cli
