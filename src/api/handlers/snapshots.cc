// Snapshots: take, list, restore, delete.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/not_found.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

awaitable<Reply> takeSnapshot(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  auto request = readBody<TakeSnapshotRequest>(call);
  auto started = co_await services.controller.takeSnapshot({instance.id.str(), call.versions()}, std::move(request.name), actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

/// An access token that is limited to a prefix, or lacks the scope inside, restores only the instance's own snapshots.
awaitable<void> requireCoveredSnapshot(Services& services, Call& call, const Instance& instance, const std::string& snapshot) {
  // What a workspace runs when it starts reads the files of the snapshot.
  if (!call.principal().token) co_return;
  if (namePrefixOf(call.principal()).empty() && isAllowed(call.principal(), Permission::Configure, instance.owner, instance.id)) co_return;
  const SnapshotList own = co_await services.controller.listSnapshotsOf(instance.id.str());
  if (std::ranges::none_of(own.items, [&](const Snapshot& one) { return one.id == snapshot || one.name == snapshot; }))
    throw Error(ErrorCode::Unprocessable, format("There is no snapshot \"{}\" of {}.", snapshot, instance.config.name))
        .withField("/snapshot", "does not exist");
}

awaitable<Reply> restoreSnapshot(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  auto request = readBody<RestoreSnapshotRequest>(call);
  co_await requireCoveredSnapshot(services, call, instance, request.snapshot);
  auto started =
      co_await services.controller.restoreSnapshot({instance.id.str(), call.versions()}, std::move(request.snapshot), actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

bool canSeeSnapshot(const Call& call, const Snapshot& snapshot) {
  return canSee(call.principal(), snapshot.owner, snapshot.instanceId) && covers(call.principal(), snapshot.instanceName);
}

awaitable<Reply> listSnapshots(Services& services, Call& call) {
  std::vector<Snapshot> items = co_await services.controller.listSnapshots();
  std::erase_if(items, [&](const Snapshot& one) { return !canSeeSnapshot(call, one); });
  co_return replyWithItems(items);
}

awaitable<Reply> listInstanceSnapshots(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Read);
  SnapshotList found = co_await services.controller.listSnapshotsOf(instance.id.str());
  boost::json::object list{{"items", toJson(found.items)}};
  if (!found.missing.empty()) list["missing"] = found.missing;
  co_return jsonReply(200, list);
}

awaitable<Reply> deleteSnapshot(Services& services, Call& call) {
  std::vector<Snapshot> snapshots = co_await services.controller.listSnapshots();
  auto found = std::ranges::find(snapshots, call.argument(), &Snapshot::id);
  if (found != snapshots.end()) {
    if (!canSeeSnapshot(call, *found)) throw notFound("snapshot", call.argument());
    requireAllowed(call, Permission::Manage, found->owner, found->instanceId);
  }
  // The controller refuses unknown ids and snapshots of the provider.
  co_await services.controller.deleteSnapshot(std::string(call.argument()));
  co_return Reply{.status = 204};
}

}  // namespace

std::vector<Endpoint> snapshotRoutes() {
  return {

      at("POST", "/api/instances/{id}/snapshots", Permission::Manage, "takeSnapshot", takeSnapshot,
         {.summary = "Keep a copy of an instance's current files",
          .description = "Its processes are paused while the files are copied at the provider.",
          .responses = {accepted(), ended("Taken (with wait)")},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()},
          .body = jsonBody<TakeSnapshotRequest>()}),
      at("GET", "/api/instances/{id}/snapshots", Permission::Read, "listInstanceSnapshots", listInstanceSnapshots,
         {.summary = "List an instance's snapshots, including those that its provider takes",
          .description = "When the provider does not respond within a few seconds, its own are left out and `missing` has the reason.",
          .responses = {ok("Ours, and the provider's when it responded", "InstanceSnapshots")},
          .parameters = {instanceRef()}}),
      at("POST", "/api/instances/{id}/restore", Permission::Manage, "restoreSnapshot", restoreSnapshot,
         {.summary = "Restore the files of a snapshot",
          .description = "The current files become a snapshot. The restored snapshot may be of another instance of the same owner.",
          .responses = {accepted(), ended("Restored (with wait)")},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()},
          .body = jsonBody<RestoreSnapshotRequest>()}),
      at("GET", "/api/snapshots", Permission::Read, "listSnapshots", listSnapshots,
         {.summary = "List snapshots, including those of deleted instances",
          .description = "Those that users requested; the ones that providers take are listed with their instance.",
          .responses = {ok("All that the caller may see", listOf<Snapshot>())}}),
      at("DELETE", "/api/snapshots/{snapshot}", Permission::Manage, "deleteSnapshot", deleteSnapshot,
         {.summary = "Delete a snapshot with its files",
          .description = "409 while it is being taken or restored; 422 for one that its provider takes and deletes.",
          .responses = {noContent("Deleted")},
          .problems = {409, 422, 503},
          .parameters = {path("snapshot", "The snapshot's id")}}),
  };
}

}  // namespace swarm::api
