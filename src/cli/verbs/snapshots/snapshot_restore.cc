// `swarm snapshot restore`
#include <algorithm>

#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/snapshots/find_snapshot.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class SnapshotRestore final : public Verb {
 public:
  SnapshotRestore()
      : Verb({.name = "snapshot restore",
              .summary = "Restore the files of a snapshot; the current files become a snapshot too",
              .examples = {"swarm snapshot restore web1 before-upgrade"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("workspace", instance_, "Name or id of the workspace").suggest(workspaceNames());
    arguments.word("snapshot", snapshot_, "Name, WORKSPACE/NAME, or id (also of a snapshot that Fly.io took)")
        .suggest(snapshotIds())
        .sets("/snapshot");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    const std::optional<Snapshot> known = findSnapshot(context, snapshot_, instance_);
    const StartedOperation started = begin(context, known ? known->id : snapshot_);
    report(format("Restoring the files of {} in {} … (its processes end for this; the current files become a snapshot)\n",
                  known ? known->name : snapshot_, started.instance.config.name));
    if (wait_.noWait) {
      if (!printStructured(context, toJson(started.instance))) print(started.operationId + "\n");
      return kDone;
    }
    waitWithProgress(context, started.operationId, wait_.timeout);
    const std::string& name = started.instance.config.name;
    report(format("The files of {} are restored in {}. `swarm snapshot list {}` shows the snapshot of the replaced files.\n",
                  known ? known->name : snapshot_, name, name));
    return kDone;
  }

 private:
  /// The server reports an unknown snapshot as an invalid field of the request.
  StartedOperation begin(Context& context, const std::string& snapshot) const {
    try {
      return context.client().restoreSnapshot(instance_, snapshot);
    } catch (const Error& error) {
      if (std::ranges::find(error.fields(), "/snapshot", &FieldError::pointer) == error.fields().end()) throw;
      throw Error(ErrorCode::NotFound, error.message());
    }
  }

  std::string instance_, snapshot_;
  WaitFlags wait_{.timeout = kLongWait};
};

}  // namespace

VerbPtr makeSnapshotRestore() { return std::make_unique<SnapshotRestore>(); }

}  // namespace swarm::cli
