// `swarm completion`, `swarm version` and `swarm help`
#include "base/text/untrusted_text.h"
#include "cli/completion.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

class Completion final : public Verb {
 public:
  void declare(Arguments& arguments) override { arguments.word("shell", shell_, "bash, zsh or fish").oneOf({"bash", "zsh", "fish"}); }

  int run(Context& context) override {
    print(completionScript(shell_, context.program().tree()));
    return kDone;
  }

 private:
  std::string shell_;
};

int printVersions(Context& context) {
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

class Help final : public Verb {
 public:
  void declare(Arguments& arguments) override { arguments.word("verb", words_, "A verb, like create, or snapshot restore").optional(); }

  int run(Context& context) override {
    print(context.program().help(words_) + "\n");
    return kDone;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

void addProgram(const AddVerb& add) {
  add({.name = "completion",
       .summary = "Print the completion script of a shell",
       .examples = {"source <(swarm completion bash)"},
       .kind = Verb::Kind::Local},
      std::make_unique<Completion>());
  add({.name = "version", .summary = "Print the versions of this command and of the server", .examples = {"swarm version"}},
      plainVerb(printVersions));
  add({.name = "help", .summary = "Show the flags of a verb and an example", .examples = {"swarm help create"}, .kind = Verb::Kind::Local},
      std::make_unique<Help>());
}

}  // namespace swarm::cli
