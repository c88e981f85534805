// `swarm volumes delete`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/results.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class VolumesDelete final : public Verb {
 public:
  VolumesDelete()
      : Verb({.name = "volumes delete",
              .summary = "Delete volumes with their files",
              .examples = {"swarm volumes delete swarm-i-01h…-home"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names of volumes").suggest({.command = "swarm volumes -o name"});
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
  }

  int run(Context& context) override {
    if (!confirmDeletion(names_, yes_)) return kFailed;
    for (const std::string& name : names_) {
      context.client().deleteVolume(name);
      report(format("{} was deleted.\n", name));
    }
    return kDone;
  }

 private:
  std::vector<std::string> names_;
  bool yes_ = false;
};

}  // namespace

VerbPtr makeVolumesDelete() { return std::make_unique<VolumesDelete>(); }

}  // namespace swarm::cli
