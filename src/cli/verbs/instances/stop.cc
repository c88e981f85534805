// `swarm stop`
#include "cli/verbs/instances/lifecycle.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Stop final : public LifecycleVerb {
 public:
  Stop() : LifecycleVerb({.name = "stop", .summary = "Stop workspaces; their files are kept", .examples = {"swarm stop web1"}}) {}

 private:
  StartedOperation begin(SwarmClient& client, const std::string& name) override { return client.stopInstance(name); }
};

}  // namespace

VerbPtr makeStop() { return std::make_unique<Stop>(); }

}  // namespace swarm::cli
