// `swarm start`
#include "cli/verbs/instances/lifecycle.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

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

}  // namespace

VerbPtr makeStart() { return std::make_unique<Start>(); }

}  // namespace swarm::cli
