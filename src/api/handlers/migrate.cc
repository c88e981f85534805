// Moves of instances, and their plans.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "model/rules/validation.h"

namespace swarm::api {
namespace {

MigrateInstanceRequest readMigration(const boost::json::value& value, std::vector<FieldError>& faults) {
  auto body = readRequest<MigrateInstanceRequest>(value, faults);
  if (body.keepHours && !body.keepSource) faults.push_back({"/keepHours", "requires keepSource"});
  const bool has_target = body.targetProvider || !body.region.empty();
  if (body.back && has_target) faults.push_back({"/back", "determines the target: leave out targetProvider and region"});
  if (!body.back && !has_target) faults.push_back({"/targetProvider", "is required, or region, or back"});
  return body;
}

MigrateRequest requestFor(const MigrateInstanceRequest& body, const Instance& instance, std::vector<FieldError>& faults) {
  MigrateRequest request{.targetProvider = body.targetProvider,
                         .region = body.region,
                         .resources = {},
                         .keepSource = body.keepSource,
                         .keepHours = body.keepHours.value_or(kUsualKeepHours),
                         .bandwidthLimit = body.bandwidthLimit,
                         .back = body.back};
  if (body.resources) {
    request.resources = instance.config.resources;
    apply(*body.resources, *request.resources);
    validateResources(*request.resources, faults, "/resources");
  }
  return request;
}

awaitable<Reply> migrateInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Manage);
  std::vector<FieldError> faults;
  const MigrateInstanceRequest body = readMigration(call.body(), faults);
  MigrateRequest request = requestFor(body, instance, faults);
  request.imageChoice = imageChoiceOf(call.principal());
  throwIfAny(std::move(faults));
  if (body.dryRun) {
    requireAdmitted(call, instance);
    MigrationPlan plan = co_await services.controller.planMigration(instance.id.str(), std::move(request));
    co_return jsonReply(200, toJson(plan));
  }
  auto started = co_await services.controller.migrateInstance({instance.id.str(), call.versions()}, std::move(request), actorOf(call));
  co_return co_await respondWithOperation(services, call, std::move(started), 200);
}

}  // namespace

std::vector<Endpoint> migrateRoutes() {
  return {

      at("POST", "/api/instances/{id}/migrate", Permission::Manage, "migrateInstance", migrateInstance,
         {.summary = "Move an instance to another provider, region or host, with its files",
          .description = "Id, name, URL and owner stay. `DELETE /api/operations/{id}` cancels the move until its step \"switch\". With "
                         "`dryRun`, nothing changes, and the response is a MigrationPlan.",
          .responses = {accepted(),
                        {.status = 200,
                         .description = "It was moved (with wait); or, for a dryRun, a MigrationPlan",
                         .schema = "StartedInstanceOrPlan",
                         .headers = {"ETag"}}},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), waitSeconds()},
          .body = jsonBody<MigrateInstanceRequest>()}),
  };
}

}  // namespace swarm::api
