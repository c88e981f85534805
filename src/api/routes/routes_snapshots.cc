// Routes: snapshots and volumes, what is kept of instances.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"

namespace swarm::api {
namespace {

void addVolumeRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "GET",
                   .pattern = "/api/volumes",
                   .permission = Permission::ReadOwn,
                   .operationId = "listVolumes",
                   .tag = "volumes",
                   .summary = "List volumes, also of deleted instances",
                   .description = "What the providers have at this moment, without those that snapshots and moves keep.",
                   .handler = listVolumes,
                   .answers = {{.status = 200, .description = "All that the caller may see", .schema = "VolumeList"}}});
  table.push_back({.method = "DELETE",
                   .pattern = "/api/volumes/{name}",
                   .permission = Permission::WriteOwn,
                   .operationId = "deleteVolume",
                   .tag = "volumes",
                   .summary = "Delete a volume with its files",
                   .description = "409 while an instance has it.",
                   .handler = deleteVolume,
                   .answers = {{.status = 204, .description = "Deleted"}},
                   .problems = {409, 503},
                   .parameters = {path("name", "The volume's name")}});
}

}  // namespace

void addSnapshotRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "POST",
                   .pattern = "/api/instances/{id}/snapshots",
                   .permission = Permission::WriteOwn,
                   .operationId = "takeSnapshot",
                   .tag = "snapshots",
                   .summary = "Keep an instance's files as they are now",
                   .description = "Its processes stand still while the files are copied at the provider, and then go on.",
                   .handler = takeSnapshot,
                   .answers = {accepted(), ended("Taken (with wait)")},
                   .problems = {409, 422, 503},
                   .parameters = {instanceRef(), ifMatch(), waitSeconds()},
                   .body = BodyRule::Json,
                   .bodySchema = "TakeSnapshot"});
  table.push_back({.method = "GET",
                   .pattern = "/api/instances/{id}/snapshots",
                   .permission = Permission::ReadOwn,
                   .operationId = "listInstanceSnapshots",
                   .tag = "snapshots",
                   .summary = "List an instance's snapshots, also those that its provider takes",
                   .description = "When the provider does not answer within a few seconds, its own are left out and `missing` says why.",
                   .handler = listInstanceSnapshots,
                   .answers = {{.status = 200, .description = "Ours, and the provider's when it answered", .schema = "InstanceSnapshots"}},
                   .parameters = {instanceRef()}});
  table.push_back(
      {.method = "POST",
       .pattern = "/api/instances/{id}/restore",
       .permission = Permission::WriteOwn,
       .operationId = "restoreSnapshot",
       .tag = "snapshots",
       .summary = "Bring a snapshot's files to an instance",
       .description = "What the files were before becomes a snapshot. The snapshot may be another instance's of the same owner.",
       .handler = restoreSnapshot,
       .answers = {accepted(), ended("Restored (with wait)")},
       .problems = {409, 422, 503},
       .parameters = {instanceRef(), ifMatch(), waitSeconds()},
       .body = BodyRule::Json,
       .bodySchema = "RestoreSnapshot"});
  table.push_back({.method = "GET",
                   .pattern = "/api/snapshots",
                   .permission = Permission::ReadOwn,
                   .operationId = "listSnapshots",
                   .tag = "snapshots",
                   .summary = "List snapshots, also of deleted instances",
                   .description = "Those that were asked for; the ones that providers take are listed with their instance.",
                   .handler = listSnapshots,
                   .answers = {{.status = 200, .description = "All that the caller may see", .schema = "SnapshotList"}}});
  table.push_back({.method = "DELETE",
                   .pattern = "/api/snapshots/{snapshot}",
                   .permission = Permission::WriteOwn,
                   .operationId = "deleteSnapshot",
                   .tag = "snapshots",
                   .summary = "Delete a snapshot with its files",
                   .description = "409 while it is being taken or restored; 422 for one that its provider takes and deletes.",
                   .handler = deleteSnapshot,
                   .answers = {{.status = 204, .description = "Deleted"}},
                   .problems = {409, 422, 503},
                   .parameters = {path("snapshot", "The snapshot's id")}});
  addVolumeRoutes(table);
}

}  // namespace swarm::api
