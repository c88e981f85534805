// AgentWatch: when VS Code in an instance answers, and when its server was replaced.
#pragma once

#include "async/semaphore.h"
#include "controller/state/core.h"

namespace swarm::control {

enum class Readiness {
  Ready,     ///< VS Code answers
  NoAnswer,  ///< it runs, but VS Code can't be reached within the bounds
  Gone,      ///< the container does not run any more
};

struct ReadinessReport {
  Readiness readiness = Readiness::NoAnswer;
  std::string reason;  ///< a sentence, when it is not ready
};

/// How long an agent is left alone after so many answers in a row that were none of the protocol's (one that was replaced, or broken):
/// nothing that it says is worth asking again soon.
std::chrono::milliseconds pauseAfterWrongAnswers(int count);

class AgentWatch {
 public:
  explicit AgentWatch(Core& core) : core_(core) {}

  /// Asks until VS Code answers, the container ends, or the bounds pass (the agent refuses for agentRefusal, or `deadline`). Sets the
  /// route's ready and generation. The entry must have a connector.
  awaitable<ReadinessReport> waitUntilReady(EntryPtr entry, Deadline deadline);
  /// In the background: connects the route of a running instance and follows it until it is ready. One watch for each instance.
  void watch(EntryPtr entry, std::chrono::milliseconds bound);
  /// In the background: says in the status reason that the setup script runs, and when it failed.
  void followSetup(EntryPtr entry);
  void noteTrouble(const std::string& instance_id);
  /// Somebody has it open: the agent, who can tell a person from an idle page, is asked when it was last used.
  void noteUse(const std::string& instance_id);

 private:
  awaitable<void> follow(EntryPtr entry, std::chrono::milliseconds bound);
  awaitable<void> look(EntryPtr entry, std::chrono::milliseconds bound);
  awaitable<void> connect(EntryPtr entry);
  awaitable<void> watchSetup(EntryPtr entry);
  awaitable<void> askForActivity(EntryPtr entry);
  awaitable<bool> stillRuns(EntryPtr entry, std::string& reason);

  Core& core_;
  net::Semaphore connecting_{32};  ///< after a restart, many routes connect at once
};

}  // namespace swarm::control
