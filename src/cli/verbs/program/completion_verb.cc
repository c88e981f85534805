// `swarm completion`
#include "cli/completion.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Completion final : public Verb {
 public:
  Completion()
      : Verb({.name = "completion",
              .summary = "Print the completion script of a shell",
              .examples = {"source <(swarm completion bash)"},
              .kind = Kind::Local}) {}

  void declare(Arguments& arguments) override { arguments.word("shell", shell_, "bash, zsh or fish").oneOf({"bash", "zsh", "fish"}); }

  int run(Context& context) override {
    print(completionScript(shell_, context.program().tree()));
    return kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

VerbPtr makeCompletion() { return std::make_unique<Completion>(); }

}  // namespace swarm::cli
