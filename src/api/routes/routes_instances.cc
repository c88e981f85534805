// Routes: instances and their life.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"

namespace swarm::api {
namespace {

Endpoint lifecycleRoute(std::string_view pattern, std::string_view operation_id, Handler handler) {
  return {.method = "POST",
          .pattern = pattern,
          .permission = Permission::WriteOwn,
          .operationId = operation_id,
          .tag = "instances",
          .handler = handler,
          .answers = {accepted()},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()}};
}

void addLifecycleRoutes(std::vector<Endpoint>& table) {
  table.push_back({.method = "DELETE",
                   .pattern = "/api/instances/{id}",
                   .permission = Permission::WriteOwn,
                   .operationId = "deleteInstance",
                   .tag = "instances",
                   .summary = "Delete an instance",
                   .description = "Works in every state; an operation in progress is cancelled. Persistent volumes stay, and are listed at "
                                  "`GET /api/volumes`, unless `volumes` is true.",
                   .handler = deleteInstance,
                   .answers = {accepted(), ended("Deleted (with wait)")},
                   .problems = {409},
                   .parameters = {instanceRef(), ifMatch(), flag("volumes", "Delete its persistent volumes, too"), waitSeconds()}});
  Endpoint start = lifecycleRoute("/api/instances/{id}/start", "startInstance", startInstance);
  start.summary = "Start an instance";
  start.description =
      "An instance that runs already is left as it is. One whose volume is gone is not started with an empty one, unless `emptyVolumes` is "
      "true.";
  start.answers.push_back(ended("It runs (with wait)"));
  start.problems = {409, 422, 503};
  start.parameters.push_back(flag("emptyVolumes", "Make an empty volume where one with its files is gone"));
  table.push_back(std::move(start));
  Endpoint stop = lifecycleRoute("/api/instances/{id}/stop", "stopInstance", stopInstance);
  stop.summary = "Stop an instance";
  stop.description = "All of its processes end; its volumes stay.";
  stop.answers.push_back(ended("It is stopped (with wait)"));
  stop.problems = {409, 503};
  table.push_back(std::move(stop));
  Endpoint restart = lifecycleRoute("/api/instances/{id}/restart", "restartInstance", restartInstance);
  restart.summary = "Restart an instance";
  restart.description = "A stop and a start as one operation.";
  restart.answers.push_back(ended("It runs again (with wait)"));
  restart.problems = {409, 422, 503};
  table.push_back(std::move(restart));
  table.push_back({.method = "POST",
                   .pattern = "/api/instances/{id}/migrate",
                   .permission = Permission::WriteOwn,
                   .operationId = "migrateInstance",
                   .tag = "instances",
                   .summary = "Move an instance to another provider, region or host, with its files",
                   .description = "Id, name, URL and owner stay. `DELETE /api/operations/{id}` cancels the move until its step \"switch\". "
                                  "With `dryRun` nothing changes, and the answer is a MigrationPlan.",
                   .handler = migrateInstance,
                   .answers = {accepted(),
                               {.status = 200,
                                .description = "It was moved (with wait); or, for a dryRun, a MigrationPlan",
                                .schema = "StartedInstanceOrPlan",
                                .headers = {"ETag"}}},
                   .problems = {409, 422, 503},
                   .parameters = {instanceRef(), ifMatch(), waitSeconds()},
                   .body = BodyRule::Json,
                   .bodySchema = "MigrateInstance"});
}

Parameter selectedFields() { return text("fields", "Members to answer with, comma-separated: id,status,config.name", 1024); }

Endpoint changeRoute() {
  return {.pattern = "/api/instances/{id}",
          .permission = Permission::WriteOwn,
          .tag = "instances",
          .answers = {{.status = 200,
                       .description = "Done; `effect` tells how. For a dryRun, an UpdatePlan",
                       .schema = "UpdatedInstanceOrPlan",
                       .headers = {"ETag"}},
                      {.status = 202,
                       .description = "Accepted; follow the operation with operationId",
                       .schema = "UpdatedInstance",
                       .headers = {"ETag", "Operation-Location"}}},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(),
                         flag("dryRun", "Change nothing, and tell what would be done: a restart drops what is in no volume"),
                         flag("refreshImage", "Recreate it from the image that config.image names now; the body may be {}"), waitSeconds()},
          .body = BodyRule::Json};
}

