// `swarm login-link`
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class LoginLink final : public Verb {
 public:
  LoginLink()
      : Verb({.name = "login-link",
              .summary = "Print a link that signs a browser in, once, within 10 minutes",
              .examples = {"swarm login-link dev"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Workspace to open (default: the list of workspaces)").optional().suggest(workspaceNames());
  }

  int run(Context& context) override {
    const std::string url = context.client().createLoginLink(name_);
    if (!printStructured(context, boost::json::object{{"url", url}})) print(url + "\n");
    return kDone;
  }

 private:
  std::string name_;
};

}  // namespace

VerbPtr makeLoginLink() { return std::make_unique<LoginLink>(); }

}  // namespace swarm::cli
