// `swarm help`
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class Help final : public Verb {
 public:
  Help()
      : Verb({.name = "help",
              .summary = "Show the flags of a verb and an example",
              .examples = {"swarm help create"},
              .kind = Kind::Local}) {}

  void declare(Arguments& arguments) override { arguments.word("verb", words_, "A verb, like create, or snapshot restore").optional(); }

  int run(Context& context) override {
    print(context.program().help(words_) + "\n");
    return kDone;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

VerbPtr makeHelp() { return std::make_unique<Help>(); }

}  // namespace swarm::cli
