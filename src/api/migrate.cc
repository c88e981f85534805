// Moving an instance, and the plan of a move.
#include "api/handlers.h"
#include "model/codec.h"
#include "model/validation.h"

namespace swarm::api {
namespace {

constexpr std::int64_t kMostHours = 365 * 24;

struct MigrateCall {
  MigrateRequest request;
  bool dryRun = false;
};

MigrateCall readMigrateCall(const boost::json::value& body, const Instance& instance) {
  MigrateCall call;
  MigrateRequest& request = call.request;
  ObjectReader reader(body);
  request.targetProvider = reader.read<ProviderType>("targetProvider");
  request.region = reader.read<std::string>("region").value_or("");
  request.resources = reader.read<ResourceConfig>("resources", instance.config.resources);
  request.keepSource = reader.read<bool>("keepSource").value_or(false);
  auto hours = reader.read<std::int64_t>("keepHours");
  request.keepHours = hours.value_or(24);
  request.bandwidthLimit = reader.read<std::int64_t>("bandwidthLimit").value_or(0);
  request.back = reader.read<bool>("back").value_or(false);
  call.dryRun = reader.read<bool>("dryRun").value_or(false);
  if (request.resources) validateResources(*request.resources, reader.faults(), "/resources");
  if (request.keepHours < 1 || request.keepHours > kMostHours) reader.fail("/keepHours", "must be from 1 to 8760");
  if (hours && !request.keepSource) reader.fail("/keepHours", "goes with keepSource");
  if (request.bandwidthLimit < 0) reader.fail("/bandwidthLimit", "must not be negative: bytes per second, 0 for none");
  bool has_target = request.targetProvider || !request.region.empty();
  if (request.back && has_target) reader.fail("/back", "names the target itself: leave targetProvider and region out");
  if (!request.back && !has_target) reader.fail("/targetProvider", "is required, or region, or back");
  reader.finish();
  return call;
}

}  // namespace

awaitable<Reply> migrateInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  MigrateCall asked = readMigrateCall(call.body(), instance);
  if (asked.dryRun) {
    requireAdmitted(call, instance);
    MigrationPlan plan = co_await services.controller.planMigration(instance.id, std::move(asked.request));
    co_return jsonReply(200, toJson(plan));
  }
  auto begun =
      co_await services.controller.migrateInstance({instance.id, call.versions()}, std::move(asked.request), call.principal().user);
  co_return co_await answerOperation(services, call, std::move(begun), 200);
}

}  // namespace swarm::api
