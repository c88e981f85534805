// `swarm snapshot list`
#include "base/text/format.h"
#include "cli/output/output.h"
#include "cli/output/quantities.h"
#include "cli/verbs/table.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

/// For one workspace, including those that its provider takes automatically; a deleted workspace has only ours.
SnapshotList snapshotsOf(Context& context, const std::string& instance) {
  if (!instance.empty()) {
    try {
      return context.client().listSnapshotsOf(instance);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::NotFound) throw;
    }
  }
  SnapshotList all{context.client().listSnapshots(), {}};
  if (!instance.empty())
    std::erase_if(all.items, [&](const Snapshot& one) { return one.instanceName != instance && one.instanceId.str() != instance; });
  return all;
}

std::string expiryText(const Snapshot& one) {
  if (!one.automatic) return "";
  return format("{} ({}'s own)", one.expiresAt == SystemTime{} ? "automatically" : formatTime(one.expiresAt), placeTitle(one.provider));
}

class SnapshotListVerb final : public Verb {
 public:
  SnapshotListVerb()
      : Verb({.name = "snapshot list",
              .summary = "List snapshots, including those of deleted workspaces; for one workspace, also those that Fly.io takes "
                         "automatically",
              .examples = {"swarm snapshot list web1"}}) {}

  void declare(Arguments& arguments) override {
    arguments.word("workspace", instance_, "Only snapshots of this workspace").optional().suggest(workspaceNames());
  }

  int run(Context& context) override {
    const SnapshotList list = snapshotsOf(context, instance_);
    if (!list.missing.empty()) report(list.missing + "\n");
    std::vector<Listed> rows;
    for (const Snapshot& one : list.items) {
      const bool counted = one.files > 0;  // the files of a provider's snapshot, and of one that a restore made, are not counted
      rows.push_back({one.id,
                      {one.instanceName, one.name, formatTime(one.createdAt), counted ? std::to_string(one.files) : "",
                       counted ? bytesText(one.bytes) : "", placeTitle(one.provider, one.region), expiryText(one), one.id}});
    }
    printList(context, toJson(list.items),
              {copied("WORKSPACE"), copied("SNAPSHOT"), "TAKEN", extra("FILES"), extra("SIZE"), "AT", extra("EXPIRES"), copied("ID")},
              rows);
    return kDone;
  }

 private:
  std::string instance_;
};

}  // namespace

VerbPtr makeSnapshotList() { return std::make_unique<SnapshotListVerb>(); }

}  // namespace swarm::cli
