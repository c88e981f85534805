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

bool isNamed(const Snapshot& snapshot, const std::string& wanted) {
  return snapshot.id == wanted || snapshot.name == wanted || snapshot.instanceName + "/" + snapshot.name == wanted;
}

bool isOf(const Snapshot& snapshot, const std::string& instance) {
  return snapshot.instanceName == instance || snapshot.instanceId.str() == instance;
}

/// `wanted`: an id, a name (one of `instance` takes precedence), or INSTANCE/NAME. Nothing: not one of ours; the server knows whether it is
/// one of the provider's own. Throws Error for a name that several have.
std::optional<Snapshot> findSnapshot(Context& context, const std::string& wanted, const std::string& instance = {}) {
  std::vector<Snapshot> found;
  for (const Snapshot& snapshot : context.client().listSnapshots())
    if (isNamed(snapshot, wanted)) found.push_back(snapshot);
  const auto is_own = [&](const Snapshot& snapshot) { return isOf(snapshot, instance); };
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
  if (!instance.empty()) std::erase_if(all.items, [&](const Snapshot& one) { return !isOf(one, instance); });
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

/// `snapshot delete WORKSPACE SNAPSHOT …`, as create and restore take their words; or snapshots alone, as in earlier versions.
class SnapshotDelete final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("words", words_, "Workspace and names of its snapshots; or only names that are unique, WORKSPACE/NAME, or ids")
        .suggest(snapshotIds());
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
  }

  int run(Context& context) override {
    // Which of several words are snapshots is known only from the server.
    const bool is_clear = words_.size() == 1;
    if (is_clear && !confirmDeletion(words_, yes_)) return kFailed;
    const std::vector<Snapshot> known = context.client().listSnapshots();
    const std::string workspace = workspaceAmong(context, known);
    std::vector<std::string> ids, titles;
    for (std::size_t at = workspace.empty() ? 0 : 1; at < words_.size(); ++at) {
      const std::optional<Snapshot> found = findSnapshot(context, words_[at], workspace);
      if (found && !workspace.empty() && !isOf(*found, workspace))
        throw Error(ErrorCode::NotFound, format("There is no snapshot \"{}\" of {}.", words_[at], workspace));
      ids.push_back(found ? found->id : words_[at]);
      titles.push_back(found ? found->name : words_[at]);
    }
    if (!is_clear && !confirmDeletion(titles, yes_)) return kFailed;
    for (std::size_t at = 0; at < ids.size(); ++at) {
      context.client().deleteSnapshot(ids[at]);
      report(format("{} was deleted.\n", titles[at]));
    }
    return kDone;
  }

 private:
  /// The first of several words if it names a workspace; empty if it names a snapshot. Throws Error when it names both.
  std::string workspaceAmong(Context& context, const std::vector<Snapshot>& known) const {
    if (words_.size() < 2) return {};
    const std::string& first = words_.front();
    const bool is_snapshot = std::ranges::any_of(known, [&](const Snapshot& one) { return isNamed(one, first); });
    const bool is_workspace = std::ranges::any_of(known, [&](const Snapshot& one) { return isOf(one, first); }) ||
                              (!is_snapshot && context.client().getInstance(first));
    if (is_snapshot && is_workspace)
      throw Error(ErrorCode::InvalidArgument,
                  format("\"{}\" is the name of a workspace and of a snapshot. Use WORKSPACE/NAME or ids.", first));
    return is_workspace ? first : std::string();
  }

  std::vector<std::string> words_;
  bool yes_ = false;
};

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
       .examples = {"swarm snapshot delete web1 before-upgrade"}},
      std::make_unique<SnapshotDelete>());
}

}  // namespace swarm::cli
