// `swarm git-identity`
#include "base/text/untrusted_text.h"
#include "cli/verbs/table.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

class GitIdentityVerb final : public Verb {
 public:
  GitIdentityVerb()
      : Verb({.name = "git-identity",
              .summary = "Show or set the author of your commits in new workspaces",
              .examples = {"swarm git-identity \"Ada Lovelace\" ada@example.com"}}) {}

  void declare(Arguments& arguments) override {
    Argument& name = arguments.word("name", name_, "Author name; without it, the current identity is shown").optional();
    arguments.word("email", email_, "E-mail address").optional().sets("/email");
    arguments.flag("--clear", clear_, "Remove the identity").excludes(name);
  }

  int run(Context& context) override {
    if (!name_.empty() && email_.empty())
      throw WrongUse("Give a name and an e-mail address: swarm git-identity \"Ada Lovelace\" ada@example.com.");
    const bool changes = clear_ || !name_.empty();
    const GitIdentity git = changes ? context.client().setGitIdentity({name_, email_}) : context.client().gitIdentity();
    if (printStructured(context, toJson(git))) return kDone;
    print(git.name.empty() ? "No git identity is set. Set one with: swarm git-identity \"NAME\" EMAIL\n"
                           : format("{} <{}>\n", printable(git.name), printable(git.email)));
    if (changes && !clear_) report("New workspaces get it as ~/.gitconfig, unless they already have one.\n");
    return kDone;
  }

 private:
  std::string name_, email_;
  bool clear_ = false;
};

}  // namespace

VerbPtr makeGitIdentity() { return std::make_unique<GitIdentityVerb>(); }

}  // namespace swarm::cli
