// `swarm snapshot create`
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class SnapshotCreate final : public Verb {
 public:
  SnapshotCreate()
      : Verb({.name = "snapshot create",
              .summary = "Keep a copy of the current files; the workspace keeps running",
              .examples = {"swarm snapshot create web1 --name before-upgrade"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("workspace", instance_, "Name or id").suggest(workspaceNames());
    arguments.option("--name", name_, "Name of the snapshot (default: the time)").sets("/name");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    const StartedOperation started = context.client().takeSnapshot(instance_, name_);
    report(format("Taking a snapshot of {} …\n", started.instance.config.name));
    if (wait_.noWait) {
      if (!printStructured(context, toJson(started.instance))) print(started.operationId + "\n");
      return kDone;
    }
    waitWithProgress(context, started.operationId, wait_.timeout);
    Snapshot newest;
    for (const Snapshot& snapshot : context.client().listSnapshots())
      if (snapshot.instanceId == started.instance.id && snapshot.createdAt >= newest.createdAt) newest = snapshot;
    if (!printStructured(context, toJson(newest))) print(newest.name + "\n");
    return kDone;
  }

 private:
  std::string instance_, name_;
  WaitFlags wait_{.timeout = kLongWait};
};

}  // namespace

VerbPtr makeSnapshotCreate() { return std::make_unique<SnapshotCreate>(); }

}  // namespace swarm::cli
