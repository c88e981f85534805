// `swarm snapshot delete`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/verbs/results.h"
#include "cli/verbs/snapshots/find_snapshot.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class SnapshotDelete final : public Verb {
 public:
  SnapshotDelete()
      : Verb({.name = "snapshot delete",
              .summary = "Delete snapshots with their files",
              .examples = {"swarm snapshot delete web1/before-upgrade"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("names", names_, "Names, WORKSPACE/NAME, or ids").suggest(snapshotIds());
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
  }

  int run(Context& context) override {
    if (!confirmDeletion(names_, yes_)) return kFailed;
    for (const std::string& name : names_) {
      const std::optional<Snapshot> known = findSnapshot(context, name);
      context.client().deleteSnapshot(known ? known->id : name);
      report(format("{} was deleted.\n", known ? known->name : name));
    }
    return kDone;
  }

 private:
  std::vector<std::string> names_;
  bool yes_ = false;
};

}  // namespace

VerbPtr makeSnapshotDelete() { return std::make_unique<SnapshotDelete>(); }

}  // namespace swarm::cli
