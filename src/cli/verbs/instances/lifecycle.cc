// Begins the operations of all workspaces before it waits for the first.
#include "cli/verbs/instances/lifecycle.h"

#include "cli/output/progress.h"
#include "cli/verbs/results.h"

namespace swarm::cli {

void LifecycleVerb::declare(Arguments& arguments) {
  arguments.word("names", names_, "Names or ids").suggest(workspaceNames());
  wait_.declare(arguments);
}

int LifecycleVerb::run(Context& context) {
  std::vector<StartedOperation> started;
  for (const std::string& name : names_) started.push_back(begin(context.client(), name));
  std::vector<Instance> results;
  for (const StartedOperation& one : started) {
    if (!wait_.noWait && !one.operationId.empty()) waitWithProgress(context, one.operationId, wait_.timeout);
    results.push_back(reload(context, one.instance));
  }
  printResults(context, results);
  return kDone;
}

}  // namespace swarm::cli
