// AgentWatch: determines when VS Code in an instance responds, and when its server was replaced.
#pragma once

#include "async/lock/semaphore.h"
#include "controller/state/context.h"

namespace swarm::control {

enum class Readiness {
  Ready,       ///< VS Code responds
  NoResponse,  ///< the container runs, but VS Code did not respond within the limits
  Gone,        ///< the container does not run any more
};

struct ReadinessReport {
  Readiness readiness = Readiness::NoResponse;
  std::string reason;  ///< a sentence, unless ready
};

/// The pause before the next request after `count` consecutive responses that violate the protocol (a replaced or broken agent).
std::chrono::milliseconds pauseAfterInvalidResponses(int count);

/// The status reason of a ready instance: its setup script runs or failed, or its agent has a warning; empty: none.
std::string setupReasonOf(const Entry& entry);

class AgentWatch {
 public:
  explicit AgentWatch(const Context& context) : context_(context) {}

  /// Requests the agent's health until VS Code responds, the container exits, the agent has refused for agentRefusal, or `deadline` passes.
  /// Sets the route's ready and generation. The entry must have an endpoint. `on_trouble` gets the agent's reason, a sentence, each time
  /// that VS Code has ended and will be started again.
  awaitable<ReadinessReport> waitUntilReady(EntryPtr entry, Deadline deadline, std::function<void(const std::string&)> on_trouble = {});
  /// In the background: connects the route of a running instance and checks it until it is ready. One watch per instance.
  void watch(EntryPtr entry, std::chrono::milliseconds bound);
  /// In the background: reports in the status reason that the setup script runs, or failed.
  void followSetup(EntryPtr entry);
  void noteTrouble(const InstanceId& instance_id);
  /// A page of the instance is open: queries the agent, which distinguishes use from an idle page, for the last activity.
  void noteUse(const InstanceId& instance_id);

 private:
  awaitable<agent::AgentHealth> probe(agent::AgentTarget target, Deadline deadline, std::chrono::milliseconds wait = {}) const;
  awaitable<agent::AgentActivity> getActivity(agent::AgentTarget target, Deadline deadline) const;
  awaitable<void> follow(EntryPtr entry, std::chrono::milliseconds bound);
  awaitable<void> check(EntryPtr entry, std::chrono::milliseconds bound);
  awaitable<void> connect(EntryPtr entry);
  awaitable<void> watchSetup(EntryPtr entry);
  awaitable<void> queryActivity(EntryPtr entry);
  awaitable<bool> isStillRunning(EntryPtr entry, std::string& reason);

  const Context& context_;
  async::Semaphore connecting_{32};  ///< after a restart, many routes connect concurrently
};

}  // namespace swarm::control
