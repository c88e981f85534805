// `swarm start`, `swarm stop` and `swarm restart`
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

/// Begins one operation for each of several workspaces, and then waits for all of them.
class LifecycleVerb : public Verb {
 public:
  using Verb::Verb;

  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names or ids").suggest(workspaceNames());
    wait_.declare(arguments);
  }

  int run(Context& context) override {
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

 private:
  virtual StartedOperation begin(SwarmClient& client, const std::string& name) = 0;

  std::vector<std::string> names_;
  WaitFlags wait_;
};

class Start final : public LifecycleVerb {
 public:
  Start() : LifecycleVerb({.name = "start", .summary = "Start stopped workspaces", .examples = {"swarm start web1"}}) {}

  void declare(Arguments& arguments) override {
    LifecycleVerb::declare(arguments);
    arguments.flag("--empty-volumes", empty_volumes_, "Replace a volume that was lost with its files by an empty one");
  }

 private:
  StartedOperation begin(SwarmClient& client, const std::string& name) override { return client.startInstance(name, {}, empty_volumes_); }

  bool empty_volumes_ = false;
};

class Stop final : public LifecycleVerb {
 public:
  Stop() : LifecycleVerb({.name = "stop", .summary = "Stop workspaces; their files are kept", .examples = {"swarm stop web1"}}) {}

 private:
  StartedOperation begin(SwarmClient& client, const std::string& name) override { return client.stopInstance(name); }
};

class Restart final : public LifecycleVerb {
 public:
  Restart() : LifecycleVerb({.name = "restart", .summary = "Stop workspaces and start them again", .examples = {"swarm restart web1"}}) {}

 private:
  StartedOperation begin(SwarmClient& client, const std::string& name) override { return client.restartInstance(name); }
};

}  // namespace

VerbPtr makeStart() { return std::make_unique<Start>(); }
VerbPtr makeStop() { return std::make_unique<Stop>(); }
VerbPtr makeRestart() { return std::make_unique<Restart>(); }

}  // namespace swarm::cli
