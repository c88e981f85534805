// `swarm names free`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class NamesFree final : public Verb {
 public:
  NamesFree() : Verb({.name = "names free", .summary = "Release names for all users", .examples = {"swarm names free web1"}}) {}

  void declare(Arguments& arguments) override { arguments.word("names", names_, "Names").suggest({.command = "swarm names -o name"}); }

  int run(Context& context) override {
    for (const std::string& name : names_) {
      context.client().releaseName(name);
      report(format("{} is free.\n", name));
    }
    return kDone;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

VerbPtr makeNamesFree() { return std::make_unique<NamesFree>(); }

}  // namespace swarm::cli
