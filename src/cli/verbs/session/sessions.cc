// `swarm sessions` and its part `end`
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

class SessionsEnd final : public Verb {
 public:
  SessionsEnd()
      : Verb({.name = "sessions end",
              .summary = "End sessions: their tokens and cookies become invalid",
              .examples = {"swarm sessions end 1.abc"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("ids", ids_, "Ids of sessions").suggest({.command = "swarm sessions -o name"});
  }

  int run(Context& context) override {
    for (const std::string& id : ids_) {
      context.client().endSession(id);
      report(format("{} has ended.\n", id));
    }
    return kDone;
  }

 private:
  std::vector<std::string> ids_;
};

}  // namespace

VerbPtr makeSessions() { return std::make_unique<Sessions>(); }
VerbPtr makeSessionsEnd() { return std::make_unique<SessionsEnd>(); }

}  // namespace swarm::cli
