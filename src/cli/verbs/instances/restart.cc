// `swarm restart`
#include "cli/verbs/instances/lifecycle.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Restart final : public LifecycleVerb {
 public:
  Restart() : LifecycleVerb({.name = "restart", .summary = "Stop workspaces and start them again", .examples = {"swarm restart web1"}}) {}

 private:
  StartedOperation begin(SwarmClient& client, const std::string& name) override { return client.restartInstance(name); }
};

}  // namespace

VerbPtr makeRestart() { return std::make_unique<Restart>(); }

}  // namespace swarm::cli
