// Moving an instance, and the plan of a move.
#include "api/handlers/handlers.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "model/rules/validation.h"

namespace swarm::api {
namespace {

MigrateInstanceRequest readMigration(const boost::json::value& body, std::vector<FieldError>& faults) {
  auto asked = readRequest<MigrateInstanceRequest>(body, faults);
  if (asked.keepHours && !asked.keepSource) faults.push_back({"/keepHours", "goes with keepSource"});
  const bool has_target = asked.targetProvider || !asked.region.empty();
  if (asked.back && has_target) faults.push_back({"/back", "names the target itself: leave targetProvider and region out"});
  if (!asked.back && !has_target) faults.push_back({"/targetProvider", "is required, or region, or back"});
  return asked;
}

MigrateRequest requestFor(const MigrateInstanceRequest& asked, const Instance& instance, std::vector<FieldError>& faults) {
  MigrateRequest request{.targetProvider = asked.targetProvider,
                         .region = asked.region,
                         .resources = {},
                         .keepSource = asked.keepSource,
                         .keepHours = asked.keepHours.value_or(kUsualKeepHours),
                         .bandwidthLimit = asked.bandwidthLimit,
                         .back = asked.back};
  if (asked.resources) {
    request.resources = instance.config.resources;
    apply(*asked.resources, *request.resources);
    validateResources(*request.resources, faults, "/resources");
  }
  return request;
}

}  // namespace

awaitable<Reply> migrateInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  std::vector<FieldError> faults;
  const MigrateInstanceRequest asked = readMigration(call.body(), faults);
  MigrateRequest request = requestFor(asked, instance, faults);
  throwIfAny(std::move(faults));
  if (asked.dryRun) {
    requireAdmitted(call, instance);
    MigrationPlan plan = co_await services.controller.planMigration(instance.id, std::move(request));
    co_return jsonReply(200, toJson(plan));
  }
  auto begun = co_await services.controller.migrateInstance({instance.id, call.versions()}, std::move(request), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

}  // namespace swarm::api
