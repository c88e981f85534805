// `swarm snapshot`
#include "cli/verbs/table.h"

namespace swarm::cli {
namespace {

class SnapshotGroup final : public Verb {
 public:
  SnapshotGroup()
      : Verb({.name = "snapshot",
              .summary = "Snapshots of a workspace's files: create, list, restore, delete",
              .examples = {"swarm snapshot create web1 --name before-upgrade"},
              .kind = Kind::Group}) {}

  int run(Context&) override { return kWrongUse; }
};

}  // namespace

VerbPtr makeSnapshot() { return std::make_unique<SnapshotGroup>(); }

}  // namespace swarm::cli
