// `swarm sessions end`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

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

VerbPtr makeSessionsEnd() { return std::make_unique<SessionsEnd>(); }

}  // namespace swarm::cli
