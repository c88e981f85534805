// `swarm snapshot` and its parts
#include <algorithm>

#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

/// `wanted`: an id, a name (one of `instance` takes precedence), or INSTANCE/NAME. Nothing: not one of ours; the server knows whether it is
/// one of the provider's own. Throws Error for a name that several have.
std::optional<Snapshot> findSnapshot(Context& context, const std::string& wanted, const std::string& instance = {}) {
  std::vector<Snapshot> found;
  for (const Snapshot& snapshot : context.client().listSnapshots())
    if (snapshot.id == wanted || snapshot.name == wanted || snapshot.instanceName + "/" + snapshot.name == wanted)
      found.push_back(snapshot);
  const auto is_own = [&](const Snapshot& snapshot) { return snapshot.instanceName == instance || snapshot.instanceId.str() == instance; };
  if (std::ranges::any_of(found, is_own)) std::erase_if(found, std::not_fn(is_own));
  if (found.empty()) return std::nullopt;
  if (found.size() > 1)
    throw Error(ErrorCode::InvalidArgument,
                format("{} snapshots have the name \"{}\". Use WORKSPACE/NAME or the id.", found.size(), wanted));
  return found.front();
}

class SnapshotCreate final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("workspace", instance_, "Name or id").suggest(workspaceNames());
    arguments.option("--name", name_, "Name of the snapshot (default: the time)").sets("/name");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    const StartedOperation started = context.client().takeSnapshot(instance_, name_);
    report(format("Taking a snapshot of {} …\n", started.instance.config.name));
    if (wait_.noWait) {
      if (!printStructured(context, toJson(started.instance))) printLine(started.operationId);
      return kDone;
    }
    waitWithProgress(context, started.operationId, wait_.timeout);
    Snapshot newest;
    for (const Snapshot& snapshot : context.client().listSnapshots())
      if (snapshot.instanceId == started.instance.id && snapshot.createdAt >= newest.createdAt) newest = snapshot;
    if (!printStructured(context, toJson(newest))) printLine(newest.name);
    return kDone;
  }

 private:
  std::string instance_, name_;
  WaitFlags wait_{.timeout = kLongWait};
};

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

int listSnapshots(Context& context, const std::string& workspace) {
  const SnapshotList list = snapshotsOf(context, workspace);
  if (!list.missing.empty()) report(list.missing + "\n");
  std::vector<Listed> rows;
  for (const Snapshot& one : list.items) {
    const bool counted = one.files > 0;  // the files of a provider's snapshot, and of one that a restore made, are not counted
    rows.push_back({one.id,
                    {one.instanceName, one.name, formatTime(one.createdAt), counted ? std::to_string(one.files) : "",
                     counted ? bytesText(one.bytes) : "", placeTitle(one.provider, one.region), expiryText(one), one.id}});
  }
  printList(context, toJson(list.items),
            {copied("WORKSPACE"), copied("SNAPSHOT"), "TAKEN", extra("FILES"), extra("SIZE"), "AT", extra("EXPIRES"), copied("ID")}, rows);
  return kDone;
}

class SnapshotRestore final : public Verb {
 public:
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
    report(
        format("Restoring the files of {} in {} … (its processes end for this; the current files become a snapshot, except those "
               "outside of its volumes, such as installed packages, which are lost)\n",
               known ? known->name : snapshot_, started.instance.config.name));
    if (wait_.noWait) {
      if (!printStructured(context, toJson(started.instance))) printLine(started.operationId);
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

void deleteSnapshot(Context& context, const std::string& name) {
  const std::optional<Snapshot> known = findSnapshot(context, name);
  context.client().deleteSnapshot(known ? known->id : name);
  report(format("{} was deleted.\n", known ? known->name : name));
}

}  // namespace

void addSnapshot(const AddVerb& add) {
  add({.name = "snapshot",
       .summary = "Snapshots of a workspace's files: create, list, restore, delete",
       .examples = {"swarm snapshot create web1 --name before-upgrade"}},
      nullptr);
  add({.name = "snapshot create",
       .summary = "Keep a copy of the current files; the workspace keeps running",
       .examples = {"swarm snapshot create web1 --name before-upgrade"}},
      std::make_unique<SnapshotCreate>());
  add({.name = "snapshot list",
       .summary = "List snapshots, including those of deleted workspaces; for one workspace, also those that Fly.io takes automatically",
       .examples = {"swarm snapshot list web1"}},
      wordVerb({.name = "workspace", .help = "Only snapshots of this workspace", .values = workspaceNames(), .optional = true},
               listSnapshots));
  add({.name = "snapshot restore",
       .summary = "Restore the files of a snapshot; the current files become a snapshot too",
       .examples = {"swarm snapshot restore web1 before-upgrade"}},
      std::make_unique<SnapshotRestore>());
  add({.name = "snapshot delete",
       .summary = "Delete snapshots with their files",
       .examples = {"swarm snapshot delete web1/before-upgrade"}},
      deletionVerb({"names", "Names, WORKSPACE/NAME, or ids", snapshotIds()}, deleteSnapshot));
}

}  // namespace swarm::cli
