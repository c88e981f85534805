// Verbs: snapshot create, list, restore, delete.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>

#include "base/text/format.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/verbs.h"
#include "cli/verbs/verbs_shared.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

/// What `wanted` names: an id, a name (one of `instance`'s own before all others), or INSTANCE/NAME. Nothing: it is none of ours, and the
/// server knows whether it is one that a provider takes by itself.
std::optional<Snapshot> findSnapshot(Context& context, const std::string& wanted, const std::string& instance = {}) {
  std::vector<Snapshot> found;
  for (const Snapshot& snapshot : context.client().listSnapshots())
    if (snapshot.id == wanted || snapshot.name == wanted || snapshot.instanceName + "/" + snapshot.name == wanted)
      found.push_back(snapshot);
  auto is_own = [&](const Snapshot& snapshot) { return snapshot.instanceName == instance || snapshot.instanceId == instance; };
  if (std::ranges::any_of(found, is_own)) std::erase_if(found, std::not_fn(is_own));
  if (found.empty()) return std::nullopt;
  if (found.size() > 1)
    throw Error(ErrorCode::InvalidArgument,
                format("{} snapshots are called \"{}\": say which by INSTANCE/NAME or by its id.", found.size(), wanted));
  return found.front();
}

int follow(Context& context, const StartedOperation& started, const WaitOptions& wait) {
  if (!wait.wait) {
    if (!printStructured(context, toJson(started.instance))) print(started.operationId + "\n");
    return kDone;
  }
  waitWithProgress(context, started.operationId, wait.timeout);
  return kDone;
}

}  // namespace

int snapshotCreate(Context& context, const SnapshotFlags& flags) {
  StartedOperation started = context.client().takeSnapshot(flags.instance, flags.name);
  tell(format("Taking a snapshot of {} …\n", started.instance.config.name));
  follow(context, started, flags.wait);
  if (!flags.wait.wait) return kDone;
  Snapshot newest;
  for (const Snapshot& snapshot : context.client().listSnapshots())
    if (snapshot.instanceId == started.instance.id && snapshot.createdAt >= newest.createdAt) newest = snapshot;
  if (!printStructured(context, toJson(newest))) print(newest.name + "\n");
  return kDone;
}

namespace {

/// Of one workspace, those that its provider takes by itself as well; a deleted one has its own only.
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
    std::erase_if(all.items, [&](const Snapshot& one) { return one.instanceName != instance && one.instanceId != instance; });
  return all;
}

std::string expiryText(const Snapshot& one) {
  if (!one.automatic) return "";
  return format("{} ({}'s own)", one.expiresAt == SystemTime{} ? "by itself" : formatTime(one.expiresAt), placeTitle(one.provider));
}

}  // namespace

int snapshotList(Context& context, const std::string& instance) {
  const SnapshotList list = snapshotsOf(context, instance);
  if (!list.missing.empty()) tell(list.missing + "\n");
  if (printStructured(context, toJson(list.items))) return kDone;
  Table table({copied("WORKSPACE"), copied("SNAPSHOT"), "TAKEN", extra("FILES"), extra("SIZE"), "AT", extra("EXPIRES"), copied("ID")});
  for (const Snapshot& one : list.items) {
    if (context.output() == OutputFormat::Name) {
      print(one.id + "\n");
      continue;
    }
    bool counted = one.files > 0;  // of what a restore has replaced, and of what a provider took, nobody counted it
    table.add({one.instanceName, one.name, formatTime(one.createdAt), counted ? std::to_string(one.files) : "",
               counted ? bytesText(one.bytes) : "", placeTitle(one.provider, one.region), expiryText(one), one.id});
  }
  if (context.output() == OutputFormat::Table) print(table.render(context.columns(), context.colour()));
  return kDone;
}

int snapshotRestore(Context& context, const SnapshotFlags& flags) {
  const std::optional<Snapshot> known = findSnapshot(context, flags.name, flags.instance);
  StartedOperation started = context.client().restoreSnapshot(flags.instance, known ? known->id : flags.name);
  tell(format("Restoring the files of {} in {} … (what they are now becomes a snapshot, too)\n", known ? known->name : flags.name,
              started.instance.config.name));
  return follow(context, started, flags.wait);
}

int snapshotDelete(Context& context, const std::vector<std::string>& names, bool yes) {
  if (!yes) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    tell(format("Deleting {} with all files in {}; they cannot be restored.\n", list, names.size() == 1 ? "it" : "them"));
    if (!confirmed()) return kFailed;
  }
  for (const std::string& name : names) {
    const std::optional<Snapshot> known = findSnapshot(context, name);
    context.client().deleteSnapshot(known ? known->id : name);
    tell(format("{} is deleted\n", known ? known->name : name));
  }
  return kDone;
}

}  // namespace swarm::cli