void addChangeRoutes(std::vector<Endpoint>& table) {
  Endpoint put = changeRoute();
  put.method = "PUT";
  put.operationId = "updateInstance";
  put.summary = "Change an instance's configuration";
  put.description =
      "What is absent stays. `resources` and `network` are merged into what there is; `env`, `labels` and `metadata` are replaced whole.";
  put.handler = updateInstance;
  put.bodySchema = "UpdateInstance";
  table.push_back(std::move(put));
  Endpoint patch = changeRoute();
  patch.method = "PATCH";
  patch.operationId = "patchInstance";
  patch.summary = "Change an instance's configuration by a JSON merge patch";
  patch.description =
      "RFC 7396 on resources, network, env, labels and metadata: what is absent stays, and null removes a member, or sets it back to its "
      "default. `application/json` is read in the same way.";
  patch.handler = patchInstance;
  patch.bodySchema = "PatchInstance";
  patch.bodyType = kMergePatchType;
  table.push_back(std::move(patch));
}

}  // namespace

void addInstanceRoutes(std::vector<Endpoint>& table) {
  table.push_back(
      {.method = "POST",
       .pattern = "/api/instances",
       .permission = Permission::WriteOwn,
       .operationId = "createInstance",
       .tag = "instances",
       .summary = "Create an instance",
       .description = "Every member may be absent: the server then chooses name, provider, image and size.",
       .handler = createInstance,
       .answers = {{.status = 201,
                    .description = "It runs (with wait)",
                    .schema = "StartedInstance",
                    .headers = {"ETag", "Location", "Idempotency-Replayed"}},
                   {.status = 202,
                    .description = "Accepted; follow the operation with operationId",
                    .schema = "StartedInstance",
                    .headers = {"ETag", "Location", "Operation-Location", "Idempotency-Replayed"}}},
       .problems = {409, 422, 503},
       .parameters = {waitSeconds(), header("Idempotency-Key", "Makes a retry safe: the same key gives what it made before", 255)},
       .body = BodyRule::Json,
       .bodySchema = "CreateInstance"});
  table.push_back({.method = "GET",
                   .pattern = "/api/instances",
                   .permission = Permission::ReadOwn,
                   .operationId = "listInstances",
                   .tag = "instances",
                   .summary = "List instances",
                   .description = "Those that the caller may see, in the order of creation. With `fields`, only the named members.",
                   .handler = listInstances,
                   .answers = {{.status = 200, .description = "A page", .schema = "InstanceListOrSelection"}},
                   .parameters = {choice("status", "Only with this status",
                                         {"creating", "starting", "running", "stopping", "stopped", "failed", "deleting", "deleted"}),
                                  choice("provider", "Only at this provider", {"docker", "flyio", "fake"}),
                                  text("owner", "Only this user's (for administrators)"),
                                  text("name", "Only the one with this name"),
                                  {.name = "label",
                                   .kind = Parameter::Kind::Labels,
                                   .description = "label[KEY]=VALUE: only with this label; also written label.KEY=VALUE"},
                                  pageLimit(),
                                  pageCursor(),
                                  selectedFields()}});
  table.push_back(
      {.method = "GET",
       .pattern = "/api/instances/{id}",
       .permission = Permission::ReadOwn,
       .operationId = "getInstance",
       .tag = "instances",
       .summary = "Show an instance",
       .description = "Its configuration, state and addresses. With `fields`, only the named members.",
       .handler = getInstance,
       .answers =
           {{.status = 200, .description = "The instance; its ETag is for If-Match", .schema = "InstanceOrSelection", .headers = {"ETag"}}},
       .parameters = {instanceRef(), selectedFields()}});
  addChangeRoutes(table);
  addLifecycleRoutes(table);
}

}  // namespace swarm::api
