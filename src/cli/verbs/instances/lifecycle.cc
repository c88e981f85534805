// `swarm start`, `swarm stop` and `swarm restart`
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// Begins one operation for each of several workspaces, and then waits for all of them.
class Lifecycle : public Verb {
 public:
  using Begin = std::function<StartedOperation(SwarmClient& client, const std::string& name)>;
  explicit Lifecycle(Begin begin) : begin_(std::move(begin)) {}

  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names or ids").suggest(workspaceNames());
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    std::vector<StartedOperation> started;
    for (const std::string& name : names_) started.push_back(begin_(context.client(), name));
    std::vector<Instance> results;
    for (const StartedOperation& one : started) {
      if (!wait_.noWait && !one.operationId.empty()) waitWithProgress(context, one.operationId, wait_.timeout);
      results.push_back(reload(context, one.instance));
    }
    for (const Instance& one : results)
      if (!wait_.noWait && one.status == InstanceStatus::stopped)
        report(format("{0} is stopped; its files are kept. Run `swarm start {0}` to continue.\n", one.config.name));
    printResults(context, results);
    return kDone;
  }

 private:
  Begin begin_;
  std::vector<std::string> names_;
  WaitFlags wait_;
};

class Start final : public Lifecycle {
 public:
  Start() : Lifecycle([this](SwarmClient& client, const std::string& name) { return client.startInstance(name, {}, empty_volumes_); }) {}

  void declare(Arguments& arguments) override {
    Lifecycle::declare(arguments);
    arguments.flag("--empty-volumes", empty_volumes_, "Replace a volume that was lost with its files by an empty one");
  }

 private:
  bool empty_volumes_ = false;
};

}  // namespace

void addLifecycle(const AddVerb& add) {
  add({.name = "start", .summary = "Start stopped workspaces", .examples = {"swarm start web1"}}, std::make_unique<Start>());
  add({.name = "stop",
       .summary = "Stop workspaces; their files are kept",
       .examples = {"swarm stop web1"},
       .notes = "On Fly.io, a stop or restart keeps only the files in volumes: what was installed outside of them is lost. "
                "~/.config/swarm/setup.sh, if there is one, runs at the next start."},
      std::make_unique<Lifecycle>([](SwarmClient& client, const std::string& name) { return client.stopInstance(name); }));
  add({.name = "restart", .summary = "Stop workspaces and start them again", .examples = {"swarm restart web1"}},
      std::make_unique<Lifecycle>([](SwarmClient& client, const std::string& name) { return client.restartInstance(name); }));
}

}  // namespace swarm::cli
