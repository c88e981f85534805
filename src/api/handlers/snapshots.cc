// Snapshots: taking, listing, restoring, deleting.
#include "api/handlers/handlers.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {

awaitable<Reply> takeSnapshot(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  auto asked = readBody<TakeSnapshotRequest>(call);
  auto begun = co_await services.controller.takeSnapshot({instance.id, call.versions()}, std::move(asked.name), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

awaitable<Reply> restoreSnapshot(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  auto asked = readBody<RestoreSnapshotRequest>(call);
  auto begun =
      co_await services.controller.restoreSnapshot({instance.id, call.versions()}, std::move(asked.snapshot), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

awaitable<Reply> listSnapshots(Services& services, Call& call) {
  boost::json::array items;
  for (const Snapshot& snapshot : co_await services.controller.listSnapshots())
    if (canSee(call.principal(), snapshot.owner)) items.push_back(toJson(snapshot));
  co_return jsonReply(200, boost::json::object{{"items", std::move(items)}});
}

awaitable<Reply> listInstanceSnapshots(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::ReadOwn);
  SnapshotList found = co_await services.controller.listSnapshotsOf(instance.id);
  boost::json::array items;
  for (const Snapshot& snapshot : found.items) items.push_back(toJson(snapshot));
  boost::json::object answer{{"items", std::move(items)}};
  if (!found.missing.empty()) answer["missing"] = found.missing;
  co_return jsonReply(200, std::move(answer));
}

awaitable<Reply> deleteSnapshot(Services& services, Call& call) {
  std::vector<Snapshot> snapshots = co_await services.controller.listSnapshots();
  auto found = std::ranges::find(snapshots, call.argument(), &Snapshot::id);
  if (found != snapshots.end()) {
    if (!canSee(call.principal(), found->owner)) throw notFound("snapshot", call.argument());
    if (!isAllowed(call.principal(), Permission::WriteOwn, found->owner))
      throw Error(ErrorCode::PermissionDenied, "Your role does not allow this.");
  }
  // What is none of ours, or is a provider's own, is told there.
  co_await services.controller.deleteSnapshot(std::string(call.argument()));
  co_return Reply{.status = 204};
}

}  // namespace swarm::api
