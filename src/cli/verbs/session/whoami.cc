// `swarm whoami`
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

class Whoami final : public Verb {
 public:
  Whoami() : Verb({.name = "whoami", .summary = "Show the signed-in user", .examples = {"swarm whoami -o json"}}) {}

  int run(Context& context) override {
    const SwarmClient::Login login = context.client().authStatus();
    const boost::json::object object{
        {"user", login.user}, {"role", login.role}, {"server", context.url()}, {"expiresAt", formatTime(login.expiresAt)}};
    if (printStructured(context, object)) return kDone;
    print(context.output() == OutputFormat::Name ? login.user + "\n" : format("{} ({}) at {}\n", login.user, login.role, context.url()));
    return kDone;
  }
};

}  // namespace

VerbPtr makeWhoami() { return std::make_unique<Whoami>(); }

}  // namespace swarm::cli
