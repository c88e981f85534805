// `swarm logout`
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Logout final : public Verb {
 public:
  Logout() : Verb({.name = "logout", .summary = "Revoke the token and remove it from this machine", .examples = {"swarm logout"}}) {}

  int run(Context& context) override {
    context.client().logout();
    removeCredentials(credentialsPath());
    report("Signed out.\n");
    return kDone;
  }
};

}  // namespace

VerbPtr makeLogout() { return std::make_unique<Logout>(); }

}  // namespace swarm::cli
