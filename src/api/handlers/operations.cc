// Operations, and volumes, including those of deleted instances.
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

awaitable<Operation> requireOperation(Services& services, Call& call, Permission permission) {
  std::optional<Operation> operation = co_await services.controller.getOperation(call.argument());
  if (!operation || !canSee(call.principal(), operation->owner, operation->instanceId) ||
      !covers(call.principal(), operation->instanceName))
    throw notFound("operation", call.argument());
  requireAllowed(call, permission, operation->owner, operation->instanceId);
  co_return std::move(*operation);
}

awaitable<Reply> listOperations(Services& services, Call& call) {
  const auto query = call.query<ListOperationsQuery>();
  const auto limit = static_cast<std::size_t>(query.limit);
  OperationFilter filter;
  filter.status = query.status;
  filter.limit = limit + 1;
  filter.before = readCursor(call);
  if (!seesAll(call)) filter.owner = call.principal().user;
  if (!query.instance.empty()) {
    // An id may belong to a deleted instance.
    std::optional<Instance> instance = co_await services.controller.getInstance(query.instance);
    filter.instanceId = instance ? instance->id : InstanceId(query.instance);
    if (instance && canSee(call.principal(), instance->owner, instance->id)) filter.owner.reset();
  } else if (const auto& grants = call.principal().grants) {
    for (const auto& [instance, grant] : *grants) filter.shared.push_back(instance);
  }
  std::vector<Operation> operations = co_await services.controller.listOperations(std::move(filter));
  bool more = operations.size() > limit;
  if (more) operations.resize(limit);
  const std::string last = operations.empty() ? "" : operations.back().id;
  std::erase_if(operations, [&](const Operation& one) { return !covers(call.principal(), one.instanceName); });
  json::object page{{"items", toJson(operations)}};
  if (more) page["nextCursor"] = makeCursor(last);
  co_return jsonReply(200, page);
}

awaitable<Reply> getOperation(Services& services, Call& call) {
  Operation operation = co_await requireOperation(services, call, Permission::Read);
  if (call.wait() > std::chrono::seconds(0)) {
    operation = co_await services.controller.waitForOperation(operation.id, Deadline::after(call.wait()));
    requireStillVisible(services, call, operation);
  }
  co_return reply(operation);
}

awaitable<Reply> cancelOperation(Services& services, Call& call) {
  Operation operation = co_await requireOperation(services, call, Permission::Manage);
  Reply reply = jsonReply(202, toJson(co_await services.controller.cancelOperation(operation.id)));
  reply.headers.push_back(operationLocation(operation.id));
  co_return reply;
}

/// A token that is limited to a prefix reaches volumes of existing instances only: the names of deleted ones are not known.
bool canSeeVolume(Services& services, const Call& call, const VolumeResponse& volume) {
  if (!canSee(call.principal(), volume.owner, volume.instanceId)) return false;
  if (namePrefixOf(call.principal()).empty()) return true;
  return std::ranges::any_of(*services.controller.routes().current(), [&](const auto& named) {
    return named.second->instanceId == volume.instanceId && covers(call.principal(), named.first);
  });
}

awaitable<Reply> listVolumes(Services& services, Call& call) {
  std::vector<VolumeResponse> items = co_await services.controller.listVolumes();
  std::erase_if(items, [&](const VolumeResponse& one) { return !canSeeVolume(services, call, one); });
  co_return replyWithItems(items);
}

awaitable<Reply> deleteVolume(Services& services, Call& call) {
  std::vector<VolumeResponse> volumes = co_await services.controller.listVolumes();
  auto found = std::find_if(volumes.begin(), volumes.end(), [&](const VolumeResponse& volume) {
    return volume.name == call.argument() && canSeeVolume(services, call, volume);
  });
  if (found == volumes.end()) throw notFound("volume", call.argument());
  requireAllowed(call, Permission::Manage, found->owner, found->instanceId);
  co_await services.controller.deleteVolume(found->name);
  co_return Reply{.status = 204};
}

}  // namespace

std::vector<Endpoint> operationRoutes() {
  return {

      at("GET", "/api/operations", Permission::Read, "listOperations", listOperations,
         {.summary = "List operations, newest first",
          .description = "Those that the caller may see, of the last 30 days.",
          .responses = {ok("A page", listOf<Operation>())},
          .parameters = listParameters<ListOperationsQuery>()}),
      at("GET", "/api/operations/{id}", Permission::Read, "getOperation", getOperation,
         {.summary = "Show an operation",
          .description = "With `wait`, when it has ended, or in its current state when the time is over. The response to a failed "
                         "operation is also a 200; its `status` and `error` have the failure.",
          .responses = {ok<Operation>("Its steps and progress")},
          .parameters = {path("id", "The operation's id"), integer("wait", "Seconds to wait for its end", 0, 900)}}),
      at("DELETE", "/api/operations/{id}", Permission::Manage, "cancelOperation", cancelOperation,
         {.summary = "Cancel an operation",
          .description = "Its completed steps are rolled back. 409 once it has ended, or is about to.",
          .responses = {{.status = 202, .description = "It will end soon", .schema = "Operation", .headers = {"Operation-Location"}}},
          .problems = {409},
          .parameters = {path("id", "The operation's id")}}),
      at("GET", "/api/volumes", Permission::Read, "listVolumes", listVolumes,
         {.tag = "volumes",
          .summary = "List volumes, including those of deleted instances",
          .description = "The volumes that the providers have at this moment. `snapshot` is the name of the snapshot to which a volume "
                         "belongs, or empty.",
          .responses = {ok("All that the caller may see", listOf<VolumeResponse>())}}),
      at("DELETE", "/api/volumes/{name}", Permission::Manage, "deleteVolume", deleteVolume,
         {.tag = "volumes",
          .summary = "Delete a volume with its files",
          .description = "409 while an instance uses it.",
          .responses = {noContent("Deleted")},
          .problems = {409, 503},
          .parameters = {path("name", "The volume's name")}}),
  };
}

}  // namespace swarm::api
