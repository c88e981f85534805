// `swarm create`
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

class Create final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", flags_.name, "Name: a DNS label (default: a generated one)").optional().sets("/name");
    flags_.declare(arguments);
    arguments.flag("--ephemeral", flags_.ephemeral, "Delete the volumes with the workspace");
    arguments.option("--setup", flags_.setupFile, "Script that each new container runs once, as the user (- for standard input)")
        .suggest(fileNames());
    arguments.flag("--open", open_, "Open the browser when the workspace runs");
    wait_.declare(arguments);
    arguments.command(flags_.command);
  }

  int run(Context& context) override {
    if (wait_.noWait) {
      const StartedOperation started = beginCreate(context, flags_);
      if (!printStructured(context, toJson(started.instance))) printLine(started.instance.config.name);
      return kDone;
    }
    const Instance instance = createAndWait(context, flags_, wait_.timeout);
    printResult(context, instance);
    reportNotice(instance);
    if (open_) openInBrowser(instance, instance.url);
    return kDone;
  }

 private:
  CreateFlags flags_;
  bool open_ = false;
  WaitFlags wait_;
};

}  // namespace

void addCreate(const AddVerb& add) {
  add({.name = "create",
       .summary = "Create a workspace and wait until VS Code responds",
       .examples = {"swarm create web1 --cpus 2 --memory 4g --port 3000"},
       .notes = "The words behind -- are a command to run beside VS Code."},
      std::make_unique<Create>());
}

}  // namespace swarm::cli
