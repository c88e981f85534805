// `swarm version`
#include "base/text/untrusted_text.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Version final : public Verb {
 public:
  Version() : Verb({.name = "version", .summary = "Print the versions of this command and of the server", .examples = {"swarm version"}}) {}

  int run(Context& context) override {
    boost::json::object versions{{"client", SWARM_VERSION}};
    try {
      versions["server"] = context.client().serverVersion();
    } catch (const Error& error) {
      versions["server"] = nullptr;
      versions["reason"] = error.message();
    }
    if (printStructured(context, versions)) return kDone;
    print(format("swarm {}\n", SWARM_VERSION));
    if (versions["server"].is_object()) {
      print(format("server {} at {}\n", printable(memberText(versions["server"], "version")), context.url()));
    } else {
      report(format("server: {}\n", memberText(versions, "reason")));
    }
    return kDone;
  }
};

}  // namespace

VerbPtr makeVersion() { return std::make_unique<Version>(); }

}  // namespace swarm::cli
