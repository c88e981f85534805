// `swarm sessions`
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Sessions final : public Verb {
 public:
  Sessions()
      : Verb({.name = "sessions", .summary = "List live sessions; end", .examples = {"swarm sessions", "swarm sessions end 1.abc"}}) {}

  int run(Context& context) override {
    const boost::json::array sessions = context.client().listSessions();
    std::vector<Listed> rows;
    for (const auto& session : sessions) {
      const std::string id = memberText(session, "id");
      rows.push_back({id,
                      {id, memberText(session, "user"), memberText(session, "kind"), memberText(session, "createdAt"),
                       memberText(session, "expiresAt"), memberText(session, "current") == "true" ? "this one" : ""}});
    }
    printList(context, sessions, {copied("SESSION"), "USER", "BY", extra("SINCE"), "UNTIL", extra("")}, rows);
    return kDone;
  }
};

}  // namespace

VerbPtr makeSessions() { return std::make_unique<Sessions>(); }

}  // namespace swarm::cli
