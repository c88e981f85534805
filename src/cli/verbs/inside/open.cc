// `swarm open`
#include "cli/verbs/inside/browser.h"
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Open final : public Verb {
 public:
  Open() : Verb({.name = "open", .summary = "Open VS Code in the browser", .examples = {"swarm open web1"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    arguments.flag("--print", print_only_, "Only print the URL");
    arguments.flag("--sign-in", sign_in_, "Use a one-time link that signs the browser in");
  }

  int run(Context& context) override {
    const Instance instance = requireInstance(context, name_);
    const std::string url = sign_in_ ? context.client().createLoginLink(instance.config.name) : instance.url;
    if (!print_only_) {
      openInBrowser(instance, url);
    } else {
      reportStopped(instance);
      print(url + "\n");
    }
    return kDone;
  }

 private:
  std::string name_;
  bool print_only_ = false;
  bool sign_in_ = false;
};

}  // namespace

VerbPtr makeOpen() { return std::make_unique<Open>(); }

}  // namespace swarm::cli
